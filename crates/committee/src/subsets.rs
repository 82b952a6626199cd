//! Every subset of the groups as a committee of its own: the Theano project's Venn diagram, the paper's "y
//! out of 7".

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::committee::Group;
use crate::{Committee, CommitteeError, Score};

/// Most groups whose subsets are counted: 65,535 subsets.
pub const MAX_GROUPS: usize = 16;

/// The committee of all members of some groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subset {
    /// The groups, in the order asked for.
    pub groups: Vec<String>,
    /// Members of these groups.
    pub n_members: u32,
    /// Errors of the mean of all their probabilities, each member with the same weight.
    pub score: Score,
}

impl Committee {
    /// Every non-empty subset of `groups`: those of one group first, then of two, and so on, each size in the
    /// order asked for. 7 groups have 127.
    ///
    /// # Errors
    /// [`CommitteeError::Group`] for a group that no member has, [`CommitteeError::RepeatedGroup`] for one
    /// asked for twice, [`CommitteeError::Groups`] for more than [`MAX_GROUPS`].
    pub fn subsets(&self, groups: &[&str]) -> Result<Vec<Subset>, CommitteeError> {
        if groups.len() > MAX_GROUPS {
            return Err(CommitteeError::Groups { got: groups.len() });
        }
        let groups = groups
            .iter()
            .enumerate()
            .map(|(index, name)| match groups[..index].contains(name) {
                true => Err(CommitteeError::RepeatedGroup { got: (*name).to_owned() }),
                false => self.group(name),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut found = Vec::new();
        self.extend(&mut Vec::new(), None, &groups, &mut found);
        // Stable: within a size the walk's order stays, which is the order asked for.
        found.sort_by_key(|subset| subset.groups.len());
        Ok(found)
    }

    fn group(&self, name: &str) -> Result<&Group, CommitteeError> {
        let known = || self.groups().map(ToOwned::to_owned).collect();
        let group = self.groups.iter().find(|group| group.name == name);
        group.ok_or_else(|| CommitteeError::Group { got: name.to_owned(), known: known() })
    }

    /// Adds each of the `rest` to the subset `chosen` with the sum `sum`, and goes on from there: one
    /// addition of arrays a subset.
    fn extend(
        &self,
        chosen: &mut Vec<usize>,
        sum: Option<&Array2<f64>>,
        groups: &[&Group],
        found: &mut Vec<Subset>,
    ) {
        let next = chosen.last().map_or(0, |last| last + 1);
        for index in next..groups.len() {
            let group = &groups[index].sum;
            let sum = match sum {
                Some(sum) => sum + group,
                None => group.clone(),
            };
            chosen.push(index);
            let members = chosen.iter().map(|&index| groups[index]);
            found.push(Subset {
                groups: members.clone().map(|group| group.name.clone()).collect(),
                n_members: members.map(|group| group.n_members).sum(),
                score: self.score(&sum),
            });
            self.extend(chosen, Some(&sum), groups, found);
            chosen.pop();
        }
    }
}
