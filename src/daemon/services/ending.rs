//! Asking a service to end: its command, its keys, and the signal last; all within one grace.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task;
use tokio::time::Instant;
use tokio::time::timeout_at;

use crate::daemon::services::Unit;
use crate::daemon::services::probes;
use crate::daemon::session::Mail;
use crate::daemon::session::Session;
use crate::protocol::verbs;
use crate::session::id::RequestKey;
use crate::session::service::machine::Phase;
use crate::session::service::policy::Stop;

impl Unit {
    /// Asks its program to end, for the reason that is in its state.
    pub fn stop_run(self: &Rc<Self>) {
        let by = match &self.machine.borrow().phase {
            Phase::Stopping { by, .. } if !by.is_empty() => by.clone(),
            Phase::Stopping { why, .. } => format!("{why:?}").to_lowercase(),
            _ => String::new(),
        };
        self.ask_to_end(by, RequestKey(0), self.grace().max(1));
    }

    /// Asks its program to end; who asks again while its command or keys are at work wants the signal now.
    pub fn ask_to_end(self: &Rc<Self>, by: String, key: RequestKey, grace_ns: u64) {
        let Some(session) = self.session.borrow().clone() else { return };
        let stop = self.definition.borrow().spec.stop.clone();
        let is_plain = stop.command.is_none() && stop.keys.is_empty();
        if is_plain || grace_ns == 0 || self.is_asked.replace(true) {
            return send(&session, by, key, grace_ns);
        }
        let unit = Rc::clone(self);
        task::spawn_local(async move {
            let deadline = Instant::now() + Duration::from_nanos(grace_ns);
            unit.ask(&session, &stop, &by, deadline).await;
            unit.is_asked.set(false);
            let left = deadline.saturating_duration_since(Instant::now()).as_nanos();
            send(&session, by, key, u64::try_from(left).unwrap_or(u64::MAX).max(1));
        });
    }

    async fn ask(&self, session: &Rc<Session>, stop: &Stop, by: &str, deadline: Instant) {
        if let Some(command) = &stop.command {
            let ran = timeout_at(deadline, probes::exec(self, command)).await;
            if !matches!(ran, Ok(Ok(true))) {
                tracing::warn!(service = %self.name, ?ran, "its stop command did not do well");
            }
        }
        for keys in &stop.keys {
            let Ok(room) = Arc::clone(&session.input_room.borrow()).try_acquire_many_owned(0) else { break };
            let request = verbs::Send { keys: Some(keys.clone()), ..verbs::Send::default() };
            let (reply, typed) = oneshot::channel();
            session.mail(Mail::Send { by: by.to_owned(), request, room, reply });
            let _ = timeout_at(deadline, typed).await;
        }
        // It ends by itself now, or is asked by its signal after half of the time that is left.
        let half = deadline.saturating_duration_since(Instant::now()) / 2;
        let until = Instant::now() + half;
        while session.history.exit().is_none() {
            if timeout_at(until, session.output.notified()).await.is_err() {
                break;
            }
        }
    }
}

fn send(session: &Session, by: String, key: RequestKey, grace_ns: u64) {
    let (reply, _) = oneshot::channel();
    session.mail(Mail::Stop { by, key, grace_ns, reply });
}
