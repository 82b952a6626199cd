//! What can be wrong with members and labels.

use crate::check::ProbabilitiesProblem;
use crate::subsets::MAX_GROUPS;

/// Errors of this crate. A member is named as its [`Member::name`](crate::Member::name), or by its index from
/// 0 where only arrays are given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitteeError {
    /// Nothing to combine.
    #[error("a committee needs at least one member")]
    NoMembers,
    /// A member that is no array of probabilities.
    #[error("member {member}: {problem}")]
    Member {
        /// The member.
        member: String,
        /// What is wrong with it.
        problem: ProbabilitiesProblem,
    },
    /// Members that do not fit together.
    #[error(
        "member {member}: shape [{}, {}], expected [{}, {}] like the first member",
        got[0], got[1], want[0], want[1]
    )]
    Shapes {
        /// The member.
        member: String,
        /// Its images and classes.
        got: [usize; 2],
        /// Images and classes of the first member.
        want: [usize; 2],
    },
    /// A weight that is negative or not finite.
    #[error("member {member}: weight {got}, expected a number of at least 0")]
    Weight {
        /// The member.
        member: String,
        /// Its weight.
        got: f64,
    },
    /// An index that is no member's.
    #[error("no member {got}: there are {n_members}, counted from 0")]
    Index {
        /// The index.
        got: usize,
        /// Members there are.
        n_members: usize,
    },
    /// Not one label an image.
    #[error("{got} labels, expected {want}: one an image")]
    Labels {
        /// Labels given.
        got: usize,
        /// Images.
        want: usize,
    },
    /// A label that is no class.
    #[error("label {got} of image {image_idx}, expected a class below {n_classes}")]
    Label {
        /// The image, counted from 0.
        image_idx: usize,
        /// Its label.
        got: u8,
        /// Number of classes.
        n_classes: usize,
    },
    /// A group that no member has.
    #[error("no group {got:?}: there are {}", known.join(", "))]
    Group {
        /// The group asked for.
        got: String,
        /// The groups there are.
        known: Vec<String>,
    },
    /// A group asked for twice, which would count its members twice.
    #[error("group {got:?} is asked for twice")]
    RepeatedGroup {
        /// The group.
        got: String,
    },
    /// More groups than their subsets can be counted for.
    #[error("{got} groups, expected at most {MAX_GROUPS}: they have 2^{got} subsets")]
    Groups {
        /// Groups asked for.
        got: usize,
    },
}
