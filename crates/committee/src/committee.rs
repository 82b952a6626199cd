//! A committee with groups: the columns of a study and their widths.

use ndarray::{Array2, ArrayView2, CowArray, Ix2};

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
    /// `[images, classes]`: probabilities 0..=1, each image's sum 1.
    pub probabilities: Array2<f32>,
}

/// A classifier whose probabilities are loaded when they are needed.
#[derive(Debug, Clone, PartialEq)]
pub struct Seat {
    /// What it has in common with some of the others: in the paper the width of its digits.
    pub group: String,
    /// Its own name, for messages and tables.
    pub name: String,
    /// How much it counts in [`Rule::Weighted`]; at least 0. [`weight`](crate::weight) works one out.
    pub weight: f64,
}

/// Checked members and labels, reduced to what every figure is made from: each member's class for each image, the
/// combined probabilities of all, and each member's probabilities of the *contested* images.
///
/// An image is contested when not all members have the same most probable class for it. Where they do, every rule and
/// every subset of the members answers with that class (it has the most points with each member, so with any), and so
/// figures of thousands of subsets need a look at the contested images alone: a twentieth of all, or less, where
/// members are good.
///
/// ```
/// use committee::{Committee, Member};
/// use ndarray::array;
/// let member = |group: &str, probabilities| Member { group: group.into(), name: group.into(), probabilities };
/// let first = member("14", array![[0.9, 0.1], [0.6, 0.4]]);
/// let second = member("20", array![[0.8, 0.2], [0.1, 0.9]]);
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
    pub(crate) members: Vec<Seated>,
    /// In the order of their first members.
    pub(crate) groups: Vec<String>,
    /// `[images, classes]`, of all members by the rule.
    pub(crate) combined: Array2<f64>,
    pub(crate) contested: Contested,
}

/// A member whose probabilities were looked at.
#[derive(Debug, Clone)]
pub(crate) struct Seated {
    pub(crate) seat: Seat,
    /// Index of its group.
    pub(crate) group: usize,
    /// Its class for each image.
    pub(crate) predictions: Vec<u8>,
}

/// The images that members disagree about.
#[derive(Debug, Clone)]
pub(crate) struct Contested {
    /// In ascending order.
    pub(crate) images: Vec<u32>,
    /// Their labels.
    pub(crate) labels: Vec<u8>,
    /// Each member's probabilities of them, `[contested images, classes]`.
    pub(crate) rows: Vec<Array2<f32>>,
    /// Errors on the other images, which are the same for every subset of the members.
    pub(crate) errors_elsewhere: u32,
}

impl Committee {
    /// Checks members and combines them by their mean.
    ///
    /// # Shapes
    /// Every member's probabilities: `[images, classes]`, all alike. `labels`: a class for each image.
    /// # Errors
    /// [`CommitteeError`]: no members, shapes that differ, a row that is no distribution (named by member and
    /// row), a wrong number of labels, a label that is no class.
    pub fn new(members: Vec<Member>, labels: &[u8]) -> Result<Self, CommitteeError> {
        Self::by(Rule::Mean, members, labels)
    }

