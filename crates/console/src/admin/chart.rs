//! Numbers of the pictures on Home: bars and a stacked bar, as SVG attributes.
//!
//! Only geometry. Words and colours are the template's; every picture has its table.

/// One bar of a chart of months.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// The month, in words.
    pub label: String,
    /// The figure, written out.
    pub figure: String,
    /// Left edge.
    pub x: i64,
    /// Upper edge.
    pub y: i64,
    /// Height.
    pub height: i64,
    /// Whether it is the highest, whose figure is written above it.
    pub peak: bool,
}

impl Bar {
    /// Width of every bar.
    pub const WIDTH: i64 = 30;

    /// The middle, for its label.
    pub fn middle(&self) -> i64 {
        self.x + Self::WIDTH / 2
    }

    /// Where the figure stands.
    pub fn above(&self) -> i64 {
        self.y - 5
    }
}

/// A line across the chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Height of the line.
    pub y: i64,
    /// Baseline of its label.
    pub text_y: i64,
    /// What it stands for.
    pub label: String,
}

/// A chart of months on a ground of 560 by 176.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bars {
    /// The bars.
    pub bars: Vec<Bar>,
    /// The lines.
    pub lines: Vec<Line>,
    /// The month of the peak and its figure, written out.
    pub peak: Option<(String, String)>,
}

const FLOOR: i64 = 146;
const CEILING: i64 = 20;
const LEFT: i64 = 40;

/// The smallest of 4, 8, 20, 40, 80, 200 … that is not below the number: four lines divide it.
fn top(most: i64) -> i64 {
    let mut unit = 1;
    loop {
        for step in [4, 8, 20] {
            if step * unit >= most {
                return step * unit;
            }
        }
        unit *= 10;
    }
}

impl Bars {
    /// Draws figures of months: label and figure each.
    pub fn of(figures: &[(String, i64)]) -> Self {
        let most = figures.iter().map(|(_, n)| *n).max().unwrap_or_default();
        let top = top(most.max(1));
        let height = |n: i64| (FLOOR - CEILING) * n / top;
        let step = 520 / i64::try_from(figures.len().max(1)).unwrap_or(12);
        let mut peak = None;
        let bars = figures
            .iter()
            .zip(0..)
            .map(|((label, n), place)| {
                let is_peak = *n == most && *n > 0 && peak.is_none();
                if is_peak {
                    peak = Some((label.clone(), crate::format::number(*n)));
                }
                Bar {
                    label: label.clone(),
                    figure: crate::format::number(*n),
                    x: LEFT + step * place,
                    y: FLOOR - height(*n),
                    height: height(*n),
                    peak: is_peak,
                }
            })
            .collect();
        let lines = (0..=4)
            .map(|quarter| {
                let n = top * quarter / 4;
                let y = FLOOR - height(n);
                Line { y, text_y: y + 4, label: crate::format::number(n) }
            })
            .collect();
        Self { bars, lines, peak }
    }
}

/// A part of a stacked bar on a ground of 360 by 26.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The class of its colour.
    pub class: &'static str,
    /// What it stands for.
    pub label: String,
    /// The figure.
    pub figure: i64,
    /// The figure, written out.
    pub text: String,
    /// Left edge.
    pub x: i64,
    /// Width; 0 for nothing.
    pub width: i64,
}

/// Divides a bar. What is not zero is at least three units wide.
pub fn stacked(figures: &[(&'static str, &str, i64)]) -> Vec<Part> {
    const GROUND: i64 = 360;
    const GAP: i64 = 3;
    let total: i64 = figures.iter().map(|(_, _, n)| *n).sum();
    let shown = i64::try_from(figures.iter().filter(|(_, _, n)| *n > 0).count()).unwrap_or(1);
    let room = GROUND - GAP * (shown - 1).max(0) - 3 * shown;
    let mut x = 0;
    figures
        .iter()
        .map(|(class, label, n)| {
            let width = if *n > 0 { 3 + room * n / total.max(1) } else { 0 };
            let part = Part {
                class,
                label: (*label).to_owned(),
                figure: *n,
                text: crate::format::number(*n),
                x,
                width,
            };
            x += if width > 0 { width + GAP } else { 0 };
            part
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_top(most: i64, expected: i64) {
        assert_eq!(top(most), expected, "{most}");
    }

    #[test]
    fn the_scale_ends_at_a_round_number() {
        check_top(1, 4);
        check_top(5, 8);
        check_top(9, 20);
        check_top(21, 40);
        check_top(355, 400);
        check_top(401, 800);
        check_top(801, 2000);
    }

    #[test]
    fn only_the_first_peak_is_named() {
        let figures: Vec<(String, i64)> =
            [2, 7, 7].iter().map(|n| (format!("month {n}"), *n)).collect();
        let chart = Bars::of(&figures);
        assert_eq!(chart.bars.iter().filter(|bar| bar.peak).count(), 1);
        assert_eq!(chart.peak, Some(("month 7".to_owned(), "7".to_owned())));
        assert!(Bars::of(&[("x".to_owned(), 0)]).peak.is_none());
    }

    #[test]
    fn a_stacked_bar_fills_its_ground_and_hides_nothing() {
        let parts = stacked(&[("a", "A", 100_000), ("b", "B", 1), ("c", "C", 0)]);
        assert_eq!(parts[2].width, 0);
        assert!(parts[1].width >= 3);
        let end = parts[1].x + parts[1].width;
        assert!((355..=360).contains(&end), "{end}");
        assert!(stacked(&[("a", "A", 0)]).iter().all(|part| part.width == 0));
    }
}
