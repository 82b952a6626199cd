//! A committee with groups: the columns of a study and their widths.

use ndarray::{Array2, ArrayView2};

use crate::check::{check_labels, check_member};
use crate::combine::{check_weight, predictions};
use crate::tally::{Ballot, Tally, rows_of};
use crate::{CommitteeError, Rule, Score};

/// One classifier's probabilities for every image.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// What it has in common with some of the others: in the paper the width of its digits.
    pub group: String,
    /// Its own name, for messages and tables.
    pub name: String,
    /// How much it counts in [`Rule::Weighted`]; at least 0. [`weight`](crate::weight) works one out.
    pub weight: f64,
    /// `[images, classes]`: probabilities 0..=1, each image's sum 1.
    pub probabilities: Array2<f32>,
}

impl Member {
    /// A member of weight 1.
    #[must_use]
    pub fn new(group: impl Into<String>, name: impl Into<String>, probabilities: Array2<f32>) -> Self {
        Self { group: group.into(), name: name.into(), weight: 1.0, probabilities }
    }
}

/// Checked members and labels, and what every figure is made from: each member's class for each image, the combined
/// probabilities of all, and which images are *contested*.
///
/// An image is contested when not all members have the same most probable class for it. Where they do, every rule and
/// every subset of the members answers with that class (it has the most points with each member, so with any), and so
/// figures of thousands of subsets need a look at the contested images alone: a twentieth of all, or less, where
/// members are good.
///
/// ```
/// use committee::{Committee, Member};
/// use ndarray::array;
/// let first = Member::new("14", "w14-1", array![[0.9, 0.1], [0.6, 0.4]]);
/// let second = Member::new("20", "w20-1", array![[0.8, 0.2], [0.1, 0.9]]);
/// let committee = Committee::new(vec![first, second], &[0, 1])?;
/// assert_eq!(committee.figures().all.score.errors, 0);
/// let subsets = committee.subsets(&["14", "20"])?;
/// assert_eq!(subsets.iter().map(|subset| subset.score.errors).collect::<Vec<_>>(), [1, 0, 0]);
/// # Ok::<(), committee::CommitteeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Committee {
    pub(crate) rule: Rule,
    pub(crate) labels: Vec<u8>,
    pub(crate) members: Vec<Member>,
    /// Each member's class for each image.
    pub(crate) predictions: Vec<Vec<u8>>,
    /// In the order of their first members.
    pub(crate) groups: Vec<String>,
    /// `[images, classes]`, of all members by the rule.
    pub(crate) combined: Array2<f64>,
    contested: Contested,
}

/// The images that members disagree about.
#[derive(Debug, Clone)]
struct Contested {
    /// In ascending order.
    images: Vec<u32>,
    /// Their labels.
    labels: Vec<u8>,
    /// Errors on the other images, which are the same for every subset of the members.
    errors_elsewhere: u32,
}

impl Committee {
    /// Checks members and combines them by their mean.
    ///
    /// # Shapes
    /// Every member's probabilities: `[images, classes]`, all alike. `labels`: a class for each image.
    /// # Errors
    /// [`CommitteeError`]: no members, shapes that differ, a row that is no distribution (named by member and
    /// row), a weight that is below 0 or not finite, a wrong number of labels, a label that is no class.
    pub fn new(members: Vec<Member>, labels: &[u8]) -> Result<Self, CommitteeError> {
        Self::by(Rule::Mean, members, labels)
    }

    /// As [`new`](Self::new) with another rule.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn by(rule: Rule, members: Vec<Member>, labels: &[u8]) -> Result<Self, CommitteeError> {
        let mut shape = None;
        for Member { name, weight, probabilities, .. } in &members {
            check_weight(name, *weight)?;
            check_member(name, probabilities.view(), &mut shape)?;
        }
        let shape = shape.ok_or(CommitteeError::NoMembers)?;
        check_labels(labels, shape)?;

