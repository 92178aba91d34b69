//! Searching what all sessions said, and layouts that are kept under a name.

use crate::session::id::SessionId;
use crate::session::status::Status;
use crate::tui::app::App;
use crate::tui::app::Effect;
use crate::tui::app::Focus;
use crate::tui::app::Overlay;
use crate::tui::app::overlay::Prompt;
use crate::tui::tiles::Axis;
use crate::tui::tiles::Node;
use crate::tui::tiles::PaneId;
use crate::tui::tiles::Tiles;

/// Most bytes of a session that are searched, the newest: a journal may have gigabytes.
const SEARCHED: u64 = 64 << 20;

/// A line that matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The session that said it.
    pub session: SessionId,
    /// Offset of its first byte.
    pub at: u64,
    /// The line.
    pub text: String,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Results {
    /// What was searched.
    pub pattern: String,
    /// Lines, by session and in their order.
    pub hits: Vec<Hit>,
    /// The chosen one.
    pub at: usize,
    /// It is still being searched.
    pub is_running: bool,
    /// How many sessions were read, and of how many.
    pub read: (usize, usize),
    /// Of some session only the newest part is searched.
    pub is_bounded: bool,
    /// There were more.
    pub is_cut: bool,
}

impl App {
    pub(in crate::tui) fn search_all(&mut self) {
        self.open_prompt(Prompt::Search, "search all sessions (a regular expression)", "");
    }

    pub(in crate::tui) fn start_search(&mut self, pattern: String) {
        let most = |status: &Status| {
            let said = status.output_bytes.saturating_sub(status.oldest);
            (status.id, (said > SEARCHED).then_some(SEARCHED))
        };
        let sessions: Vec<(SessionId, Option<u64>)> = self.sessions.rows().iter().map(most).collect();
        let results = Results {
            pattern: pattern.clone(),
            is_running: true,
            read: (0, sessions.len()),
            is_bounded: sessions.iter().any(|(_, most)| most.is_some()),
            ..Results::default()
        };
        self.open(Overlay::Results(results));
        self.is_searching = true;
        self.effects.push(Effect::Search { pattern, sessions });
    }

    /// Ends a search whose results nobody looks at any more.
    pub(in crate::tui) fn forget_search(&mut self) {
        let is_wanted = matches!(&self.overlay, Some(Overlay::Results(results)) if results.is_running);
        if self.is_searching && !is_wanted {
            self.is_searching = false;
            self.effects.push(Effect::StopSearch);
        }
    }

    pub(in crate::tui) fn on_finding(&mut self, pattern: &str, hits: Vec<Hit>, read: usize) {
        if let Some(Overlay::Results(results)) = &mut self.overlay
            && results.is_running
            && results.pattern == pattern
        {
            (results.hits, results.read.0) = (hits, read);
            self.damage.chrome();
        }
    }

    pub(in crate::tui) fn on_found(&mut self, pattern: &str, result: Result<(Vec<Hit>, bool), String>) {
        let Some(Overlay::Results(results)) = &mut self.overlay else { return };
        if results.pattern != pattern {
            return;
        }
        results.is_running = false;
        self.is_searching = false;
        match result {
            Ok((hits, is_cut)) => (results.hits, results.is_cut) = (hits, is_cut),
            Err(why) => {
                self.overlay = None;
                self.say(why);
            }
        }
        self.damage.chrome();
    }

    /// Goes to the chosen line, in its session's history.
    pub(in crate::tui) fn open_hit(&mut self) {
        let Some(Overlay::Results(results)) = self.overlay.take() else { return };
        self.damage.chrome();
        let Some(hit) = results.hits.get(results.at) else { return };
        if self.sessions.get(hit.session).is_none() {
            self.say("That session is no more.");
            return;
        }
        self.release();
        if self.sessions.selected_id() != Some(hit.session) {
            self.show(Some(hit.session));
        }
        self.set_focus(Focus::View);
        self.open_copy(Some((hit.at, results.pattern)));
    }

