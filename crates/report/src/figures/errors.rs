//! The digits that the committee of all columns takes for others.

use committee::Mistake;

use super::drawn::Drawn;
use crate::drawing::figure::{Figure, Span, Words};
use crate::drawing::palette::{MUTED, OTHER};
use crate::drawing::picture::{Image, Picture, Text};
use crate::drawing::pixels;
use crate::evidence::Evidence;

/// Most errors that are drawn, the surest first.
const MAX_SHOWN: usize = 120;
/// Cells in a row.
const IN_A_ROW: usize = 7;
/// Width and height of a cell.
const CELL: [f64; 2] = [143.0, 152.0];
/// Side of a digit.
const DIGIT: f64 = 76.0;

/// Every error, the surest first.
pub(super) fn draw(name: &'static str, evidence: &Evidence<'_>) -> Drawn {
    let all = &evidence.summary.figures.all;
    let mut mistakes: Vec<&Mistake> = all.mistakes.iter().collect();
    mistakes.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let n_errors = mistakes.len();
    if n_errors == 0 {
        return Ok(None);
    }
    let shown = &mistakes[..n_errors.min(MAX_SHOWN)];
    let mut picture = Picture::default();
    for (index, mistake) in shown.iter().enumerate() {
        let corner = [(index % IN_A_ROW) as f64 * CELL[0], (index / IN_A_ROW) as f64 * CELL[1]];
        draw_cell(&mut picture, evidence, mistake, corner);
    }
    let n_rows = shown.len().div_ceil(IN_A_ROW);
    let drawing = picture.drawn([IN_A_ROW as f64 * CELL[0], n_rows as f64 * CELL[1]]);

    let n_second = all.second_guess_right;
    let which = if shown.len() < n_errors {
        format!("The {} most confident of {n_errors} errors", shown.len())
    } else {
        format!("All {n_errors} errors")
    };
    let in_words = shown.iter().map(|mistake| {
        let Mistake { image_idx, label, first_guess, second_guess, confidence, .. } = mistake;
        let sure = percent(*confidence);
        format!(
            "digit {image_idx}: label {label}, first guess {first_guess} ({sure}), second guess {second_guess}, votes {}",
            votes(mistake)
        )
    });
    let (whose, how_many_vote) = match all.n_members {
        1 => ("the column".to_owned(), ""),
        n => (format!("the committee of {n} columns"), " and the columns’ votes"),
    };
    let digits = evidence.summary.digits_name();
    let words = Words {
        title: "Misclassified digits".to_owned(),
        caption: format!(
            "{which} of {whose}, most confident first. Next to each digit is its label; below it the first and second guess with \
             their probabilities, and its number among the {digits}{how_many_vote}. The second guess is right in {n_second} of {n_errors}."
        ),
        description: format!("{which}: {}.", in_words.collect::<Vec<_>>().join("; ")),
    };
    Ok(Some(Figure::new(name, Span::Whole, words, drawing)))
}

fn draw_cell(picture: &mut Picture, evidence: &Evidence<'_>, mistake: &Mistake, [x, y]: [f64; 2]) {
    let Mistake { image_idx, label, first_guess, second_guess, confidence, second_confidence, .. } = mistake;
    let href = pixels::ink(evidence.digit(*image_idx as usize));
    let (y, width, height) = (y + 6.0, DIGIT, DIGIT);
    picture.images.push(Image { x, y, width, height, href, is_ink: true, is_crisp: false });
    let guess = |x, class: &u8, share: &f64| {
        [
            Text::new(x, y + 92.0, 14.0, class.to_string()).bold(),
            Text::new(x + 14.0, y + 92.0, 12.0, percent(*share)).in_role(MUTED),
        ]
    };
    let [first, share] = guess(x, first_guess, confidence);
    picture.texts.extend([first.in_role(OTHER), share]);
    picture.texts.extend(guess(x + 60.0, second_guess, second_confidence));
    picture.texts.extend([
        Text::new(x + DIGIT + 5.0, y + 20.0, 22.0, label.to_string()).bold(),
        Text::new(x, y + 109.0, 12.0, format!("no. {image_idx}")).in_role(MUTED),
    ]);
    if evidence.summary.figures.all.n_members > 1 {
        picture.texts.push(Text::new(x, y + 125.0, 12.0, votes(mistake)).in_role(MUTED));
    }
}

/// `28 × 4, 7 × 9`: how many columns say what; after two classes the rest is a number.
fn votes(mistake: &Mistake) -> String {
    let mut votes: Vec<(usize, u32)> =
        mistake.votes.iter().copied().enumerate().filter(|(_, n)| *n > 0).collect();
    votes.sort_by_key(|&(class, n)| (std::cmp::Reverse(n), class));
    let named: Vec<String> = votes.iter().take(2).map(|(class, n)| format!("{n} × {class}")).collect();
    let n_others: u32 = votes.iter().skip(2).map(|(_, n)| n).sum();
    let others = if n_others > 0 { format!(" + {n_others}") } else { String::new() };
    format!("{}{others}", named.join(", "))
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}
