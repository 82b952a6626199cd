//! When a column stops before its last epoch, by its error on the held-out digits.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::Study;
use crate::json::{expected, object};

/// Early stopping by patience. A column trains at least `patience` epochs. When its error on the held-out digits falls below `threshold`
/// times the lowest so far, after epoch e, it trains at least `increase` · e epochs. It keeps the weights of the epoch with the lowest
/// error; of equal ones, the first.
///
/// # Source
/// The rule of the Theano project, from the Deep Learning Tutorials (LISA lab, 2008 to 2015). They count steps, and may stop within an
/// epoch: a column then measures one epoch less than here.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct EarlyStopping {
    /// Epochs that a column trains at least.
    #[schemars(range(min = 1, max = Study::MAX_EPOCHS))]
    pub patience: u32,
    /// After an epoch e with a better error, the column trains at least increase · e epochs.
    #[schemars(range(min = 1, max = EarlyStopping::MAX_INCREASE))]
    pub increase: f64,
    /// An error counts as better if it is below threshold times the lowest so far.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))]
    pub threshold: f64,
}

impl EarlyStopping {
    /// Largest factor on an epoch.
    pub const MAX_INCREASE: f64 = 100.0;

    /// The number of epochs that a column trains at least, if its error is better after `epoch`, counted from 1.
    #[must_use]
    pub fn patience_after(&self, epoch: u32) -> u32 {
        self.patience.max((self.increase * f64::from(epoch)).ceil() as u32)
    }
}

/// The keys as read. Numbers are wide enough that one out of range arrives at its check.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    patience: i64,
    increase: f64,
    threshold: f64,
}

/// Reads a key that may be left out.
pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<EarlyStopping>, D::Error> {
    let Keys { patience, increase, threshold } = object(deserializer, "an object")?;
    let (max_epochs, max_increase) = (Study::MAX_EPOCHS, EarlyStopping::MAX_INCREASE);
    let epochs = u32::try_from(patience).ok().filter(|patience| (1..=max_epochs).contains(patience));
    let Some(patience) = epochs else {
        return Err(expected(".patience", format_args!("a whole number from 1 to {max_epochs}")));
    };
    if !(1.0..=max_increase).contains(&increase) {
        return Err(expected(".increase", format_args!("a number from 1 to {max_increase}")));
    }
    if !(threshold > 0.0 && threshold <= 1.0) {
        return Err(expected(".threshold", "a number above 0, at most 1"));
    }
    Ok(Some(EarlyStopping { patience, increase, threshold }))
}
