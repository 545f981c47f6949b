//! The picture of the authorities: roots above, what they certified below, generations side by side.
//!
//! Only geometry. Words, shapes and colours are the template's; the table beside it says the same.

use std::collections::BTreeMap;

use tenkoku_domain::authority::{Authority, AuthorityKind};
use tenkoku_domain::id::AuthorityId;

/// Width of a node.
pub const WIDTH: i64 = 196;
/// Height of a node.
pub const HEIGHT: i64 = 76;
const GAP: i64 = 28;
const STOREY: i64 = 132;
const MARGIN: i64 = 6;

/// Where one authority stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its place in the list that was drawn.
    pub index: usize,
    /// Left edge.
    pub x: i64,
    /// Upper edge.
    pub y: i64,
}

/// A line between two nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The path, as SVG writes it.
    pub path: String,
    /// From a generation to the next, and not from an issuer to what it certified.
    pub generation: bool,
}

/// The picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Width of the ground.
    pub width: i64,
    /// Height of the ground.
    pub height: i64,
    /// The authorities.
    pub nodes: Vec<Node>,
    /// The lines.
    pub edges: Vec<Edge>,
}

const fn storey(kind: AuthorityKind) -> i64 {
    match kind {
        AuthorityKind::Root => 0,
        AuthorityKind::Policy => 1,
        AuthorityKind::Issuing(_) | AuthorityKind::Service(_) => 2,
    }
}

/// The first generation of the line that an authority belongs to.
fn first<'a>(all: &'a [Authority], of: &'a Authority) -> &'a AuthorityId {
    let mut present = of;
    // As many steps as there are authorities: a circle cannot hold this up.
    for _ in all {
        let former = present.predecessor.as_ref();
        match all.iter().find(|one| Some(&one.id) == former) {
            Some(former) => present = former,
            None => break,
        }
    }
    &present.id
}

/// What orders a storey: the level, whom it serves, the line, the generation.
fn line(all: &[Authority], one: &Authority) -> (String, String, String, i32) {
    (
        one.kind.level().map(|level| level.to_string()).unwrap_or_default(),
        one.dedicated.as_ref().map(ToString::to_string).unwrap_or_default(),
        first(all, one).to_string(),
        one.generation,
    )
}

impl Tree {
    /// Draws authorities. Storeys that nobody stands on are left out.
    pub fn of(all: &[Authority]) -> Self {
        let mut storeys: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (index, authority) in all.iter().enumerate() {
            storeys.entry(storey(authority.kind)).or_default().push(index);
        }
        let widest = storeys.values().map(Vec::len).max().unwrap_or_default();
        let span = |count: usize| {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            count.saturating_mul(WIDTH + GAP).saturating_sub(GAP).max(0)
        };
        let ground = span(widest);
        let mut nodes = Vec::new();
        for (row, members) in (0..).zip(storeys.values_mut()) {
            members.sort_by_key(|index| all.get(*index).map(|one| line(all, one)));
            let left = MARGIN + (ground - span(members.len())) / 2;
            nodes.extend((0..).zip(members.iter()).map(|(column, index)| Node {
                index: *index,
                x: left + column * (WIDTH + GAP),
                y: MARGIN + row * STOREY,
            }));
        }
        let rows = i64::try_from(storeys.len()).unwrap_or_default();
        Self {
            width: ground + 2 * MARGIN,
            height: (rows * STOREY - (STOREY - HEIGHT)).max(0) + 2 * MARGIN,
            edges: edges(all, &nodes),
            nodes,
        }
    }
}

fn edges(all: &[Authority], nodes: &[Node]) -> Vec<Edge> {
    let place = |id: &AuthorityId| {
        nodes.iter().find(|node| all.get(node.index).is_some_and(|one| one.id == *id))
    };
    let mut edges = Vec::new();
    for authority in all {
        let Some(here) = place(&authority.id) else { continue };
        if let Some(above) = authority.issuer.as_ref().and_then(place) {
            let (from, to) = (above.x + WIDTH / 2, here.x + WIDTH / 2);
            let (start, turn) = (above.y + HEIGHT, here.y - (STOREY - HEIGHT) / 2);
            edges.push(Edge {
                path: format!("M{from} {start}V{turn}H{to}V{}", here.y),
                generation: false,
            });
        }
        if let Some(former) = authority.predecessor.as_ref().and_then(place) {
            let middle = here.y + HEIGHT / 2;
            edges.push(Edge {
                path: format!("M{} {middle}H{}", former.x + WIDTH, here.x),
                generation: true,
            });
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use tenkoku_domain::level::Level;
    use tenkoku_testkit::world::World;

    use super::*;

    #[test]
    fn roots_stand_above_what_they_certified_and_nothing_overlaps() {
        World::on_each_database(|world| {
            world.create_authority("policy-g1", AuthorityKind::Policy, 1);
            let all = world.read(|tx| tx.list_authorities());
            let tree = Tree::of(&all);
            assert_eq!(tree.nodes.len(), all.len());
            for node in &tree.nodes {
                assert!(node.x >= 0 && node.x + WIDTH <= tree.width, "{node:?}");
                assert!(node.y >= 0 && node.y + HEIGHT <= tree.height, "{node:?}");
                let level = all[node.index].kind == AuthorityKind::Issuing(Level::Two);
                assert!(!level || node.y > STOREY, "{node:?}");
                let others = tree.nodes.iter().filter(|other| other.y == node.y);
                assert_eq!(others.filter(|other| other.x == node.x).count(), 1);
            }
            assert_eq!(tree.edges.len(), all.iter().filter(|one| one.issuer.is_some()).count());
        });
    }

    #[test]
    fn nothing_is_drawn_where_there_is_no_authority() {
        let tree = Tree::of(&[]);
        assert!(tree.nodes.is_empty() && tree.edges.is_empty());
    }
}
