//! Four widths as the sets of a Venn diagram: the Theano project's way to show what subsets of them do.

use committee::Subset;
use preprocess::Width;

use super::drawn::Drawn;
use crate::drawing::figure::{Drawing, Figure, Span, Words};
use crate::drawing::palette::{MUTED, Role, SERIES};
use crate::drawing::picture::{Ellipse, Picture, Text};
use crate::evidence::Evidence;
use crate::published::theano_bp;

/// Width and height of the drawing.
const SIZE: [f64; 2] = [520.0, 400.0];
/// The sets' colours.
const ROLES: [Role; 4] = [SERIES[4], SERIES[3], SERIES[5], SERIES[6]];
/// Each set's ellipse, its centre and angle, and where its name stands. Placed so that the smallest region is as large as
/// can be.
const SETS: [([f64; 2], f64, [f64; 2]); 4] = [
    ([186.0, 217.0], 38.0, [14.0, 72.0]),
    ([258.0, 175.0], 38.0, [82.0, 32.0]),
    ([262.0, 175.0], -38.0, [438.0, 32.0]),
    ([334.0, 217.0], -38.0, [506.0, 72.0]),
];
/// Half axes of the ellipses.
const RADII: [f64; 2] = [206.0, 126.0];
/// Where the figure of each region stands; bit i of the index is set i.
const REGIONS: [[f64; 2]; 16] = [
    [480.0, 370.0],
    [52.0, 176.0],
    [180.0, 40.0],
    [120.0, 88.0],
    [340.0, 40.0],
    [120.0, 264.0],
    [260.0, 76.0],
    [172.0, 144.0],
    [468.0, 176.0],
    [260.0, 352.0],
    [400.0, 264.0],
    [332.0, 312.0],
    [400.0, 88.0],
    [188.0, 312.0],
    [348.0, 144.0],
    [260.0, 236.0],
];

/// Errors of the committee of each subset.
pub(super) fn subsets(name: &'static str, evidence: &Evidence<'_>) -> Drawn {
    let Some(names) = four(evidence) else { return Ok(None) };
    let subsets: Vec<&Subset> = evidence
        .summary
        .subsets
        .iter()
        .filter(|subset| subset.groups.iter().all(|name| names.contains(name)))
        .collect();
    // A study of very many widths has no subsets in its summary.
    let Some(best) = subsets.iter().map(|subset| subset.score.errors).min() else { return Ok(None) };
    let theirs = |mask: usize| {
        let widths: Option<Vec<Width>> = of(&names, mask).iter().map(|name| name.parse().ok()).collect();
        theano_bp(&widths?).filter(|_| evidence.summary.has_peers())
    };
    let region = |mask: usize| {
        let names = of(&names, mask);
        let score = subsets.iter().find(|subset| subset.groups == names)?.score;
        let beside = theirs(mask).map(|bp| format!("({:.2})", f64::from(bp) / 100.0));
        Some((format!("{:.2}", score.error_percent()), score.errors == best, beside))
    };
    let drawing = diagram(&names, region);

    let beside = if theirs(15).is_some() {
        " In brackets: the Theano project’s figures; it used the labels when it normalized the digits."
    } else {
        ""
    };
    let in_words =
        subsets.iter().map(|subset| format!("{}: {}", subset.groups.join(" + "), subset.score.errors));
    let digits = evidence.summary.digits_name();
    let words = Words {
        title: "Error of every subset of four widths".to_owned(),
        caption: format!(
            "Error in percent of the {digits}. Each overlap shows the error of the committee of all columns of these widths. The lowest is bold.{beside}"
        ),
        description: format!(
            "Venn diagram of four widths. Errors of their committees among {} {digits}: {}.",
            evidence.labels.len(),
            in_words.collect::<Vec<_>>().join("; ")
        ),
    };
    Ok(Some(Figure::new(name, Span::Half, words, drawing)))
}

