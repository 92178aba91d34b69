//! What the mouse does to the dashboard: click selects, double click types, wheel scrolls what is under the pointer, lines are dragged,
//! a click on a hint does it. What a program asked for is the program's; with Shift everything is the terminal's.

use ratatui::layout::Position;
use ratatui::layout::Rect;

use crate::tui::action::Context;
use crate::tui::app::App;
use crate::tui::app::Focus;
use crate::tui::app::Item;
use crate::tui::copy::Copy;
use crate::tui::copy::Pos;
use crate::tui::copy::Shape;
use crate::tui::mouse::Mouse;
use crate::tui::mouse::Place;
use crate::tui::tiles::Axis;
use crate::tui::tiles::Border;
use crate::tui::view;

/// Longest time between the clicks of a double click.
const DOUBLE_NS: u64 = 400_000_000;

/// What the mouse is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hand {
    /// A line is being dragged.
    drag: Option<Border>,
    /// Alt was held: columns are selected.
    is_block: bool,
    /// The last click: when, where, and how many in a row.
    click: Option<(u64, Place, u8)>,
}

/// What a report means to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Gesture {
    /// The left button, pressed so many times in a row.
    Press(u8),
    /// The pointer moved with the left button held.
    Drag,
    /// The button was let go.
    Release,
    /// The wheel: rows down.
    Wheel(i16),
    /// Anything else.
    Other,
}

impl App {
    pub(in crate::tui) fn on_mouse(&mut self, mouse: Mouse, passed: usize) {
        let context = self.context();
        if context == Context::Typing && self.is_for_program(mouse) {
            self.on_mouse_of_program(mouse, passed);
            return;
        }
        if !self.settings.mouse {
            return;
        }
        let gesture = self.gesture(mouse);
        match (gesture, &self.overlay) {
            (Gesture::Wheel(by), Some(_)) => self.scroll(by),
            (_, None) if context != Context::Lost => self.on_gesture(gesture, mouse.at),
            _ => {}
        }
    }

    fn is_for_program(&self, mouse: Mouse) -> bool {
        let focused = self.panes.focused();
        let is_inside = self.area_of(focused.id).is_some_and(|area| holds(area, mouse.at));
        is_inside && focused.modes().mouse != crate::term::MouseMode::None
    }

    fn gesture(&mut self, mouse: Mouse) -> Gesture {
        self.hand.is_block = mouse.code & 8 > 0;
        match (mouse.code & !0b1_1100, mouse.is_press) {
            (0, true) => {
                let count = match self.hand.click {
                    Some((at, place, count)) if self.now.mono < at + DOUBLE_NS && place == mouse.at => count % 3 + 1,
                    _ => 1,
                };
                self.hand.click = Some((self.now.mono, mouse.at, count));
                Gesture::Press(count)
            }
            (32, _) => Gesture::Drag,
            (64, _) => Gesture::Wheel(-3),
            (65, _) => Gesture::Wheel(3),
            (0 | 3, false) => Gesture::Release,
            _ => Gesture::Other,
        }
    }

    fn on_gesture(&mut self, gesture: Gesture, at: Place) {
        if let Some(border) = self.hand.drag.clone() {
            match gesture {
                Gesture::Drag => {
                    let to = if border.axis == Axis::Right { at.col } else { at.row };
                    self.drag_border(&border, to);
                }
                _ => self.hand.drag = None,
            }
            return;
        }
        let layout = self.layout();
        if let (Focus::Logs, Gesture::Wheel(by)) = (self.focus, gesture) {
            return self.move_logs(|logs| logs.scroll(isize::from(by)));
        }
        let is_selecting = matches!(gesture, Gesture::Drag | Gesture::Release);
        if let Some(pane) = self.copying.as_ref().filter(|copying| !copying.is_loading).map(|copying| copying.pane)
            && let Some(area) = self.area_of(pane)
            && (is_selecting || holds(area, at))
        {
            self.on_copy_gesture(gesture, at, area);
            return;
        }
        if let Some(area) = layout.hints.filter(|area| holds(*area, at)) {
            if let (Gesture::Press(1), Some(action)) = (gesture, view::hint_at(self, area, at.col)) {
                self.act(action);
            }
        } else if let Some(area) = layout.list.filter(|area| holds(*area, at)) {
            self.on_list_gesture(gesture, area, at);
        } else if let Some(body) = layout.body.filter(|body| holds(*body, at)) {
            let borders = self.panes.tiles().borders(body);
            let border = borders.into_iter().find(|border| holds(border.area, at));
            if gesture == Gesture::Press(1) && border.is_some() {
                self.hand.drag.clone_from(&border);
            }
            let is_line = border.is_some_and(|border| border.axis == Axis::Right);
            if !is_line {
                self.on_pane_gesture(gesture, at);
            }
        } else if layout.alone.is_some() {
            self.on_pane_gesture(gesture, at);
        }
    }

