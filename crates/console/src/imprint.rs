//! The picture of an imprint: a name in columns from right to left within a square, vermilion, like a
//! company's seal of stone. Only appearance (UX 1): whether a seal is genuine is never seen from it.
//!
//! Characters are drawn as outlines from the font that is embedded (`font/`), so that an imprint looks
//! the same everywhere. A character that the font lacks is named; nothing else is drawn in its place.
//! Deliberately not here: words, and pictures that holders handed in.

use std::fmt::Write as _;
use std::sync::LazyLock;

use tenkoku_domain::branch::{Branch, BranchKind};
use tenkoku_domain::organisation::Organisation;
use ttf_parser::gsub::{SingleSubstitution, SubstitutionSubtable};
use ttf_parser::{Face, GlyphId, OutlineBuilder, Tag};

/// Noto Serif CJK JP Bold, cut down to the characters that names are registered with.
static FONT: &[u8] = include_bytes!("../font/imprint.otf");

/// The font, read once; `None` would be a fault of the build, which a test excludes.
static FACE: LazyLock<Option<Face<'static>>> = LazyLock::new(|| Face::parse(FONT, 0).ok());

/// Side of the picture, in its own units.
pub const SIDE: u16 = 1320;
/// Between the edge of the picture and the characters.
const MARGIN: u16 = 110;
/// Most characters of an imprint: more could not be read.
const MOST: usize = 64;
/// How far the ideographic em box of the font reaches below the base line, in ems.
const BELOW: f32 = 0.12;
/// What stands at the end: "the seal of".
const ENDING: &str = "之印";

/// Why there is no imprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoImprint {
    /// The font has no picture of a character.
    #[error("the font has no {0:?}")]
    Missing(char),
    /// The name has more characters than can be read in an imprint.
    #[error("the name has {0} characters")]
    TooLong(usize),
}

/// An imprint, ready to be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imprint {
    /// The outlines, as SVG writes them, in a square of [`SIDE`].
    pub path: String,
    /// What it reads, column by column from right to left.
    pub columns: Vec<String>,
}

/// The imprint of a branch office, or of the organisation itself where it is the head office.
///
/// # Errors
/// When a character has no picture, or there are too many.
pub fn of_branch(organisation: &Organisation, branch: &Branch) -> Result<Imprint, NoImprint> {
    let office = match branch.kind {
        BranchKind::HeadOffice => "",
        BranchKind::Branch => branch.name.as_str(),
    };
    carve(&format!("{}{office}{ENDING}", organisation.legal_name.as_str()))
}

/// An imprint that reads `text`; spaces are left out, as on stone.
///
/// # Errors
/// When a character has no picture, or there are too many.
pub fn carve(text: &str) -> Result<Imprint, NoImprint> {
    let characters: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let count = characters.len();
    let across = (1..=MOST).find(|side| side * side >= count).unwrap_or(MOST);
    let small = u16::try_from(across).ok().filter(|_| count <= MOST);
    let Some(across) = small else { return Err(NoImprint::TooLong(count)) };
    let down = count.div_ceil(across.into()).max(1);
    let room = SIDE - 2 * MARGIN;
    let width = room / across.max(1);
    // Every column has the same room; a last one with fewer characters stands wider apart.
    let size = width.min(room / u16::try_from(down).unwrap_or(across).max(1));
    let mut path = String::new();
    let mut columns = Vec::new();
    let mut right = SIDE - MARGIN;
    for column in characters.chunks(down) {
        let each = room / u16::try_from(column.len()).unwrap_or(across).max(1);
        let mut top = MARGIN;
        for character in column {
            let place =
                Place { left: right - width / 2 - size / 2, top: top + (each - size) / 2, size };
            draw(*character, place, &mut path)?;
            top += each;
        }
        columns.push(column.iter().collect());
        right -= width;
    }
    Ok(Imprint { path, columns })
}

/// The square that a character stands in.
#[derive(Clone, Copy, Debug)]
struct Place {
    left: u16,
    top: u16,
    size: u16,
}

fn draw(character: char, place: Place, path: &mut String) -> Result<(), NoImprint> {
    let missing = NoImprint::Missing(character);
    let face = FACE.as_ref().ok_or(missing)?;
    let glyph = face.glyph_index(character).ok_or(missing)?;
    let glyph = upright(face, glyph).unwrap_or(glyph);
    let advance = f32::from(face.glyph_hor_advance(glyph).unwrap_or_default());
    let em = f32::from(face.units_per_em());
    let scale = f32::from(place.size) / em;
    let mut pen = Pen {
        path,
        scale,
        // In the middle of its square.
        left: f32::from(place.left) + (em - advance) / 2.0 * scale,
        base: f32::from(place.top) + (1.0 - BELOW) * em * scale,
    };
    // A space has a glyph without an outline.
    let drawn = face.outline_glyph(glyph, &mut pen);
    drawn.map(|_| ()).ok_or(missing)
}

