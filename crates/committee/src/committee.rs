//! A committee with groups: the columns of a study and their widths.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::check::{check_labels, check_member};
use crate::combine::{add, cast_votes, elected, first_max, predictions};
use crate::{CommitteeError, Score, Spread};

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

/// Checked members and labels, reduced to what every figure is made from: each member's score, each group's
/// sum of probabilities (in f64, in the order given), and the votes of all.
///
/// ```
/// use committee::{Committee, Member};
/// use ndarray::array;
/// let member = |group: &str, probabilities| Member { group: group.into(), name: group.into(), probabilities };
/// let first = member("14", array![[0.9, 0.1], [0.6, 0.4]]);
/// let second = member("20", array![[0.8, 0.2], [0.1, 0.9]]);
/// let committee = Committee::new(vec![first, second], &[0, 1])?;
/// assert_eq!(committee.figures().all.mean.errors, 0);
/// let subsets = committee.subsets(&["14", "20"])?;
/// assert_eq!(subsets.iter().map(|subset| subset.score.errors).collect::<Vec<_>>(), [1, 0, 0]);
/// # Ok::<(), committee::CommitteeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Committee {
    labels: Vec<u8>,
    members: Vec<MemberFigures>,
    /// In the order of their first members.
    pub(crate) groups: Vec<Group>,
    votes: Array2<u32>,
}

/// The members of one group, summed.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) n_members: u32,
    pub(crate) sum: Array2<f64>,
}

/// Every figure of a committee but those of its subsets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Each member, in the order given.
    pub members: Vec<MemberFigures>,
    /// Each group, in the order of their first members.
    pub groups: Vec<GroupFigures>,
    /// All members together.
    pub all: AllFigures,
}

/// One member alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberFigures {
    /// Its group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// Its own errors.
    pub score: Score,
}

/// The members of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupFigures {
    /// The group.
    pub group: String,
    /// Its members.
    pub n_members: u32,
    /// Their own errors.
    pub members: Spread,
    /// Errors of their mean.
    pub mean: Score,
}

/// All members together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllFigures {
    /// Members.
    pub n_members: u32,
    /// Their own errors.
    pub members: Spread,
    /// Errors of the mean of all members' probabilities.
    pub mean: Score,
    /// Errors of the majority vote.
    pub vote: Score,
    /// Of the mean's errors, those whose second most probable class is the label.
    pub second_guess_right: u32,
    /// The mean's errors, in the images' order.
    pub mistakes: Vec<Mistake>,
}

/// One image that a committee gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    /// The image, counted from 0.
    pub image_idx: u32,
    /// Its label.
    pub label: u8,
    /// The most probable class.
    pub first_guess: u8,
    /// The second most probable class; of equals the lowest.
    pub second_guess: u8,
}

impl Committee {
    /// Checks and sums the members.
    ///
    /// # Shapes
    /// Every member's probabilities: `[images, classes]`, all alike. `labels`: a class for each image.
    /// # Errors
    /// [`CommitteeError`]: no members, shapes that differ, a row that is no distribution (named by member and
    /// row), a wrong number of labels, a label that is no class.
    pub fn new(members: Vec<Member>, labels: &[u8]) -> Result<Self, CommitteeError> {
        let mut shape = None;
        for Member { name, probabilities, .. } in &members {
            check_member(name, probabilities.view(), &mut shape)?;
        }
        let shape = shape.ok_or(CommitteeError::NoMembers)?;
        check_labels(labels, shape)?;

        let mut committee = Self {
            labels: labels.to_vec(),
            members: Vec::new(),
            groups: Vec::new(),
            votes: Array2::zeros(shape),
        };
        for member in members {
            committee.admit(member)?;
        }
        Ok(committee)
    }

    fn admit(&mut self, member: Member) -> Result<(), CommitteeError> {
        let Member { group: name, name: member_name, probabilities } = member;
        let predictions = predictions(probabilities.view());
        let score = Score::of(&predictions, &self.labels)?;
        cast_votes(&mut self.votes, &predictions);
        let at = self.groups.iter().position(|group| group.name == name).unwrap_or(self.groups.len());
        if at == self.groups.len() {
            let sum = Array2::zeros(probabilities.raw_dim());
            self.groups.push(Group { name: name.clone(), n_members: 0, sum });
        }
        let group = &mut self.groups[at];
        group.n_members += 1;
        add(&mut group.sum, probabilities.view());
        self.members.push(MemberFigures { group: name, name: member_name, score });
        Ok(())
    }

    /// The groups' names, in the order of their first members.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(|group| group.name.as_str())
    }

    /// Every figure but those of the subsets.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let groups = self.groups.iter().map(|group| self.group_figures(group)).collect();
        Figures { members: self.members.clone(), groups, all: self.all_figures() }
    }

    fn group_figures(&self, group: &Group) -> GroupFigures {
        GroupFigures {
            group: group.name.clone(),
            n_members: group.n_members,
            members: self.spread(|member| member.group == group.name),
            mean: self.score(&group.sum),
        }
    }

    fn all_figures(&self) -> AllFigures {
        let mut sum = Array2::zeros(self.votes.raw_dim());
        self.groups.iter().for_each(|group| sum += &group.sum);
        let mistakes = self.mistakes(&sum);
        let right = mistakes.iter().filter(|mistake| mistake.second_guess == mistake.label).count();
        AllFigures {
            n_members: self.members.len() as u32,
            members: self.spread(|_| true),
            mean: self.score(&sum),
            vote: self.score_of(&elected(self.votes.view(), sum.view())),
            second_guess_right: right as u32,
            mistakes,
        }
    }

    fn mistakes(&self, sum: &Array2<f64>) -> Vec<Mistake> {
        let images = (0..).zip(&self.labels).zip(sum.outer_iter());
        let mistake = |((image_idx, &label), row): ((u32, &u8), ndarray::ArrayView1<'_, f64>)| {
            let first_guess = first_max(row.iter().copied());
            let others =
                (0..=u8::MAX).zip(row).map(|(class, &sum)| if class == first_guess { -1.0 } else { sum });
            let second_guess = first_max(others);
            (first_guess != label).then_some(Mistake { image_idx, label, first_guess, second_guess })
        };
        images.filter_map(mistake).collect()
    }

    /// Errors of the mean whose sum this is: dividing by the members changes no maximum.
    pub(crate) fn score(&self, sum: &Array2<f64>) -> Score {
        self.score_of(&predictions(sum.view()))
    }

    fn score_of(&self, predictions: &[u8]) -> Score {
        Score::of(predictions, &self.labels).expect("every member has a row for each label")
    }

    fn spread(&self, which: impl Fn(&MemberFigures) -> bool) -> Spread {
        let scores: Vec<Score> =
            self.members.iter().filter(|member| which(member)).map(|member| member.score).collect();
        Spread::of(&scores).expect("a group has the member that made it")
    }
}
