//! `rpm logs`: history to standard output, and on with what comes.
//!
//! Three forms: raw bytes; plain text as it comes, for one session; whole lines with what was asked for before them, by
//! time where they are of several.

use std::io::IsTerminal;
use std::io::StdoutLock;
use std::io::Write;
use std::ops::ControlFlow;

use serde_json::Value;
use serde_json::json;

use crate::cli::args;
use crate::cli::commands::listing;
use crate::cli::commands::merged;
use crate::cli::commands::merged::Merged;
use crate::cli::commands::merged::Next;
use crate::cli::exit;
use crate::cli::feed;
use crate::cli::feed::Lane;
use crate::cli::feed::Source;
use crate::cli::open_line;
use crate::cli::open_line::OpenLine;
use crate::cli::output;
use crate::cli::report::say;
use crate::cli::whole_lines::Piece;
use crate::cli::whole_lines::WholeLines;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::follow::Chunk;
use crate::history::Stream;
use crate::platform::clock;
use crate::protocol::verbs;
use crate::protocol::verbs::From;
use crate::session::status::Status;
use crate::term::Line;
use crate::term::Lines;
use crate::term::Strip;

/// All streams, in the order of their numbers.
pub const STREAMS: [Stream; 3] = [Stream::Terminal, Stream::Out, Stream::Err];

/// Runs it.
pub fn logs(args: &args::Logs) -> Result<u8, Error> {
    let Some(mut client) = listing::connect(&args.targets)? else {
        return Err(Error::NotRunning);
    };
    let stream = args.stream();
    let everything = ["all".to_owned()];
    let targets = if args.targets.is_empty() { &everything[..] } else { &args.targets };
    let (found, mut code) = feed::select(&mut client, targets, stream)?;
    if found.is_empty() {
        if code == exit::OK {
            say("rpm: no session matches");
        }
        return Ok(code);
    }
    let marks = !args.raw || args.json;
    let mut wish = verbs::Logs {
        from: args.from(),
        follow: args.follow,
        stays: args.follow,
        stream,
        marks,
        ..verbs::Logs::default()
    };
    let is_merged = found.len() > 1 && marks;
    let output = open_line::Output::default();
    let printer = |(n, status)| Printer::new(args, status, &found, (&output, n));
    let mut printers: Vec<Printer> = found.iter().enumerate().map(printer).collect();
    let mut starts: Vec<From> = found.iter().map(|_| wish.from).collect();
    if is_merged {
        wish.follow = false;
        if let ControlFlow::Break(code) = past(&found, &wish, !args.follow, (&mut printers, &mut starts, &mut code))? {
            return Ok(code);
        }
        if !args.follow {
            say_that_there_is_more(args, &found);
            return Ok(code);
        }
        wish.follow = true;
    }
    let source = |(n, status)| Source::new(status, n, &verbs::Logs { from: starts[n], ..wish.clone() });
    let mut sources: Vec<Source> = found.iter().enumerate().map(source).collect();
    // Raw bytes of several sessions are told session by session.
    let step = if args.follow { sources.len() } else { 1 };
    for (sources, printers) in sources.chunks_mut(step).zip(printers.chunks_mut(step)) {
        let mut each = |n: usize, chunk: Chunk| {
            if let Chunk::Missed { .. } = chunk {
                code = exit::GAP;
            }
            printers[n].take(chunk)
        };
        if let ControlFlow::Break(code) = feed::read(&mut client, sources, &mut each)? {
            return Ok(code);
        }
    }
    if !args.follow {
        say_that_there_is_more(args, &found);
    }
    Ok(code)
}

/// Elsewhere `logs` goes on by itself: who looks at services on a terminal, and asked for nothing special, is told how.
fn say_that_there_is_more(args: &args::Logs, found: &[Status]) {
    let is_plain = !args.nostream && !args.json && !args.raw && args.lines.is_none() && args.since.is_none();
    let is_looked_at = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
    if is_plain && is_looked_at && found.iter().any(|status| status.service.is_some() && status.run_end().is_none()) {
        say("[all so far; `rpm logs -f` goes on]");
    }
}

/// Tells people that the beginning is gone.
pub fn say_torn(name: &str, bytes: u64, rest: &str) {
    say(&format!("rpm: the first {bytes} bytes of {name} are gone; {rest}"));
}

