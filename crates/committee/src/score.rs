//! How many answers are wrong.

use serde::{Deserialize, Serialize};

use crate::CommitteeError;
use crate::interval::{CONFIDENCE, Interval};

/// Wrong answers among all.
///
/// As data (serde) it has, besides the two counts, what follows from them: `error_percent` and `interval`, the Wilson
/// interval at [`CONFIDENCE`]. They are written for others to read; when read back here, the counts alone are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Record", from = "Record")]
pub struct Score {
    /// Images whose answer is not their label.
    pub errors: u32,
    /// Images in all.
    pub n: u32,
}

/// A [`Score`] as data.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    errors: u32,
    n: u32,
    /// `None`, like the interval, without images.
    error_percent: Option<f64>,
    interval: Option<Interval>,
}

impl From<Score> for Record {
    fn from(score: Score) -> Self {
        let Score { errors, n } = score;
        let some = |score: Score| (score.n > 0).then_some(score);
        let error_percent = some(score).map(Score::error_percent);
        Self { errors, n, error_percent, interval: some(score).map(Score::interval) }
    }
}

impl From<Record> for Score {
    fn from(Record { errors, n, .. }: Record) -> Self {
        Self { errors, n }
    }
}

impl Score {
    /// Counts the predictions that are not the label.
    ///
    /// # Errors
    /// [`CommitteeError::Labels`] when there is not one label a prediction.
    pub fn of(predictions: &[u8], labels: &[u8]) -> Result<Self, CommitteeError> {
        if predictions.len() != labels.len() {
            return Err(CommitteeError::Labels { got: labels.len(), want: predictions.len() });
        }
        let errors = predictions.iter().zip(labels).filter(|(got, want)| got != want).count();
        Ok(Self { errors: errors as u32, n: labels.len() as u32 })
    }

    /// The error in percent, 0..=100; not a number for no images.
    #[must_use]
    pub fn error_percent(self) -> f64 {
        // Multiplied first: 23 of 10,000 is then the f64 nearest to 0.23.
        100.0 * f64::from(self.errors) / f64::from(self.n)
    }

    /// The error's [Wilson interval](Interval::wilson) at [`CONFIDENCE`].
    #[must_use]
    pub fn interval(self) -> Interval {
        Interval::wilson(self.errors, self.n, CONFIDENCE)
    }
}

/// Mean and spread of several members' errors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Mean of the members' errors, in percent.
    pub mean_percent: f64,
    /// Their sample standard deviation (n − 1), in percent; `None` for one member.
    pub sd_percent: Option<f64>,
}

impl Spread {
    /// Of at least one score; `None` for none.
    #[must_use]
    pub fn of(scores: &[Score]) -> Option<Self> {
        if scores.is_empty() {
            return None;
        }
        let percents: Vec<f64> = scores.iter().map(|score| score.error_percent()).collect();
        let n = percents.len() as f64;
        let mean_percent = percents.iter().sum::<f64>() / n;
        let squares: f64 = percents.iter().map(|percent| (percent - mean_percent).powi(2)).sum();
        let sd_percent = (percents.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
        Some(Self { mean_percent, sd_percent })
    }
}