    pub(in crate::tui) fn ask_layout(&mut self, is_saving: bool) {
        let (prompt, title) = if is_saving {
            (Prompt::SaveLayout, "save the layout as")
        } else {
            (Prompt::OpenLayout, "open the layout")
        };
        self.open_prompt(prompt, title, "");
    }

    pub(in crate::tui) fn save_layout(&mut self, name: &str) {
        let name_of = |id: PaneId| {
            let session = self.panes.get(id).and_then(|pane| pane.session);
            self.session_of(session).map(|status| status.name.clone())
        };
        let layout = serde_json::json!({ "version": 1, "panes": write(self.panes.tiles().root(), &name_of) });
        self.effects.push(Effect::SaveLayout { name: name.to_owned(), text: format!("{layout:#}\n") });
    }

    /// A layout was read; it is shown as soon as it is known what sessions there are.
    pub(in crate::tui) fn on_layout(&mut self, name: &str, result: Result<String, String>) {
        let value = result.and_then(|text| {
            serde_json::from_str::<serde_json::Value>(&text).map_err(|error| format!("it cannot be read: {error}"))
        });
        match value {
            Ok(value) if self.sessions.is_known() => self.open_layout(name, &value),
            Ok(value) => self.layout_wish = Some((name.to_owned(), value)),
            Err(why) => self.say(format!("The layout {name} cannot be opened: {why}.")),
        }
    }

    pub(in crate::tui) fn open_layout(&mut self, name: &str, value: &serde_json::Value) {
        let mut names = Vec::new();
        self.only_pane();
        let kept = self.panes.focused_id();
        let Some(root) = read(&value["panes"], &mut names, &mut |n| if n == 0 { kept } else { self.panes.new_pane() })
        else {
            self.say(format!("The layout {name} holds no panes."));
            return;
        };
        let tiles = Tiles::of(root);
        let panes = tiles.panes();
        self.panes.set_tiles(tiles);
        let mut missing = Vec::new();
        for (pane, session) in panes.iter().zip(&names) {
            self.focus_pane(*pane);
            let id =
                self.sessions.rows().iter().find(|status| Some(&status.name) == session.as_ref()).map(|row| row.id);
            missing.extend(session.iter().filter(|_| id.is_none()).cloned());
            self.show(id);
        }
        self.focus_pane(panes[0]);
        self.set_focus(Focus::View);
        if missing.is_empty() {
            self.say(format!("This is the layout {name}."));
        } else {
            self.say(format!("There is no session {}.", missing.join(", ")));
        }
    }
}

fn write(node: &Node, name_of: &impl Fn(PaneId) -> Option<String>) -> serde_json::Value {
    match node {
        Node::Leaf(pane) => serde_json::json!({ "session": name_of(*pane) }),
        Node::Split(axis, parts) => {
            let parts: Vec<serde_json::Value> = parts
                .iter()
                .map(|(weight, part)| {
                    let mut value = write(part, name_of);
                    value["weight"] = (*weight).into();
                    value
                })
                .collect();
            let key = if *axis == Axis::Right { "columns" } else { "rows" };
            serde_json::json!({ key: parts })
        }
    }
}

fn read(
    value: &serde_json::Value,
    names: &mut Vec<Option<String>>,
    new_pane: &mut impl FnMut(usize) -> PaneId,
) -> Option<Node> {
    let (axis, parts) = match (value["columns"].as_array(), value["rows"].as_array()) {
        (Some(parts), _) => (Axis::Right, parts),
        (_, Some(parts)) => (Axis::Down, parts),
        _ if value.is_object() && names.len() < super::panes::MOST => {
            let pane = new_pane(names.len());
            names.push(value["session"].as_str().map(str::to_owned));
            return Some(Node::Leaf(pane));
        }
        _ => return None,
    };
    let mut nodes: Vec<(u16, Node)> = Vec::new();
    for part in parts {
        let weight = part["weight"].as_u64().unwrap_or(1).clamp(1, 10_000) as u16;
        nodes.push((weight, read(part, names, new_pane)?));
    }
    match nodes.len() {
        0 => None,
        1 => nodes.pop().map(|(_, node)| node),
        _ => Some(Node::Split(axis, nodes)),
    }
}