/// Tells what several sessions said so far, by time; `starts` becomes where each goes on.
fn past(
    found: &[Status],
    wish: &verbs::Logs,
    finishes: bool,
    (printers, starts, code): (&mut [Printer], &mut [From], &mut u8),
) -> Result<ControlFlow<u8>, Error> {
    let mut all: Vec<Merged> = Vec::new();
    for (status, printer) in found.iter().zip(printers.iter()) {
        all.push(Merged::new(Lane::open(Client::connect()?, status, wish)?, printer.is_raw(), finishes));
    }
    let mut each = |n: usize, next: Next| match next {
        Next::Line(stream, line) => printers[n].line(stream, &line),
        Next::Missed(bytes) => {
            *code = exit::GAP;
            printers[n].take(Chunk::Missed { at: 0, bytes })
        }
        Next::Torn(at) => printers[n].take(Chunk::Torn { at }),
    };
    let read = merged::read(&mut all, &mut each)?;
    for ((merged, start), printer) in all.into_iter().zip(starts).zip(printers) {
        let (offset, lines, whole) = merged.leave();
        *start = offset.map_or(*start, From::Offset);
        printer.go_on(lines, whole);
    }
    Ok(read)
}

/// Tells people that bytes are gone.
pub fn say_missed(name: &str, bytes: u64) {
    say(&format!("rpm: {name}: {bytes} bytes were overwritten before they could be read"));
}

enum Form {
    Raw,
    Plain([Strip; 3]),
    Lines { lines: [Lines; 3], open: Vec<OpenLine>, prefix: String, timestamps: bool, json: bool, is_raw: bool },
}

/// Prints one session.
struct Printer {
    name: String,
    form: Form,
    whole: [WholeLines; 3],
    out: StdoutLock<'static>,
}

impl Printer {
    fn new(args: &args::Logs, status: &Status, all: &[Status], (output, n): (&open_line::Output, usize)) -> Self {
        let width = |text: &str| unicode_width::UnicodeWidthStr::width(text);
        let is_alone = all.len() == 1;
        let form = if args.raw && !args.json {
            Form::Raw
        } else if is_alone && !args.timestamps && !args.json {
            Form::Plain(Default::default())
        } else {
            let widest = all.iter().map(|status| width(&status.name)).max().unwrap_or(0);
            let gap = " ".repeat(widest - width(&status.name));
            let (colour, end) = if output::is_coloured() { colour_of(status, all) } else { ("", "") };
            let prefix = if is_alone { String::new() } else { format!("{colour}{}{gap} |{end} ", status.name) };
            let lines = STREAMS.map(|_| Lines::new(args.raw));
            let number = |stream: Stream| n * STREAMS.len() + stream as usize;
            let open = STREAMS.map(|stream| OpenLine::new(output.clone(), number(stream))).into();
            Form::Lines { lines, open, prefix, timestamps: args.timestamps, json: args.json, is_raw: args.raw }
        };
        Self { name: status.name.clone(), form, whole: Default::default(), out: std::io::stdout().lock() }
    }

    /// Returns whether its lines keep their escape sequences.
    const fn is_raw(&self) -> bool {
        matches!(self.form, Form::Lines { is_raw: true, .. })
    }

    /// Goes on with lines that were begun elsewhere.
    fn go_on(&mut self, begun: [Lines; 3], whole: [WholeLines; 3]) {
        self.whole = whole;
        if let Form::Lines { lines, .. } = &mut self.form {
            *lines = begun;
        }
    }

    /// Prints a line that was cut elsewhere.
    fn line(&mut self, stream: Stream, line: &Line) -> ControlFlow<u8> {
        let mut text = Vec::new();
        if let Form::Lines { open, prefix, timestamps, json, .. } = &mut self.form {
            push(&mut text, line, &self.name, stream, &mut open[stream as usize], (prefix, *timestamps, *json));
        }
        self.write(&text)
    }

