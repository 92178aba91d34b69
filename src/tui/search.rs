//! Jobs of the worker that look further than the dashboard: lines of all sessions, paths, layouts on disk.

use std::io;
use std::path::Path;
use std::path::PathBuf;

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

/// Most lines that are found.
const MOST: usize = 1000;
/// Longest part of a line that is kept.
const LINE: usize = 300;
/// Most paths that are offered.
const PATHS: usize = 200;

/// Searches what sessions said, over a connection of its own.
pub fn all(pattern: String, sessions: &[SessionId]) -> Msg {
    let result = match expression::strictly(&pattern) {
        Err(_) => Err("That is no regular expression; a ( or [ may have to be written \\( or \\[.".to_owned()),
        Ok(regex) => hits(&regex, sessions).map_err(|error| format!("It could not be searched: {error}.")),
    };
    Msg::Found { pattern, result }
}

fn hits(regex: &Regex, sessions: &[SessionId]) -> Result<(Vec<Hit>, bool), Error> {
    let mut client = Client::connect()?;
    let mut found = Vec::new();
    for (channel, session) in (1..).zip(sessions) {
        if let Err(error) = hits_of(&mut client, channel, *session, regex, &mut found)
            && error.is_lost()
        {
            return Err(error);
        }
        if found.len() >= MOST {
            return Ok((found, true));
        }
    }
    Ok((found, false))
}

fn hits_of(
    client: &mut Client,
    channel: u32,
    session: SessionId,
    regex: &Regex,
    found: &mut Vec<Hit>,
) -> Result<(), Error> {
    let logs = verbs::Logs { channel, target: session.to_string(), past_gaps: true, ..verbs::Logs::default() };
    client.connection().call(&logs)?;
    let mut lines = Lines::new(false);
    let mut take = |line: crate::term::Line| {
        let line_text = String::from_utf8_lossy(&line.text);
        if found.len() < MOST && regex.is_match(&line_text) {
            let text: String = text::clean(line_text.trim_end()).chars().take(LINE).collect();
            found.push(Hit { session, at: line.at, text });
        }
    };
    loop {
        match client.connection().receive()? {
            Incoming::Bulk(bulk) if bulk.channel == channel => lines.feed(bulk.at, 0, &bulk.bytes, &mut take),
            Incoming::Event(event) if event.get::<verbs::Closed>().is_some_and(|closed| closed.channel == channel) => {
                lines.finish().into_iter().for_each(take);
                return Ok(());
            }
            _ => {}
        }
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
    let read = |path: PathBuf| std::fs::read_to_string(path).map_err(|error| error.to_string());
    let result = layout_path(&name).and_then(read);
    Msg::Layout { name, result }
}

#[cfg(test)]
mod tests {
    use super::*;

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
