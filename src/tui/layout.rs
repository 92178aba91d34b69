//! Where everything is drawn, for every size of our terminal.
//!
//! From 80 columns on the list stands beside the pane; below, one of them is shown; below 20x5 neither fits. Panes have no frame on three
//! sides: at 120 columns the session gets 80.

use ratatui::layout::Rect;

/// Fewest columns and rows that anything can be drawn in.
pub const LEAST: Screen = Screen { cols: 20, rows: 5 };
/// Fewest columns for list and pane side by side.
const BESIDE: u16 = 80;
/// Fewest and usually most columns of the list beside a pane.
const LIST: (u16, u16) = (30, 48);
/// Columns from which the list gets more.
const ROOMY: u16 = 160;
/// What a session's pane should have, if the list can spare it.
const PANE: u16 = 80;
/// Rows that tell all about the selected session, and the fewest rows of a list that leaves room for them.
const DETAILS: (u16, u16) = (7, 17);

/// Size of our own terminal; unlike a session's it may be absurd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Screen {
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

/// What is to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrangement {
    /// The list, and the pane if there is room.
    List,
    /// The pane, and the list if there is room.
    Pane,
    /// The panes, and no list.
    Panes,
    /// One pane and one line.
    Alone,
    /// Something that takes the place of list and panes.
    Whole,
}

/// The areas; what is not shown is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layout {
    /// Counts by state.
    pub header: Option<Rect>,
    /// The rows of the list, with their heading.
    pub list: Option<Rect>,
    /// All about the selected session.
    pub details: Option<Rect>,
    /// The line between list and pane.
    pub divider: Option<Rect>,
    /// Panes, each with a line above it.
    pub body: Option<Rect>,
    /// One pane, without a line.
    pub alone: Option<Rect>,
    /// What takes the place of all of that.
    pub whole: Option<Rect>,
    /// The last row: keys and messages.
    pub hints: Option<Rect>,
}

impl Layout {
    /// Divides a screen.
    #[must_use]
    pub fn new(screen: Screen, arrangement: Arrangement, is_wide: bool) -> Self {
        let Screen { cols, rows } = screen;
        if cols < LEAST.cols || rows < LEAST.rows {
            return Self::default();
        }
        let hints = Some(Rect::new(0, rows - 1, cols, 1));
        let header = Rect::new(0, 0, cols, 1);
        let body = Rect::new(0, 1, cols, rows - 2);
        let plain = Self { hints, ..Self::default() };
        match arrangement {
            Arrangement::Alone => Self { alone: Some(Rect::new(0, 0, cols, rows - 1)), ..plain },
            Arrangement::Whole => Self { header: Some(header), whole: Some(body), ..plain },
            Arrangement::Panes => Self { body: Some(Rect::new(0, 0, cols, rows - 1)), ..plain },
            Arrangement::Pane if cols < BESIDE => Self { body: Some(Rect::new(0, 0, cols, rows - 1)), ..plain },
            Arrangement::List if cols < BESIDE || is_wide => Self { header: Some(header), ..plain }.with_list(body),
            Arrangement::List | Arrangement::Pane => {
                let list = list_width(cols);
                Self {
                    header: Some(header),
                    divider: Some(Rect::new(list, body.y, 1, body.height)),
                    body: Some(Rect::new(list + 1, body.y, cols - list - 1, body.height)),
                    ..plain
                }
                .with_list(Rect { width: list, ..body })
            }
        }
    }

    fn with_list(self, area: Rect) -> Self {
        if area.height < DETAILS.1 {
            return Self { list: Some(area), ..self };
        }
        let above = area.height - DETAILS.0;
        let details = Rect { y: area.y + above, height: DETAILS.0, ..area };
        Self { list: Some(Rect { height: above, ..area }), details: Some(details), ..self }
    }

    /// Returns whether nothing fits.
    #[must_use]
    pub const fn is_too_small(&self) -> bool {
        self.hints.is_none()
    }
}

/// Returns how wide the list beside panes is: a third, less where a session would not get what it should have, more where
/// there is plenty.
fn list_width(cols: u16) -> u16 {
    let share = if cols >= ROOMY { cols * 2 / 5 } else { (cols / 3).min(LIST.1) };
    share.min(cols.saturating_sub(PANE + 1)).max(LIST.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Arrangement; 5] =
        [Arrangement::List, Arrangement::Pane, Arrangement::Panes, Arrangement::Alone, Arrangement::Whole];

    #[test]
    fn areas_lie_on_the_screen_and_never_overlap() {
        for cols in 1..=220 {
            for rows in 1..=60 {
                for (arrangement, is_wide) in ALL.into_iter().flat_map(|one| [(one, false), (one, true)]) {
                    let layout = Layout::new(Screen { cols, rows }, arrangement, is_wide);
                    let screen = Rect::new(0, 0, cols, rows);
                    let areas = [
                        layout.header,
                        layout.list,
                        layout.details,
                        layout.divider,
                        layout.body,
                        layout.alone,
                        layout.whole,
                        layout.hints,
                    ];
                    let areas: Vec<Rect> = areas.into_iter().flatten().collect();
                    for (n, area) in areas.iter().enumerate() {
                        assert_eq!(area.intersection(screen), *area, "{cols}x{rows}");
                        assert!(
                            areas[n + 1..].iter().all(|other| !other.intersects(*area)),
                            "{cols}x{rows} {layout:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn ux13_a_session_gets_eighty_columns_where_they_can_be_spared() {
        // One row of the body is the line over the pane.
        let body = |cols, rows| {
            Layout::new(Screen { cols, rows }, Arrangement::Pane, false).body.map(|body| (body.width, body.height - 1))
        };
        assert_eq!(body(120, 40), Some((80, 37)));
        assert_eq!(body(80, 24), Some((49, 21)));
        assert_eq!(body(79, 24), Some((79, 22)));
        assert_eq!(body(40, 12), Some((40, 10)));
        assert_eq!(body(200, 60), Some((119, 57)));
        assert_eq!(body(19, 4), None);
    }
}