/// Digits that the committees of exactly some of the widths miss.
pub(super) fn missed(name: &'static str, evidence: &Evidence<'_>) -> Drawn {
    let Some(names) = four(evidence) else { return Ok(None) };
    let overlaps = &evidence.summary.overlaps;
    let region = |mask: usize| {
        let names = of(&names, mask);
        let overlap = overlaps.iter().find(|overlap| overlap.groups == names)?;
        Some((overlap.images.len().to_string(), mask == 15, None))
    };
    let drawing = diagram(&names, region);

    let in_words = overlaps.iter().map(|overlap| {
        let numbers: Vec<String> = overlap.images.iter().map(ToString::to_string).collect();
        let which = if numbers.is_empty() { String::new() } else { format!(" ({})", numbers.join(", ")) };
        format!("{} and no other: {}{which}", overlap.groups.join(", "), numbers.len())
    });
    let n_missed: usize = overlaps.iter().map(|overlap| overlap.images.len()).sum();
    let n_by_all = overlaps.last().map_or(0, |overlap| overlap.images.len());
    let digits = evidence.summary.digits_name();
    let words = Words {
        title: "Which widths misclassify the same digits".to_owned(),
        caption: format!(
            "Number of {digits} missed by exactly these widths’ committees. At least one of the four misses {n_missed}, all four miss {n_by_all}."
        ),
        description: format!(
            "Venn diagram of the {digits} missed by four widths’ committees, with their numbers. {}.",
            in_words.collect::<Vec<_>>().join("; ")
        ),
    };
    Ok(Some(Figure::new(name, Span::Half, words, drawing)))
}

/// The four widths whose overlaps the summary has; none if they are fewer.
fn four(evidence: &Evidence<'_>) -> Option<[String; 4]> {
    evidence.summary.overlaps.last()?.groups.clone().try_into().ok()
}

/// The sets whose bits are set.
fn of<T: Clone>(sets: &[T; 4], mask: usize) -> Vec<T> {
    sets.iter().enumerate().filter(|(set, _)| mask >> set & 1 == 1).map(|(_, set)| set.clone()).collect()
}

/// Four ellipses with a figure in each region: what it is, whether it is bold, and what stands below it.
fn diagram(names: &[String; 4], region: impl Fn(usize) -> Option<(String, bool, Option<String>)>) -> Drawing {
    let mut picture = Picture::default();
    for ((name, role), (center, angle_deg, [x, y])) in names.iter().zip(ROLES).zip(SETS) {
        picture.ellipses.push(Ellipse { center, radii: RADII, angle_deg, role });
        picture.texts.push(Text::new(x, y, 17.0, name).centered().bold().in_role(role));
    }
    for (mask, [x, y]) in REGIONS.into_iter().enumerate() {
        let Some((figure, bold, below)) = region(mask) else { continue };
        let lift = if below.is_some() { 2.0 } else { -5.0 };
        let text = Text::new(x, y - lift, 15.0, figure).centered();
        picture.texts.push(if bold { text.bold() } else { text });
        if let Some(below) = below {
            picture.texts.push(Text::new(x, y + 12.0, 11.5, below).centered().in_role(MUTED));
        }
    }
    picture.drawn(SIZE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every figure stands in the ellipses of its region and in no other.
    #[test]
    fn figures_stand_in_their_regions() {
        for (mask, [x, y]) in REGIONS.into_iter().enumerate() {
            for (set, ([center_x, center_y], angle_deg, _)) in SETS.into_iter().enumerate() {
                let (sin, cos) = f64::to_radians(angle_deg).sin_cos();
                let (dx, dy) = (x - center_x, y - center_y);
                let along = [(cos * dx + sin * dy) / RADII[0], (cos * dy - sin * dx) / RADII[1]];
                let is_inside = along[0].powi(2) + along[1].powi(2) < 1.0;
                assert_eq!(is_inside, mask >> set & 1 == 1, "region {mask:04b}, set {set}");
            }
        }
    }
}
