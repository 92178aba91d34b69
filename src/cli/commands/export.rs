//! `rpm export`: a recording of what a session has said, made after the fact.

use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::IsTerminal;
use std::io::Write;
use std::ops::ControlFlow;

use crate::cli::args;
use crate::cli::commands::logs;
use crate::cli::exit;
use crate::cli::feed;
use crate::cli::feed::Source;
use crate::cli::report::say;
use crate::cli::whole_lines::Piece;
use crate::cli::whole_lines::WholeLines;
use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::follow::Chunk;
use crate::history::Stream;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::verbs;
use crate::session::spec::Kind;
use crate::session::status::Status;
use crate::term::Cast;
use crate::term::CastHeader;
use crate::term::Size;
use crate::term::Strip;
use crate::term::cast_start;

/// Runs it.
pub fn export(args: &args::Export) -> Result<u8, Error> {
    let mut client = Client::connect()?;
    let (found, _) = feed::select(&mut client, std::slice::from_ref(&args.target), None)?;
    let [status] = &found[..] else {
        say("rpm: a recording is of one session\n  try: name it; `rpm ls` lists them");
        return Ok(exit::USAGE);
    };
    if let verbs::From::Offset(from) = args.from()
        && from > status.output_bytes
    {
        let message = format!("there is no byte {from} of {} yet, only {}", status.name, status.output_bytes);
        return Err(WireError::new(Code::Invalid, message).hint("--from takes an offset below that").into());
    }
    let mut out = match open(args) {
        Ok(out) => out,
        Err(error) => return Ok(cannot_write(args, &error)),
    };
    let mut recorder = Recorder::new(args, status);
    let wish = verbs::Logs { from: args.from(), marks: true, ..verbs::Logs::default() };
    let mut source = [Source::new(status, 0, &wish)];
    let mut failed = None;
    let mut code = exit::OK;
    let mut each = |_: usize, chunk: Chunk| {
        if let Chunk::Missed { .. } = chunk {
            code = exit::GAP;
        }
        let text = recorder.take(chunk);
        match out.write_all(&text) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(exit::FAILURE)
            }
        }
    };
    let _ = feed::read(&mut client, &mut source, &mut each)?;
    match failed.map_or_else(|| out.flush(), Err) {
        Ok(()) => {
            // For the person who is about to send it to somebody; scripts know what they do.
            if args.output.is_some() && io::stderr().is_terminal() {
                say(
                    "rpm: it holds all that was said, passwords and keys on the screen too: look at it before you pass it on",
                );
            }
            Ok(code)
        }
        // The reader of a pipe went away: it has seen what it wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(exit::OK),
        Err(error) => Ok(cannot_write(args, &error)),
    }
}

fn open(args: &args::Export) -> io::Result<Box<dyn Write>> {
    Ok(match &args.output {
        Some(path) if path.as_os_str() != "-" => Box::new(BufWriter::new(File::create(path)?)),
        _ => Box::new(BufWriter::new(io::stdout().lock())),
    })
}

fn cannot_write(args: &args::Export, error: &io::Error) -> u8 {
    let path = args.output.as_ref().map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
    say(&format!("rpm: cannot write {path}\n  cause: {error}\n  try: another file with -o"));
    exit::FAILURE
}

/// Turns history into a recording.
struct Recorder<'a> {
    args: &'a args::Export,
    status: &'a Status,
    strips: [Strip; 3],
    whole: [WholeLines; 3],
    cast: Option<Cast>,
    size: Size,
    /// What was said so far may be the second half of something.
    is_torn: bool,
}

impl<'a> Recorder<'a> {
    fn new(args: &'a args::Export, status: &'a Status) -> Self {
        Self {
            args,
            status,
            strips: Default::default(),
            whole: Default::default(),
            cast: None,
            size: status.size,
            is_torn: false,
        }
    }

    fn take(&mut self, chunk: Chunk) -> Vec<u8> {
        let is_cast = self.args.asciicast;
        match chunk {
            Chunk::Bytes { stream, at, time_us: time, bytes } if !is_cast => {
                let piece = self.whole[stream as usize].feed(Piece { at, time, bytes });
                self.text(stream, &piece)
            }
            Chunk::Bytes { stream, at, time_us, bytes } => {
                let start = self.begin(time_us, at);
                let bytes = self.mend(&bytes);
                let event = self.cast.as_mut().map(|cast| cast.output(stream as usize, time_us, bytes));
                [start, event.unwrap_or_default()].concat().into_bytes()
            }
            Chunk::Resize { time_us, size } if is_cast => {
                self.size = size;
                self.cast.as_mut().map(|cast| cast.resize(time_us, size)).unwrap_or_default().into_bytes()
            }
            Chunk::Exit { time_us } if is_cast => {
                let start = self.begin(time_us, 0);
                let label = self.status.word();
                let event = self.cast.as_mut().map(|cast| cast.finish() + &cast.mark(time_us, &label));
                [start, event.unwrap_or_default()].concat().into_bytes()
            }
            Chunk::Missed { bytes, .. } => {
                logs::say_missed(&self.status.name, bytes);
                let rest = self.rest();
                self.torn();
                rest
            }
            Chunk::Torn { at } => {
                logs::say_torn(&self.status.name, at, "what is left begins there");
                self.torn();
                Vec::new()
            }
            Chunk::End(_) if is_cast => {
                let start = self.begin(self.status.started_ms * 1000, 0);
                let event = self.cast.as_mut().map(Cast::finish);
                [start, event.unwrap_or_default()].concat().into_bytes()
            }
            Chunk::End(_) => self.rest(),
            Chunk::Resize { .. } | Chunk::Exit { .. } => Vec::new(),
        }
    }

    fn text(&mut self, stream: Stream, piece: &Piece) -> Vec<u8> {
        let mut text = Vec::new();
        self.strips[stream as usize].filter(&piece.bytes, &mut text);
        text
    }

    /// Returns text that was held back and is all there is.
    fn rest(&mut self) -> Vec<u8> {
        logs::STREAMS
            .map(|stream| (stream, self.whole[stream as usize].finish()))
            .into_iter()
            .flat_map(|(stream, held)| self.text(stream, &held))
            .collect()
    }

    fn torn(&mut self) {
        self.is_torn = true;
        self.whole.iter_mut().for_each(WholeLines::torn);
    }

    /// Begins the cast, unless it has begun.
    fn begin(&mut self, time_us: u64, at: u64) -> String {
        if self.cast.is_some() {
            return String::new();
        }
        // From the middle of a history the screen before it is unknown: it begins blank.
        self.is_torn |= at > 0;
        let shell = std::env::var("SHELL").unwrap_or_default();
        let env = [("TERM", "xterm-256color".to_owned()), ("SHELL", shell)];
        let header = CastHeader {
            size: self.size,
            start_us: time_us,
            title: self.status.name.clone(),
            command: self.status.command.clone(),
            idle_limit_ms: self.args.idle_limit,
            env: env.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            from: (at > 0).then_some(at),
        };
        let (cast, line) = Cast::begin(&header, self.status.kind == Kind::Pipe);
        self.cast = Some(cast);
        line
    }

    /// Drops what may be the second half of something.
    fn mend<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if !self.is_torn {
            return bytes;
        }
        let start = cast_start(bytes);
        self.is_torn = start.is_none();
        &bytes[start.unwrap_or(bytes.len())..]
    }
}
