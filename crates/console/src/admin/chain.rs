//! The picture of a corporation's chain of trust (UX 6): roots, the authorities that certify for it,
//! the organisation, its branches; from left to right, exceptions first, the rest in one node.
//!
//! [`Chain::draw`] is geometry and words that were made elsewhere; the list beside it says the same.

use tenkoku_domain::access::Scope;
use tenkoku_domain::authority::{Authority, AuthorityState};
use tenkoku_domain::certificate::{Certificate, CertificateState};
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::time::Timestamp;
use tenkoku_store::{BranchFilter, BranchSummary, StoreError, Tx};

use super::names;
use super::views::certificate_chip;
use crate::format;
use crate::text::Words;

/// Branches that are drawn at most.
const DRAWN: usize = 7;
/// Branches that are looked through for exceptions.
const LOOKED_THROUGH: i64 = 1_000;
/// Left edges and widths of the four columns.
const COLUMNS: [(i64, i64); 4] = [(6, 180), (222, 188), (446, 198), (676, 198)];
const NODE: i64 = 46;
const ROW: i64 = 52;
/// Width of the ground.
pub const WIDTH: i64 = 880;
/// Longest text of a node, in half widths.
const LONGEST: usize = 24;

/// How sure a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bond {
    /// Broken: what makes it is revoked, on hold, or over.
    Broken,
    /// Not there yet.
    Ahead,
    /// Confirmed.
    Sure,
}

impl Bond {
    /// The class of its line.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Broken => "edge edge--bad",
            Self::Ahead => "edge",
            Self::Sure => "edge edge--ok",
        }
    }

    /// Of an authority's certificate.
    fn of_authority(authority: &Authority, now: Timestamp) -> Self {
        match authority.state {
            AuthorityState::Planned | AuthorityState::Ceremony | AuthorityState::Certified => {
                Self::Ahead
            }
            AuthorityState::Suspended | AuthorityState::Ended => Self::Broken,
            AuthorityState::Active | AuthorityState::Retiring
                if authority.validity.not_after <= now =>
            {
                Self::Broken
            }
            AuthorityState::Active | AuthorityState::Retiring => Self::Sure,
        }
    }

    /// Of the newest certificate of a branch.
    fn of_certificate(certificate: Option<&Certificate>, now: Timestamp) -> Self {
        match certificate {
            None => Self::Ahead,
            Some(one) if one.is_expired(now) => Self::Broken,
            Some(one) => match one.state {
                CertificateState::Pending => Self::Ahead,
                CertificateState::Issued | CertificateState::Active | CertificateState::Retired => {
                    Self::Sure
                }
                CertificateState::Held(_)
                | CertificateState::Suspended(_)
                | CertificateState::Revoked(_) => Self::Broken,
            },
        }
    }
}

/// Somebody in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stone {
    /// The name.
    pub title: String,
    /// What is said of it.
    pub text: String,
    /// The link that leads to it from the left.
    pub bond: Bond,
}

/// The chain, before it is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// The roots.
    pub roots: Vec<Stone>,
    /// The authorities that certified for the organisation.
    pub issuing: Vec<Stone>,
    /// The organisation.
    pub organisation: Stone,
    /// Branches, exceptions first.
    pub branches: Vec<Stone>,
    /// How many more there are.
    pub rest: Option<Stone>,
}

/// A node of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Left edge.
    pub x: i64,
    /// Upper edge.
    pub y: i64,
    /// Width.
    pub width: i64,
    /// Its class.
    pub class: &'static str,
    /// The class of its texts.
    pub ink: &'static str,
    /// The name, shortened.
    pub title: String,
    /// What is said of it, shortened.
    pub text: String,
}

/// The picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Height of the ground.
    pub height: i64,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The lines: class and path.
    pub edges: Vec<(&'static str, String)>,
    /// The same in words, from left to right: name and what is said of it.
    pub said: Vec<(String, String)>,
}

impl Chain {
    /// Draws the chain.
    pub fn draw(links: &Links) -> Self {
        let branches: Vec<&Stone> = links.branches.iter().chain(&links.rest).collect();
        let columns: [Vec<&Stone>; 4] = [
            links.roots.iter().collect(),
            links.issuing.iter().collect(),
            vec![&links.organisation],
            branches,
        ];
        let rows = columns.iter().map(|column| height_of(column.len())).max().unwrap_or(ROW);
        let mut chain =
            Self { height: rows, nodes: Vec::new(), edges: Vec::new(), said: Vec::new() };
        let mut before: Option<(i64, Vec<i64>)> = None;
        for (number, (column, (x, width))) in columns.iter().zip(COLUMNS).enumerate() {
            let top = (rows - height_of(column.len())) / 2;
            let mut middles = Vec::new();
            for (place, stone) in (0_i64..).zip(column) {
                let y = top + place * ROW;
                let middle = y + NODE / 2;
                if let Some((right, sources)) = &before {
                    for source in sources {
                        chain
                            .edges
                            .push((stone.bond.class(), path((*right, *source), (x, middle))));
                    }
                }
                middles.push(middle);
                let is_rest = number == 3 && links.rest.as_ref() == Some(*stone);
                chain.nodes.push(Node {
                    x,
                    y,
                    width,
                    class: class_of(number, stone.bond, is_rest),
                    ink: if number == 0 { "inv " } else { "" },
                    title: shortened(&stone.title),
                    text: shortened(&stone.text),
                });
                chain.said.push((stone.title.clone(), stone.text.clone()));
            }
            before = Some((x + width, middles));
        }
        chain
    }
}

fn height_of(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(1).max(1) * ROW - (ROW - NODE) + 8
}

