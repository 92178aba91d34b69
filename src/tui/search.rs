//! Jobs of the worker that look further than the dashboard: lines of all sessions, paths, layouts on disk.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use regex::Regex;

use crate::client::Error;
use crate::client::blocking::Client;
use crate::client::blocking::Incoming;
use crate::platform::endpoint::Place;
use crate::protocol::verbs;
use crate::session::id::SessionId;
use crate::session::text;
use crate::term::Lines;
use crate::tui::app::Hit;
use crate::tui::app::Msg;
use crate::tui::expression;
use crate::tui::worker::Report;

/// Most lines that are found.
const MOST: usize = 1000;
/// Longest part of a line that is kept.
const LINE: usize = 300;
/// How often it is looked whether anybody still wants what is searched.
const PATIENCE: Duration = Duration::from_millis(200);
/// Most paths that are offered.
const PATHS: usize = 200;

/// Searches what sessions said, over a connection of its own, until all is read or nobody wants it.
pub fn all(pattern: &str, sessions: &[(SessionId, Option<u64>)], report: &Report) {
    let result = match expression::strictly(pattern) {
        Err(_) => Err("That is no regular expression; a ( or [ may have to be written \\( or \\[.".to_owned()),
        Ok(regex) => {
            let search = Search { pattern, regex, report, found: Vec::new() };
            search.run(sessions).map_err(|error| format!("It could not be searched: {error}."))
        }
    };
    report.tell(Msg::Found { pattern: pattern.to_owned(), result });
}

struct Search<'a> {
    pattern: &'a str,
    regex: Regex,
    report: &'a Report,
    found: Vec<Hit>,
}

