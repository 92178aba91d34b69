//! Operating system commands: titles, directory, links, palette, clipboard, notifications and shell marks.
//!
//! Text is cleaned and capped as it comes in. Link targets are interned nowhere, so what they may hold in total is budgeted.

use std::sync::Arc;

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::Line;
use alacritty_terminal::term::cell::Hyperlink;

use super::Engine;
use super::state::push_bounded;
use crate::term::effect::Effect;
use crate::term::effect::PromptMark;
use crate::term::style::ANONYMOUS;
use crate::term::text::clean;

/// Longest title kept, in characters.
const MAX_TITLE: usize = 512;
/// Longest directory kept, in characters.
const MAX_DIRECTORY: usize = 4096;
/// Longest text of a notification, in characters.
const MAX_NOTE: usize = 1024;
/// Longest link target or link name kept; longer links are ignored.
const MAX_URI: usize = 2083;
/// Most bytes all links of a screen may hold.
const MAX_LINK_BYTES: u64 = 1 << 20;
/// What a link costs beside its text.
const LINK_OVERHEAD: u64 = 128;

impl Engine {
    /// Applies one operating system command.
    pub(super) fn apply_osc(&mut self, payload: &[u8], bell: bool) {
        let Ok(text) = std::str::from_utf8(payload) else {
            // Titles in other encodings are not worth guessing; everything else is ASCII.
            return;
        };
        let (code, rest) = text.split_once(';').unwrap_or((text, ""));
        match code {
            "0" | "2" if code.len() < text.len() => {
                self.set_title(Some(clean(rest.trim(), MAX_TITLE)));
            }
            "4" => self.palette_osc(rest, bell),
            "7" => self.set_directory(rest),
            "8" => self.set_link(rest),
            "9" => self.notify_osc9(rest),
            "10" | "11" | "12" => self.dynamic_color_osc(code, rest, bell),
            "50" => self.cursor_shape_osc(rest),
            "52" => self.clipboard_osc(rest),
            "99" => self.notify("", rest.split_once(';').map_or("", |(_, body)| body)),
            "104" => self.reset_palette(rest),
            "110" => drop(self.state.palette.remove(&256)),
            "111" => drop(self.state.palette.remove(&257)),
            "112" => drop(self.state.palette.remove(&258)),
            "133" => self.prompt_mark(rest),
            "777" => {
                if let Some((title, body)) =
                    rest.strip_prefix("notify;").map(|note| note.split_once(';').unwrap_or((note, "")))
                {
                    self.notify(title, body);
                }
            }
            _ => {}
        }
    }

    fn set_title(&mut self, title: Option<String>) {
        self.effects.push(Effect::Title(title.clone().unwrap_or_default()));
        self.state.title = title;
    }

    /// Saves the title.
    pub(super) fn push_title(&mut self) {
        push_bounded(&mut self.state.titles, self.state.title.clone());
    }

    /// Restores the title saved last.
    pub(super) fn pop_title(&mut self) {
        if let Some(title) = self.state.titles.pop() {
            self.set_title(title);
        }
    }

    fn set_directory(&mut self, url: &str) {
        let Some(path) = url.strip_prefix("file://").and_then(|rest| rest.find('/').map(|slash| &rest[slash..])) else {
            return;
        };
        let directory = clean(&percent_decoded(path), MAX_DIRECTORY);
        self.effects.push(Effect::Directory(directory.clone()));
        self.state.directory = Some(directory);
    }

    fn set_link(&mut self, rest: &str) {
        let Some((params, uri)) = rest.split_once(';') else {
            return;
        };
        let named = params.split(':').find_map(|param| param.strip_prefix("id=")).filter(|id| !id.is_empty());
        let has_control = uri.chars().chain(params.chars()).any(char::is_control);
        let fits = uri.len() <= MAX_URI && params.len() <= MAX_URI && !has_control;
        let link = (!uri.is_empty() && fits && self.may_add_link(uri.len() + params.len())).then(|| {
            let id = named.map_or_else(|| self.anonymous_id(), str::to_owned);
            Hyperlink::new(Some(id), uri.to_owned())
        });
        self.grid.cursor.template.set_hyperlink(link);
    }

    fn anonymous_id(&mut self) -> String {
        self.state.anonymous_links = self.state.anonymous_links.wrapping_add(1);
        format!("{ANONYMOUS}{}", self.state.anonymous_links)
    }

    /// Tells whether the budget of link bytes has room, counting what is still on the screens when it seems not to.
    fn may_add_link(&mut self, bytes: usize) -> bool {
        let cost = bytes as u64 + LINK_OVERHEAD;
        if self.state.link_bytes + cost > MAX_LINK_BYTES {
            // Counting only every so often keeps a flood of links from costing a scan each.
            self.state.link_bytes = self.held_link_bytes().max(MAX_LINK_BYTES / 2);
        }
        let fits = self.state.link_bytes + cost <= MAX_LINK_BYTES;
        self.state.link_bytes = (self.state.link_bytes + cost).min(MAX_LINK_BYTES);
        fits
    }