fn class_of(column: usize, bond: Bond, is_rest: bool) -> &'static str {
    match (column, bond) {
        (0, _) => "node node--root",
        (2, _) => "node node--here",
        (_, _) if is_rest => "node node--ghost",
        (_, Bond::Broken) => "node node--bad",
        (_, Bond::Ahead) => "node node--warn",
        (_, Bond::Sure) => "node",
    }
}

fn path((from_x, from_y): (i64, i64), (to_x, to_y): (i64, i64)) -> String {
    let middle = i64::midpoint(from_x, to_x);
    format!("M{from_x} {from_y}H{middle}V{to_y}H{to_x}")
}

/// A text cut to what a node holds; a letter of Latin is half as wide as a kanji.
fn shortened(text: &str) -> String {
    let mut room = LONGEST;
    let mut kept = String::new();
    for character in text.chars() {
        let width = if character.is_ascii() { 1 } else { 2 };
        if room < width + 2 {
            kept.push('…');
            return kept;
        }
        room -= width;
        kept.push(character);
    }
    kept
}

/// The chain of an organisation; `None` while nothing was certified for it.
pub fn load(
    tx: &mut Tx<'_>,
    scope: &Scope,
    organisation: &Organisation,
    w: Words,
    now: Timestamp,
) -> Result<Option<Links>, StoreError> {
    let everyone = BranchFilter { search: String::new() };
    let found = tx.list_branches(scope, &organisation.id, &everyone, None, LOOKED_THROUGH)?.items;
    let count = tx.count_branches(scope, &organisation.id)?;
    let authorities = tx.list_authorities()?;
    let certifies = |authority: &&Authority| {
        let mut certificates = found.iter().filter_map(|one| one.certificate.as_ref());
        certificates.any(|certificate| certificate.authority == authority.id)
    };
    let issuing: Vec<&Authority> = authorities.iter().filter(certifies).collect();
    if issuing.is_empty() {
        return Ok(None);
    }
    let is_root =
        |root: &&Authority| issuing.iter().any(|one| one.issuer.as_ref() == Some(&root.id));
    let stone = |authority: &Authority| Stone {
        title: authority.name.common_name.to_string(),
        text: w
            .say("admin.chain.until")
            .with("date", format::date(authority.validity.not_after))
            .text(),
        bond: Bond::of_authority(authority, now),
    };
    let bond = |one: &BranchSummary| Bond::of_certificate(one.certificate.as_ref(), now);
    let whole = found.iter().map(bond).max().unwrap_or(Bond::Ahead);
    let mut exceptions_first: Vec<&BranchSummary> = found.iter().collect();
    exceptions_first.sort_by_key(|one| bond(one));
    let drawn = exceptions_first.into_iter().take(DRAWN);
    let branches: Vec<Stone> = drawn
        .map(|one| Stone {
            title: names::branch(w, &one.branch).name,
            text: match &one.certificate {
                None => w.t("admin.chain.no-certificate").to_owned(),
                Some(certificate) => certificate_chip(w, certificate, now).label,
            },
            bond: bond(one),
        })
        .collect();
    let more = count - i64::try_from(branches.len()).unwrap_or(count);
    Ok(Some(Links {
        roots: authorities.iter().filter(is_root).map(stone).collect(),
        issuing: issuing.into_iter().map(stone).collect(),
        organisation: Stone {
            title: names::organisation(w, organisation).name,
            text: organisation.identifier.to_string(),
            bond: whole,
        },
        rest: (more > 0).then(|| Stone {
            title: w.count("admin.chain.more", more).text(),
            text: w.t("admin.chain.own-keys").to_owned(),
            bond: Bond::Ahead,
        }),
        branches,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stone(title: &str, bond: Bond) -> Stone {
        Stone { title: title.to_owned(), text: "text".to_owned(), bond }
    }

    fn links(branches: usize) -> Links {
        Links {
            roots: vec![stone("root", Bond::Sure)],
            issuing: vec![stone("one", Bond::Sure), stone("two", Bond::Broken)],
            organisation: stone("organisation", Bond::Sure),
            branches: (0..branches).map(|n| stone(&format!("branch {n}"), Bond::Ahead)).collect(),
            rest: Some(stone("more", Bond::Ahead)),
        }
    }

    #[test]
    fn everybody_stands_within_the_picture_and_is_said_once() {
        for branches in [0, 1, 7] {
            let chain = Chain::draw(&links(branches));
            assert_eq!(chain.nodes.len(), branches + 5);
            assert_eq!(chain.said.len(), chain.nodes.len());
            for node in &chain.nodes {
                assert!(node.y >= 0 && node.y + NODE <= chain.height, "{node:?}");
                assert!(node.x + node.width <= WIDTH, "{node:?}");
            }
            // Two to the issuing ones, one from each to the organisation, one to each branch.
            assert_eq!(chain.edges.len(), 4 + branches + 1);
        }
    }

    #[test]
    fn a_line_tells_how_sure_the_link_is() {
        let chain = Chain::draw(&links(1));
        let classes: Vec<_> = chain.edges.iter().map(|(class, _)| *class).collect();
        assert_eq!(classes[0], "edge edge--ok");
        assert_eq!(classes[1], "edge edge--bad");
        assert_eq!(classes[4], "edge");
        assert_eq!(chain.nodes[2].class, "node node--bad");
        assert_eq!(chain.nodes.last().unwrap().class, "node node--ghost");
    }

    #[test]
    fn long_names_are_cut_by_their_width() {
        assert_eq!(shortened("Aoba Bank, Ltd."), "Aoba Bank, Ltd.");
        assert_eq!(shortened("見本銀行株式会社第二営業部本店"), "見本銀行株式会社第二営…");
        assert_eq!(shortened(&"x".repeat(40)).chars().count(), 23);
    }
}
