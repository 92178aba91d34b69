//! Where copy mode gets its rows: the end of history first, then what is older (from memory or journal) a part at a time.
//!
//! A few parts are read ahead, so that most histories are there as a whole; beyond those only what somebody goes to. One part is on
//! its way at any time.

use crate::protocol::verbs::From;
use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::Focus;
use crate::tui::app::copying::Copying;
use crate::tui::app::copying::FRESH_NS;
use crate::tui::copy::Copy;
use crate::tui::copy::LIMIT;
use crate::tui::copy::Motion;
use crate::tui::copy::Part;
use crate::tui::copy::Pos;
use crate::tui::input::Token;
use crate::tui::key::Code;
use crate::tui::key::Key;
use crate::tui::key::Mods;

/// Bytes of a part.
const PART: u64 = 1 << 20;
/// Bytes that are read without being asked for.
const AHEAD: u64 = 4 << 20;

/// A part on its way.
pub(in crate::tui) struct Reading {
    pub(super) channel: u32,
    place: Place,
    from: From,
    most: Option<u64>,
    part: Part,
}

/// Where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is all that is seen.
    Alone,
    Before,
    Behind,
}

/// What is looked for beyond what is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Wish {
    /// The oldest row, for as much as may be selected.
    First,
    /// The next match; else back to where it began.
    Match { is_reverse: bool, is_back: bool, origin: u64 },
}

impl App {
    /// Reads history anew, at its end or around a byte.
    pub(in crate::tui) fn read_anew(&mut self, around: Option<u64>) {
        let (from, most) = match around {
            Some(at) => (From::Offset(at.saturating_sub(PART / 2)), Some(PART)),
            None => (From::Bytes(PART), None),
        };
        self.read(Place::Alone, from, most);
    }

    fn read(&mut self, place: Place, from: From, most: Option<u64>) {
        let channel = self.panes.channel();
        let Some(Copying { session, copy, reading, is_loading, size, is_pipe, .. }) = &mut self.copying else { return };
        let offset = if let From::Offset(offset) = from { Some(offset) } else { None };
        let until = if place == Place::Before { Some(copy.first_offset()) } else { None };
        // What follows what is here begins a line.
        let first = offset.filter(|_| place != Place::Behind);
        let mut part = Part::new(*size, *is_pipe, first, until);
        if place == Place::Behind || from == From::Start {
            part.begins_line();
        }
        *reading = Some(Reading { channel, place, from, most, part });
        *is_loading |= place == Place::Alone;
        let id = *session;
        self.ask(Ask::History { channel, id, from, most });
    }

    /// Asks again for what a lost connection owed.
    pub(in crate::tui) fn read_again(&mut self) {
        if let Some(Reading { place, from, most, .. }) =
            self.copying.as_mut().and_then(|copying| copying.reading.take())
        {
            self.read(place, from, most);
        }
    }

    /// Bytes of a part; `false` if they are of another channel.
    pub(in crate::tui) fn on_part(&mut self, channel: u32, at: u64, bytes: &[u8]) -> bool {
        let reading = self.copying.as_mut().and_then(|copying| copying.reading.as_mut());
        let Some(reading) = reading.filter(|reading| reading.channel == channel && channel > 0) else { return false };
        reading.part.feed(at, bytes);
        true
    }

    /// A part is there.
    pub(in crate::tui) fn on_part_end(&mut self, channel: u32) {
        let Some(copying) = &mut self.copying else { return };
        let Some(reading) = copying.reading.take_if(|reading| reading.channel == channel && channel > 0) else {
            return;
        };
        let Reading { place, from, most, part, .. } = reading;
        let is_oldest = from == From::Start || part.is_oldest();
        let is_live = most.is_none_or(|most| part.reach() < most);
        let pane = copying.pane;
        let height = self.area_of(pane).map_or(1, |area| usize::from(area.height));
        let Some(Copying { copy, wish, .. }) = &mut self.copying else { return };
        let is_hunting = matches!(wish, Some(Wish::Match { .. })) && copy.cost() > LIMIT / 2;
        match place {
            Place::Alone => copy.restart(part, height, (is_oldest, is_live)),
            Place::Before if is_hunting && !part.is_oldest() => copy.restart(part, height, (false, false)),
            Place::Before => copy.put_before(part, is_oldest),
            Place::Behind if is_hunting && !is_live => {
                copy.restart(part, height, (false, false));
                copy.jump(Pos::default());
            }
            Place::Behind => copy.put_behind(part, is_live),
        }
        if place == Place::Alone {
            self.on_window();
        }
        self.follow_wish();
        self.read_on();
        self.damage.chrome();
    }

    /// What is seen was read: does what was asked for meanwhile.
    fn on_window(&mut self) {
        let next = self.now.mono + FRESH_NS;
        let Some(copying) = &mut self.copying else { return };
        copying.is_loading = false;
        copying.ask_at = next;
        let (todo, target) = (std::mem::take(&mut copying.todo), copying.target.take());
        if let Some((at, pattern)) = target {
            copying.copy.go_to_offset(at);
            if let Some(pattern) = pattern {
                copying.copy.set_pattern(&pattern);
            }
        }
        for what in todo {
            self.in_copy(what);
        }
        let keys = self.copying.as_mut().map(|copying| std::mem::take(&mut copying.keys));
        for (key, token) in keys.into_iter().flatten() {
            self.on_key(key, &token);
        }
    }

