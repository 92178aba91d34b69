//! When a file is full: it never grows beyond its size, and lines stay whole where they can.
//!
//! Pure. Files in their order, put together, are the bytes that were written, no more and no fewer.

/// What may be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Write so many of the bytes.
    Write(usize),
    /// Begin a new file first.
    Rotate,
}

/// The budget of one file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rotation {
    /// Most bytes of one file; 0: as many as come.
    max: u64,
    size: u64,
    is_line_end: bool,
}

impl Rotation {
    /// A file that has `size` bytes and may have `max`; 0 means any number.
    #[must_use]
    pub const fn new(max: u64, size: u64) -> Self {
        Self { max, size, is_line_end: false }
    }

    /// The same budget for another file, which has `size` bytes.
    #[must_use]
    pub const fn anew(&self, size: u64) -> Self {
        Self::new(self.max, size)
    }

    /// Says what to do with the bytes that wait.
    #[must_use]
    pub fn cut(&self, waiting: &[u8]) -> Cut {
        let room = self.max.saturating_sub(self.size);
        if self.max == 0 || waiting.len() as u64 <= room {
            return Cut::Write(waiting.len());
        }
        let room = room as usize;
        match waiting[..room].iter().rposition(|b| *b == b'\n') {
            Some(at) => Cut::Write(at + 1),
            None if room == 0 || (self.size > 0 && self.is_line_end) => Cut::Rotate,
            None => Cut::Write(room),
        }
    }

    /// These bytes were written.
    pub fn wrote(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.is_line_end = bytes.last().map_or(self.is_line_end, |b| *b == b'\n');
    }

    /// A new file was begun.
    pub const fn rotated(&mut self) {
        self.size = 0;
        self.is_line_end = true;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn files(max: u64, pieces: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut rotation = Rotation::new(max, 0);
        let mut files = vec![Vec::new()];
        for piece in pieces {
            let mut rest = piece.as_slice();
            while !rest.is_empty() {
                match rotation.cut(rest) {
                    Cut::Rotate => {
                        rotation.rotated();
                        files.push(Vec::new());
                    }
                    Cut::Write(len) => {
                        rotation.wrote(&rest[..len]);
                        files.last_mut().expect("one").extend_from_slice(&rest[..len]);
                        rest = &rest[len..];
                    }
                }
            }
        }
        files
    }

    #[test]
    fn w44_lines_stay_whole_unless_they_are_longer_than_a_file() {
        let text =
            |files: Vec<Vec<u8>>| files.iter().map(|f| String::from_utf8_lossy(f).into_owned()).collect::<Vec<_>>();
        assert_eq!(text(files(8, &[b"abc\ndef\nghi\n".to_vec()])), ["abc\ndef\n", "ghi\n"]);
        assert_eq!(text(files(6, &[b"abc\nd".to_vec(), b"ef\n".to_vec()])), ["abc\nde", "f\n"]);
        assert_eq!(text(files(4, &[b"a\n0123456789\n".to_vec()])), ["a\n", "0123", "4567", "89\n"]);
    }

    proptest! {
        #[test]
        fn w44_no_file_is_too_large_and_all_of_them_are_what_was_written(
            max in 1_u64..40,
            pieces in proptest::collection::vec(proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..60), 0..20),
        ) {
            let files = files(max, &pieces);
            prop_assert!(files.iter().all(|file| file.len() as u64 <= max));
            prop_assert_eq!(files.concat(), pieces.concat());
            prop_assert!(files.len() == 1 || files.iter().all(|file| !file.is_empty()));
        }
    }
}
