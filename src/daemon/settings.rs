//! Settings that are read again while the daemon lives.
//!
//! *Invariant:* a file with anything wrong changes nothing. What was started with the old settings keeps them; the limit of all
//! journals together is the next daemon's, because the thread that writes them has it.

use std::rc::Rc;

use crate::config;
use crate::config::Grade;
use crate::config::Settings;
use crate::daemon::hub::Hub;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;

impl Hub {
    /// Returns the settings that count now.
    pub fn settings(&self) -> Rc<Settings> {
        Rc::clone(&self.settings.borrow())
    }

    /// Reads the settings again; tells dashboards, which do the same.
    pub async fn reload_settings(&self) -> Result<(), WireError> {
        let place = self.place.clone();
        let loaded = tokio::task::spawn_blocking(move || config::load(&place)).await;
        let loaded = loaded.map_err(|error| WireError::new(Code::Failed, error.to_string()))?;
        if let Some(finding) = loaded.findings.iter().find(|finding| finding.grade == Grade::Error) {
            let path = self.place.config();
            let message = format!("the settings are left as they were: {}:{finding}", path.display());
            return Err(WireError::new(Code::Invalid, message).hint("`rpm config check` says all that is wrong"));
        }
        self.settings.replace(Rc::new(loaded.settings));
        for peer in self.peers.borrow().values().filter(|peer| peer.is_subscribed.get()) {
            peer.outbox.notify(&verbs::Reloaded {});
        }
        // Fewer ended sessions may be kept now.
        self.ended();
        Ok(())
    }
}
