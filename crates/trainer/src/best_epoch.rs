//! Early stopping: the epoch whose parameters are kept, and how long a column trains on.

use ciresan_net::Parameters;
use study::EarlyStopping;

/// The best epoch of a column up to here.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BestEpoch {
    /// The epoch after which the error on the held-out digits was lowest, counted from 1; of equals the first.
    pub(crate) epoch: u32,
    /// That error, 0..=1.
    pub(crate) error: f64,
    /// The parameters after that epoch.
    pub(crate) parameters: Parameters,
    /// The column trains to the end of this epoch at least.
    pub(crate) patience: u32,
}

impl BestEpoch {
    /// What is best after `epoch`, counted from 1, with its error on the held-out digits, when `before` was best until then.
    pub(crate) fn after(
        before: Option<Self>,
        rule: &EarlyStopping,
        epoch: u32,
        error: f64,
        parameters: &Parameters,
    ) -> Self {
        let patience = rule.patience_after(epoch);
        match before {
            Some(before) if error >= before.error => before,
            Some(Self { error: lowest, patience: before, .. }) if error >= rule.threshold * lowest => {
                Self { epoch, error, parameters: parameters.clone(), patience: before }
            }
            _ => Self { epoch, error, parameters: parameters.clone(), patience },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: EarlyStopping = EarlyStopping { patience: 5, increase: 2.0, threshold: 0.9 };

    /// The best epoch and the patience after each of these errors.
    fn follow(rule: &EarlyStopping, errors: &[f64]) -> Vec<(u32, u32)> {
        let network = "1x29x29-10N".parse().unwrap();
        let mut best = None;
        let mut followed = Vec::new();
        for (epoch, &error) in (1..).zip(errors) {
            let mut parameters = Parameters::zeros(&network);
            parameters.values_mut()[0] = epoch as f32;
            let after = BestEpoch::after(best, rule, epoch, error, &parameters);
            let lowest = errors[..epoch as usize].iter().copied().fold(1.0, f64::min);
            assert_eq!(after.error.to_bits(), lowest.to_bits());
            assert_eq!(after.parameters.values()[0] as u32, after.epoch);
            followed.push((after.epoch, after.patience));
            best = Some(after);
        }
        followed
    }

    #[test]
    fn the_lowest_error_is_kept_and_a_clear_improvement_waited_for() {
        let errors = [0.5, 0.4, 0.4, 0.38, 0.3, 0.29, 0.35, 0.2];
        // 0.38 and 0.29 are lower, but not by a tenth.
        let want = [(1, 5), (2, 5), (2, 5), (4, 5), (5, 10), (6, 10), (6, 10), (8, 16)];
        assert_eq!(follow(&RULE, &errors), want);
    }

    #[test]
    fn patience_is_never_lost_and_rounded_up() {
        let rule = EarlyStopping { patience: 1, increase: 1.5, threshold: 1.0 };
        assert_eq!(follow(&rule, &[0.5, 0.6, 0.4, 0.0, 0.0]), [(1, 2), (1, 2), (3, 5), (4, 6), (4, 6)]);
    }
}
