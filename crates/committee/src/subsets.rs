//! Every subset of the groups as a committee of its own: the Theano project's Venn diagram, the paper's "y
//! out of 7".

use serde::{Deserialize, Serialize};

use crate::tally::Tally;
use crate::walk::walk;
use crate::{Committee, CommitteeError, Score, Spread};

/// Most groups whose subsets are counted: 65,535 subsets.
pub const MAX_GROUPS: usize = 16;

/// The committee of all members of some groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subset {
    /// The groups, in the order asked for.
    #[serde(with = "crate::group_name::several")]
    pub groups: Vec<String>,
    /// Members of these groups.
    pub n_members: u32,
    /// Errors of them all combined by the committee's rule, each member for itself.
    pub score: Score,
}

/// The subsets of one size: the paper's "y out of 7".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubsetSize {
    /// Groups in each: y.
    pub n_groups: u32,
    /// Subsets of this size.
    pub n_subsets: u32,
    /// Mean and deviation of their errors.
    pub errors: Spread,
    /// The least errors.
    pub best: Score,
    /// The first subset that has them.
    #[serde(with = "crate::group_name::several")]
    pub best_groups: Vec<String>,
    /// The most errors.
    pub worst: Score,
    /// The first subset that has them.
    #[serde(with = "crate::group_name::several")]
    pub worst_groups: Vec<String>,
}

/// The images that exactly these groups' committees get wrong: one region of a Venn diagram.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlap {
    /// The groups, in the order asked for.
    #[serde(with = "crate::group_name::several")]
    pub groups: Vec<String>,
    /// The images, counted from 0, in ascending order.
    pub images: Vec<u32>,
}

impl Committee {
    /// Every non-empty subset of `groups`: those of one group first, then of two, and so on, each size in the
    /// order asked for. 7 groups have 127.
    ///
    /// # Errors
    /// [`CommitteeError::Group`] for a group that no member has, [`CommitteeError::RepeatedGroup`] for one
    /// asked for twice, [`CommitteeError::Groups`] for more than [`MAX_GROUPS`].
    pub fn subsets(&self, groups: &[&str]) -> Result<Vec<Subset>, CommitteeError> {
        let groups = self.tallies(groups)?;
        let tallies: Vec<&Tally> = groups.iter().map(|(_, _, tally)| tally).collect();
        let mut found = Vec::new();
        walk(&tallies, 1..=groups.len(), &mut |chosen, tally| {
            found.push(Subset {
                groups: chosen.iter().map(|&index| groups[index].0.to_owned()).collect(),
                n_members: chosen.iter().map(|&index| groups[index].1).sum(),
                score: self.score_of(tally),
            });
        });
        // Stable: within a size the walk's order stays, which is the order asked for.
        found.sort_by_key(|subset| subset.groups.len());
        Ok(found)
    }

    /// Which images each combination of `groups` gets wrong, every group's members combined; regions without an
    /// image are there too, in the order of [`subsets`](Self::subsets).
    ///
    /// # Errors
    /// Those of [`subsets`](Self::subsets).
    pub fn overlaps(&self, groups: &[&str]) -> Result<Vec<Overlap>, CommitteeError> {
        let tallies = self.tallies(groups)?;
        let answers: Vec<Vec<u8>> = tallies.iter().map(|(_, _, tally)| self.everywhere(tally)).collect();
        let n_regions = 1usize << groups.len();
        let mut regions: Vec<Vec<u32>> = vec![Vec::new(); n_regions];
        for (image, &label) in self.labels.iter().enumerate() {
            let wrong = answers.iter().enumerate().filter(|(_, answers)| answers[image] != label);
            let region: usize = wrong.map(|(group, _)| 1 << group).sum();
            regions[region].push(image as u32);
        }
        let mut overlaps: Vec<(Vec<usize>, Overlap)> = (1..n_regions)
            .map(|region| {
                let chosen: Vec<usize> = (0..groups.len()).filter(|group| region >> group & 1 == 1).collect();
                let names = chosen.iter().map(|&group| groups[group].to_owned()).collect();
                let images = std::mem::take(&mut regions[region]);
                (chosen, Overlap { groups: names, images })
            })
            .collect();
        overlaps.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
        Ok(overlaps.into_iter().map(|(_, overlap)| overlap).collect())
    }

    /// Each group with its members and their tally.
    fn tallies<'a>(&self, groups: &[&'a str]) -> Result<Vec<(&'a str, u32, Tally)>, CommitteeError> {
        if groups.len() > MAX_GROUPS {
            return Err(CommitteeError::Groups { got: groups.len(), most: MAX_GROUPS });
        }
        let tally = |(index, &name): (usize, &&'a str)| {
            if groups[..index].contains(&name) {
                return Err(CommitteeError::RepeatedGroup { got: name.to_owned() });
            }
            let members = self.members_of(name)?;
            let tally = self.tally_where(self.rule, |member| members.contains(&member));
            Ok((name, members.len() as u32, tally))
        };
        groups.iter().enumerate().map(tally).collect()
    }
}

/// The subsets by their number of groups, the small ones first.
#[must_use]
pub fn by_size(subsets: &[Subset]) -> Vec<SubsetSize> {
    let most = subsets.iter().map(|subset| subset.groups.len()).max().unwrap_or(0);
    (1..=most).filter_map(|size| of_size(subsets, size)).collect()
}

fn of_size(subsets: &[Subset], size: usize) -> Option<SubsetSize> {
    let subsets: Vec<&Subset> = subsets.iter().filter(|subset| subset.groups.len() == size).collect();
    let scores: Vec<Score> = subsets.iter().map(|subset| subset.score).collect();
    let best = subsets.iter().min_by_key(|subset| subset.score.errors)?;
    // The first of equals from the front is the last from behind.
    let worst = subsets.iter().rev().max_by_key(|subset| subset.score.errors)?;
    Some(SubsetSize {
        n_groups: size as u32,
        n_subsets: subsets.len() as u32,
        errors: Spread::of(&scores)?,
        best: best.score,
        best_groups: best.groups.clone(),
        worst: worst.score,
        worst_groups: worst.groups.clone(),
    })
}
