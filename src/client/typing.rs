//! What is typed and may not be sent yet: a client sends as much as the daemon gave it credit for and keeps the rest.
//!
//! Pure. So a pasted gigabyte waits here, where the key that detaches and `C-c` are not behind it.

use std::collections::VecDeque;

/// `C-c`.
const INTERRUPT: &[u8] = &[3];

/// The typing side of one attachment.
#[derive(Debug, Default)]
pub struct Typing {
    queue: VecDeque<u8>,
    credit: u64,
    /// `C-c` drops what waits, as a terminal does.
    interrupts: bool,
}

impl Typing {
    /// Starts with the credit of an attachment. `interrupts`: the session has a terminal.
    #[must_use]
    pub fn new(credit: u64, interrupts: bool) -> Self {
        Self { queue: VecDeque::new(), credit, interrupts }
    }

    /// Goes on with another daemon's credit; what was not sent stays.
    pub fn renew(&mut self, credit: u64, interrupts: bool) {
        (self.credit, self.interrupts) = (credit, interrupts);
    }

    /// Takes typed bytes; returns what has to be sent now. `C-c` at their end, while something waits, drops all of it.
    #[must_use]
    pub fn type_in(&mut self, bytes: &[u8]) -> Vec<u8> {
        let waits = !self.queue.is_empty() || bytes.len() as u64 > self.credit;
        if self.interrupts && waits && bytes.ends_with(INTERRUPT) {
            self.queue.clear();
            return INTERRUPT.to_vec();
        }
        self.queue.extend(bytes);
        self.take()
    }

    /// Takes credit; returns what has to be sent now.
    #[must_use]
    pub fn credited(&mut self, bytes: u64) -> Vec<u8> {
        self.credit = self.credit.saturating_add(bytes);
        self.take()
    }

    fn take(&mut self) -> Vec<u8> {
        let len = self.credit.min(self.queue.len() as u64);
        self.credit -= len;
        self.queue.drain(..len as usize).collect()
    }

    /// Returns how many bytes wait for credit.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w9_no_more_is_sent_than_was_allowed_and_order_is_kept() {
        let mut typing = Typing::new(4, true);
        assert_eq!(typing.type_in(b"abcdef"), b"abcd");
        assert_eq!(typing.type_in(b"g"), b"");
        assert_eq!(typing.credited(2), b"ef");
        assert_eq!(typing.waiting(), 1);
        assert_eq!(typing.credited(10), b"g");
        assert_eq!(typing.type_in(b"hij"), b"hij");
    }

    #[test]
    fn an_interrupt_overtakes_a_paste_and_drops_it() {
        let mut typing = Typing::new(1, true);
        assert_eq!(typing.type_in(b"paste"), b"p");
        assert_eq!(typing.type_in(b"\x03"), b"\x03");
        assert_eq!(typing.credited(9), b"");
        assert_eq!(typing.type_in(b"more than is allowed\x03"), b"\x03");
        // Nothing waits: it is a key like any other. Among other bytes it is data.
        assert_eq!(typing.type_in(b"\x03"), b"\x03");
        let mut pipe = Typing::new(1, false);
        assert_eq!(pipe.type_in(b"data"), b"d");
        assert_eq!(pipe.type_in(b"\x03"), b"");
        assert_eq!(pipe.credited(9), b"ata\x03");
    }
}
