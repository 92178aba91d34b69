//! Sessions that probably wait for input: a guess, and shown as one.
//!
//! The facts: the job in front of the terminal sleeps in a read of that terminal, and nothing was said for two samples. A shell at its
//! prompt waits for everybody and for nobody in particular, so it does not count. It is looked at with samples, so only while the
//! list is there, and only for rows that are seen.

use crate::session::id::SessionId;
use crate::session::spec::Kind;
use crate::session::status::Status;
use crate::tui::app::App;
use crate::tui::app::Effect;

/// Programs that read commands.
const SHELLS: [&str; 10] = ["sh", "bash", "dash", "zsh", "fish", "ksh", "mksh", "ash", "busybox", "nu"];

/// Returns whether a session's own program is a shell that reads commands from its terminal.
fn is_shell(status: &Status) -> bool {
    let Some((program, rest)) = status.argv.split_first() else { return false };
    let name = program.rsplit('/').next().unwrap_or(program).trim_start_matches('-');
    let is_option = |arg: &String| arg.starts_with('-') && (arg.starts_with("--") || !arg.contains('c'));
    SHELLS.contains(&name) && rest.iter().all(is_option)
}

impl App {
    /// Asks about sessions on the screen that said nothing since the sample before.
    pub(in crate::tui) fn find_waiting(&mut self, busy: &[SessionId]) {
        let wanted: Vec<(SessionId, u32)> = self
            .seen_rows()
            .into_iter()
            .filter_map(|id| self.sessions.get(id))
            .filter(|status| status.end().is_none() && status.kind == Kind::Pty && status.pid > 0)
            .filter(|status| !busy.contains(&status.id) && !is_shell(status))
            .map(|status| (status.id, status.pid))
            .collect();
        if !wanted.is_empty() {
            self.effects.push(Effect::FindWaiting(wanted));
        }
    }

    pub(in crate::tui) fn on_waiting(&mut self, found: &[(SessionId, bool)]) {
        let wants = self.settings.alerts.iter().any(|kind| kind == "waiting");
        for (id, waits) in found {
            let is_alive = self.sessions.get(*id).is_some_and(|status| status.end().is_none());
            if !self.samples.set_waits(*id, *waits && is_alive) {
                continue;
            }
            self.damage.chrome();
            // Told when it begins to wait, and not again before something was said.
            if *waits && is_alive && wants {
                self.alert(*id, "waiting", "it probably waits for input");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_at_its_prompt_is_not_waiting_and_one_with_a_script_may_be() {
        let of = |argv: &[&str]| {
            let mut status: Status = serde_json::from_str(r#"{"id":"1","name":"x","state":{"word":"running"}}"#)
                .or_else(|_| serde_json::from_str(r#"{"id":1,"name":"x","state":{"word":"running"}}"#))
                .expect("a status");
            status.argv = argv.iter().map(|arg| (*arg).to_owned()).collect();
            is_shell(&status)
        };
        for shell in [&["bash"][..], &["-zsh"], &["/bin/sh", "-i"], &["bash", "--norc"], &["fish", "-l"]] {
            assert!(of(shell), "{shell:?}");
        }
        for other in [&["sh", "-c", "read x"][..], &["bash", "-lc", "make"], &["sh", "script"], &["python3"], &[]] {
            assert!(!of(other), "{other:?}");
        }
    }
}
