//! One session's history in shared memory: byte ring, index ring, cursors' limits, checkpoints.
//!
//! PURE: works over the [`Memory`] trait, takes time as an argument, does no I/O. The keeper
//! holds the only [`Writer`]; the daemon reads and sets the trim line. Offsets are absolute and never
//! reused, so a reader that fell behind learns of a gap instead of wrong bytes.

mod index;
pub mod layout;
mod memory;
mod reader;
mod slots;
#[cfg(test)]
mod tests;
mod writer;

pub use index::Entry;
pub use index::Kind;
pub use index::Stream;
pub use layout::LayoutError;
pub use memory::HeapMemory;
pub use memory::Memory;
pub use reader::Exit;
pub use reader::Gap;
pub use reader::Position;
pub use reader::Reader;
pub use reader::Step;
pub use slots::SLOTS_LEN;
pub use slots::Slot;
pub use slots::Slots;
pub use slots::Value;
pub use writer::ExitStatus;
pub use writer::Landing;
pub use writer::Writer;
