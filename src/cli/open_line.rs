//! Lines of several streams on one output, where one that was not ended yet may be shown as far as it has come: a prompt.
//!
//! What is shown of a line is never shown again: it goes on where it stands, or, once another line came between, in a line of
//! its own.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// After so long without anything new, what has no end yet is shown.
pub const QUIET: Duration = Duration::from_millis(150);

/// Which line the output stands in: the number of its stream, if it was not ended.
#[derive(Debug, Clone, Default)]
pub struct Output(Rc<Cell<Option<usize>>>);

/// The line of one stream that was shown in part.
#[derive(Debug)]
pub struct OpenLine {
    output: Output,
    number: usize,
    /// Bytes of it that were shown.
    shown: usize,
}

impl OpenLine {
    /// Starts with nothing shown; `number` tells the stream from the others on this output.
    pub const fn new(output: Output, number: usize) -> Self {
        Self { output, number, shown: 0 }
    }

    /// Adds what is new of an unfinished line, behind `prefix` where it does not go on.
    pub fn show(&mut self, prefix: &[u8], line: &[u8], text: &mut Vec<u8>) {
        let fresh = line.get(self.shown..).unwrap_or_default();
        if !fresh.is_empty() {
            self.go_on(prefix, fresh, text);
            self.shown = line.len();
            self.output.0.set(Some(self.number));
        }
    }

    /// Adds what is left of a line and its end.
    pub fn end(&mut self, prefix: &[u8], line: &[u8], text: &mut Vec<u8>) {
        let fresh = line.get(self.shown..).unwrap_or_default();
        let is_shown = std::mem::take(&mut self.shown) > 0;
        if is_shown && fresh.is_empty() && !self.is_mine() {
            // Another line ended it.
            return;
        }
        self.go_on(prefix, fresh, text);
        text.push(b'\n');
        self.output.0.set(None);
    }

    fn is_mine(&self) -> bool {
        self.output.0.get() == Some(self.number)
    }

    fn go_on(&self, prefix: &[u8], fresh: &[u8], text: &mut Vec<u8>) {
        if !self.is_mine() {
            if self.output.0.get().is_some() {
                text.push(b'\n');
            }
            text.extend_from_slice(prefix);
        }
        text.extend_from_slice(fresh);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_shown_once_and_goes_on_where_it_stands_or_in_a_line_of_its_own() {
        let output = Output::default();
        let mut lines = [0, 1].map(|number| OpenLine::new(output.clone(), number));
        let mut text = Vec::new();
        lines[0].show(b"a|", b"Name? ", &mut text);
        lines[0].show(b"a|", b"Name? ", &mut text);
        lines[0].end(b"a|", b"Name? Ann", &mut text);
        lines[0].show(b"a|", b"Age? ", &mut text);
        lines[1].end(b"b|", b"whole", &mut text);
        lines[0].end(b"a|", b"Age? 7", &mut text);
        lines[0].show(b"a|", b"more", &mut text);
        lines[1].show(b"b|", b"x", &mut text);
        lines[0].end(b"a|", b"more", &mut text);
        lines[1].end(b"b|", b"x", &mut text);
        lines[1].end(b"b|", b"", &mut text);
        assert_eq!(String::from_utf8_lossy(&text), "a|Name? Ann\na|Age? \nb|whole\na|7\na|more\nb|x\nb|\n");
    }
}
