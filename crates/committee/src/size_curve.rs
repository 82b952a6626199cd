//! The error of committees of 1, 2, 3 … members: how many columns are enough.

use serde::{Deserialize, Serialize};

use crate::draw::{Purpose, order, rng};
use crate::quantiles::Quantiles;
use crate::tally::{Ballot, Tally};
use crate::walk::walk;
use crate::{Committee, Score, Spread};

/// The committees of one number of members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurvePoint {
    /// Members in each committee.
    pub n_members: u32,
    /// Committees looked at.
    pub n_committees: u32,
    /// Whether these are all there are; else they are drawn at random.
    pub exhaustive: bool,
    /// Mean and deviation of their errors, in percent.
    pub errors: Spread,
    /// How their errors are spread, in percent.
    pub quantiles: Quantiles,
}

impl Committee {
    /// The errors of committees of every size by the committee's rule: of all there are of a size, if these are at
    /// most `n_samples`, else of `n_samples` drawn at random.
    ///
    /// A sample is the members in random order, of which the first k are its committee of size k: each committee of a
    /// size is drawn as often as another, and a sample costs one addition a size. The draws are a function of `seed`
    /// and of the sample's number.
    ///
    /// `n_samples`: at least 1 (taken as 1 below).
    #[must_use]
    pub fn size_curve(&self, n_samples: u32, seed: u64) -> Vec<CurvePoint> {
        let n_samples = n_samples.max(1);
        let n_members = self.members.len();
        let ballots: Vec<Ballot> = (0..n_members).map(|member| self.ballot(self.rule, member)).collect();
        let is_exhaustive = |size: usize| choose(n_members, size, u64::from(n_samples)).is_some();

        let mut errors: Vec<Vec<Score>> = vec![Vec::new(); n_members];
        let sizes = 1..=n_members;
        if let Some(largest_sampled) = sizes.clone().rev().find(|&size| !is_exhaustive(size)) {
            for sample in 0..n_samples {
                let order = order(&mut rng(seed, Purpose::Orders, sample), n_members);
                let mut tally = self.empty_tally(self.rule);
                for (size, &member) in order.iter().enumerate().take(largest_sampled) {
                    tally.add(&ballots[member]);
                    if !is_exhaustive(size + 1) {
                        errors[size].push(self.score_of(&tally));
                    }
                }
            }
        }
        let single: Vec<Tally> = ballots.iter().map(|ballot| self.tally_of(&[ballot])).collect();
        let single: Vec<&Tally> = single.iter().collect();
        for size in sizes.filter(|&size| is_exhaustive(size)) {
            walk(&single, size..=size, &mut |_, tally| errors[size - 1].push(self.score_of(tally)));
        }
        errors
            .iter()
            .enumerate()
            .map(|(index, errors)| point(index + 1, errors, is_exhaustive(index + 1)))
            .collect()
    }

    /// Of the contested images.
    pub(crate) fn tally_of(&self, ballots: &[&Ballot]) -> Tally {
        let mut tally = self.empty_tally(self.rule);
        ballots.iter().for_each(|ballot| tally.add(ballot));
        tally
    }
}

fn point(size: usize, errors: &[Score], exhaustive: bool) -> CurvePoint {
    let percents: Vec<f64> = errors.iter().map(|score| score.error_percent()).collect();
    CurvePoint {
        n_members: size as u32,
        n_committees: errors.len() as u32,
        exhaustive,
        errors: Spread::of(errors).expect("every size has a committee"),
        quantiles: Quantiles::of(percents).expect("every size has a committee"),
    }
}

/// How many subsets of this size there are, if they are at most `most`.
fn choose(n: usize, size: usize, most: u64) -> Option<u64> {
    let mut count = 1u64;
    for step in 0..size.min(n - size) {
        // Every partial product is a binomial coefficient itself, so the division leaves no rest.
        count = count.checked_mul((n - step) as u64)? / (step as u64 + 1);
        if count > most {
            return None;
        }
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binomial_coefficients_stop_at_the_limit() {
        assert_eq!(choose(35, 3, 7_000), Some(6_545));
        assert_eq!(choose(35, 32, 7_000), Some(6_545));
        assert_eq!(choose(35, 3, 6_544), None);
        assert_eq!(choose(35, 35, 1), Some(1));
        assert_eq!(choose(100_000, 50_000, u64::MAX), None);
    }
}
