//! Makes output safe to show again: what asks or alerts is taken out, what draws stays byte for byte.
//!
//! Taken out are queries of every kind, bells, clipboard access, notifications, downloads and anything wrapped for another terminal
//! to carry out. A control inside a sequence is passed on before it, since terminals obey it at once. State is bounded: of a string, at
//! most what the tokeniser keeps is held back.

use super::parser::Parser;
use super::parser::Sequence;
use super::parser::Sink;

/// Starts of OSC 1337 that do something rather than describe the shell.
const ITERM_ACTIONS: [&[u8]; 9] = [
    b"RequestAttention",
    b"ReportCellSize",
    b"ReportVariable",
    b"RequestUpload",
    b"StealFocus",
    b"Copy",
    b"EndCopy",
    b"File",
    b"OpenURL",
];

/// Filters output for replays and for clients that only look.
pub struct Quiet {
    parser: Parser,
    judge: Judge,
    /// Bytes of the sequence being read.
    held: Vec<u8>,
    /// What happens to the rest of a string too long to hold.
    overlong: Option<Verdict>,
    /// A string just ended at an escape character; what that starts is dropped if it is its terminator.
    drops_backslash: bool,
    /// First byte of a character in which a C1 control can hide.
    has_c1_lead: bool,
    /// Bytes that the last character passed on still lacks.
    owed: u8,
}

#[derive(Copy, Clone, Eq, PartialEq)]
enum Verdict {
    Keep,
    Drop,
}

/// Judges sequences as they end.
#[derive(Default)]
struct Judge {
    drop: bool,
    /// The byte just read was a control that is obeyed inside the sequence.
    is_control: bool,
}

impl Default for Quiet {
    fn default() -> Quiet {
        Quiet {
            parser: Parser::new(),
            judge: Judge::default(),
            held: Vec::new(),
            overlong: None,
            drops_backslash: false,
            has_c1_lead: false,
            owed: 0,
        }
    }
}

impl Quiet {
    /// Returns a filter that stands at the start of a stream.
    #[must_use]
    pub fn new() -> Quiet {
        Quiet::default()
    }

    /// Appends to `out` what of `bytes` may be shown.
    pub fn filter(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut at = 0;
        while at < bytes.len() {
            at += if self.parser.is_ground() { self.ground(&bytes[at..], out) } else { self.inside(bytes[at], out) };
        }
    }

    /// Passes text through up to the next sequence and returns its length.
    fn ground(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> usize {
        if std::mem::take(&mut self.has_c1_lead) {
            let is_introducer = matches!(bytes[0], 0x90 | 0x98 | 0x9a | 0x9b | 0x9d..=0x9f);
            if is_introducer {
                self.part(out);
                return 1;
            }
            out.push(0xc2);
            self.owed = 1;
        }
        let is_special = |byte: &u8| matches!(byte, 0x05 | 0x07 | 0x1b | 0xc2);
        let plain = bytes.iter().position(is_special).unwrap_or(bytes.len());
        out.extend_from_slice(&bytes[..plain]);
        self.owed = owed(self.owed, &bytes[..plain]);
        match bytes.get(plain) {
            None => plain,
            Some(0xc2) => {
                self.has_c1_lead = true;
                plain + 1
            }
            Some(0x1b) => {
                self.part(out);
                self.begin();
                plain + 1
            }
            Some(_) => {
                self.part(out);
                plain + 1
            }
        }
    }

    /// Parts a broken-off character from what follows: without what is taken out, the two could become one. Terminals do
    /// nothing at a NUL.
    fn part(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.owed) > 0 {
            out.push(0);
        }
    }

    fn begin(&mut self) {
        self.parser.advance(&mut self.judge, b"\x1b");
        self.judge = Judge::default();
        self.held.clear();
        self.held.push(0x1b);
        self.overlong = None;
    }

    /// Reads one byte of a sequence.
    fn inside(&mut self, byte: u8, out: &mut Vec<u8>) -> usize {
        let was_backslash_due = std::mem::take(&mut self.drops_backslash) && byte == b'\\' && self.held == [0x1b];
        self.parser.advance(&mut self.judge, &[byte]);
        if byte == 0x1b {
            self.end_at_escape(out);
            return 1;
        }
        match self.overlong {
            // Terminals obey a control before the sequence around it ends, whatever becomes of that.
            _ if std::mem::take(&mut self.judge.is_control) => {
                let is_kept = !matches!(byte, 0x05 | 0x07);
                out.extend(is_kept.then_some(byte));
            }
            Some(Verdict::Keep) => out.push(byte),
            Some(Verdict::Drop) => {}
            None => self.held.push(byte),
        }
        if self.parser.is_ground() {
            self.judge.drop |= was_backslash_due;
            self.settle(out);
        } else if self.overlong.is_none() && self.parser.swallowed().is_some() {
            self.overlong = Some(if is_unwanted_string(&self.held) { Verdict::Drop } else { Verdict::Keep });
            if self.overlong == Some(Verdict::Keep) {
                out.append(&mut self.held);
            }
            self.held = Vec::new();
        }
        1
    }

