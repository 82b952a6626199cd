//! What can be wrong with members and labels.

/// How far the probabilities of an image may sum from 1. Softmax in f32 is within 10⁻⁶; outputs kept in half
/// precision are within this.
pub const ROW_SUM_TOLERANCE: f64 = 1e-3;

/// Why an array holds no probabilities.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProbabilitiesProblem {
    /// No image or fewer than two classes or more than 256.
    #[error("shape [{}, {}], expected at least one image, and 2 to 256 classes", got[0], got[1])]
    Shape {
        /// Images and classes.
        got: [usize; 2],
    },
    /// Not a number, or outside 0..=1.
    #[error("row {row} has the probability {got} for class {class}, expected 0 to 1")]
    Value {
        /// The image's row, counted from 0.
        row: usize,
        /// The class.
        class: usize,
        /// The value.
        got: f32,
    },
    /// A row that is no distribution.
    #[error("row {row} sums to {got}, expected 1 within {ROW_SUM_TOLERANCE}")]
    Sum {
        /// The image's row, counted from 0.
        row: usize,
        /// Its sum.
        got: f64,
    },
}

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
    #[error("no member {got}: there are {n_members} members, counted from 0")]
    Index {
        /// The index.
        got: usize,
        /// Members there are.
        n_members: usize,
    },
    /// Not one label an image.
    #[error("{got} labels, expected {want}: one for each image")]
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
    #[error("no group {got:?}; the groups are {}", known.join(", "))]
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
    #[error("{got} groups, expected at most {most}: they have 2^{got} subsets")]
    Groups {
        /// Groups asked for.
        got: usize,
        /// Most groups whose subsets are counted.
        most: usize,
    },
}
