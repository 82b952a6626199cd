//! Where members and groups differ, and where they all fail.

use serde::{Deserialize, Serialize};

use crate::Committee;

/// The confusion matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confusion {
    /// `counts[label][answer]`: images.
    pub counts: Vec<Vec<u32>>,
}

/// How often two answers differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disagreement {
    /// Who is compared.
    #[serde(with = "crate::group_name::several")]
    pub names: Vec<String>,
    /// `counts[a][b]`: images to which they give different classes; symmetric, 0 on the diagonal.
    pub counts: Vec<Vec<u32>>,
}

/// An image that no member gets right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissedByAll {
    /// The image, counted from 0.
    pub image_idx: u32,
    /// Its label.
    pub label: u8,
    /// The committee's class.
    pub answer: u8,
    /// The committee's probability of that, 0..=1.
    pub confidence: f64,
    /// Whether all members have that class for it: if they are many, the label may be wrong.
    pub unanimous: bool,
    /// How many members have each class for their own first guess.
    pub votes: Vec<u32>,
}

impl Committee {
    /// What all members together take for what.
    #[must_use]
    pub fn confusion(&self) -> Confusion {
        let n_classes = self.combined.ncols();
        let mut counts = vec![vec![0; n_classes]; n_classes];
        for (&label, answer) in self.labels.iter().zip(self.answers()) {
            counts[usize::from(label)][usize::from(answer)] += 1;
        }
        Confusion { counts }
    }

    /// How often each two members differ.
    #[must_use]
    pub fn member_disagreement(&self) -> Disagreement {
        disagreement(self.members.iter().map(|member| member.name.clone()).collect(), &self.predictions)
    }

    /// How often the committees of each two groups differ.
    #[must_use]
    pub fn group_disagreement(&self) -> Disagreement {
        let of_group = |group: &String| {
            let tally = self.tally_where(self.rule, |member| self.members[member].group == *group);
            self.everywhere(&tally)
        };
        let answers: Vec<Vec<u8>> = self.groups.iter().map(of_group).collect();
        disagreement(self.groups.clone(), &answers)
    }

    /// The images that no member gets right, in the images' order. Those that are
    /// [`unanimous`](MissedByAll::unanimous) are the likely wrong labels.
    #[must_use]
    pub fn missed_by_all(&self) -> Vec<MissedByAll> {
        let answers = self.answers();
        let is_missed =
            |image: usize| self.predictions.iter().all(|classes| classes[image] != self.labels[image]);
        let missed = (0..self.labels.len()).filter(|&image| is_missed(image));
        missed
            .map(|image| {
                let (answer, votes) = (answers[image], self.votes(image));
                MissedByAll {
                    image_idx: image as u32,
                    label: self.labels[image],
                    answer,
                    confidence: self.combined[[image, usize::from(answer)]],
                    unanimous: votes[usize::from(answer)] as usize == self.members.len(),
                    votes,
                }
            })
            .collect()
    }
}

fn disagreement(names: Vec<String>, answers: &[Vec<u8>]) -> Disagreement {
    let n_different = |a: &[u8], b: &[u8]| a.iter().zip(b).filter(|(a, b)| a != b).count() as u32;
    let counts = answers.iter().map(|a| answers.iter().map(|b| n_different(a, b)).collect()).collect();
    Disagreement { names, counts }
}
