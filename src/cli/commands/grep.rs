//! `rpm grep`: lines of what sessions said that match a pattern.
//!
//! The search is done here and not in the daemon, which serves everybody with one thread.

use std::collections::VecDeque;
use std::io::BufWriter;
use std::io::StdoutLock;
use std::io::Write;
use std::ops::ControlFlow;

use regex::bytes::Regex;
use regex::bytes::RegexBuilder;
use serde_json::json;

use crate::cli::args;
use crate::cli::args::Since;
use crate::cli::commands::listing;
use crate::cli::commands::logs;
use crate::cli::exit;
use crate::cli::feed;
use crate::cli::feed::Source;
use crate::cli::output;
use crate::client::Error;
use crate::client::follow::Chunk;
use crate::history::Stream;
use crate::platform::clock;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::protocol::verbs::From;
use crate::term::Line;
use crate::term::Lines;

/// Runs it.
pub fn grep(args: &args::Grep) -> Result<u8, Error> {
    let regex = pattern(args)?;
    // No daemon means no sessions, in which nothing matches.
    let Some(mut client) = listing::connect(&args.targets)? else { return Ok(exit::FAILURE) };
    let stream = args.stream.map(args::StreamName::stream);
    let (found, missing) = feed::select(&mut client, &args.targets, stream)?;
    let from = args.since.map_or(From::Start, |Since(us)| From::Since(us));
    let wish = verbs::Logs { from, stream, marks: true, ..verbs::Logs::default() };
    let mut hunt = Hunt::new(args, regex, args.targets.is_empty() || found.len() > 1);
    for (n, status) in found.iter().enumerate() {
        let mut source = [Source::new(status, n, &wish)];
        hunt.begin(&status.name);
        if let ControlFlow::Break(code) = feed::read(&mut client, &mut source, &mut |_, chunk| hunt.take(chunk))? {
            return Ok(code);
        }
    }
    let code = if hunt.has_matched { exit::OK } else { exit::FAILURE };
    Ok(if missing == exit::OK { code } else { missing })
}

/// Compiles the pattern, or says where it cannot be read.
fn pattern(args: &args::Grep) -> Result<Regex, WireError> {
    let written = if args.fixed { regex::escape(&args.pattern) } else { args.pattern.clone() };
    let result = RegexBuilder::new(&written).case_insensitive(args.ignore_case).build();
    result.map_err(|error| {
        let fault = match regex_syntax::Parser::new().parse(&written) {
            Err(regex_syntax::Error::Parse(fault)) => Some((fault.kind().to_string(), *fault.span())),
            Err(regex_syntax::Error::Translate(fault)) => Some((fault.kind().to_string(), *fault.span())),
            _ => None,
        };
        let Some((why, span)) = fault else {
            let error = error.to_string();
            let why = error.lines().last().unwrap_or_default();
            return WireError::new(Code::Invalid, format!("the pattern cannot be used: {why}"))
                .hint("smaller counts in braces; -F takes it as plain text");
        };
        let shown: String = written.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        let before = &written[..span.start.offset.min(written.len())];
        let gap = " ".repeat(unicode_width::UnicodeWidthStr::width(before));
        let column = before.chars().count() + 1;
        let message = format!("the pattern cannot be read: {why}, at character {column}\n  {shown}\n  {gap}^");
        WireError::new(Code::Invalid, message).hint("-F takes it as plain text")
    })
}

/// One search through several sessions.
struct Hunt<'a> {
    args: &'a args::Grep,
    regex: Regex,
    /// Lines are told with the name of their session.
    has_names: bool,
    is_coloured: bool,
    has_matched: bool,
    context: (usize, usize),
    /// A line was printed before, so groups have to be told apart.
    has_printed: bool,
    out: BufWriter<StdoutLock<'static>>,
    name: String,
    lines: [Lines; 3],
    /// Lines that come before a match, should there be one.
    before: VecDeque<(Stream, Line)>,
    /// Lines to print after the last match.
    after: usize,
    /// Lines between the last printed one and the next.
    skipped: usize,
    count: u64,
}

impl<'a> Hunt<'a> {
    fn new(args: &'a args::Grep, regex: Regex, has_names: bool) -> Self {
        let around = args.context.unwrap_or(0);
        Self {
            args,
            regex,
            has_names,
            is_coloured: output::is_coloured(),
            has_matched: false,
            context: (args.before.unwrap_or(around) as usize, args.after.unwrap_or(around) as usize),
            has_printed: false,
            out: BufWriter::new(std::io::stdout().lock()),
            name: String::new(),
            lines: fresh_lines(),
            before: VecDeque::new(),
            after: 0,
            skipped: 0,
            count: 0,
        }
    }