    /// Keeps a key until there is something for it to act on; `false` for keys that leave, and where nothing is awaited.
    pub(in crate::tui) fn wait_with(&mut self, key: Key, token: &Token) -> bool {
        let is_free = self.focus == Focus::Copy && self.overlay.is_none() && !self.keymap.is_pending();
        let is_plain =
            matches!(key.code, Code::Char(c) if c != 'q' && key.mods == Mods::NONE) || key.code == Code::Enter;
        let Some(copying) = self.copying.as_mut().filter(|copying| copying.is_loading && is_free) else { return false };
        if !is_plain && copying.keys.is_empty() {
            return false;
        }
        let is_leaving = key.code == Code::Esc || key.mods.has(Mods::CTRL);
        if !is_leaving {
            copying.keys.push((key, token.clone()));
        }
        !is_leaving
    }

    /// Goes on to what is looked for.
    fn follow_wish(&mut self) {
        let Some(Copying { copy, wish, .. }) = &mut self.copying else { return };
        match *wish {
            Some(Wish::First) if copy.is_oldest() => {
                *wish = None;
                copy.go(Motion::First);
            }
            Some(Wish::First) if copy.cost() > 4 * LIMIT => {
                *wish = None;
                copy.go(Motion::First);
                self.say("A selection reaches no further back; `rpm logs` writes all of it.");
            }
            Some(Wish::Match { is_reverse, is_back, origin }) => {
                if copy.is_match_elsewhere(is_reverse) {
                    return;
                }
                *wish = None;
                if copy.match_ahead(is_back).is_some() {
                    copy.go_to_match(is_reverse);
                } else {
                    self.say(format!("Nothing {} matches.", if is_back { "older" } else { "newer" }));
                    self.go_to_byte(origin);
                }
            }
            None | Some(Wish::First) => {}
        }
    }

    /// Goes to where a byte is, reading that if it is not here.
    pub(in crate::tui) fn go_to_byte(&mut self, at: u64) {
        let Some(Copying { copy, target, .. }) = &mut self.copying else { return };
        if at >= copy.first_offset() && (at < copy.next_offset() || copy.is_live()) {
            copy.go_to_offset(at);
        } else {
            *target = Some((at, None));
            self.read_anew(Some(at));
        }
    }

    /// Reads what is next to the window, if somebody is near its edge or looks for something there.
    pub(in crate::tui) fn read_on(&mut self) {
        let Some(Copying { copy, wish, reading: None, is_loading: false, .. }) = &self.copying else { return };
        let margin = 2 * copy.height;
        let (is_up, is_down) = match wish {
            Some(Wish::First) => (true, false),
            Some(Wish::Match { is_back, .. }) => (*is_back, !*is_back),
            None => (copy.top < margin, copy.top + copy.height + margin > copy.rows().len()),
        };
        let here = copy.next_offset() - copy.first_offset();
        let is_ahead = copy.is_live() && here < AHEAD && copy.cost() < LIMIT / 4 * 3;
        if !copy.is_oldest() && (is_up || is_ahead) {
            let end = copy.first_offset();
            let from = end.saturating_sub(PART);
            self.read(Place::Before, From::Offset(from), Some(end - from));
        } else if !copy.is_live() && is_down {
            let from = copy.next_offset();
            self.read(Place::Behind, From::Offset(from), Some(PART));
        }
    }

    /// Goes to the oldest row of all, or to the row of a number.
    pub(in crate::tui) fn go_oldest(&mut self) {
        let Some(Copying { copy, wish, .. }) = &mut self.copying else { return };
        if copy.is_oldest() || copy.count > 0 {
            copy.go(Motion::First);
        } else if copy.selection.is_some() {
            *wish = Some(Wish::First);
            self.read_on();
        } else {
            self.read(Place::Alone, From::Start, Some(PART));
            self.in_copy(App::go_oldest);
        }
    }

    /// Goes to the newest row of all, or to the row of a number.
    pub(in crate::tui) fn go_newest(&mut self) {
        let Some(Copying { copy, .. }) = &mut self.copying else { return };
        if copy.is_live() || copy.count > 0 {
            if copy.count == 0 {
                copy.catch_up();
            }
            copy.go(Motion::Last);
        } else {
            self.read_anew(None);
        }
    }

    /// Goes to the next match; what is not here yet is read and searched as well.
    pub(in crate::tui) fn go_to_match(&mut self, is_reverse: bool) {
        let Some(Copying { copy, wish, .. }) = &mut self.copying else { return };
        if copy.is_match_elsewhere(is_reverse) {
            let origin = copy.scroll.offset_of(copy.cursor.row).unwrap_or(0);
            copy.count = 0;
            *wish = Some(Wish::Match { is_reverse, is_back: copy.is_back != is_reverse, origin });
            self.say("Searching what is not in memory; any key stops.");
            self.read_on();
            return;
        }
        match self.with_copy(|copy| (copy.go_to_match(is_reverse), copy.pattern.is_some())) {
            Some((false, true)) => self.say("Nothing matches."),
            Some((false, false)) => self.say("Nothing was searched yet; / searches."),
            _ => {}
        }
    }

    /// A key ends what is looked for beyond what is here.
    pub(in crate::tui) fn stop_hunting(&mut self) {
        if let Some(Copying { wish, .. }) = &mut self.copying
            && matches!(wish, Some(Wish::Match { .. }))
        {
            *wish = None;
        }
    }

    /// Searches on for a while; draws when there is something new.
    pub(in crate::tui) fn search_on(&mut self) {
        if self.with_copy(|copy| copy.is_searching() && copy.search_on()) == Some(true) {
            self.damage.chrome();
        }
    }
}

impl Copying {
    /// Returns whether more rows are to be searched as soon as nothing else is to be done.
    pub(in crate::tui) fn is_searching(&self) -> bool {
        Copy::is_searching(&self.copy)
    }
}
