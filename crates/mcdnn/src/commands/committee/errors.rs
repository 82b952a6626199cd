//! `--errors`: the missed digits, drawn in characters.

use ::committee::{AllFigures, Mistake};
use ndarray::{ArrayView3, Axis};

use crate::drawing::half_blocks;
use crate::numbers::count;

/// Characters between two digits.
const GAP: usize = 3;

/// Characters of a caption's line, at least: a digit may be narrower.
const CAPTION: usize = 34;

/// The digits that the columns together miss, the surest errors first, as many beside each other as fit into `width`
/// characters.
///
/// `images`: `[test digits, height, width]`, all that the figures are of.
pub(super) fn drawn(all: &AllFigures, images: ArrayView3<'_, u8>, width: usize) -> String {
    let mut mistakes: Vec<&Mistake> = all.mistakes.iter().collect();
    // Stable: equals stay in the images' order.
    mistakes.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let panel_width = images.len_of(Axis(2)).max(CAPTION);
    let n_beside = ((width + GAP) / (panel_width + GAP)).max(1);

    let mut text = format!(
        "{} of {} digits are misclassified by {} together;\nthe second guess is right in {} of them. The most confident errors come first.\n",
        all.score.errors,
        all.score.n,
        count(all.n_members as usize, "column"),
        all.second_guess_right
    );
    for row in mistakes.chunks(n_beside) {
        text.push('\n');
        let panels: Vec<Vec<String>> = row.iter().map(|mistake| panel(mistake, images)).collect();
        for line in 0..panels[0].len() {
            let cells = panels.iter().map(|panel| format!("{:<panel_width$}", panel[line]));
            text.push_str(cells.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end());
            text.push('\n');
        }
    }
    text
}

/// A caption and a digit, line by line.
fn panel(mistake: &Mistake, images: ArrayView3<'_, u8>) -> Vec<String> {
    let Mistake { image_idx, label, first_guess, second_guess, confidence, second_confidence, votes } =
        mistake;
    let mut cast: Vec<(usize, u32)> = votes.iter().copied().enumerate().filter(|(_, n)| *n > 0).collect();
    cast.sort_by_key(|&(class, n)| (std::cmp::Reverse(n), class));
    let cast: Vec<String> = cast.iter().take(5).map(|(class, n)| format!("{n} for {class}")).collect();
    let mut lines = vec![
        format!("digit {image_idx}, label {label}"),
        format!(
            "{first_guess} ({:.0} %), then {second_guess} ({:.0} %)",
            100.0 * confidence,
            100.0 * second_confidence
        ),
        format!("votes: {}", cast.join(", ")),
    ];
    lines.extend(half_blocks(images.index_axis(Axis(0), *image_idx as usize)));
    lines
}
