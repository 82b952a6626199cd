//! What a committee says of an image.

use std::collections::BTreeMap;

use anyhow::Result;
use classifier::Unclear;
use committee::{mean, predictions};
use ndarray::{ArrayView1, ArrayView3, Axis};
use preprocess::{Polarity, Width};
use serde::Serialize;
use study::ColumnId;

use super::source::Found as Image;

/// The digits that are named.
pub(crate) const N_TOP: usize = 3;

/// What all columns together, and those of each width, say of one image.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    pub(crate) name: String,
    /// Its place in an IDX file, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<usize>,
    pub(crate) dark_on_light: bool,
    pub(crate) clear: bool,
    /// Why it is not clear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unclear: Option<String>,
    pub(crate) committee: Opinion,
    /// Those with finished columns, `original` first, then by pixels.
    pub(crate) widths: Vec<OfWidth>,
}

#[derive(Debug, Serialize)]
pub(crate) struct OfWidth {
    pub(crate) width: Width,
    #[serde(flatten)]
    pub(crate) opinion: Opinion,
}

/// The mean of some columns.
#[derive(Debug, Serialize)]
pub(crate) struct Opinion {
    /// The most probable one; of equals the lowest.
    pub(crate) digit: u8,
    pub(crate) probability: f64,
    pub(crate) top: Vec<Guess>,
    pub(crate) n_columns: usize,
    /// Columns whose own most probable digit it is.
    pub(crate) n_columns_for_it: usize,
    /// Of the digits 0 to 9.
    pub(crate) probabilities: Vec<f64>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Guess {
    pub(crate) digit: u8,
    pub(crate) probability: f64,
}

/// The answers for `images` from what `columns` say: `[columns, images, 10]`.
///
/// # Errors
/// When that is no array of probabilities.
pub(crate) fn answers(
    images: &[Image],
    columns: &[ColumnId],
    probabilities: ArrayView3<'_, f32>,
) -> Result<Vec<Answer>> {
    let all: Vec<usize> = (0..columns.len()).collect();
    let mut of_width: BTreeMap<Width, Vec<usize>> = BTreeMap::new();
    for (index, id) in columns.iter().enumerate() {
        of_width.entry(id.width).or_default().push(index);
    }
    let committee = opinions(&all, probabilities)?;
    let mut answers: Vec<Answer> = images
        .iter()
        .zip(committee)
        .enumerate()
        .map(|(row, (image, committee))| {
            let columns = probabilities.index_axis(Axis(1), row);
            let unclear = Unclear::of(ArrayView1::from(&committee.probabilities), columns, image.doubt);
            Answer {
                name: image.name.clone(),
                index: image.index,
                dark_on_light: image.polarity == Polarity::DarkOnLight,
                clear: unclear.is_none(),
                unclear: unclear.map(|unclear| unclear.to_string()),
                committee,
                widths: Vec::new(),
            }
        })
        .collect();
    for (width, members) in of_width {
        for (answer, opinion) in answers.iter_mut().zip(opinions(&members, probabilities)?) {
            answer.widths.push(OfWidth { width, opinion });
        }
    }
    Ok(answers)
}

/// What some of the columns together say of each image.
fn opinions(members: &[usize], probabilities: ArrayView3<'_, f32>) -> Result<Vec<Opinion>> {
    let members: Vec<_> = members.iter().map(|&index| probabilities.index_axis(Axis(0), index)).collect();
    let votes: Vec<Vec<u8>> = members.iter().map(|member| predictions(*member)).collect();
    let together = mean(&members)?;
    let digits = predictions(together.view());
    let opinion = |(image, row): (usize, ArrayView1<'_, f64>)| Opinion {
        digit: digits[image],
        probability: row[usize::from(digits[image])],
        top: top(row),
        n_columns: members.len(),
        n_columns_for_it: votes.iter().filter(|votes| votes[image] == digits[image]).count(),
        probabilities: row.to_vec(),
    };
    Ok(together.outer_iter().enumerate().map(opinion).collect())
}

/// The most probable digits; of equals the lower first.
fn top(row: ArrayView1<'_, f64>) -> Vec<Guess> {
    let guess = |(digit, &probability): (usize, &f64)| Guess { digit: digit as u8, probability };
    let mut guesses: Vec<Guess> = row.iter().enumerate().map(guess).collect();
    guesses.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    guesses.truncate(N_TOP);
    guesses
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array3;

    /// Two columns of width 20, one of the original width; one image.
    fn answer() -> Answer {
        let mut probabilities = Array3::zeros((3, 1, 10));
        for (column, shares) in
            [[(7, 0.9), (1, 0.1)], [(1, 0.6), (7, 0.4)], [(7, 0.5), (2, 0.5)]].iter().enumerate()
        {
            shares.iter().for_each(|&(digit, share)| probabilities[[column, 0, digit]] = share);
        }
        let columns = ["w20-1", "w20-2", "original-1"].map(|id| id.parse().unwrap());
        let pixels = ndarray::Array2::zeros((28, 28));
        let image =
            Image { name: "a.png".into(), index: None, pixels, polarity: Polarity::DarkOnLight, doubt: None };
        answers(&[image], &columns, probabilities.view()).unwrap().remove(0)
    }

    #[test]
    fn the_committee_is_the_mean_and_each_width_has_its_own() {
        let Answer { committee, widths, clear, dark_on_light, unclear, .. } = answer();
        assert_eq!(unclear.as_deref(), Some("80 % is needed"));
        assert_eq!((committee.digit, committee.n_columns, committee.n_columns_for_it), (7, 3, 1));
        assert!((committee.probability - 0.6).abs() < 1e-6 && !clear && dark_on_light);
        assert_eq!(committee.top.iter().map(|guess| guess.digit).collect::<Vec<_>>(), [7, 1, 2]);
        let of_width: Vec<_> = widths
            .iter()
            .map(|width| (width.width.to_string(), width.opinion.digit, width.opinion.n_columns_for_it))
            .collect();
        // Of equals the lower.
        assert_eq!(of_width, [("original".to_owned(), 2, 1), ("20".to_owned(), 7, 1)]);
    }
}
