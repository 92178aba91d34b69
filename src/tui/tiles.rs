//! How panes share an area: a tree of rows and columns, with weights that become cells when the area is known.
//!
//! Every pane has a line of its own above it; panes side by side have a line between them. Pure. *Invariant:* areas never overlap, and
//! a tree always has at least one pane.

use ratatui::layout::Rect;

/// Number of a pane; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PaneId(pub u32);

/// How parts of a split lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Side by side.
    Right,
    /// One over the other.
    Down,
}

/// Where to go from a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the left.
    Left,
    /// Down.
    Down,
    /// Up.
    Up,
    /// To the right.
    Right,
}

/// How all panes are arranged at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Side by side, all alike.
    EvenRight,
    /// One over the other, all alike.
    EvenDown,
    /// The first large on the left, the others beside it.
    Main,
    /// As near to squares as they come.
    Tiled,
}

/// A part of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A pane.
    Leaf(PaneId),
    /// Parts, each with its weight.
    Split(Axis, Vec<(u16, Node)>),
}

/// A line that can be dragged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Border {
    /// Its cells.
    pub area: Rect,
    /// Which way the parts lie.
    pub axis: Axis,
    /// The way to the split, and the part before the line.
    path: Vec<usize>,
    part: usize,
}

/// Fewest columns and rows of a pane, its own line included.
const LEAST: (u16, u16) = (8, 2);

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiles {
    root: Node,
}

impl Default for Tiles {
    fn default() -> Self {
        Self::new(PaneId(0))
    }
}

impl Tiles {
    /// Starts with one pane.
    #[must_use]
    pub const fn new(pane: PaneId) -> Self {
        Self { root: Node::Leaf(pane) }
    }

    /// Takes a tree as it is.
    #[must_use]
    pub const fn of(root: Node) -> Self {
        Self { root }
    }

    /// Returns the tree.
    #[must_use]
    pub const fn root(&self) -> &Node {
        &self.root
    }

    /// Returns the panes, from left to right and from top to bottom.
    #[must_use]
    pub fn panes(&self) -> Vec<PaneId> {
        fn collect(node: &Node, out: &mut Vec<PaneId>) {
            match node {
                Node::Leaf(pane) => out.push(*pane),
                Node::Split(_, parts) => parts.iter().for_each(|(_, part)| collect(part, out)),
            }
        }
        let mut out = Vec::new();
        collect(&self.root, &mut out);
        out
    }

    /// Divides an area; none if some pane would be too small.
    #[must_use]
    pub fn areas(&self, area: Rect) -> Option<Vec<(PaneId, Rect)>> {
        let (mut panes, mut borders) = (Vec::new(), Vec::new());
        divide(&self.root, area, &mut Vec::new(), &mut panes, &mut borders);
        let fits = panes.iter().all(|(_, area)| area.width >= LEAST.0 && area.height >= LEAST.1);
        (fits || panes.len() == 1).then_some(panes)
    }

    /// Returns the lines between panes.
    #[must_use]
    pub fn borders(&self, area: Rect) -> Vec<Border> {
        let (mut panes, mut borders) = (Vec::new(), Vec::new());
        divide(&self.root, area, &mut Vec::new(), &mut panes, &mut borders);
        borders
    }

    /// Halves a pane; the new one comes behind it.
    pub fn split(&mut self, pane: PaneId, axis: Axis, new: PaneId) {
        split(&mut self.root, pane, axis, new);
    }

    /// Removes a pane; the last one stays. Returns the pane that takes its place in the eye.
    pub fn close(&mut self, pane: PaneId) -> Option<PaneId> {
        let panes = self.panes();
        let at = panes.iter().position(|known| *known == pane)?;
        let next = *panes.get(at + 1).or_else(|| panes.get(at.checked_sub(1)?))?;
        remove(&mut self.root, pane);
        Some(next)
    }

    /// Returns the pane that lies in a direction.
    #[must_use]
    pub fn neighbour(&self, pane: PaneId, way: Way, area: Rect) -> Option<PaneId> {
        let areas = self.areas(area)?;
        let from = areas.iter().find(|(known, _)| *known == pane)?.1;
        let overlap = |a: (u16, u16), b: (u16, u16)| a.1.min(b.1).saturating_sub(a.0.max(b.0));
        let (columns, rows) = (|r: Rect| (r.left(), r.right()), |r: Rect| (r.top(), r.bottom()));
        let near = |to: Rect| match way {
            Way::Left => (to.right() <= from.left()).then(|| (from.left() - to.right(), overlap(rows(from), rows(to)))),
            Way::Right => {
                (to.left() >= from.right()).then(|| (to.left() - from.right(), overlap(rows(from), rows(to))))
            }
            Way::Up => {
                (to.bottom() <= from.top()).then(|| (from.top() - to.bottom(), overlap(columns(from), columns(to))))
            }
            Way::Down => {
                (to.top() >= from.bottom()).then(|| (to.top() - from.bottom(), overlap(columns(from), columns(to))))
            }
        };
        let found =
            areas.iter().filter_map(|(known, to)| Some((*known, near(*to)?))).filter(|(_, (_, over))| *over > 0);
        found.min_by_key(|(_, (distance, over))| (*distance, u16::MAX - over)).map(|(pane, _)| pane)
    }

