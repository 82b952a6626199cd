//! How sure a committee's figures are, and where it fails.

use committee::{
    Bootstrap, Committee, CommitteeError, Confusion, CurvePoint, Disagreement, MissedByAll, RELIABILITY_BINS,
    Rejection, Reliability, bootstrap_images,
};
use serde::{Deserialize, Serialize};

/// Committees of a size that are drawn where there are more.
pub(crate) const CURVE_SAMPLES: u32 = 1_000;

/// Resamples of a bootstrap.
pub const RESAMPLES: u32 = 2_000;

/// How sure the figures of all columns together are, and where these fail. Whatever is drawn at random is a function of
/// the study's seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statistics {
    /// The error of committees of 1, 2, 3 … columns, whatever their widths; 1,000 of a size, if there are
    /// more.
    pub size_curve: Vec<CurvePoint>,
    /// The error if each width's columns were drawn anew, [`RESAMPLES`] times; `None` where no width has two.
    pub bootstrap_columns: Option<Bootstrap>,
    /// The error if the test digits were drawn anew, [`RESAMPLES`] times.
    pub bootstrap_digits: Bootstrap,
    /// Whether answers are as probable as they say, in [`RELIABILITY_BINS`] bins.
    pub reliability: Reliability,
    /// Errors left when the least sure digits are rejected.
    pub rejection: Rejection,
    /// The confusion matrix.
    pub confusion: Confusion,
    /// How often each two columns differ.
    pub column_disagreement: Disagreement,
    /// How often the committees of each two widths differ.
    pub width_disagreement: Disagreement,
    /// The test digits that no column gets right; those of them that all columns take for the same are likely to be
    /// mislabelled.
    pub missed_by_all: Vec<MissedByAll>,
}

impl Statistics {
    /// Of all columns of a committee.
    ///
    /// # Errors
    /// None for a committee of at least one image.
    pub fn of(committee: &Committee, seed: u64) -> Result<Self, CommitteeError> {
        let (probabilities, labels) = (committee.probabilities(), committee.labels());
        let varies = committee.members().len() > committee.groups().count();
        Ok(Self {
            size_curve: committee.size_curve(CURVE_SAMPLES, seed),
            bootstrap_columns: varies.then(|| committee.bootstrap_members(RESAMPLES, seed)),
            bootstrap_digits: bootstrap_images(&committee.answers(), labels, RESAMPLES, seed)?,
            reliability: Reliability::of(probabilities, labels, RELIABILITY_BINS)?,
            rejection: Rejection::of(probabilities, labels)?,
            confusion: committee.confusion(),
            column_disagreement: committee.member_disagreement(),
            width_disagreement: committee.group_disagreement(),
            missed_by_all: committee.missed_by_all(),
        })
    }
}
