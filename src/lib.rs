//! `runpm`: programs that outlive your terminal.
//!
//! A per-user *keeper* owns the programs and pumps what they say into shared memory; a *daemon* beside it keeps a
//! screen per session and serves clients, and may be killed at any moment; *clients* are the dashboard and the
//! commands. See `docs/architecture.md` for the map and its invariants, `docs/glossary.md` for the words.
//!
//! # As a library
//!
//! A program that starts others uses [`client`] and what it speaks ([`protocol::verbs`]); everything the commands do goes
//! through it.
//!
//! * [`client::Client`] is for tokio, [`client::blocking::Client`] for programs without a runtime. Both find the daemon or
//!   start it, and survive its death: requests that must not be done twice carry a [`client::request_key`].
//! * [`client::Command`] puts together what to start; `call` with any struct of [`protocol::verbs`] does the rest: `List`,
//!   `Send`, `Stop`, `ScreenOf`, `Remove` …
//! * [`client::Client::follow`] gives what a session says as [`client::Chunk`]s: offset, stream, time, bytes, each once.
//!   [`client::Client::subscribe`] gives changes of all sessions, [`client::Client::attach`] a session's screen and keyboard.
//! * [`client::Error`] says what failed, [`client::Error::hint`] what to do, [`client::Error::code`] a word that never
//!   changes.
//!
//! ```no_run
//! use runpm::client::Chunk;
//! use runpm::client::Client;
//! use runpm::client::Command;
//! use runpm::protocol::verbs::From;
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), runpm::client::Error> {
//!     let client = Client::connect_or_start().await?;
//!     let session = client.call(&Command::shell("make test").pipes().request()?).await?;
//!     let mut output = client.follow(&session.name, From::Start).await?;
//!     while let Some(chunk) = output.next().await? {
//!         if let Chunk::Bytes { bytes, .. } = chunk {
//!             print!("{}", String::from_utf8_lossy(&bytes));
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Five programs that do something are in `docs/examples`.
//!
//! # Modules
//!
//! In the order in which they may depend on each other:
//!
//! | module | what it is | pure |
//! |---|---|---|
//! | [`term`] | bytes ↔ cells | yes |
//! | [`history`] | one history per session in shared memory | yes |
//! | [`journal`] | a history on disk | all but its folder |
//! | [`session`] | what a session is, its life, its control | yes |
//! | [`protocol`] | the wire | yes |
//! | [`platform`] | everything that differs between systems | no |
//! | [`keeper`] | owns programs, pumps output | no |
//! | [`config`] | the user's settings | no |
//! | [`daemon`] | screens, clients, policies | no |
//! | [`tee`] | copies a stream to a file or a command | its parts are |
//! | [`client`] | finding the daemon, asking it, coming back to it | no |
//! | [`tui`] | the dashboard | its `app` is |
//! | [`cli`] | the commands | no |

pub mod cli;
pub mod client;
pub mod config;
pub mod daemon;
pub mod history;
pub mod journal;
pub mod keeper;
pub mod platform;
pub mod protocol;
pub mod session;
pub mod tee;
pub mod term;
pub mod tui;