    /// Moves the nearest line on a side of a pane by so many cells.
    pub fn grow(&mut self, pane: PaneId, way: Way, cells: u16, area: Rect) -> bool {
        let borders = self.borders(area);
        let Some(path) = path_of(&self.root, pane) else { return false };
        let axis = if matches!(way, Way::Left | Way::Right) { Axis::Right } else { Axis::Down };
        let is_back = matches!(way, Way::Left | Way::Up);
        let mut own: Vec<&Border> =
            borders.iter().filter(|border| border.axis == axis && path.starts_with(&border.path)).collect();
        own.sort_by_key(|border| border.path.len());
        // The line on the far side where there is one, else the one on the near side.
        let side = |border: &&&Border, after: bool| {
            path.get(border.path.len()).is_some_and(|at| *at == if after { border.part } else { border.part + 1 })
        };
        let found = own
            .iter()
            .rev()
            .find(|border| side(border, true))
            .or_else(|| own.iter().rev().find(|border| side(border, false)));
        let Some(border) = found.map(|border| (*border).clone()) else { return false };
        let to = match (axis, is_back) {
            (Axis::Right, true) => border.area.x.saturating_sub(cells),
            (Axis::Right, false) => border.area.x + cells,
            (Axis::Down, true) => border.area.y.saturating_sub(cells),
            (Axis::Down, false) => border.area.y + cells,
        };
        self.drag(&border, to, area)
    }

    /// Moves a line to a column or a row; returns whether it moved.
    pub fn drag(&mut self, border: &Border, to: u16, area: Rect) -> bool {
        let Some((area, node)) = part_at(&mut self.root, area, &border.path) else { return false };
        let Node::Split(axis, parts) = node else { return false };
        let sizes = shares(parts, length(area, *axis), gap(*axis));
        let start = if *axis == Axis::Right { area.x } else { area.y };
        let before: u16 = sizes[..border.part].iter().map(|size| size + gap(*axis)).sum();
        let both = sizes[border.part] + sizes[border.part + 1];
        let least = if *axis == Axis::Right { LEAST.0 } else { LEAST.1 };
        if both < 2 * least {
            return false;
        }
        let first = to.saturating_sub(start + before).clamp(least, both - least);
        let is_new = first != sizes[border.part];
        for (part, size) in parts.iter_mut().zip(&sizes) {
            part.0 = (*size).max(1);
        }
        parts[border.part].0 = first;
        parts[border.part + 1].0 = both - first;
        is_new
    }

    /// Moves every pane to the place of the next one.
    pub fn rotate(&mut self) {
        fn assign(node: &mut Node, panes: &mut impl Iterator<Item = PaneId>) {
            match node {
                Node::Leaf(pane) => *pane = panes.next().unwrap_or(*pane),
                Node::Split(_, parts) => parts.iter_mut().for_each(|(_, part)| assign(part, panes)),
            }
        }
        let mut panes = self.panes();
        panes.rotate_right(1);
        assign(&mut self.root, &mut panes.into_iter());
    }

    /// Arranges all panes anew.
    pub fn arrange(&mut self, shape: Shape) {
        let panes = self.panes();
        let even = |axis, panes: &[PaneId]| match panes {
            [one] => Node::Leaf(*one),
            many => Node::Split(axis, many.iter().map(|pane| (1, Node::Leaf(*pane))).collect()),
        };
        self.root = match shape {
            _ if panes.len() < 2 => return,
            Shape::EvenRight => even(Axis::Right, &panes),
            Shape::EvenDown => even(Axis::Down, &panes),
            Shape::Main => {
                Node::Split(Axis::Right, vec![(3, Node::Leaf(panes[0])), (2, even(Axis::Down, &panes[1..]))])
            }
            Shape::Tiled => {
                let columns = (1..=panes.len()).find(|n| n * n >= panes.len()).unwrap_or(1);
                let rows: Vec<(u16, Node)> = panes.chunks(columns).map(|row| (1, even(Axis::Right, row))).collect();
                match rows.len() {
                    1 => even(Axis::Right, &panes),
                    _ => Node::Split(Axis::Down, rows),
                }
            }
        };
    }
}

const fn gap(axis: Axis) -> u16 {
    // The line over a pane is its own; only columns need one between them.
    match axis {
        Axis::Right => 1,
        Axis::Down => 0,
    }
}

