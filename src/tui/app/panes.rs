//! Panes: which there are, where they lie, which one has the focus; splitting, closing, moving, resizing.
//!
//! The selected row of the list and the focused pane are about the same session. *Invariant:* there is always a focused pane.

use ratatui::layout::Rect;

use crate::session::id::SessionId;
use crate::term::Size;
use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::Control;
use crate::tui::app::Effect;
use crate::tui::app::Focus;
use crate::tui::app::Mode;
use crate::tui::layout::Layout;
use crate::tui::pane::Pane;
use crate::tui::tiles::Axis;
use crate::tui::tiles::PaneId;
use crate::tui::tiles::Shape;
use crate::tui::tiles::Tiles;
use crate::tui::tiles::Way;

/// Most panes: each is a screen that is kept up to date.
pub(in crate::tui) const MOST: usize = 32;
/// Cells that one press moves a line by.
const STEP: u16 = 3;

/// All panes.
pub struct Panes {
    all: Vec<Pane>,
    /// Thumbnails of the grid.
    thumbs: Vec<Pane>,
    tiles: Tiles,
    focused: PaneId,
    before: PaneId,
    next_id: u32,
    next_channel: u32,
}

impl Default for Panes {
    fn default() -> Self {
        Self {
            all: vec![Pane::default()],
            thumbs: Vec::new(),
            tiles: Tiles::default(),
            focused: PaneId(0),
            before: PaneId(0),
            next_id: 1,
            next_channel: 1,
        }
    }
}

/// Where a pane is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// Which.
    pub id: PaneId,
    /// The line above it.
    pub title: Option<Rect>,
    /// The session's screen.
    pub pane: Rect,
}

impl Panes {
    /// Returns the pane that has the focus.
    ///
    /// # Panics
    ///
    /// Never: there is always one.
    #[must_use]
    pub fn focused(&self) -> &Pane {
        self.get(self.focused).expect("there is always a focused pane")
    }

    /// Returns it, to change.
    ///
    /// # Panics
    ///
    /// Never: there is always one.
    pub fn focused_mut(&mut self) -> &mut Pane {
        self.get_mut(self.focused).expect("there is always a focused pane")
    }

    /// Returns the number of the focused pane.
    #[must_use]
    pub const fn focused_id(&self) -> PaneId {
        self.focused
    }

    /// Returns a pane.
    #[must_use]
    pub fn get(&self, id: PaneId) -> Option<&Pane> {
        self.all.iter().chain(&self.thumbs).find(|pane| pane.id == id)
    }

    /// Returns a pane, to change.
    pub fn get_mut(&mut self, id: PaneId) -> Option<&mut Pane> {
        self.all_mut().find(|pane| pane.id == id)
    }

    /// Returns the pane of a channel.
    pub fn of_channel(&mut self, channel: u32) -> Option<&mut Pane> {
        self.all_mut().find(|pane| channel > 0 && pane.channel() == channel)
    }

    /// Returns all panes.
    pub fn all(&self) -> impl Iterator<Item = &Pane> {
        self.all.iter()
    }

    /// Returns how many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns `false`: there is always one.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns how they lie.
    #[must_use]
    pub const fn tiles(&self) -> &Tiles {
        &self.tiles
    }

    /// Returns panes that get what is typed into one of them; none unless there are two.
    #[must_use]
    pub fn marked(&self) -> Vec<PaneId> {
        let marked: Vec<PaneId> = self.all.iter().filter(|pane| pane.is_marked).map(|pane| pane.id).collect();
        if marked.len() > 1 { marked } else { Vec::new() }
    }

    pub(super) fn is_ascii(&mut self, is_ascii: bool) {
        self.all.iter_mut().for_each(|pane| pane.is_ascii = is_ascii);
    }

    /// Thumbnails included.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Pane> {
        self.all.iter_mut().chain(&mut self.thumbs)
    }

    /// Returns the thumbnails of the grid.
    #[must_use]
    pub fn thumbs(&self) -> &[Pane] {
        &self.thumbs
    }

    pub(super) fn new_thumb(&mut self, session: SessionId) -> PaneId {
        let id = self.new_pane();
        let mut pane = self.all.pop().unwrap_or_default();
        pane.aim(session.to_string());
        pane.session = Some(session);
        self.thumbs.push(pane);
        id
    }

    pub(super) fn drop_thumb(&mut self, id: PaneId) {
        self.thumbs.retain(|pane| pane.id != id);
    }

    pub(super) fn set_tiles(&mut self, tiles: Tiles) {
        self.tiles = tiles;
    }

    /// Returns a channel that was never used.
    pub(super) const fn channel(&mut self) -> u32 {
        self.next_channel += 1;
        self.next_channel - 1
    }

    pub(super) fn new_pane(&mut self) -> PaneId {
        let id = PaneId(self.next_id);
        self.next_id += 1;
        let is_ascii = self.all[0].is_ascii;
        let mut pane = Pane::default();
        (pane.id, pane.is_ascii) = (id, is_ascii);
        self.all.push(pane);
        id
    }

    /// Divides an area, or shows the focused one alone where there is no room for all.
    fn divide(&self, body: Rect) -> Vec<(PaneId, Rect)> {
        self.tiles.areas(body).unwrap_or_else(|| vec![(self.focused, body)])
    }
}

