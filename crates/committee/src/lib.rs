#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod check;
mod combine;
mod committee;
mod error;
mod score;
mod subsets;

pub use check::ROW_SUM_TOLERANCE;
pub use combine::{majority_vote, mean, predictions};
pub use committee::{AllFigures, Committee, Figures, GroupFigures, Member, MemberFigures, Mistake};
pub use error::CommitteeError;
pub use score::{Score, Spread};
pub use subsets::{MAX_GROUPS, Subset};
