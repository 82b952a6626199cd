#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod agreement;
mod bootstrap;
mod check;
mod combine;
mod committee;
mod draw;
mod error;
mod figures;
mod group_name;
mod interval;
mod log_loss;
mod mcnemar;
mod npy;
mod quantiles;
mod rejection;
mod reliability;
mod rule;
mod score;
mod size_curve;
mod subsets;
mod tally;
mod walk;
mod weights;

pub use agreement::{Confusion, Disagreement, MissedByAll};
pub use bootstrap::{Bootstrap, bootstrap_difference, bootstrap_images};
pub use check::check_probabilities;
pub use combine::{Combined, Combiner, combine, mean, predictions};
pub use committee::{Committee, Member};
pub use error::{CommitteeError, ProbabilitiesProblem, ROW_SUM_TOLERANCE};
pub use figures::{AllFigures, Figures, GroupFigures, MemberFigures, Mistake, RuleScore};
pub use interval::{CONFIDENCE, Interval};
pub use log_loss::log_loss;
pub use mcnemar::McNemar;
pub use npy::{FileError, parse_probabilities, read_at_most, read_labels, read_probabilities};
pub use quantiles::Quantiles;
pub use rejection::{Rejection, RejectionPoint};
pub use reliability::{Bin, RELIABILITY_BINS, Reliability};
pub use rule::{Rule, UnknownRule};
pub use score::{Score, Spread};
pub use size_curve::CurvePoint;
pub use subsets::{MAX_GROUPS, Overlap, Subset, SubsetSize, by_size};
pub use weights::weight;