impl Search<'_> {
    fn run(mut self, sessions: &[(SessionId, Option<u64>)]) -> Result<(Vec<Hit>, bool), Error> {
        let mut client = Client::connect()?;
        for (channel, (session, most)) in (1..).zip(sessions) {
            if let Err(error) = self.read(&mut client, channel, *session, *most)
                && error.is_lost()
            {
                return Err(error);
            }
            if self.found.len() >= MOST || self.report.is_dropped() {
                return Ok((self.found, true));
            }
            let read = channel as usize;
            self.report.tell(Msg::Finding { pattern: self.pattern.to_owned(), hits: self.found.clone(), read });
        }
        Ok((self.found, false))
    }

    /// Reads one session; leaving early ends the connection, and with it what the daemon would send.
    fn read(&mut self, client: &mut Client, channel: u32, session: SessionId, most: Option<u64>) -> Result<(), Error> {
        let from = most.map_or(verbs::From::Start, verbs::From::Bytes);
        let target = session.to_string();
        client.connection().call(&verbs::Logs { channel, target, from, past_gaps: true, ..verbs::Logs::default() })?;
        let mut lines = Lines::new(false);
        // What does not begin at the beginning begins in the middle of a line.
        let mut is_whole = most.is_none();
        let (regex, found) = (&self.regex, &mut self.found);
        let mut take = |line: crate::term::Line| {
            let line_text = String::from_utf8_lossy(&line.text);
            if std::mem::replace(&mut is_whole, true) && found.len() < MOST && regex.is_match(&line_text) {
                let text: String = text::clean(line_text.trim_end()).chars().take(LINE).collect();
                found.push(Hit { session, at: line.at, text });
            }
        };
        while !self.report.is_dropped() {
            match client.connection().receive_within(Some(PATIENCE))? {
                Some(Incoming::Bulk(bulk)) if bulk.channel == channel => {
                    lines.feed(bulk.at, 0, &bulk.bytes, &mut take);
                }
                Some(Incoming::Event(event))
                    if event.get::<verbs::Closed>().is_some_and(|closed| closed.channel == channel) =>
                {
                    lines.finish().into_iter().for_each(take);
                    return Ok(());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Finds what a path can go on with.
pub fn complete(base: &str, word: String, is_folder: bool) -> Msg {
    let (folder, start) = word.rsplit_once('/').map_or(("", word.as_str()), |(folder, start)| (folder, start));
    let kept = &word[..word.len() - start.len()];
    let home = std::env::var("HOME").unwrap_or_default();
    let folder = match folder.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => PathBuf::from(format!("{home}{rest}")),
        _ if kept.starts_with('/') => PathBuf::from(format!("/{folder}")),
        _ => Path::new(base).join(folder),
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let name = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let is_dir = entry.path().is_dir();
        let is_wanted = name.starts_with(start) && (!name.starts_with('.') || start.starts_with('.'));
        (is_wanted && (is_dir || !is_folder)).then(|| format!("{kept}{name}{}", if is_dir { "/" } else { "" }))
    };
    let found = entries.filter_map(name).take(PATHS).collect();
    Msg::Completions { word, found }
}

fn layout_path(name: &str) -> Result<PathBuf, String> {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(is_plain) {
        return Err("a name is made of letters, digits, - and _".to_owned());
    }
    let place = Place::open().map_err(|error| error.to_string())?;
    Ok(place.state.join("layouts").join(format!("{name}.json")))
}

/// Says which layouts there are.
fn known_layouts(folder: Option<&Path>) -> String {
    let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let name = |entry: std::fs::DirEntry| Some(entry.file_name().to_str()?.strip_suffix(".json")?.to_owned());
    let mut known: Vec<String> = entries.filter_map(name).take(PATHS).collect();
    known.sort();
    if known.is_empty() {
        return "none is kept yet; `save-layout` in the palette keeps one".to_owned();
    }
    format!("there are {}", known.join(", "))
}

/// Keeps a layout under a name.
pub fn save_layout(name: &str, text: &str) -> Msg {
    let written = layout_path(name).and_then(|path| {
        let write = || -> io::Result<()> {
            std::fs::create_dir_all(path.parent().unwrap_or(&path))?;
            let new = path.with_extension("new");
            std::fs::write(&new, text)?;
            std::fs::rename(new, &path)
        };
        write().map_err(|error| error.to_string())
    });
    Msg::Said(match written {
        Ok(()) => format!("The layout is kept; `rpm tui --layout {name}` opens it."),
        Err(why) => format!("The layout was not kept: {why}."),
    })
}

/// Reads a layout.
pub fn read_layout(name: String) -> Msg {
    let read = |path: PathBuf| {
        std::fs::read_to_string(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => known_layouts(path.parent()),
            _ => error.to_string(),
        })
    };
    let result = layout_path(&name).and_then(read);
    Msg::Layout { name, result }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_that_is_not_there_is_answered_with_those_that_are() {
        let dir = std::env::temp_dir().join(format!("runpm-layouts-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a folder");
        let none = known_layouts(Some(&dir));
        std::fs::write(dir.join("two.json"), "").expect("a file");
        std::fs::write(dir.join("one.json"), "").expect("a file");
        let some = known_layouts(Some(&dir));
        std::fs::remove_dir_all(&dir).expect("gone");

        assert!(none.contains("none is kept"), "{none}");
        assert_eq!(some, "there are one, two");
    }

    #[test]
    fn paths_are_completed_and_folders_only_where_those_are_meant() {
        let dir = std::env::temp_dir().join(format!("runpm-complete-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("source")).expect("a folder");
        std::fs::write(dir.join("so.txt"), "").expect("a file");
        std::fs::write(dir.join(".sohidden"), "").expect("a file");
        let base = dir.to_string_lossy().into_owned();
        let found = |word: &str, is_folder| {
            let Msg::Completions { mut found, .. } = complete(&base, word.to_owned(), is_folder) else { return vec![] };
            found.sort();
            found
        };

        let all = [found("so", false), found("so", true), found(&format!("{base}/sour"), true), found("x", false)];
        std::fs::remove_dir_all(&dir).expect("gone");

        assert_eq!(all[0], ["so.txt", "source/"]);
        assert_eq!(all[1], ["source/"]);
        assert_eq!(all[2], [format!("{base}/source/")]);
        assert_eq!(all[3], Vec::<String>::new());
    }
}