    /// An escape character ended what was held, if it was a string, or broke it off.
    fn end_at_escape(&mut self, out: &mut Vec<u8>) {
        let is_string = matches!(self.held.get(1), Some(b']' | b'P' | b'X' | b'^' | b'_')) || self.overlong.is_some();
        let is_dropped = match self.overlong {
            Some(verdict) => verdict == Verdict::Drop,
            None => self.judge.drop || is_unwanted_string(&self.held),
        };
        if is_string && !is_dropped {
            // The string ends here whatever follows, so its terminator is written here.
            out.extend_from_slice(&self.held);
            out.extend_from_slice(b"\x1b\\");
        }
        self.drops_backslash = is_string;
        self.judge = Judge::default();
        self.held.clear();
        self.held.push(0x1b);
        self.overlong = None;
    }

    /// Passes on or drops what was held.
    fn settle(&mut self, out: &mut Vec<u8>) {
        if !self.judge.drop && !is_unwanted_string(&self.held) {
            out.extend_from_slice(&self.held);
        }
        self.held.clear();
        self.held.shrink_to(4096);
        self.overlong = None;
        self.judge = Judge::default();
    }
}

impl Sink for Judge {
    fn control(&mut self, _byte: u8) {
        self.is_control = true;
    }

    fn escape(&mut self, intermediate: u8, last: u8) {
        self.drop |= intermediate == 0 && last == b'Z';
    }

    fn csi(&mut self, sequence: &Sequence) {
        self.drop |= is_query(sequence);
    }

    fn dcs(&mut self, sequence: &Sequence, _payload: &[u8]) {
        self.drop |= is_unwanted_dcs(sequence.intermediate, sequence.last);
    }
}

/// Returns how many bytes the last character of `text` lacks, if `before` were lacking when it began.
fn owed(before: u8, text: &[u8]) -> u8 {
    let tail = &text[text.len().saturating_sub(4)..];
    let start = if tail.len() < 4 { before } else { 0 };
    tail.iter().fold(start, |owed, byte| match byte {
        0x80..=0xbf => owed.saturating_sub(1),
        0xc2..=0xdf => 1,
        0xe0..=0xef => 2,
        0xf0..=0xf4 => 3,
        _ => 0,
    })
}

/// Tells whether a control sequence makes a terminal answer or act on something else than its screen.
fn is_query(sequence: &Sequence) -> bool {
    match (sequence.marker, sequence.intermediate, sequence.last) {
        (_, 0, b'c' | b'x' | b'i')
        | (b'>', 0, b'q')
        | (b'?', 0, b'u' | b'm' | b'S')
        | (0 | b'?', 0, b'n')
        | (_, b'$', b'p' | b'u' | b'w')
        | (0, b'&' | b'*', b'u' | b'w' | b'x' | b'y')
        | (0, b'+' | b'"' | b'\'' | b'#', b'x' | b'v' | b'|' | b'R') => true,
        (_, 0, b't') => matches!(sequence.param_or(0, 0), 11 | 13..=16 | 18..=21),
        _ => false,
    }
}

fn is_unwanted_dcs(intermediate: u8, last: u8) -> bool {
    matches!((intermediate, last), (b'$' | b'+', b'q' | b'Q') | (0, b't'))
}

/// Tells whether a string, given from its introducer on, asks or alerts.
fn is_unwanted_string(held: &[u8]) -> bool {
    let Some((introducer, body)) = held.split_at_checked(2) else {
        return false;
    };
    match introducer {
        b"\x1b]" => is_unwanted_osc(body),
        b"\x1bP" => {
            let params = body.iter().take_while(|byte| matches!(byte, 0x30..=0x3f)).count();
            match body[params..] {
                [last @ 0x40..=0x7e, ..] => is_unwanted_dcs(0, last),
                [intermediate, last, ..] => is_unwanted_dcs(intermediate, last),
                _ => false,
            }
        }
        // Graphics commands are answered unless they say not to.
        b"\x1b_" if body.first() == Some(&b'G') => !has_quiet_key(&body[1..]),
        _ => false,
    }
}