    fn on_list_gesture(&mut self, gesture: Gesture, area: Rect, at: Place) {
        match gesture {
            Gesture::Wheel(by) => self.step(isize::from(by.signum())),
            Gesture::Press(count) => {
                let item = view::item_at(self, area, at.row).cloned();
                let Some(Item::Row(id)) = item else { return };
                if self.focus != Focus::List {
                    self.show_list();
                }
                if self.sessions.selected_id() != Some(id) {
                    self.show(Some(id));
                }
                if count == 2 {
                    self.take(false);
                }
            }
            Gesture::Drag | Gesture::Release | Gesture::Other => {}
        }
    }

    /// In history: a click puts the cursor, dragging selects, and past the edge it scrolls.
    fn on_copy_gesture(&mut self, gesture: Gesture, at: Place, area: Rect) {
        let is_block = self.hand.is_block;
        let row = at.row.clamp(area.y, area.bottom().saturating_sub(1)) - area.y;
        let col = at.col.clamp(area.x, area.right().saturating_sub(1)) - area.x;
        let over = if at.row < area.y { -1 } else { isize::from(at.row >= area.bottom()) };
        let mut is_done = false;
        self.with_copy(|copy| {
            let to = |copy: &Copy| Pos { row: copy.top + usize::from(row), col: usize::from(col) };
            match gesture {
                Gesture::Wheel(by) => {
                    is_done = by > 0 && copy.is_at_end() && copy.selection.is_none();
                    copy.scroll_by(isize::from(by));
                }
                Gesture::Press(count) => {
                    copy.selection = None;
                    copy.jump(to(copy));
                    match count {
                        2 => copy.select_around(Shape::Chars),
                        3 => copy.select_around(Shape::Lines),
                        _ => {}
                    }
                }
                Gesture::Drag => {
                    if copy.selection.is_none() {
                        copy.select(if is_block { Shape::Block } else { Shape::Chars });
                    }
                    copy.scroll_by(over);
                    copy.jump(to(copy));
                }
                Gesture::Release | Gesture::Other => {}
            }
        });
        self.read_on();
        if is_done {
            self.leave_copy();
        } else if gesture == Gesture::Release && self.with_copy(|copy| copy.selection.is_some()) == Some(true) {
            self.copy_selection(false);
        }
        self.damage.chrome();
    }

    fn on_pane_gesture(&mut self, gesture: Gesture, at: Place) {
        let tile = self
            .tiles()
            .into_iter()
            .find(|tile| holds(tile.pane, at) || tile.title.is_some_and(|title| holds(title, at)));
        let Some(tile) = tile else { return };
        match gesture {
            Gesture::Press(count) => {
                if tile.id != self.panes.focused_id() {
                    self.focus_pane(tile.id);
                }
                if self.focus == Focus::List {
                    self.set_focus(Focus::View);
                }
                if count == 2 && self.focus == Focus::View {
                    self.take(false);
                }
            }
            Gesture::Wheel(by) if by < 0 => {
                self.focus_pane(tile.id);
                self.copy_mode();
                self.in_copy(|app| app.copy_scroll(-3));
            }
            Gesture::Wheel(_) | Gesture::Drag | Gesture::Release | Gesture::Other => {}
        }
    }
}

/// Returns whether an area holds a place.
pub(in crate::tui) fn holds(area: Rect, at: Place) -> bool {
    area.contains(Position { x: at.col, y: at.row })
}
