//! `rpm config check FILE` and `rpm config schema`, for files of services.

use std::path::Path;

use crate::cli::exit;
use crate::cli::output;
use crate::cli::report;
use crate::client::Error;
use crate::config;
use crate::config::services;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::session::text;

/// Says what is wrong with a file of services, and fails if there is anything; `None` when it is no such file.
pub fn check(path: &Path, is_json: bool) -> Option<u8> {
    let text = config::read_file(path).ok()??;
    if !services::is_services(path, &text) {
        return None;
    }
    let loaded = match services::load(path) {
        Ok(loaded) => loaded,
        Err(error) => {
            return Some(report::error(&Error::Refused(WireError::new(Code::Failed, error.to_string()))));
        }
    };
    let findings = loaded.findings;
    let shown = path.display();
    if is_json {
        output::json("check", &serde_json::json!({ "path": shown.to_string(), "findings": findings }));
    } else if findings.is_empty() {
        let services = if loaded.specs.len() == 1 { "service" } else { "services" };
        output::print(format!("{shown} is fine: {} {services}\n", loaded.specs.len()).as_bytes());
    } else {
        for finding in &findings {
            output::print(format!("{shown}:{}\n", text::clean(&finding.to_string())).as_bytes());
        }
    }
    Some(if findings.is_empty() { exit::OK } else { exit::FAILURE })
}

/// Prints the JSON schema.
pub fn schema() -> u8 {
    output::print(format!("{:#}\n", services::schema()).as_bytes());
    exit::OK
}
