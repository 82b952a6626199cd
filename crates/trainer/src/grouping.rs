//! Which columns train in lockstep.

use study::{ColumnId, RunLength};

use crate::checkpoint::{Checkpoint, Owner};
use crate::setup::Setup;

/// Shares the columns of a run out into groups of at most `setup.group` that stand at the same step, so that each epoch
/// of one is an epoch of all. Groups and the columns in them keep the order of `setup.columns`.
///
/// A column whose checkpoint cannot be read is a group of its own: its worker will say why.
pub(crate) fn form(setup: &Setup<'_>, config_hash: &str, run: RunLength) -> Vec<Vec<ColumnId>> {
    let most = setup.group.get();
    if most == 1 {
        return setup.columns.iter().map(|&column| vec![column]).collect();
    }
    let mut groups: Vec<(Option<Place>, Vec<ColumnId>)> = Vec::new();
    for &column in setup.columns {
        let place = place(setup, config_hash, run, column);
        let open = groups
            .iter_mut()
            .find(|(of_group, columns)| place.is_some() && *of_group == place && columns.len() < most);
        match open {
            Some((_, columns)) => columns.push(column),
            None => groups.push((place, vec![column])),
        }
    }
    groups.into_iter().map(|(_, columns)| columns).collect()
}

/// Complete epochs, and steps of the next.
type Place = (u32, u32);

/// Where a column stands; `None` when that cannot be told.
fn place(setup: &Setup<'_>, config_hash: &str, run: RunLength, column: ColumnId) -> Option<Place> {
    let owner = Owner { column, config_hash };
    let found =
        Checkpoint::find(&setup.folder.column(&column), owner, &setup.study.engine_spec(), run).ok()?;
    Some(found.checkpoint.map_or((0, 0), |saved| (saved.position.epoch, saved.position.step)))
}