    fn held_link_bytes(&self) -> u64 {
        let (mut bytes, mut before) = (0, None);
        for grid in [Some(&self.grid), self.other.as_ref()].into_iter().flatten() {
            for line in grid.topmost_line().0..=grid.bottommost_line().0 {
                for cell in &grid[Line(line)] {
                    let extra = cell.extra.as_ref().map(Arc::as_ptr);
                    if extra.is_some() && extra != before {
                        bytes += cell.hyperlink().map_or(0, |link| link.uri().len() as u64 + LINK_OVERHEAD);
                    }
                    before = extra;
                }
            }
        }
        bytes
    }

    fn palette_osc(&mut self, rest: &str, bell: bool) {
        let mut parts = rest.split(';');
        while let (Some(index), Some(color)) = (parts.next(), parts.next()) {
            let Ok(index) = index.parse::<u8>() else {
                continue;
            };
            if color == "?" {
                self.reply_color(&format!("4;{index}"), u16::from(index), bell);
            } else if let Some(color) = parse_color(color) {
                self.state.palette.insert(u16::from(index), color);
            }
        }
    }

    fn dynamic_color_osc(&mut self, code: &str, rest: &str, bell: bool) {
        let first: u16 = code.parse().unwrap_or(10);
        for (color, code) in rest.split(';').zip(first..=12) {
            if color == "?" {
                self.reply_color(&code.to_string(), code + 246, bell);
            } else if let Some(color) = parse_color(color) {
                self.state.palette.insert(code + 246, color);
            }
        }
    }

    fn reset_palette(&mut self, rest: &str) {
        if rest.is_empty() {
            self.state.palette.retain(|&index, _| index > 255);
        }
        for index in rest.split(';').filter_map(|index| index.parse::<u8>().ok()) {
            self.state.palette.remove(&u16::from(index));
        }
    }

    fn cursor_shape_osc(&mut self, rest: &str) {
        match rest.strip_prefix("CursorShape=") {
            Some("0") => self.set_cursor_shape(2),
            Some("1") => self.set_cursor_shape(6),
            Some("2") => self.set_cursor_shape(4),
            _ => {}
        }
    }

    fn clipboard_osc(&mut self, rest: &str) {
        let Some((selection, base64)) = rest.split_once(';') else {
            return;
        };
        let is_base64 = base64.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
        let is_selection = selection.len() <= 12 && selection.bytes().all(|byte| byte.is_ascii_alphanumeric());
        // A query (`?`) is not base64: what is on the clipboard is never told.
        if is_base64 && is_selection {
            let (selection, base64) = (selection.to_owned(), base64.to_owned());
            self.effects.push(Effect::ClipboardWrite { selection, base64 });
        }
    }

    fn notify_osc9(&mut self, rest: &str) {
        // ConEmu's progress and friends are `9;<number>;…`; everything else is text.
        let is_number = rest
            .split(';')
            .next()
            .is_some_and(|first| !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit()));
        if !(is_number && rest.contains(';')) {
            self.notify("", rest);
        }
    }

    fn notify(&mut self, title: &str, body: &str) {
        let (title, body) = (clean(title, MAX_NOTE), clean(body, MAX_NOTE));
        self.effects.push(Effect::Notify { title, body });
    }

    fn prompt_mark(&mut self, rest: &str) {
        let mut parts = rest.split(';');
        let mark = match parts.next() {
            Some("A") => PromptMark::PromptStart,
            Some("B") => PromptMark::InputStart,
            Some("C") => PromptMark::OutputStart,
            Some("D") => PromptMark::CommandEnd(parts.next().and_then(|code| code.parse().ok())),
            _ => return,
        };
        self.effects.push(Effect::PromptMark(mark));
    }
}

/// Reads a colour as X11 spells it: `rgb:r/g/b` or `#rgb`, with one to four digits each.
fn parse_color(text: &str) -> Option<(u8, u8, u8)> {
    let parts: Vec<&str> = if let Some(rest) = text.strip_prefix("rgb:") {
        rest.split('/').collect()
    } else {
        let digits = text.strip_prefix('#').filter(|digits| digits.is_ascii())?;
        let each = digits.len() / 3;
        if each == 0 || digits.len() != each * 3 {
            return None;
        }
        vec![&digits[..each], &digits[each..2 * each], &digits[2 * each..]]
    };
    let scaled = |digits: &str| {
        let is_hex = (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
        Some((value * 255 / ((1 << (4 * digits.len())) - 1)) as u8)
    };
    match parts[..] {
        [r, g, b] => Some((scaled(r)?, scaled(g)?, scaled(b)?)),
        _ => None,
    }
}

/// Undoes the escaping of a URL's path.
fn percent_decoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = path.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let escaped = hex.filter(|_| bytes[at] == b'%');
        decoded.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