const fn length(area: Rect, axis: Axis) -> u16 {
    match axis {
        Axis::Right => area.width,
        Axis::Down => area.height,
    }
}

/// Returns how many cells each part gets; what is left over goes to the first ones.
fn shares(parts: &[(u16, Node)], length: u16, gap: u16) -> Vec<u16> {
    let room = u32::from(length).saturating_sub(u32::from(gap) * (parts.len() as u32 - 1));
    let total: u32 = parts.iter().map(|(weight, _)| u32::from(*weight)).sum::<u32>().max(1);
    let mut sizes: Vec<u32> = parts.iter().map(|(weight, _)| room * u32::from(*weight) / total).collect();
    let mut left = room - sizes.iter().sum::<u32>();
    for size in &mut sizes {
        let one = left.min(1);
        *size += one;
        left -= one;
    }
    sizes.into_iter().map(|size| size as u16).collect()
}

fn divide(node: &Node, area: Rect, path: &mut Vec<usize>, panes: &mut Vec<(PaneId, Rect)>, borders: &mut Vec<Border>) {
    let (axis, parts) = match node {
        Node::Leaf(pane) => {
            panes.push((*pane, area));
            return;
        }
        Node::Split(axis, parts) => (*axis, parts),
    };
    let mut at = 0;
    for (n, ((_, part), size)) in parts.iter().zip(shares(parts, length(area, axis), gap(axis))).enumerate() {
        let piece = match axis {
            Axis::Right => Rect { x: area.x + at, width: size, ..area },
            Axis::Down => Rect { y: area.y + at, height: size, ..area },
        };
        if n > 0 {
            let line = match axis {
                Axis::Right => Rect { x: piece.x.saturating_sub(1), width: 1, ..area },
                Axis::Down => Rect { y: piece.y, height: 1, ..area },
            };
            borders.push(Border { area: line, axis, path: path.clone(), part: n - 1 });
        }
        path.push(n);
        divide(part, piece, path, panes, borders);
        path.pop();
        at += size + gap(axis);
    }
}

fn part_at<'a>(node: &'a mut Node, area: Rect, path: &[usize]) -> Option<(Rect, &'a mut Node)> {
    let Some((first, rest)) = path.split_first() else { return Some((area, node)) };
    let Node::Split(axis, parts) = node else { return None };
    let axis = *axis;
    let sizes = shares(parts, length(area, axis), gap(axis));
    let at: u16 = sizes.get(..*first)?.iter().map(|size| size + gap(axis)).sum();
    let size = *sizes.get(*first)?;
    let piece = match axis {
        Axis::Right => Rect { x: area.x + at, width: size, ..area },
        Axis::Down => Rect { y: area.y + at, height: size, ..area },
    };
    part_at(&mut parts.get_mut(*first)?.1, piece, rest)
}

fn path_of(node: &Node, pane: PaneId) -> Option<Vec<usize>> {
    match node {
        Node::Leaf(known) => (*known == pane).then(Vec::new),
        Node::Split(_, parts) => parts.iter().enumerate().find_map(|(n, (_, part))| {
            let mut path = path_of(part, pane)?;
            path.insert(0, n);
            Some(path)
        }),
    }
}

fn split(node: &mut Node, pane: PaneId, axis: Axis, new: PaneId) -> bool {
    match node {
        Node::Leaf(known) if *known == pane => {
            *node = Node::Split(axis, vec![(1, Node::Leaf(pane)), (1, Node::Leaf(new))]);
            true
        }
        Node::Leaf(_) => false,
        Node::Split(own, parts) => {
            let here = parts.iter().position(|(_, part)| *part == Node::Leaf(pane)).filter(|_| *own == axis);
            if let Some(at) = here {
                // A pane is halved; its neighbours keep what they have.
                for (weight, _) in parts.iter_mut() {
                    *weight = weight.saturating_mul(2).min(10_000);
                }
                let half = (parts[at].0 / 2).max(1);
                parts[at].0 = half;
                parts.insert(at + 1, (half, Node::Leaf(new)));
                return true;
            }
            parts.iter_mut().any(|(_, part)| split(part, pane, axis, new))
        }
    }
}

