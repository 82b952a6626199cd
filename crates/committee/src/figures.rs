//! The figures of a committee, of its groups and of its members.

use serde::{Deserialize, Serialize};

use crate::tally::second_max;
use crate::{Committee, Member, Rule, Score, Spread};

/// The errors of members, groups and all together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// What groups, and all, are combined by.
    pub rule: Rule,
    /// Each member, in the order given.
    pub members: Vec<MemberFigures>,
    /// Each group, in the order of their first members.
    pub groups: Vec<GroupFigures>,
    /// All members together.
    pub all: AllFigures,
}

/// One member alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberFigures {
    /// Its group.
    #[serde(with = "crate::group_name::one")]
    pub group: String,
    /// Its name.
    pub name: String,
    /// How much it counts in the weighted mean.
    pub weight: f64,
    /// Its own errors.
    pub score: Score,
}

/// The members of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupFigures {
    /// The group.
    #[serde(with = "crate::group_name::one")]
    pub group: String,
    /// Its members.
    pub n_members: u32,
    /// Their own errors.
    pub members: Spread,
    /// Errors of them combined.
    pub score: Score,
}

/// All members together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllFigures {
    /// Members.
    pub n_members: u32,
    /// Their own errors.
    pub members: Spread,
    /// Errors of them combined.
    pub score: Score,
    /// Errors by every rule; the weighted mean only where the weights are not all the same.
    pub rules: Vec<RuleScore>,
    /// Of the errors, those whose second guess is the label.
    pub second_guess_right: u32,
    /// The errors, in the images' order.
    pub mistakes: Vec<Mistake>,
}

/// The errors of all members by one rule.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleScore {
    /// The rule.
    pub rule: Rule,
    /// The errors.
    pub score: Score,
}

/// One image that a committee gets wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    /// The image, counted from 0.
    pub image_idx: u32,
    /// Its label.
    pub label: u8,
    /// The class the committee takes it for.
    pub first_guess: u8,
    /// The most probable of the other classes; of equals the lowest.
    pub second_guess: u8,
    /// The committee's probability of the first guess, 0..=1.
    pub confidence: f64,
    /// The committee's probability of the second guess, 0..=1.
    pub second_confidence: f64,
    /// How many members have each class for their own first guess.
    pub votes: Vec<u32>,
}

impl Committee {
    /// The errors of members, groups and all together.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let scores: Vec<Score> = self.predictions.iter().map(|classes| self.wrong(classes)).collect();
        let member = |(member, &score): (&Member, &Score)| MemberFigures {
            group: member.group.clone(),
            name: member.name.clone(),
            weight: member.weight,
            score,
        };
        Figures {
            rule: self.rule,
            members: self.members.iter().zip(&scores).map(member).collect(),
            groups: self.groups.iter().map(|group| self.group_figures(group, &scores)).collect(),
            all: self.all_figures(&scores),
        }
    }

    /// The classes that all members together give the images, by the committee's rule.
    #[must_use]
    pub fn answers(&self) -> Vec<u8> {
        self.everywhere(&self.tally_where(self.rule, |_| true))
    }

    /// How many members have each class for their first guess of an image.
    #[must_use]
    pub fn votes(&self, image: usize) -> Vec<u32> {
        let mut votes = vec![0; self.combined.ncols()];
        for classes in &self.predictions {
            votes[usize::from(classes[image])] += 1;
        }
        votes
    }

    fn group_figures(&self, group: &str, scores: &[Score]) -> GroupFigures {
        let members = self.members_in(group);
        let own: Vec<Score> = members.iter().map(|&member| scores[member]).collect();
        GroupFigures {
            group: group.to_owned(),
            n_members: members.len() as u32,
            members: spread(&own),
            score: self.score_of(&self.tally_where(self.rule, |member| members.contains(&member))),
        }
    }

    fn all_figures(&self, scores: &[Score]) -> AllFigures {
        let weight = self.members[0].weight;
        let weighs_equally = self.members.iter().all(|member| member.weight.total_cmp(&weight).is_eq());
        let has_figure = |rule: &Rule| *rule != Rule::Weighted || !weighs_equally || self.rule == *rule;
        let by_rule = |rule| RuleScore { rule, score: self.score_of(&self.tally_where(rule, |_| true)) };
        let answers = self.answers();
        let mistakes = self.mistakes(&answers);
        let right = mistakes.iter().filter(|mistake| mistake.second_guess == mistake.label).count();
        AllFigures {
            n_members: self.members.len() as u32,
            members: spread(scores),
            score: self.wrong(&answers),
            rules: Rule::ALL.into_iter().filter(has_figure).map(by_rule).collect(),
            second_guess_right: right as u32,
            mistakes,
        }
    }

    fn mistakes(&self, answers: &[u8]) -> Vec<Mistake> {
        let images = (0..).zip(&self.labels).zip(answers);
        let wrong = images.filter(|((_, label), answer)| label != answer);
        let mistake = |((image_idx, &label), &first_guess): ((u32, &u8), &u8)| {
            let row = self.combined.row(image_idx as usize);
            let second_guess = second_max(row, first_guess);
            Mistake {
                image_idx,
                label,
                first_guess,
                second_guess,
                confidence: row[usize::from(first_guess)],
                second_confidence: row[usize::from(second_guess)],
                votes: self.votes(image_idx as usize),
            }
        };
        wrong.map(mistake).collect()
    }

    /// Of the contested images, of some of the members.
    pub(crate) fn tally_where(&self, rule: Rule, which: impl Fn(usize) -> bool) -> crate::tally::Tally {
        let mut tally = self.empty_tally(rule);
        let members = (0..self.members.len()).filter(|&member| which(member));
        members.for_each(|member| tally.add(&self.ballot(rule, member)));
        tally
    }

    /// The score of classes for all images.
    pub(crate) fn wrong(&self, predictions: &[u8]) -> Score {
        Score::of(predictions, &self.labels).expect("every member has a row for each label")
    }
}

fn spread(scores: &[Score]) -> Spread {
    Spread::of(scores).expect("a group has the member that made it")
}