fn has_quiet_key(graphics: &[u8]) -> bool {
    let keys = graphics.split(|&byte| byte == b';').next().unwrap_or_default();
    keys.split(|&byte| byte == b',').any(|key| key == b"q=2")
}

fn is_unwanted_osc(body: &[u8]) -> bool {
    let text = body.strip_suffix(b"\x07").unwrap_or(body);
    let mut parts = text.split(|&byte| byte == b';');
    let code = parts.next().unwrap_or_default();
    match code {
        b"9" | b"52" | b"99" | b"777" | b"5522" => true,
        b"1337" => parts.next().is_some_and(|action| ITERM_ACTIONS.iter().any(|start| action.starts_with(start))),
        b"4" | b"5" | b"10" | b"11" | b"12" | b"13" | b"14" | b"15" | b"16" | b"17" | b"18" | b"19" => {
            parts.any(|part| part == b"?")
        }
        b"21" | b"22" => text.contains(&b'?'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k9_what_is_taken_out_never_joins_what_it_parted() {
        let mut out = Vec::new();
        let mut quiet = Quiet::new();
        for piece in [&b"\xc3"[..], b"\x1b[", b"c\x80", b"\xe3\x81\x07\x82", b"\xe3\x81\x82\x07z"] {
            quiet.filter(piece, &mut out);
        }
        assert_eq!(out, b"\xc3\0\x80\xe3\x81\0\x82\xe3\x81\x82z");
    }

    fn quieted(bytes: &[u8]) -> String {
        let (mut quiet, mut out) = (Quiet::new(), Vec::new());
        for byte in bytes {
            quiet.filter(&[*byte], &mut out);
        }
        String::from_utf8_lossy(&out).escape_default().to_string()
    }

    #[test]
    fn drawing_stays_byte_for_byte() {
        let kept: [&[u8]; 9] = [
            b"\x1b[1;31mtext\r\n",
            b"\x1b]2;title\x07",
            b"\x1b]2;title\x1b\\",
            b"\x1b]8;;http://example.com\x1b\\x\x1b]8;;\x1b\\",
            b"\x1b]133;A\x07",
            b"\x1bPq#0~\x1b\\",
            b"\x1b_Ga=T,q=2;AAAA\x1b\\",
            b"\x1b[22;0t\x1b[?1049h\x1b(0\x0e",
            "caf\u{e9} \u{a0}".as_bytes(),
        ];
        for bytes in kept {
            assert_eq!(quieted(bytes), String::from_utf8_lossy(bytes).escape_default().to_string());
        }
    }

    #[test]
    fn what_asks_or_alerts_is_gone_without_a_trace() {
        let gone: [&[u8]; 22] = [
            b"\x07",
            b"\x05",
            b"\x1b[c",
            b"\x1b[>0c",
            b"\x1b[=c",
            b"\x1bZ",
            b"\x1b[6n",
            b"\x1b[?996n",
            b"\x1b[?25$p",
            b"\x1b[>q",
            b"\x1b[?u",
            b"\x1b[14t",
            b"\x1b]11;?\x1b\\",
            b"\x1b]4;1;?\x07",
            b"\x1b]52;c;aGk=\x1b\\",
            b"\x1b]9;done\x07",
            b"\x1b]777;notify;a;b\x1b\\",
            b"\x1b]1337;RequestAttention=yes\x07",
            b"\x1bP$qm\x1b\\",
            b"\x1bP+q544e\x1b\\",
            b"\x1bPtmux;x\x1b\\",
            b"\x1b_Ga=q,i=1;AAAA\x1b\\",
        ];
        for bytes in gone {
            let around = [b"a", bytes, b"b"].concat();
            assert_eq!(quieted(&around), "ab", "{}", bytes.escape_ascii());
        }
        assert_eq!(quieted("a\u{9b}cb".as_bytes()), "acb");
    }

    #[test]
    fn long_clipboard_is_dropped_to_its_end_without_being_held() {
        let (mut quiet, mut out) = (Quiet::new(), Vec::new());
        quiet.filter(b"\x1b]52;c;", &mut out);
        (0..64).for_each(|_| quiet.filter(&vec![b'A'; 65_536], &mut out));
        assert!(quiet.held.capacity() < 1 << 18);

        quiet.filter(b"\x07after", &mut out);

        assert_eq!(out, b"after");
    }
}
