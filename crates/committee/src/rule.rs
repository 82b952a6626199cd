//! The ways to make one answer of several.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a committee makes one answer an image of its members' probabilities.
///
/// Whatever the rule, the class with the most points wins; of equals the one with the larger mean probability, and
/// then the lowest. What is a class's points, and the probability that [`Combiner`](crate::Combiner) gives for it:
///
/// | rule | points of a class | probability |
/// | --- | --- | --- |
/// | mean | mean of the members' probabilities | the same |
/// | product | mean of their logarithms | e to the points, scaled to the sum 1: the geometric mean |
/// | median | median of the members' probabilities, of an even number the mean of the middle two | scaled to the sum 1; the mean where every median is 0 |
/// | majority | members whose most probable class it is | share of the members |
/// | borda | each member gives one for each class it finds less probable, half for each other it finds as probable | share of all points |
/// | weighted | mean of the probabilities, each member with its weight | the same; the mean where every weight is 0 |
///
/// A probability below [`f32::MIN_POSITIVE`], zero too, counts as that in a product (its logarithm is −87.3): where
/// softmax in f32 runs out of numbers, one member outweighs any doubt of many, but cannot rule a class out for
/// all, and where every class is nearly ruled out by somebody, the fewest such members win.
///
/// # Source
/// The mean is the paper's (Cireşan, Meier, Schmidhuber 2012). Product, median and majority: Kittler, Hatef, Duin,
/// Matas, *On Combining Classifiers*, IEEE TPAMI 20 (1998); Borda's count: Ho, Hull, Srihari, *Decision Combination in
/// Multiple Classifier Systems*, IEEE TPAMI 16 (1994). [`weight`](crate::weight) has the weights' source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Mean of the probabilities: the paper's committee.
    #[default]
    Mean,
    /// Product of the probabilities, as a mean of their logarithms.
    Product,
    /// Median of the probabilities.
    Median,
    /// A vote a member.
    Majority,
    /// Points by rank.
    Borda,
    /// Mean of the probabilities with a weight a member.
    Weighted,
}

impl Rule {
    /// Every rule, the paper's first.
    pub const ALL: [Self; 6] =
        [Self::Mean, Self::Product, Self::Median, Self::Majority, Self::Borda, Self::Weighted];

    /// Its name, as `Display`, `FromStr` and serde have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Product => "product",
            Self::Median => "median",
            Self::Majority => "majority",
            Self::Borda => "borda",
            Self::Weighted => "weighted",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule {got:?}, expected one of {}", Rule::ALL.map(Rule::name).join(", "))]
pub struct UnknownRule {
    got: String,
}

impl FromStr for Rule {
    type Err = UnknownRule;

    /// # Errors
    /// [`UnknownRule`] for every text that [`name`](Self::name) does not give.
    fn from_str(text: &str) -> Result<Self, UnknownRule> {
        let found = Self::ALL.into_iter().find(|rule| rule.name() == text);
        found.ok_or_else(|| UnknownRule { got: text.to_owned() })
    }
}