impl App {
    /// Returns where panes are drawn.
    #[must_use]
    pub fn tiles(&self) -> Vec<Tile> {
        self.tiles_of(&self.layout())
    }

    pub(in crate::tui) fn tiles_of(&self, layout: &Layout) -> Vec<Tile> {
        if let Some(pane) = layout.alone {
            return vec![Tile { id: self.panes.focused, title: None, pane }];
        }
        let Some(body) = layout.body else { return Vec::new() };
        let tile = |(id, area): (PaneId, Rect)| Tile {
            id,
            title: Some(Rect { height: 1, ..area }),
            pane: Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area },
        };
        self.panes.divide(body).into_iter().map(tile).collect()
    }

    /// Returns where a pane's screen is drawn.
    #[must_use]
    pub fn area_of(&self, id: PaneId) -> Option<Rect> {
        self.tiles().into_iter().find(|tile| tile.id == id).map(|tile| tile.pane)
    }

    /// Returns the size that a session gets while it is controlled from a pane.
    pub(in crate::tui) fn size_for(&self, id: PaneId) -> Option<Size> {
        let focus = if self.focus == Focus::Typing { self.focus } else { Focus::Typing };
        let tiles = self.tiles_of(&self.arranged(focus));
        let area = tiles.into_iter().find(|tile| tile.id == id)?.pane;
        Some(Size::clamped(area.height, area.width))
    }

    /// Tells controlled sessions the sizes of their panes, if that is news.
    pub(in crate::tui) fn tell_sizes(&mut self) {
        self.settle_at = None;
        let held: Vec<PaneId> =
            self.panes.all().filter(|pane| pane.control == Control::Held).map(|pane| pane.id).collect();
        for id in held {
            let Some(size) = self.size_for(id) else { continue };
            let Some(pane) = self.panes.get_mut(id) else { continue };
            if pane.told != Some(size) {
                pane.told = Some(size);
                let channel = pane.channel();
                self.effects.push(Effect::PaneSize { channel, size });
            }
        }
    }

    /// Keeps cursors visible in panes that are smaller than their sessions.
    pub(in crate::tui) fn follow_cursors(&mut self) {
        for tile in self.tiles() {
            if let Some(pane) = self.panes.get_mut(tile.id)
                && pane.follow_cursor(tile.pane)
            {
                self.damage.pane(tile.id);
            }
        }
    }

    fn relaid(&mut self) {
        self.damage.chrome();
        self.follow_cursors();
        self.resize_copy();
        self.settle();
    }

    /// Opens a pane beside or below the focused one; it shows the same session until another one is chosen.
    pub(in crate::tui) fn split(&mut self, axis: Axis) {
        let body = self.arranged(Focus::View).body;
        if self.panes.len() >= MOST {
            self.say(format!("There are {MOST} panes already."));
            return;
        }
        let before = self.panes.focused;
        let new = self.panes.new_pane();
        self.panes.tiles.split(before, axis, new);
        if body.is_some_and(|body| self.panes.tiles.areas(body).is_none()) {
            self.panes.tiles.close(new);
            self.panes.all.retain(|pane| pane.id != new);
            self.say("There is no room for another pane; close one, or hide the list.");
            return;
        }
        self.is_zoomed = false;
        let session = self.panes.focused().session;
        self.focus_pane(new);
        self.show(session);
        self.relaid();
    }

    /// Closes the focused pane; its session goes on.
    pub(in crate::tui) fn close_pane(&mut self) {
        let id = self.panes.focused;
        let Some(next) = self.panes.tiles.close(id) else {
            self.say("This is the last pane.");
            return;
        };
        self.unwatch();
        self.focus_pane(next);
        self.panes.all.retain(|pane| pane.id != id);
        self.relaid();
    }

    /// Closes all panes but the focused one.
    pub(in crate::tui) fn only_pane(&mut self) {
        let kept = self.panes.focused;
        let others: Vec<PaneId> = self.panes.tiles.panes().into_iter().filter(|id| *id != kept).collect();
        for id in others {
            self.drop_pane(id);
        }
        self.relaid();
    }

    fn drop_pane(&mut self, id: PaneId) {
        if let Some(channel) = self.panes.get_mut(id).and_then(Pane::close) {
            self.ask(Ask::Detach { channel });
        }
        self.panes.tiles.close(id);
        self.panes.all.retain(|pane| pane.id != id);
    }

    /// Gives the focus to a pane; who types goes on typing there.
    pub(in crate::tui) fn focus_pane(&mut self, id: PaneId) {
        if id == self.panes.focused || self.panes.get(id).is_none() {
            return;
        }
        self.leave_copy();
        let was_typing = self.focus == Focus::Typing;
        let has_many = self.panes.marked().len() > 1 && self.panes.get(id).is_some_and(|pane| pane.is_marked);
        if !has_many {
            self.release();
        }
        self.panes.before = self.panes.focused;
        self.panes.focused = id;
        let session = self.panes.focused().session;
        self.sessions.select(session);
        self.damage.chrome();
        if was_typing && session.is_some() {
            self.take(false);
        } else if was_typing {
            self.back_to_watching();
        }
    }

    pub(in crate::tui) fn step_pane(&mut self, by: isize) {
        let panes = self.panes.tiles.panes();
        let at = panes.iter().position(|id| *id == self.panes.focused).unwrap_or(0);
        self.focus_pane(panes[(at + panes.len()).saturating_add_signed(by) % panes.len()]);
    }

    pub(in crate::tui) fn last_pane(&mut self) {
        self.focus_pane(self.panes.before);
    }

    pub(in crate::tui) fn go_pane(&mut self, way: Way) {
        let layout = self.arranged(if self.focus == Focus::List { Focus::View } else { self.focus });
        let Some(body) = layout.body else { return };
        match self.panes.tiles.neighbour(self.panes.focused, way, body) {
            Some(id) => self.focus_pane(id),
            None if way == Way::Left && self.layout().list.is_some() => self.show_list(),
            None => {}
        }
    }

    pub(in crate::tui) fn grow_pane(&mut self, way: Way) {
        let Some(body) = self.layout().body else { return };
        if self.panes.tiles.grow(self.panes.focused, way, STEP, body) {
            self.relaid();
        }
    }

    pub(in crate::tui) fn drag_border(&mut self, border: &crate::tui::tiles::Border, to: u16) {
        let Some(body) = self.layout().body else { return };
        if self.panes.tiles.drag(border, to, body) {
            self.relaid();
        }
    }

    pub(in crate::tui) fn rotate_panes(&mut self) {
        self.panes.tiles.rotate();
        self.relaid();
    }

    pub(in crate::tui) fn arrange(&mut self, shape: Shape) {
        self.panes.tiles.arrange(shape);
        self.is_zoomed = false;
        self.relaid();
    }

    /// Opens a pane for each of these sessions, arranged as near to squares as they come.
    pub(in crate::tui) fn open_panes(&mut self, sessions: &[SessionId]) {
        self.only_pane();
        for (n, id) in sessions.iter().take(MOST).enumerate() {
            if n > 0 {
                let before = self.panes.focused;
                let new = self.panes.new_pane();
                self.panes.tiles.split(before, Axis::Right, new);
                self.focus_pane(new);
            }
            self.show(Some(*id));
        }
        self.arrange(Shape::Tiled);
    }

    /// Marks the focused pane: what is typed into a marked pane is typed into all of them.
    pub(in crate::tui) fn mark_pane(&mut self) {
        let pane = self.panes.focused_mut();
        pane.is_marked = !pane.is_marked;
        let marked = self.panes.marked();
        match (self.panes.focused().is_marked, marked.len()) {
            (true, 0) => self.say("This pane is marked; mark another one, and what you type goes to both."),
            (true, n) => self.say(format!("What you type goes to {n} panes now.")),
            (false, _) => self.say("This pane is no longer marked."),
        }
        let typing = self.focus == Focus::Typing;
        for id in marked.into_iter().filter(|_| typing) {
            self.take_in(id, false);
        }
        self.damage.chrome();
    }

    /// Takes all marks from panes, and gives their keyboards back.
    pub(in crate::tui) fn unmark_panes(&mut self) {
        let focused = self.panes.focused;
        self.panes.all_mut().for_each(|pane| pane.is_marked = false);
        let others: Vec<PaneId> = self.panes.all().map(|pane| pane.id).filter(|id| *id != focused).collect();
        for id in others {
            self.release_in(id);
        }
        self.say("What you type goes to one pane.");
    }

    pub(in crate::tui) fn zoom(&mut self) {
        self.is_zoomed = !self.is_zoomed;
        if self.focus != Focus::Typing {
            self.focus = if self.is_zoomed || self.is_list_hidden { Focus::View } else { Focus::List };
        }
        self.set_focus(self.focus);
        self.tell_sizes();
    }

    pub(in crate::tui) fn hide_list(&mut self) {
        if self.mode == Mode::Single {
            return;
        }
        self.is_list_hidden = !self.is_list_hidden;
        if self.focus == Focus::List && self.is_list_hidden {
            self.set_focus(Focus::View);
        }
        self.relaid();
    }

    pub(in crate::tui) fn pan(&mut self, way: Way) {
        let id = self.panes.focused;
        let Some(area) = self.area_of(id) else { return };
        let (rows, cols) = (area.height as i16 / 2, area.width as i16 / 2);
        let by = match way {
            Way::Left => (0, -cols),
            Way::Right => (0, cols),
            Way::Up => (-rows, 0),
            Way::Down => (rows, 0),
        };
        self.panes.focused_mut().pan(by, area);
        self.damage.chrome();
    }
}