    fn write(&mut self, text: &[u8]) -> ControlFlow<u8> {
        match self.out.write_all(text).and_then(|()| self.out.flush()) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(output::unwritten(&error)),
        }
    }

    /// Prints what comes next; a reader that went away is no error.
    fn take(&mut self, chunk: Chunk) -> ControlFlow<u8> {
        let mut text = Vec::new();
        match chunk {
            Chunk::Bytes { bytes, .. } if bytes.is_empty() => self.show_begun(&mut text),
            Chunk::Bytes { stream, at, time_us: time, bytes } => {
                let piece = Piece { at, time, bytes };
                let piece = if let Form::Raw = self.form { piece } else { self.whole[stream as usize].feed(piece) };
                self.show(stream, &piece, &mut text);
            }
            Chunk::Torn { at } => {
                let is_raw = matches!(self.form, Form::Raw);
                let rest = if is_raw { "this is what is left" } else { "this begins at the first whole line" };
                say_torn(&self.name, at, rest);
                self.whole.iter_mut().for_each(WholeLines::torn);
            }
            Chunk::Missed { bytes, .. } => {
                self.finish(&mut text);
                self.whole.iter_mut().for_each(WholeLines::torn);
                say_missed(&self.name, bytes);
            }
            Chunk::End(_) => self.finish(&mut text),
            Chunk::Resize { .. } | Chunk::Exit { .. } => {}
        }
        self.write(&text)
    }

    fn show(&mut self, stream: Stream, piece: &Piece, text: &mut Vec<u8>) {
        match &mut self.form {
            Form::Raw => text.extend_from_slice(&piece.bytes),
            Form::Plain(strips) => strips[stream as usize].filter(&piece.bytes, text),
            Form::Lines { lines, open, prefix, timestamps, json, .. } => {
                let open = &mut open[stream as usize];
                let mut each = |line| push(text, &line, &self.name, stream, open, (prefix, *timestamps, *json));
                lines[stream as usize].feed(piece.at, piece.time, &piece.bytes, &mut each);
            }
        }
    }

    /// Adds lines that have no end yet, as far as they have come.
    fn show_begun(&mut self, text: &mut Vec<u8>) {
        let Form::Lines { lines, open, prefix, timestamps, json, .. } = &mut self.form else { return };
        for ((stream, lines), open) in STREAMS.into_iter().zip(lines).zip(open) {
            let Some(line) = lines.begun().filter(|line| !line.text.is_empty()) else { continue };
            if *json {
                let mut document = as_json(line, &self.name, stream);
                document["partial"] = json!(true);
                text.extend_from_slice(format!("{document}\n").as_bytes());
            } else {
                open.show(&beginning(line, prefix, *timestamps), &line.text, text);
            }
        }
    }

    /// Adds lines that never came to their end.
    fn finish(&mut self, text: &mut Vec<u8>) {
        for stream in STREAMS {
            let held = self.whole[stream as usize].finish();
            self.show(stream, &held, text);
        }
        let Form::Lines { lines, open, prefix, timestamps, json, .. } = &mut self.form else { return };
        for ((stream, lines), open) in STREAMS.into_iter().zip(lines).zip(open) {
            if let Some(line) = lines.finish() {
                push(text, &line, &self.name, stream, open, (prefix, *timestamps, *json));
            }
        }
    }
}

/// Colours of names, in turn: those of eight that can be read on light and dark.
const COLOURS: [&str; 6] = ["\x1b[36m", "\x1b[33m", "\x1b[32m", "\x1b[35m", "\x1b[34m", "\x1b[31m"];

fn colour_of(status: &Status, all: &[Status]) -> (&'static str, &'static str) {
    let n = all.iter().position(|other| other.id == status.id).unwrap_or(0);
    (COLOURS[n % COLOURS.len()], "\x1b[0m")
}

fn push(
    text: &mut Vec<u8>,
    line: &Line,
    name: &str,
    stream: Stream,
    open: &mut OpenLine,
    (prefix, timestamps, json): (&str, bool, bool),
) {
    if json {
        text.extend_from_slice(format!("{}\n", as_json(line, name, stream)).as_bytes());
        return;
    }
    open.end(&beginning(line, prefix, timestamps), &line.text, text);
}

/// Returns what a line of text begins with.
fn beginning(line: &Line, prefix: &str, timestamps: bool) -> Vec<u8> {
    let time = if timestamps { format!("{} ", clock::rfc3339_ms(line.time)) } else { String::new() };
    format!("{prefix}{time}").into_bytes()
}

/// Returns a line as JSON: its text, or its bytes as base64 where they are no text.
pub fn as_json(line: &Line, name: &str, stream: Stream) -> Value {
    let time = clock::rfc3339_ms(line.time);
    let mut value = json!({ "session": name, "stream": stream, "at": line.at, "time": time });
    match std::str::from_utf8(&line.text) {
        Ok(text) => value["text"] = json!(text),
        Err(_) => value["base64"] = json!(base64(&line.text)),
    }
    value
}

/// Encodes bytes as RFC 4648 says, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |n: usize| u32::from(group.get(n).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let is_padding = digit > group.len();
            let value = (bits >> (18 - 6 * digit)) as usize & 63;
            out.push(if is_padding { '=' } else { char::from(DIGITS[value]) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let known = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (bytes, encoded) in known {
            assert_eq!(base64(bytes.as_bytes()), encoded);
        }
        assert_eq!(base64(&[0xff, 0xfe, 0xfd]), "//79");
    }
}
