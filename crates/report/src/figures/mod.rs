//! The figures of a study, a module each.

mod confusion;
mod disagreement;
mod distortions;
mod drawn;
mod errors;
mod path;
mod rejection;
mod reliability;
mod sheet;
mod size_curve;
mod training;
mod venn;
mod views;
mod width_errors;

use self::drawn::{DrawError, Drawn};
use crate::ReportError;
use crate::drawing::figure::Figure;
use crate::evidence::Evidence;

/// The part of a report that a figure stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Committees,
    Mistakes,
    Training,
    Inside,
}

/// A figure's module: its part, the name of its file, and what draws it.
type Entry = (Part, &'static str, fn(&'static str, &Evidence<'_>) -> Drawn);

/// Every figure there can be, in the order of the report.
const ALL: [Entry; 15] = [
    (Part::Committees, "width-errors", width_errors::draw),
    (Part::Committees, "committee-sizes", size_curve::draw),
    (Part::Committees, "width-subsets", venn::subsets),
    (Part::Committees, "disagreement", disagreement::draw),
    (Part::Mistakes, "errors", errors::draw),
    (Part::Mistakes, "confusion", confusion::draw),
    (Part::Mistakes, "missed-digits", venn::missed),
    (Part::Mistakes, "reliability", reliability::draw),
    (Part::Mistakes, "rejection", rejection::draw),
    (Part::Training, "training-loss", training::loss),
    (Part::Training, "validation-error", training::validation),
    (Part::Inside, "widths", views::draw),
    (Part::Inside, "distortions-sigma", distortions::sigmas),
    (Part::Inside, "distortions-drawn", distortions::draws),
    (Part::Inside, "path", path::draw),
];

/// The names that figures can have.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(_, name, _)| *name)
}

/// Draws every figure that the study has something to show in.
pub(crate) fn draw(evidence: &Evidence<'_>) -> Result<Vec<(Part, Figure)>, ReportError> {
    let drawn = ALL.iter().filter_map(|(part, name, draw)| match draw(name, evidence) {
        Ok(figure) => Some(Ok((*part, figure?))),
        Err(DrawError::Study(error)) => Some(Err(error.into())),
        Err(error) => Some(Err(ReportError::Figure { name, reason: error.to_string() })),
    });
    drawn.collect()
}
