//! `runpm`: programs that outlive your terminal.
//!
//! A per-user *keeper* owns the programs and pumps what they say into shared memory; a *daemon* beside it keeps a
//! screen per session and serves clients, and may be killed at any moment; *clients* are the dashboard and the
//! commands. See `docs/architecture.md` for the map and its invariants, `docs/glossary.md` for the words.
//!
//! Modules in the order in which they may depend on each other:
//!
//! | module | what it is | pure |
//! |---|---|---|
//! | [`term`] | bytes ↔ cells | yes |
//! | [`history`] | one history per session in shared memory | yes |
//! | [`session`] | what a session is, its life, its control | yes |
//! | [`protocol`] | the wire | yes |
//! | [`platform`] | everything that differs between systems | no |
//! | [`keeper`] | owns programs, pumps output | no |
//! | [`config`] | the user's settings | no |
//! | [`daemon`] | screens, clients, policies | no |
//! | [`client`] | finding the daemon, asking it, coming back to it | no |
//! | [`tui`] | the dashboard | its `app` is |
//! | [`cli`] | the commands | no |

pub mod cli;
pub mod client;
pub mod config;
pub mod daemon;
pub mod history;
pub mod keeper;
pub mod platform;
pub mod protocol;
pub mod session;
pub mod term;
pub mod tui;
