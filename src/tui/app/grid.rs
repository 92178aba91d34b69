//! The grid: all listed sessions as live thumbnails. Only those that are seen are watched, and what did not change is not drawn.

use ratatui::layout::Rect;

use crate::session::id::SessionId;
use crate::tui::app::App;
use crate::tui::app::Focus;
use crate::tui::tiles::PaneId;
use crate::tui::tiles::Way;

/// Least columns and rows of a thumbnail, its line included.
const LEAST: (u16, u16) = (32, 8);

/// Where thumbnails lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raster {
    /// Columns of thumbnails.
    pub columns: usize,
    /// Rows of thumbnails that are seen.
    pub rows: usize,
    /// Size of one.
    pub cell: (u16, u16),
}

/// Divides an area for so many thumbnails.
#[must_use]
pub fn raster(area: Rect, count: usize) -> Raster {
    let most = usize::from((area.width / LEAST.0).max(1));
    let columns = (1..=most).find(|columns| columns * columns >= count).unwrap_or(most);
    let needed = count.div_ceil(columns).max(1);
    let rows = needed.min(usize::from((area.height / LEAST.1).max(1)));
    Raster { columns, rows, cell: (area.width / columns as u16, area.height / rows as u16) }
}

impl App {
    pub(in crate::tui) fn open_grid(&mut self) {
        self.leave_logs();
        self.leave_copy();
        self.release();
        self.is_zoomed = false;
        self.set_focus(Focus::Grid);
        self.sync_grid();
    }

    pub(in crate::tui) fn leave_grid(&mut self) {
        self.set_focus(Focus::List);
        self.sync_grid();
    }

    /// Types into the chosen session.
    pub(in crate::tui) fn open_from_grid(&mut self) {
        self.leave_grid();
        self.take(false);
    }

    /// Returns the thumbnails that are seen, with their places.
    #[must_use]
    pub fn thumbnails(&self) -> Vec<(SessionId, Rect)> {
        let Some(area) = self.layout().whole else { return Vec::new() };
        let all: Vec<SessionId> = self.list.rows().collect();
        let raster = raster(area, all.len());
        let at = all.iter().position(|id| Some(*id) == self.sessions.selected_id()).unwrap_or(0);
        let first_row = (at / raster.columns + 1).saturating_sub(raster.rows);
        let place = |n: usize| {
            let (column, row) = ((n % raster.columns) as u16, (n / raster.columns) as u16);
            let (width, height) = raster.cell;
            Rect::new(area.x + column * width, area.y + row * height, width, height)
        };
        let seen = all.into_iter().skip(first_row * raster.columns).take(raster.columns * raster.rows);
        seen.enumerate().map(|(n, id)| (id, place(n))).collect()
    }

    /// Watches what is seen, and nothing else.
    pub(in crate::tui) fn sync_grid(&mut self) {
        let seen: Vec<SessionId> = if self.focus == Focus::Grid {
            self.thumbnails().into_iter().map(|(id, _)| id).collect()
        } else {
            Vec::new()
        };
        let gone: Vec<PaneId> = self
            .panes
            .thumbs()
            .iter()
            .filter(|pane| pane.session.is_none_or(|id| !seen.contains(&id)))
            .map(|pane| pane.id)
            .collect();
        for id in gone {
            self.unwatch_in(id);
            self.panes.drop_thumb(id);
        }
        for id in seen {
            let known = self.panes.thumbs().iter().find(|pane| pane.session == Some(id)).map(|pane| pane.id);
            let pane = known.unwrap_or_else(|| self.panes.new_thumb(id));
            if self.panes.get(pane).is_some_and(|pane| pane.channel() == 0) {
                self.watch_in(pane);
            }
        }
        self.damage.chrome();
    }

    pub(in crate::tui) fn step_grid(&mut self, way: Way) {
        let Some(area) = self.layout().whole else { return };
        let columns = raster(area, self.list.rows().count()).columns.cast_signed();
        self.step(match way {
            Way::Left => -1,
            Way::Right => 1,
            Way::Up => -columns,
            Way::Down => columns,
        });
        self.sync_grid();
    }
}
