//! A file of services where names of them are wanted.

use std::path::Path;

use crate::cli::commands::apply;
use crate::client::Error;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::session::service::spec::ServiceSpec;

/// Puts the services of a file for the file: `rpm restart runpm.toml`.
pub fn expand(targets: &[String]) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for target in targets {
        if !apply::is_file(target) || !Path::new(target).is_file() {
            names.push(target.clone());
            continue;
        }
        let Some(specs) = apply::load(Path::new(target))? else {
            return Err(WireError::new(Code::Invalid, format!("{target} does not say which services are meant")).into());
        };
        names.extend(specs.iter().map(ServiceSpec::full_name));
    }
    Ok(names)
}