/// The form of a glyph for vertical text (OpenType feature `vert`), where it has one of its own.
fn upright(face: &Face<'_>, glyph: GlyphId) -> Option<GlyphId> {
    let table = face.tables().gsub?;
    let feature = table.features.find(Tag::from_bytes(b"vert"))?;
    feature.lookup_indices.into_iter().find_map(|index| {
        let subtables = table.lookups.get(index)?.subtables;
        (0..subtables.len()).find_map(|index| {
            let SubstitutionSubtable::Single(single) = subtables.get(index)? else { return None };
            let place = single.coverage().get(glyph)?;
            match single {
                SingleSubstitution::Format1 { delta, .. } => {
                    let id = i32::from(glyph.0) + i32::from(delta);
                    u16::try_from(id.rem_euclid(65_536)).ok().map(GlyphId)
                }
                SingleSubstitution::Format2 { substitutes, .. } => substitutes.get(place),
            }
        })
    })
}

/// Writes outlines as a path of SVG, in whole units, y downwards.
struct Pen<'a> {
    path: &'a mut String,
    scale: f32,
    left: f32,
    base: f32,
}

impl Pen<'_> {
    fn step(&mut self, command: char, points: &[(f32, f32)]) {
        self.path.push(command);
        for (number, (x, y)) in points.iter().enumerate() {
            let (x, y) = (self.left + x * self.scale, self.base - y * self.scale);
            let before = if number > 0 { " " } else { "" };
            // Writing to a string does not fail.
            let _ = write!(self.path, "{before}{x:.0} {y:.0}");
        }
    }
}

impl OutlineBuilder for Pen<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        self.step('M', &[(x, y)]);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.step('L', &[(x, y)]);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.step('Q', &[(x1, y1), (x, y)]);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.step('C', &[(x1, y1), (x2, y2), (x, y)]);
    }

    fn close(&mut self) {
        self.path.push('Z');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, columns: &[&str]) {
        let imprint = carve(text).unwrap();
        assert_eq!(imprint.columns, columns);
        assert!(imprint.path.starts_with('M') && imprint.path.ends_with('Z'), "{}", imprint.path);
        let inside = |number: &str| number.parse::<i32>().is_ok_and(|n| (0..=1320).contains(&n));
        let numbers = imprint.path.split(|c: char| !c.is_ascii_digit() && c != '-');
        for number in numbers.filter(|number| !number.is_empty()) {
            assert!(inside(number), "{number} is outside of the square");
        }
    }

    #[test]
    fn the_characters_stand_in_columns_from_right_to_left() {
        check("印", &["印"]);
        check("青葉銀行株式会社札幌支店之印", &["青葉銀行", "株式会社", "札幌支店", "之印"]);
        check("見本 之印", &["見本", "之印"]);
        check("Aoba Bank之印", &["Aob", "aBa", "nk之", "印"]);
    }

    #[test]
    fn every_kanji_for_names_and_the_variants_that_names_are_registered_with_have_a_picture() {
        for text in
            ["髙﨑邉邊𠮟塡剝頰", "澤齋濱櫻瑞穂圓", "ヴァーヶヵ・々〆", "ＡＢＣ１２３（株）", "&-.'"]
        {
            carve(text).unwrap();
        }
    }

    #[test]
    fn a_character_without_a_picture_is_named() {
        assert_eq!(carve("見本🎋之印"), Err(NoImprint::Missing('🎋')));
        assert_eq!(carve("مثال"), Err(NoImprint::Missing('م')));
        assert_eq!(carve(&"印".repeat(64)).unwrap().columns.len(), 8);
        assert_eq!(carve(&"印".repeat(65)), Err(NoImprint::TooLong(65)));
    }

    #[test]
    fn a_long_mark_stands_upright_in_a_column() {
        let face = FACE.as_ref().unwrap();
        let lying = face.glyph_index('ー').unwrap();
        assert!(upright(face, lying).is_some_and(|upright| upright != lying));
        let kanji = face.glyph_index('印').unwrap();
        assert_eq!(upright(face, kanji), None);
    }

    #[test]
    fn an_imprint_fits_a_page() {
        let imprint = carve("青葉銀行株式会社札幌支店之印").unwrap();
        assert!(imprint.path.len() < 16_000, "{} octets", imprint.path.len());
    }
}