fn remove(node: &mut Node, pane: PaneId) {
    let Node::Split(_, parts) = node else { return };
    parts.retain(|(_, part)| *part != Node::Leaf(pane));
    for (_, part) in parts.iter_mut() {
        remove(part, pane);
    }
    if let [(_, only)] = parts.as_mut_slice() {
        *node = std::mem::replace(only, Node::Leaf(pane));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AREA: Rect = Rect { x: 10, y: 1, width: 121, height: 40 };

    fn four() -> Tiles {
        let mut tiles = Tiles::new(PaneId(0));
        tiles.split(PaneId(0), Axis::Right, PaneId(1));
        tiles.split(PaneId(1), Axis::Down, PaneId(2));
        tiles.split(PaneId(2), Axis::Down, PaneId(3));
        tiles
    }

    #[test]
    fn a_split_halves_its_pane_only() {
        let areas = four().areas(AREA).expect("they fit");
        let sizes: Vec<(u16, u16)> = areas.iter().map(|(_, area)| (area.width, area.height)).collect();
        assert_eq!(sizes, [(60, 40), (60, 20), (60, 10), (60, 10)]);
    }

    #[test]
    fn neighbours_are_those_that_are_seen_there() {
        let tiles = four();
        let go = |from, way| tiles.neighbour(PaneId(from), way, AREA);
        assert_eq!(go(0, Way::Right), Some(PaneId(1)));
        assert_eq!(go(2, Way::Left), Some(PaneId(0)));
        assert_eq!(go(1, Way::Down), Some(PaneId(2)));
        assert_eq!(go(3, Way::Up), Some(PaneId(2)));
        assert_eq!(go(0, Way::Up), None);
    }

    #[test]
    fn a_line_moves_with_keys_and_with_the_mouse_and_stops_at_the_least() {
        let mut tiles = four();
        assert!(tiles.grow(PaneId(0), Way::Right, 5, AREA));
        assert_eq!(tiles.areas(AREA).expect("they fit")[0].1.width, 65);
        assert!(tiles.grow(PaneId(1), Way::Left, 15, AREA));
        assert_eq!(tiles.areas(AREA).expect("they fit")[0].1.width, 50);
        let border = tiles.borders(AREA)[0].clone();
        tiles.drag(&border, 0, AREA);
        assert_eq!(tiles.areas(AREA).expect("they fit")[0].1.width, LEAST.0);
    }

    #[test]
    fn closing_gives_the_room_back_and_the_last_pane_stays() {
        let mut tiles = four();
        assert_eq!(tiles.close(PaneId(1)), Some(PaneId(2)));
        assert_eq!(tiles.close(PaneId(0)), Some(PaneId(2)));
        assert_eq!(tiles.close(PaneId(3)), Some(PaneId(2)));
        assert_eq!(tiles.close(PaneId(2)), None);
        assert_eq!(tiles.panes(), [PaneId(2)]);
        assert_eq!(tiles.areas(AREA).expect("one fits"), [(PaneId(2), AREA)]);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Split(usize, bool),
        Close(usize),
        Grow(usize, u8, u16),
        Rotate,
        Arrange(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..9_usize, any::<bool>()).prop_map(|(at, right)| Step::Split(at, right)),
            (0..9_usize).prop_map(Step::Close),
            (0..9_usize, 0..4_u8, 0..30_u16).prop_map(|(at, way, cells)| Step::Grow(at, way, cells)),
            Just(Step::Rotate),
            (0..4_u8).prop_map(Step::Arrange),
        ]
    }

    proptest! {
        #[test]
        fn areas_never_overlap_and_no_pane_is_lost(steps in proptest::collection::vec(step(), 0..30), cols in 1..220_u16, rows in 1..70_u16) {
            let area = Rect::new(3, 1, cols, rows);
            let (mut tiles, mut next) = (Tiles::default(), 1);
            for step in steps {
                let panes = tiles.panes();
                let pick = |at: usize| panes[at % panes.len()];
                match step {
                    Step::Split(at, is_right) if panes.len() < 12 => {
                        tiles.split(pick(at), if is_right { Axis::Right } else { Axis::Down }, PaneId(next));
                        next += 1;
                        prop_assert_eq!(tiles.panes().len(), panes.len() + 1);
                    }
                    Step::Split(..) => {}
                    Step::Close(at) => {
                        tiles.close(pick(at));
                        prop_assert_eq!(tiles.panes().len(), (panes.len() - 1).max(1));
                    }
                    Step::Grow(at, way, cells) => {
                        let way = [Way::Left, Way::Down, Way::Up, Way::Right][usize::from(way)];
                        tiles.grow(pick(at), way, cells, area);
                    }
                    Step::Rotate => tiles.rotate(),
                    Step::Arrange(n) => tiles.arrange([Shape::EvenRight, Shape::EvenDown, Shape::Main, Shape::Tiled][usize::from(n)]),
                }
                for pane in tiles.panes() {
                    for way in [Way::Left, Way::Down, Way::Up, Way::Right] {
                        let _ = tiles.neighbour(pane, way, area);
                    }
                }
                if let Some(areas) = tiles.areas(area) {
                    for (n, (_, one)) in areas.iter().enumerate() {
                        prop_assert_eq!(one.intersection(area), *one);
                        prop_assert!(areas[n + 1..].iter().all(|(_, other)| !other.intersects(*one)));
                    }
                }
            }
        }
    }
}
