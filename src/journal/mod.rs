//! A session's history on disk: the bytes as they were, and an index of what they are and when they came.
//!
//! One folder a journal, in it numbered segments of two files each: `00000001.raw` holds bytes exactly as the ring had them,
//! `00000001.idx` a header and records of [`RECORD`](record::RECORD) bytes. Offsets are those of the ring and go on over
//! rings. Records, names, rotation and reading are pure over a [`Disk`]; [`Folder`] is the only thing here that knows files.
//!
//! *Invariant:* a record is written after the bytes it describes, so that any end of the files is the end of a prefix.

mod backwards;
mod batch;
mod disk;
pub mod name;
mod reader;
pub mod record;
#[cfg(test)]
mod tests;
mod writer;

pub use backwards::Backwards;
pub use batch::Batch;
pub use batch::Feed;
pub use batch::resume;
pub use disk::Disk;
pub use disk::Folder;
pub use disk::Part;
pub use reader::Page;
pub use reader::Piece;
pub use reader::Reader;
pub use record::Record;
pub use record::What;
pub use writer::Caps;
pub use writer::LATER;
pub use writer::Writer;