    /// As [`new`](Self::new) with another rule; every weight is 1.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn by(rule: Rule, members: Vec<Member>, labels: &[u8]) -> Result<Self, CommitteeError> {
        let (seats, arrays): (Vec<Seat>, Vec<Array2<f32>>) = members
            .into_iter()
            .map(|Member { group, name, probabilities }| (Seat { group, name, weight: 1.0 }, probabilities))
            .unzip();
        Self::load(rule, seats, labels, |index, _| Ok::<_, CommitteeError>(CowArray::from(&arrays[index])))
    }

    /// Loads members one after the other, so that never all probabilities are in memory (but for
    /// [`Rule::Median`], which needs them all): `load` is called once for each seat in order, with its index, and once
    /// more for each if any image is contested.
    ///
    /// # Shapes
    /// Every array loaded: `[images, classes]`, all alike. `labels`: a class for each image.
    /// # Errors
    /// Those of [`new`](Self::new) and of `load`; a weight that is below 0 or not finite;
    /// [`CommitteeError::Changed`] when the second array of a seat is not the first.
    pub fn load<'a, E: From<CommitteeError>>(
        rule: Rule,
        seats: Vec<Seat>,
        labels: &[u8],
        mut load: impl FnMut(usize, &Seat) -> Result<CowArray<'a, f32, Ix2>, E>,
    ) -> Result<Self, E> {
        let mut shape = None;
        let mut tally: Option<Tally> = None;
        let mut groups: Vec<String> = Vec::new();
        let mut members = Vec::new();
        for (index, seat) in seats.into_iter().enumerate() {
            check_weight(&seat.name, seat.weight)?;
            let probabilities = load(index, &seat)?;
            check_member(&seat.name, probabilities.view(), &mut shape)?;
            let tally = tally.get_or_insert_with(|| Tally::new(rule, shape.unwrap_or_default()));
            tally.add(&Ballot::new(rule, probabilities.view(), seat.weight));
            let known = groups.iter().position(|group| *group == seat.group);
            let group = known.unwrap_or_else(|| {
                groups.push(seat.group.clone());
                groups.len() - 1
            });
            members.push(Seated { seat, group, predictions: predictions(probabilities.view()) });
        }
        let (Some(shape), Some(tally)) = (shape, tally) else { return Err(CommitteeError::NoMembers.into()) };
        check_labels(labels, shape)?;

        let mut contested = Contested::of(&members, labels);
        if !contested.images.is_empty() {
            for (index, member) in members.iter().enumerate() {
                let again = load(index, &member.seat)?;
                contested.keep(member, again.view(), shape)?;
            }
        }
        let combined = tally.probabilities();
        Ok(Self { rule, labels: labels.to_vec(), members, groups, combined, contested })
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
    pub fn seats(&self) -> impl Iterator<Item = &Seat> {
        self.members.iter().map(|member| &member.seat)
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

    /// The classes that a member alone gives the images; `None` beyond the last member.
    #[must_use]
    pub fn member_predictions(&self, member: usize) -> Option<&[u8]> {
        self.members.get(member).map(|member| member.predictions.as_slice())
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
    pub fn members_of(&self, group: &str) -> Result<Vec<usize>, CommitteeError> {
        let of_group = |(index, member): (usize, &Seated)| (member.seat.group == group).then_some(index);
        let members: Vec<usize> = self.members.iter().enumerate().filter_map(of_group).collect();
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
        let weight = self.members[member].seat.weight;
        match self.contested.rows.get(member) {
            Some(rows) => Ballot::new(rule, rows.view(), weight),
            None => Ballot::new(rule, Array2::zeros((0, self.combined.ncols())).view(), weight),
        }
    }

    /// The score of a tally of the contested images.
    pub(crate) fn score_of(&self, tally: &Tally) -> Score {
        let pairs = tally.predictions().into_iter().zip(&self.contested.labels);
        let errors = pairs.filter(|(got, want)| got != *want).count() as u32;
        Score { errors: self.contested.errors_elsewhere + errors, n: self.labels.len() as u32 }
    }

    /// The classes of all images, from a tally of the contested ones.
    pub(crate) fn everywhere(&self, tally: &Tally) -> Vec<u8> {
        let mut classes = self.members[0].predictions.clone();
        for (&image, class) in self.contested.images.iter().zip(tally.predictions()) {
            classes[image as usize] = class;
        }
        classes
    }
}

impl Contested {
    fn of(members: &[Seated], labels: &[u8]) -> Self {
        let first = &members[0].predictions;
        let is_contested =
            |image: usize| members.iter().any(|member| member.predictions[image] != first[image]);
        let (contested, others): (Vec<usize>, Vec<usize>) = (0..labels.len()).partition(|&i| is_contested(i));
        Self {
            labels: contested.iter().map(|&image| labels[image]).collect(),
            images: contested.into_iter().map(|image| image as u32).collect(),
            rows: Vec::new(),
            errors_elsewhere: others.into_iter().filter(|&image| first[image] != labels[image]).count()
                as u32,
        }
    }

    fn keep(
        &mut self,
        member: &Seated,
        probabilities: ArrayView2<'_, f32>,
        shape: [usize; 2],
    ) -> Result<(), CommitteeError> {
        check_member(&member.seat.name, probabilities, &mut Some(shape))?;
        if predictions(probabilities) != member.predictions {
            return Err(CommitteeError::Changed { member: member.seat.name.clone() });
        }
        self.rows.push(rows_of(probabilities, &self.images));
        Ok(())
    }
}
