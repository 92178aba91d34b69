//! What an instance does and how it ended before, in words for people: the same in `rpm why` and in the dashboard.

use crate::history::ExitStatus;
use crate::session::service::death::Death;
use crate::session::service::machine::Wanted;
use crate::session::service::machine::Why;
use crate::session::service::status::ServiceState;
use crate::session::service::status::ServiceStatus;
use crate::session::status::signal_name;
use crate::session::text;

/// Says what goes with its state: a reason, how often it was restarted, and that it was given up.
#[must_use]
pub fn standing(service: &ServiceStatus) -> String {
    let restarts = match service.restarts {
        0 => String::new(),
        1 => ", restarted once".to_owned(),
        n => format!(", restarted {n} times"),
    };
    let reason = service.reason.as_ref().map(|reason| format!(": {}", text::clean(reason))).unwrap_or_default();
    let is_given_up = service.state == ServiceState::Failed && service.wanted == Wanted::Up;
    let now = if is_given_up { "; it is not tried again until `rpm start`" } else { "" };
    format!("{reason}{restarts}{now}")
}

/// Says how a run ended, after how long, and why; `fault` puts an error number into words.
#[must_use]
pub fn sentence(death: &Death, fault: impl Fn(i32) -> String) -> String {
    let by = if death.by.is_empty() { String::new() } else { format!(" by {}", text::clean(&death.by)) };
    let how = match (death.status, death.errno) {
        (Some(ExitStatus::Code(code)), _) => format!("exited with code {code}"),
        (Some(ExitStatus::Signal(signal)), _) => format!("was ended by {}", signal_name(signal)),
        (None, Some(errno)) => format!("could not be started ({})", fault(errno)),
        (None, None) => "ended unseen".to_owned(),
    };
    let is_unseen = death.status.is_none();
    let up = if is_unseen { String::new() } else { format!(" after {} up", up(death.up_ms)) };
    let why = match death.why {
        Why::Ended | Why::Crashed => "by itself".to_owned(),
        Why::NotStarted => "not started".to_owned(),
        Why::Stop => format!("stopped{by}"),
        Why::Restart => format!("restarted{by}"),
        Why::Delete => format!("deleted{by}"),
        Why::Watch => "a watched file changed".to_owned(),
        Why::Schedule => "its schedule".to_owned(),
        Why::Memory => {
            // Who asked is its limit, which says how much it was.
            let much = death.by.split_once(": ").map(|(_, much)| format!(": {}", text::clean(much)));
            format!("it used more memory than it may{}", much.unwrap_or_default())
        }
        Why::Unwell => "it was not well any more".to_owned(),
        Why::Shutdown => "everything was shut down".to_owned(),
        Why::Lost => "its keeper died, or the computer was restarted".to_owned(),
    };
    let left = match death.left.len() {
        0 => String::new(),
        n => format!(", {n} processes could not be ended"),
    };
    let killed = if death.killed { ", it had to be killed" } else { "" };
    format!("{how}{up}: {why}{killed}{left}")
}

fn up(ms: u64) -> String {
    if ms < 10_000 { format!("{}.{:03}s", ms / 1000, ms % 1000) } else { text::age(ms) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_knows_how_long_one_was_up_that_ended_unseen_and_a_limit_says_how_much_it_was() {
        let said = |death: Death| sentence(&death, |errno| errno.to_string());
        let lost = Death { why: Why::Lost, ..Death::default() };
        assert_eq!(said(lost), "ended unseen: its keeper died, or the computer was restarted");
        let by = "its limit of memory: 92 MiB of 60 MiB".to_owned();
        let large =
            Death { why: Why::Memory, by, status: Some(ExitStatus::Signal(15)), up_ms: 2050, ..Death::default() };
        assert_eq!(said(large), "was ended by TERM after 2.050s up: it used more memory than it may: 92 MiB of 60 MiB");
    }
}
