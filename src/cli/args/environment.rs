//! What a session's environment is made of: where it starts from, and changes in the order they were written.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use clap::Arg;
use clap::ArgAction;
use clap::ArgMatches;
use clap::Args;
use clap::Command;
use clap::FromArgMatches;
use clap::builder::OsStringValueParser;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;

use crate::session::environment::Policy;

/// One change, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// `--env NAME=VALUE`, or `--env NAME` to copy the client's value.
    Set(OsString),
    /// `--unset-env NAME`.
    Unset(OsString),
}

/// `--env-policy`, `--clear-env`, `--env`, `--unset-env`. Made by hand because the order of two different options counts.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Where it starts from.
    pub policy: Policy,
    /// What is laid over it.
    pub changes: Vec<Change>,
}

const POLICIES: [(&str, Policy); 3] =
    [("inherit", Policy::Inherit), ("login", Policy::Login), ("clear", Policy::Clear)];

impl Args for Environment {
    fn augment_args(command: Command) -> Command {
        let repeated = |name: &'static str| Arg::new(name).long(name).action(ArgAction::Append);
        command
            .arg(
                Arg::new("env-policy")
                    .long("env-policy")
                    .value_name("POLICY")
                    .value_parser(PossibleValuesParser::new(POLICIES.map(|(name, _)| name)))
                    .help("Start from this environment, from a fresh login's, or from nothing [default: inherit]"),
            )
            .arg(
                Arg::new("clear-env")
                    .long("clear-env")
                    .action(ArgAction::SetTrue)
                    .conflicts_with("env-policy")
                    .help("The same as --env-policy clear"),
            )
            .arg(
                repeated("env")
                    .value_name("NAME[=VALUE]")
                    .value_parser(OsStringValueParser::new().try_map(entry))
                    .help("Set a variable, or copy this environment's; later options win"),
            )
            .arg(
                repeated("unset-env")
                    .value_name("NAME")
                    .value_parser(OsStringValueParser::new().try_map(name))
                    .help("Remove a variable; later options win"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Environment {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut environment = Self::default();
        environment.update_from_arg_matches(matches)?;
        Ok(environment)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let wanted = matches.get_one::<String>("env-policy");
        let known = wanted.and_then(|wanted| POLICIES.iter().find(|(name, _)| name == wanted));
        self.policy = known.map_or(Policy::Inherit, |(_, policy)| *policy);
        if matches.get_flag("clear-env") {
            self.policy = Policy::Clear;
        }
        let of = |id: &str, make: fn(OsString) -> Change| -> Vec<(usize, Change)> {
            let values = matches.get_many::<OsString>(id).unwrap_or_default().cloned();
            matches.indices_of(id).unwrap_or_default().zip(values.map(make)).collect()
        };
        let mut changes = of("env", Change::Set);
        changes.extend(of("unset-env", Change::Unset));
        changes.sort_by_key(|(index, _)| *index);
        self.changes = changes.into_iter().map(|(_, change)| change).collect();
        Ok(())
    }
}

fn entry(text: OsString) -> Result<OsString, String> {
    let is_nameless = matches!(text.as_bytes().first(), None | Some(b'='));
    if is_nameless { Err("the name is empty; write NAME=VALUE".to_owned()) } else { Ok(text) }
}

fn name(text: OsString) -> Result<OsString, String> {
    let is_name = !text.is_empty() && !text.as_bytes().contains(&b'=');
    if is_name { Ok(text) } else { Err("write the NAME of a variable, without a value".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<Environment, clap::Error> {
        let command = Environment::augment_args(Command::new("x").no_binary_name(true));
        Environment::from_arg_matches(&command.try_get_matches_from(args)?)
    }

    #[test]
    fn options_of_different_names_keep_their_order() {
        let read = read(&["--env", "A=1", "--unset-env", "A", "--env", "B", "--env=A=", "--unset-env=C"]);
        let set = |text: &str| Change::Set(text.into());
        let unset = |text: &str| Change::Unset(text.into());
        let wanted = [set("A=1"), unset("A"), set("B"), set("A="), unset("C")];
        assert_eq!(read.expect("fine").changes, wanted);
    }

    #[test]
    fn what_is_no_entry_or_no_policy_is_refused() {
        for bad in [
            &["--env", ""][..],
            &["--env", "=x"],
            &["--unset-env", "A=1"],
            &["--unset-env", ""],
            &["--env-policy", "all"],
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
        assert_eq!(read(&["--clear-env"]).expect("fine").policy, Policy::Clear);
        assert_eq!(read(&["--env-policy", "login"]).expect("fine").policy, Policy::Login);
        assert!(read(&["--clear-env", "--env-policy", "login"]).is_err());
    }
}
