//! Bytes to cells and back: the screen a program draws on, and every form in which it travels.
//!
//! `Screen` is the authoritative screen of one session, `Base` and `Mirror` carry it to frame clients, `attach_dump` brings a real
//! terminal to the same point, `Undo` leaves that terminal as found and `Quiet` makes history safe to show again.
//! Pure: no clock, no I/O, no threads. Nothing a program writes may panic, hang or grow anything here without bound.
//! The properties are held by `tests/screen.rs`.

mod cast;
mod checkpoint;
mod dump;
mod effect;
mod engine;
mod frame;
mod lines;
mod mirror;
mod modes;
mod paint;
mod parser;
pub mod render;
mod replay;
mod row;
mod screen;
mod scroll;
mod size;
mod strip;
mod style;
mod text;
mod undo;

pub use cast::Cast;
pub use cast::CastHeader;
pub use cast::cast_start;
pub use checkpoint::CheckpointError;
pub use dump::attach_dump;
pub use dump::crop_dump;
pub use effect::Effect;
pub use effect::PromptMark;
pub use frame::Base;
pub use frame::Frame;
pub use frame::Overlay;
pub use frame::RowOverride;
pub use lines::Line;
pub use lines::Lines;
pub use mirror::CellView;
pub use mirror::Mirror;
pub use modes::Modes;
pub use modes::MouseEncoding;
pub use modes::MouseMode;
pub use replay::Quiet;
pub use row::Row;
pub use screen::SCROLLBACK_ROWS;
pub use screen::Screen;
pub use scroll::Past;
pub use scroll::Scroll;
pub use size::Size;
pub use strip::Strip;
pub use style::Color;
pub use style::Link;
pub use style::Style;
pub use style::Underline;
pub use undo::Undo;