    /// Goes on to the next session.
    fn begin(&mut self, name: &str) {
        name.clone_into(&mut self.name);
        self.lines = fresh_lines();
        self.before.clear();
        (self.after, self.skipped, self.count) = (0, usize::from(self.has_printed), 0);
    }

    fn take(&mut self, chunk: Chunk) -> ControlFlow<u8> {
        let written = match chunk {
            Chunk::Bytes { stream, at, time_us, bytes } => {
                let mut whole = Vec::new();
                self.lines[stream as usize].feed(at, time_us, &bytes, |line| whole.push(line));
                whole.into_iter().try_for_each(|line| self.line(stream, line))
            }
            Chunk::Missed { bytes, .. } => {
                logs::say_missed(&self.name, bytes);
                self.finish()
            }
            Chunk::End(_) => self.finish().and_then(|()| self.close()),
            Chunk::Resize { .. } | Chunk::Exit { .. } | Chunk::Torn { .. } => Ok(()),
        };
        match written {
            Ok(()) => ControlFlow::Continue(()),
            // The reader went away: it has seen what it wanted.
            Err(error) => ControlFlow::Break(output::unwritten(&error)),
        }
    }

    fn finish(&mut self) -> std::io::Result<()> {
        for stream in logs::STREAMS {
            if let Some(line) = self.lines[stream as usize].finish() {
                self.line(stream, line)?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> std::io::Result<()> {
        if self.args.count {
            match (self.args.json, self.has_names) {
                (true, _) => writeln!(self.out, "{}", json!({ "session": self.name, "count": self.count }))?,
                (false, true) => writeln!(self.out, "{}:{}", self.name, self.count)?,
                (false, false) => writeln!(self.out, "{}", self.count)?,
            }
        }
        self.out.flush()
    }

    fn line(&mut self, stream: Stream, line: Line) -> std::io::Result<()> {
        if self.regex.is_match(&line.text) != self.args.invert {
            self.has_matched = true;
            self.count += 1;
            if self.args.count {
                return Ok(());
            }
            if self.has_printed && self.context != (0, 0) && !self.args.json && self.skipped > self.before.len() {
                writeln!(self.out, "--")?;
            }
            for (stream, line) in std::mem::take(&mut self.before) {
                self.print(stream, &line, false)?;
            }
            self.after = self.context.1;
            self.skipped = 0;
            return self.print(stream, &line, true);
        }
        if self.after > 0 {
            self.after -= 1;
            return self.print(stream, &line, false);
        }
        self.skipped += 1;
        self.before.push_back((stream, line));
        if self.before.len() > self.context.0 {
            self.before.pop_front();
        }
        Ok(())
    }

    fn print(&mut self, stream: Stream, line: &Line, is_match: bool) -> std::io::Result<()> {
        self.has_printed = true;
        if self.args.json {
            let mut value = logs::as_json(line, &self.name, stream);
            value["context"] = json!(!is_match);
            return writeln!(self.out, "{value}");
        }
        let mark = if is_match { ':' } else { '-' };
        let (name, digits, end) = if self.is_coloured { ("\x1b[35m", "\x1b[32m", "\x1b[0m") } else { ("", "", "") };
        if self.has_names {
            write!(self.out, "{name}{}{end}{mark}", self.name)?;
        }
        if self.args.offsets {
            write!(self.out, "{digits}{}{end}{mark}", line.at)?;
        }
        if self.args.timestamps {
            write!(self.out, "{digits}{}{end}{mark}", clock::rfc3339_ms(line.time))?;
        }
        let mut at = 0;
        if self.is_coloured && is_match && !self.args.invert {
            for found in self.regex.find_iter(&line.text).filter(|found| !found.is_empty()) {
                self.out.write_all(&line.text[at..found.start()])?;
                write!(self.out, "\x1b[1;31m")?;
                self.out.write_all(found.as_bytes())?;
                write!(self.out, "\x1b[0m")?;
                at = found.end();
            }
        }
        self.out.write_all(&line.text[at..])?;
        self.out.write_all(b"\n")
    }
}

fn fresh_lines() -> [Lines; 3] {
    logs::STREAMS.map(|_| Lines::new(false))
}
