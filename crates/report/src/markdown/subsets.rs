//! Committees of subsets of the widths: the Venn diagram as a table, and the paper's "y out of 7".

use committee::{Overlap, Score, Subset, SubsetSize};
use preprocess::Width;

use super::format::{bp_as_percent, optional, percent, range, spread};
use super::listing::Listing;
use crate::Summary;
use crate::published::{paper, theano_bp};
use crate::summary::MAX_SUBSET_WIDTHS;
use crate::table::{Align, table};

/// Most widths whose subsets are listed without being asked for.
const MAX_SHORT_WIDTHS: usize = 4;

/// A row a subset, the best marked; none for one width or too many for this listing.
pub(super) fn subsets_table(summary: &Summary, listing: Listing) -> Option<String> {
    let most = match listing {
        Listing::Short => MAX_SHORT_WIDTHS,
        Listing::Full => MAX_SUBSET_WIDTHS,
    };
    if !(2..=most).contains(&summary.figures.groups.len()) {
        return None;
    }
    let theano = |subset: &Subset| {
        let widths: Option<Vec<Width>> = subset.groups.iter().map(|name| name.parse().ok()).collect();
        theano_bp(&widths?)
    };
    let has_regions = summary.overlaps.len() == summary.subsets.len();
    let beside = summary.has_peers() && summary.subsets.iter().any(|subset| theano(subset).is_some());
    let least = summary.subsets.iter().map(|subset| subset.score.errors).min();

    let mut header = vec![
        ("widths", Align::Left),
        ("columns", Align::Right),
        ("errors", Align::Right),
        ("error %", Align::Right),
        ("95 %", Align::Right),
    ];
    header.push(("", Align::Left));
    if has_regions {
        header.push(("missed by exactly these", Align::Right));
    }
    if beside {
        header.push(("Theano", Align::Right));
    }
    let row = |subset: &Subset| {
        let Subset { groups, n_members, score } = subset;
        let mut row = vec![
            groups.join(" + "),
            n_members.to_string(),
            score.errors.to_string(),
            percent(*score),
            range(score.interval()),
            if Some(score.errors) == least { "best".to_owned() } else { String::new() },
        ];
        if has_regions {
            let region = summary.overlaps.iter().find(|overlap| overlap.groups == *groups);
            row.push(optional(region.map(|Overlap { images, .. }| images.len().to_string())));
        }
        if beside {
            row.push(optional(theano(subset).map(bp_as_percent)));
        }
        row
    };
    let mut text = table(&header, &summary.subsets.iter().map(row).collect::<Vec<_>>());
    if has_regions {
        text.push_str(
            "\nmissed by exactly these: each of these widths' committees misses the digit,\nand no other width's committee does.\n",
        );
    }
    Some(text)
}

/// A row for each number of widths: mean, best and worst over the subsets; none for one or two widths, which have
/// hardly any.
pub(super) fn sizes_table(summary: &Summary) -> Option<String> {
    if summary.subset_sizes.len() < 3 {
        return None;
    }
    let header = [
        ("widths", Align::Left),
        ("subsets", Align::Right),
        ("mean ± sd", Align::Right),
        ("best", Align::Right),
        ("of", Align::Left),
        ("worst", Align::Right),
        ("of", Align::Left),
    ];
    let n_widths = summary.subset_sizes.len();
    let named = |groups: &[String]| match groups.len() == n_widths {
        true => "all".to_owned(),
        false => groups.join(" + "),
    };
    let row = |size: &SubsetSize| {
        vec![
            format!("{} of {n_widths}", size.n_groups),
            size.n_subsets.to_string(),
            spread(size.errors),
            percent(size.best),
            named(&size.best_groups),
            percent(size.worst),
            named(&size.worst_groups),
        ]
    };
    Some(table(&header, &summary.subset_sizes.iter().map(row).collect::<Vec<_>>()))
}

/// The paper's widths, the odd ones, and both; none where the study has no columns of one of them.
pub(super) fn odd_widths_table(summary: &Summary) -> Option<String> {
    let odd_widths = summary.odd_widths.as_ref()?;
    let mut header = vec![("columns", Align::Left), ("error %", Align::Right), ("95 %", Align::Right)];
    if summary.has_peers() {
        header.push(("paper", Align::Right));
    }
    let row = |name: String, score: Score, published: Option<f64>| {
        let published = optional(published.map(|percent| format!("{percent:.2}")));
        vec![name, percent(score), range(score.interval()), published]
    };
    let (n_paper, n_odd) = (odd_widths.n_paper, odd_widths.n_odd);
    let rows = [
        row(format!("{n_paper} of the paper's widths"), odd_widths.paper, Some(paper::COMMITTEE_PERCENT)),
        row(format!("{n_odd} of odd widths"), odd_widths.odd, None),
        row(
            format!("{} together (paper: {})", n_paper + n_odd, paper::N_WITH_ODD_WIDTHS),
            odd_widths.together,
            Some(paper::WITH_ODD_WIDTHS_PERCENT),
        ),
    ];
    Some(table(&header, &rows))
}