        let mut tally = Tally::new(rule, shape);
        let mut groups: Vec<String> = Vec::new();
        for member in &members {
            tally.add(&Ballot::new(rule, member.probabilities.view(), member.weight));
            if !groups.contains(&member.group) {
                groups.push(member.group.clone());
            }
        }
        let predictions: Vec<Vec<u8>> =
            members.iter().map(|member| predictions(member.probabilities.view())).collect();
        Ok(Self {
            rule,
            labels: labels.to_vec(),
            groups,
            combined: tally.probabilities(),
            contested: Contested::of(&predictions, labels),
            predictions,
            members,
        })
    }

    /// The rule that members are combined by.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// The groups' names, in the order of their first members.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(String::as_str)
    }

    /// The members, in the order given.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Whether labels and probabilities seem to be of different images, or of the same in another order: at least two members, which agree with
    /// the committee on four of five images and more, but are right on fewer than three of ten.
    #[must_use]
    pub fn is_out_of_order(&self) -> bool {
        let answers = predictions(self.combined.view());
        let n_alike = |other: &[u8]| answers.iter().zip(other).filter(|(a, b)| a == b).count();
        let n_agreed: usize = self.predictions.iter().map(|own| n_alike(own)).sum();
        self.members.len() > 1
            && 5 * n_agreed >= 4 * self.members.len() * answers.len()
            && 10 * n_alike(&self.labels) < 3 * answers.len()
    }

    /// The label of each image.
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// What all members together say of each image, by the committee's rule.
    ///
    /// # Shapes
    /// `[images, classes]`.
    /// # Units
    /// Probabilities 0..=1, each image's sum 1 within rounding.
    #[must_use]
    pub fn probabilities(&self) -> ArrayView2<'_, f64> {
        self.combined.view()
    }

    /// The classes that some of the members together give the images by `rule`.
    ///
    /// `members`: indices of members, in any order; one that is there twice counts twice.
    /// # Errors
    /// [`CommitteeError::NoMembers`] for none, [`CommitteeError::Index`] for one that is not there.
    pub fn predictions(&self, rule: Rule, members: &[usize]) -> Result<Vec<u8>, CommitteeError> {
        let tally = self.contested_tally(rule, members)?;
        Ok(self.everywhere(&tally))
    }

    /// The errors of [`predictions`](Self::predictions).
    ///
    /// # Errors
    /// Those of [`predictions`](Self::predictions).
    pub fn score(&self, rule: Rule, members: &[usize]) -> Result<Score, CommitteeError> {
        Ok(self.score_of(&self.contested_tally(rule, members)?))
    }

    /// The indices of a group's members.
    ///
    /// # Errors
    /// [`CommitteeError::Group`] for a group that no member has.
    pub(crate) fn members_of(&self, group: &str) -> Result<Vec<usize>, CommitteeError> {
        let members = self.members_in(group);
        if members.is_empty() {
            return Err(CommitteeError::Group { got: group.to_owned(), known: self.groups.clone() });
        }
        Ok(members)
    }

    fn contested_tally(&self, rule: Rule, members: &[usize]) -> Result<Tally, CommitteeError> {
        if members.is_empty() {
            return Err(CommitteeError::NoMembers);
        }
        if let Some(&got) = members.iter().find(|&&index| index >= self.members.len()) {
            return Err(CommitteeError::Index { got, n_members: self.members.len() });
        }
        let mut tally = self.empty_tally(rule);
        members.iter().for_each(|&index| tally.add(&self.ballot(rule, index)));
        Ok(tally)
    }

    /// Of the contested images.
    pub(crate) fn empty_tally(&self, rule: Rule) -> Tally {
        Tally::new(rule, [self.contested.images.len(), self.combined.ncols()])
    }

    /// A member's, of the contested images.
    pub(crate) fn ballot(&self, rule: Rule, member: usize) -> Ballot {
        let Member { probabilities, weight, .. } = &self.members[member];
        Ballot::new(rule, rows_of(probabilities.view(), &self.contested.images).view(), *weight)
    }

    /// The indices of a group's members; none for a group that no member has.
    pub(crate) fn members_in(&self, group: &str) -> Vec<usize> {
        (0..self.members.len()).filter(|&member| self.members[member].group == group).collect()
    }

    /// The score of a tally of the contested images.
    pub(crate) fn score_of(&self, tally: &Tally) -> Score {
        let pairs = tally.predictions().into_iter().zip(&self.contested.labels);
        let errors = pairs.filter(|(got, want)| got != *want).count() as u32;
        Score { errors: self.contested.errors_elsewhere + errors, n: self.labels.len() as u32 }
    }

    /// The classes of all images, from a tally of the contested ones.
    pub(crate) fn everywhere(&self, tally: &Tally) -> Vec<u8> {
        let mut classes = self.predictions[0].clone();
        for (&image, class) in self.contested.images.iter().zip(tally.predictions()) {
            classes[image as usize] = class;
        }
        classes
    }
}

impl Contested {
    /// `predictions[member][image]`, of at least one member.
    fn of(predictions: &[Vec<u8>], labels: &[u8]) -> Self {
        let first = &predictions[0];
        let is_contested = |&image: &usize| predictions.iter().any(|own| own[image] != first[image]);
        let (contested, others): (Vec<usize>, Vec<usize>) = (0..labels.len()).partition(is_contested);
        let errors = others.into_iter().filter(|&image| first[image] != labels[image]).count();
        Self {
            labels: contested.iter().map(|&image| labels[image]).collect(),
            images: contested.into_iter().map(|image| image as u32).collect(),
            errors_elsewhere: errors as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_in_another_order_are_seen() {
        let labels: Vec<u8> = (0..100).map(|image| (image % 10) as u8).collect();
        let member = |n_right: usize, share: f32| {
            let probability = |(image, class): (usize, usize)| {
                let answer = if image < n_right { usize::from(labels[image]) } else { (image + 3) % 10 };
                if class == answer { share } else { (1.0 - share) / 9.0 }
            };
            Member::new("all", "one", Array2::from_shape_fn((100, 10), probability))
        };
        let is_out_of_order =
            |members: Vec<Member>, labels: &[u8]| Committee::new(members, labels).unwrap().is_out_of_order();
        let mut turned = labels.clone();
        turned.rotate_left(1);
        assert!(is_out_of_order(vec![member(100, 0.9), member(95, 0.8)], &turned));
        assert!(!is_out_of_order(vec![member(100, 0.9), member(95, 0.8)], &labels));
        // One alone may simply know nothing, and so may two that say different things.
        assert!(!is_out_of_order(vec![member(100, 0.9)], &turned));
        assert!(!is_out_of_order(vec![member(100, 0.9), member(0, 0.8)], &turned));
    }
}
