//! A walk through subsets, each a merge away from one before.

use std::ops::RangeInclusive;

use crate::tally::Tally;

/// Visits the tally of every subset of `parts` that has one of these sizes, with the indices of its parts.
pub(crate) fn walk(parts: &[&Tally], sizes: RangeInclusive<usize>, visit: &mut impl FnMut(&[usize], &Tally)) {
    extend(parts, &sizes, &mut Vec::new(), None, visit);
}

fn extend(
    parts: &[&Tally],
    sizes: &RangeInclusive<usize>,
    chosen: &mut Vec<usize>,
    tally: Option<&Tally>,
    visit: &mut impl FnMut(&[usize], &Tally),
) {
    let next = chosen.last().map_or(0, |last| last + 1);
    for index in next..parts.len() {
        // With all the rest it would still be too small.
        if chosen.len() + parts.len() - index < *sizes.start() {
            break;
        }
        let tally = match tally {
            Some(tally) => tally.merged(parts[index]),
            None => parts[index].clone(),
        };
        chosen.push(index);
        if sizes.contains(&chosen.len()) {
            visit(chosen, &tally);
        }
        if chosen.len() < *sizes.end() {
            extend(parts, sizes, chosen, Some(&tally), visit);
        }
        chosen.pop();
    }
}
