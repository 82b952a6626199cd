//! The learning rate: its schedule, and the rate at each step of a run.

use std::f64::consts::PI;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::json::{expected, number, tagged, word};

/// How the learning rate changes over a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "schedule", rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(inline)]
pub enum LearningRate {
    /// max(initial · factor^epoch, floor), epochs counted from 0: the paper's.
    Exponential {
        /// Rate of the first epoch.
        #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 100))]
        initial: f64,
        /// Factor per epoch.
        #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))]
        factor: f64,
        /// Smallest rate, at most `initial`.
        #[schemars(range(min = 0, max = 100))]
        floor: f64,
    },
    /// Linear from 0 to `peak`, then half a cosine down to 0.
    OneCycle {
        /// Largest rate.
        #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 100))]
        peak: f64,
        /// Share of the run's steps over which the rate rises.
        #[schemars(range(min = 0, max = 1))]
        warm_up: f64,
    },
}

/// Reads and checks a learning rate.
pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LearningRate, D::Error> {
    let rate = tagged::<Keys, LearningRate, D>(deserializer)?;
    let above_0 = |key, got, max| (key, got > 0.0 && got <= max, format!("a number above 0, at most {max}"));
    let checks = match rate {
        LearningRate::Exponential { initial, factor, floor } => {
            let floor_fits = (0.0..=initial).contains(&floor);
            vec![
                above_0(".initial", initial, LearningRate::MAX),
                above_0(".factor", factor, 1.0),
                (".floor", floor_fits, format!("a number from 0 to {initial}, the initial rate")),
            ]
        }
        LearningRate::OneCycle { peak, warm_up } => vec![
            above_0(".peak", peak, LearningRate::MAX),
            (".warm_up", (0.0..=1.0).contains(&warm_up), "a number from 0 to 1".to_owned()),
        ],
    };
    match checks.into_iter().find(|(_, fits, _)| !fits) {
        Some((key, _, want)) => Err(expected(key, want)),
        None => Ok(rate),
    }
}

/// The keys of all schedules: see [`tagged`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    #[serde(deserialize_with = "word")]
    schedule: Schedule,
    #[serde(default, deserialize_with = "number")]
    initial: Option<f64>,
    #[serde(default, deserialize_with = "number")]
    factor: Option<f64>,
    #[serde(default, deserialize_with = "number")]
    floor: Option<f64>,
    #[serde(default, deserialize_with = "number")]
    peak: Option<f64>,
    #[serde(default, deserialize_with = "number")]
    warm_up: Option<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Schedule {
    Exponential,
    OneCycle,
}

impl LearningRate {
    /// Largest learning rate of a config.
    pub const MAX: f64 = 100.0;

    /// The learning rate of step `step` of epoch `epoch`, both counted from 0, in a run of this length.
    ///
    /// - Exponential, by epoch: `max(initial · factor^epoch, floor)`.
    /// - One-cycle, by step: linear from 0 to `peak` over the share `warm_up` of all steps, then half a cosine down
    ///   to 0. A step takes the rate at its middle, so that neither the first nor the last is wasted on a rate of 0.
    ///
    /// # Source
    /// Exponential: the paper's 0.993 an epoch with a floor. One-cycle: Smith and Topin, *Super-Convergence* (2017),
    /// with the cosine that became usual, without its momentum cycle.
    #[must_use]
    pub fn at(&self, run: RunLength, epoch: u32, step: u32) -> f32 {
        let rate = match *self {
            Self::Exponential { initial, factor, floor } => {
                (initial * factor.powf(f64::from(epoch))).max(floor)
            }
            Self::OneCycle { peak, warm_up } => {
                let steps = run.steps() as f64;
                let warm_steps = warm_up * steps;
                let middle = run.steps_before(epoch, step) as f64 + 0.5;
                if middle < warm_steps {
                    peak * middle / warm_steps
                } else {
                    let fallen = (middle - warm_steps) / (steps - warm_steps);
                    peak * 0.5 * (1.0 + (PI * fallen).cos())
                }
            }
        };
        rate as f32
    }
}

/// How long a column trains, in steps. That of a study: [`Study::run_length`](crate::Study::run_length).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLength {
    /// Epochs of the whole run.
    pub epochs: u32,
    /// Steps (batches) of one epoch, the last and perhaps smaller one included.
    pub steps_per_epoch: u32,
}

