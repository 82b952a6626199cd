//! The figures of the same columns asked about views of each digit.

use committee::{Committee, CommitteeError, Figures, McNemar};
use preprocess::Views;
use serde::{Deserialize, Serialize};

/// What the columns do when they are asked about distorted views of each digit, too; the paper asks about the digit alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithViews {
    /// How many views, and how much distorted.
    pub views: Views,
    /// The figures of [`Summary`](crate::Summary) with these.
    pub figures: Figures,
    /// All columns without views against all with them.
    pub against_plain: McNemar,
}

impl WithViews {
    /// # Errors
    /// None where both committees are of the same digits.
    pub(crate) fn of(plain: &Committee, views: Views, committee: &Committee) -> Result<Self, CommitteeError> {
        let against_plain = McNemar::of(&plain.answers(), &committee.answers(), plain.labels())?;
        Ok(Self { views, figures: committee.figures(), against_plain })
    }
}
