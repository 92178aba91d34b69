//! Procfiles: lines `NAME: COMMAND`.

use crate::config::convert::Draft;
use crate::config::convert::Input;
use crate::config::convert::Service;
use crate::config::convert::bytes;
use crate::config::convert::command_of;
use crate::config::tree::Fault;
use crate::session::service::policy::Restart;

/// First port that foreman and overmind give, and the step from one process to the next.
const PORTS: (usize, usize) = (5000, 100);

/// Reads a whole file.
pub fn read(input: &Input<'_>) -> Result<Draft, Fault> {
    let mut draft = Draft::default();
    let mut start = 0;
    for line in input.text.split_inclusive('\n') {
        let span = start..start + line.trim_end().len();
        start += line.len();
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, command)) = line.split_once(':').filter(|(_, command)| !command.trim().is_empty()) else {
            return Err(Fault { span, text: "this is no line `NAME: COMMAND`".to_owned() });
        };
        let mut service = Service::new(name.trim(), &draft.services);
        service.spec.command = command_of(command);
        service.env("PORT", &(PORTS.0 + PORTS.1 * draft.services.len()).to_string());
        service
            .about
            .push("foreman and overmind give each process a port; take the line away if it needs none.".to_owned());
        if name.trim() == "release" {
            service
                .about
                .push("Heroku runs it once before the others: let them depend on it, as completed.".to_owned());
            service.spec.restart = Restart::No;
        }
        if input.has_dotenv {
            service.spec.env_file.push(bytes(".env"));
        }
        draft.services.push(service);
    }
    if draft.services.len() > 1 {
        draft.lost.push("foreman ends all when one ends: here each is restarted on its own".to_owned());
    }
    Ok(draft)
}