impl RunLength {
    /// The run over `n_images` training digits in batches of `batch`; a rest is a batch of its own.
    #[must_use]
    pub fn new(epochs: u32, n_images: u32, batch: u32) -> Self {
        Self { epochs, steps_per_epoch: n_images.div_ceil(batch.max(1)) }
    }

    /// Steps of the whole run.
    #[must_use]
    pub fn steps(self) -> u64 {
        self.steps_before(self.epochs, 0)
    }

    /// Steps of the run before step `step` of epoch `epoch`, both counted from 0.
    #[must_use]
    pub fn steps_before(self, epoch: u32, step: u32) -> u64 {
        u64::from(epoch) * u64::from(self.steps_per_epoch) + u64::from(step)
    }

    /// The share of the run that lies behind step `step` of epoch `epoch`, both counted from 0: 0 at the first step,
    /// below 1 at the last.
    #[must_use]
    pub fn progress(self, epoch: u32, step: u32) -> f32 {
        (self.steps_before(epoch, step) as f64 / self.steps().max(1) as f64) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: RunLength = RunLength { epochs: 8, steps_per_epoch: 100 };
    const PAPER: LearningRate = LearningRate::Exponential { initial: 0.1, factor: 0.993, floor: 0.003 };

    #[track_caller]
    fn check(schedule: LearningRate, run: RunLength, epoch: u32, step: u32, want: f32) {
        let got = schedule.at(run, epoch, step);
        // One rounding to f32 of a value computed in f64.
        let tolerance = f32::EPSILON * want.abs().max(f32::MIN_POSITIVE);
        assert!((got - want).abs() <= tolerance, "epoch {epoch}, step {step}: got {got:e}, want {want:e}");
    }

    #[test]
    fn the_exponential_falls_by_epoch_to_its_floor() {
        check(PAPER, RUN, 0, 0, 0.1);
        check(PAPER, RUN, 0, 99, 0.1);
        check(PAPER, RUN, 1, 0, 0.0993);
        check(PAPER, RUN, 2, 50, 0.098_604_9);
        check(PAPER, RUN, 500, 0, 0.003); // 0.1 · 0.993^500 = 0.00298: below the floor
        check(PAPER, RUN, 799, 0, 0.003);
    }

    #[test]
    fn one_cycle_rises_linearly_then_falls_as_a_cosine() {
        let cycle = LearningRate::OneCycle { peak: 0.05, warm_up: 0.1 };
        check(cycle, RUN, 0, 0, 0.05 * 0.5 / 80.0);
        check(cycle, RUN, 0, 39, 0.05 * 39.5 / 80.0);
        check(cycle, RUN, 0, 79, 0.05 * 79.5 / 80.0);
        // The middle of the fall, between steps 439 and 440.
        let around = [cycle.at(RUN, 4, 39), cycle.at(RUN, 4, 40)];
        assert!(around[0] > 0.025 && around[1] < 0.025 && around[0] - around[1] < 2e-4, "{around:?}");
        let last = cycle.at(RUN, 7, 99);
        assert!(last > 0.0 && last < 1e-6, "{last:e}");
    }

    #[test]
    fn one_cycle_without_or_with_nothing_but_warm_up_stays_between_zero_and_its_peak() {
        for warm_up in [0.0, 0.5, 1.0] {
            let cycle = LearningRate::OneCycle { peak: 0.05, warm_up };
            for epoch in 0..RUN.epochs {
                for step in 0..RUN.steps_per_epoch {
                    let rate = cycle.at(RUN, epoch, step);
                    assert!(
                        rate > 0.0 && rate <= 0.05,
                        "warm-up {warm_up}, epoch {epoch}, step {step}: {rate}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_rest_of_the_digits_is_a_batch() {
        assert_eq!(RunLength::new(8, 60_000, 128), RunLength { epochs: 8, steps_per_epoch: 469 });
        assert_eq!(RunLength::new(1, 400, 100).steps(), 4);
        assert_eq!(RunLength::new(3, 1, 128).steps(), 3);
    }

    #[test]
    fn progress_starts_at_zero_and_stays_below_one() {
        assert_eq!(RUN.progress(0, 0).to_bits(), 0f32.to_bits());
        assert!((RUN.progress(4, 0) - 0.5).abs() < 1e-7);
        assert!(RUN.progress(7, 99) < 1.0);
    }
}
