//! What there is to say of a service: its state with what comes next, its policies, how it ended before.

use crate::config::services;
use crate::platform::clock;
use crate::session::service::machine::Wanted;
use crate::session::service::status::ServiceState;
use crate::session::service::status::ServiceStatus;
use crate::session::service::telling;
use crate::session::status::Status;
use crate::session::text;
use crate::tui::app::App;
use crate::tui::theme::Role;

/// Deaths that are told.
const DEATHS: usize = 20;

/// The state in few letters; a pause counts down.
pub fn word(status: &Status, service: &ServiceStatus, now_ms: u64) -> String {
    let left = service.next_start_ms.saturating_sub(now_ms).div_ceil(1000);
    match service.state {
        ServiceState::Backoff | ServiceState::CrashLoop if service.next_start_ms > 0 => {
            format!("{} {left}s", service.state.word())
        }
        _ => status.word(),
    }
}

/// How long it has been up, or nothing.
pub fn up(service: &ServiceStatus, now_ms: u64) -> String {
    if service.up_since_ms == 0 { "-".to_owned() } else { super::age(now_ms, service.up_since_ms) }
}

/// The most useful lines, for the place below the list.
pub fn facts(app: &App, status: &Status, service: &ServiceStatus) -> Vec<(&'static str, String)> {
    let now = app.now().wall_ms;
    let wanted = if service.wanted == Wanted::Up { "wanted up" } else { "wanted down" };
    let up = match service.up_since_ms {
        0 => String::new(),
        since => format!(", up {}", super::age(now, since)),
    };
    let standing = telling::standing(service);
    let mut all = vec![
        ("state", format!("{}{up}{standing}; {wanted}", status.word_at(now))),
        ("says", service.said.clone().unwrap_or_default()),
    ];
    all.retain(|(_, text)| !text.is_empty());
    all
}

/// How it ended before, the newest first, and what it is: labels, texts, and how they look.
pub fn explanation(app: &App, status: &Status) -> Vec<(String, String, Role)> {
    let known = app.explained.as_ref().filter(|known| known.id == status.id);
    let Some(known) = known.filter(|_| status.service.is_some()) else { return Vec::new() };
    let mut lines = vec![(String::new(), String::new(), Role::Text)];
    if known.deaths.is_empty() {
        lines.push(("why".to_owned(), "It never ended so far.".to_owned(), Role::Text));
    }
    let fault = |errno: i32| std::io::Error::from_raw_os_error(errno).to_string();
    for (n, death) in known.deaths.iter().take(DEATHS).enumerate() {
        let label = if n == 0 { "why" } else { "" };
        let at = clock::rfc3339(death.at_ms).unwrap_or_else(|| "-".to_owned());
        lines.push((label.to_owned(), format!("{at}  {}", telling::sentence(death, fault)), Role::Text));
        lines.extend(death.lines.iter().map(|line| (String::new(), format!("  {}", text::clean(line)), Role::Faint)));
    }
    if known.deaths.len() > DEATHS {
        let text = format!("{} more: `rpm why {}`", known.deaths.len() - DEATHS, text::clean(&status.name));
        lines.push((String::new(), text, Role::Faint));
    }
    if let Some(definition) = &known.definition {
        lines.push((String::new(), String::new(), Role::Text));
        let source = String::from_utf8_lossy(&definition.spec.source).into_owned();
        let source = if source.is_empty() { "the command line".to_owned() } else { source };
        lines.push(("defined".to_owned(), format!("by {source}"), Role::Text));
        let written = services::text_of(&definition.spec);
        lines.extend(written.lines().map(|line| (String::new(), line.to_owned(), Role::Faint)));
    }
    lines
}
