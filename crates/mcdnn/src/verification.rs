//! Whether a study's files are what they say: checksums, and predictions worked out anew from the weights.

use std::fmt;

use anyhow::Result;
use ciresan_cpu::{CpuEngine, InstructionSet};
use ciresan_net::{EngineSpec, Parameters};
use mnist_data::Data;
use ndarray::{ArrayView2, ArrayView3, Axis};
use study::{ColumnId, FinishedColumn, Manifest, Predictions, ResultsFolder};

/// Largest difference of a probability that is rounding, where weights are applied on something else than what predicted: of
/// single precision's 6e-8 a probability's sums of some hundred terms keep a thousandth part of this.
pub(crate) const TOLERANCE: f32 = 1e-4;

/// Digits whose views are predicted anew: those of all would take as many times as long as there are views of each. They may be
/// made on something else than the other predictions, so [`TOLERANCE`] is allowed.
const N_VIEWED: usize = 100;

/// What came of checking a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// Every checksum holds, and the weights give the stored predictions bit for bit.
    SameBits,
    /// The same within [`TOLERANCE`], on another instruction set or engine than the stored ones; with the largest difference.
    Within(f32),
    /// The weights say something else than the stored predictions; with the largest difference.
    Differs(f32),
    /// A file is missing or damaged, and why.
    Damaged(String),
}

impl Verdict {
    pub(crate) fn holds(&self) -> bool {
        matches!(self, Self::SameBits | Self::Within(_))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameBits => write!(f, "same bits"),
            Self::Within(most) => write!(f, "same, to within {most:.0e}"),
            Self::Differs(most) => write!(f, "DIFFERENT by up to {most:.0e}"),
            Self::Damaged(reason) => write!(f, "DAMAGED: {reason}"),
        }
    }
}

/// Checks finished columns: each file against its checksum, and the predictions against the weights, on the instruction set that
/// made them where this CPU has it.
///
/// # Errors
/// When `data` is not the study's.
pub(crate) fn columns(
    folder: &ResultsFolder,
    manifest: &Manifest,
    ids: &[ColumnId],
    data: &Data,
) -> Result<Vec<(ColumnId, Verdict)>> {
    let (_, held_out) = data.train.hold_out(manifest.config.validation as usize)?;
    let check = |&id: &ColumnId| {
        let verdict = column(folder, manifest, id, held_out.images(), data.test.images());
        (id, verdict.unwrap_or_else(|error| Verdict::Damaged(format!("{error:#}"))))
    };
    Ok(ids.iter().map(check).collect())
}

fn column(
    folder: &ResultsFolder,
    manifest: &Manifest,
    id: ColumnId,
    held_out: ArrayView3<'_, u8>,
    test: ArrayView3<'_, u8>,
) -> Result<Verdict> {
    let column = folder.finished_column(manifest, id)?;
    column.file_names().iter().try_for_each(|name| column.check(name))?;
    let (isa, same) = instruction_set(&column);
    // How far the stored predictions are from those made anew, of at most so many digits.
    let difference = |which: Predictions, n_most: usize| -> Result<f32> {
        let images = if which.digits(&manifest.config) == Predictions::HeldOut { held_out } else { test };
        let images = images.split_at(Axis(0), images.len_of(Axis(0)).min(n_most)).0;
        let views = column.record().views.filter(|_| which == Predictions::Views);
        let make = |spec: &EngineSpec, columns: &[Parameters]| CpuEngine::with_isa(spec, columns, isa);
        let anew = classifier::predict_finished(folder, manifest, &[id], images, views, make)?;
        let stored = column.probabilities(which)?;
        let stored = stored.view().split_at(Axis(0), stored.nrows().min(n_most)).0;
        Ok(largest_difference(anew.index_axis(Axis(0), 0), stored))
    };
    if column.has(Predictions::Views) {
        let views_differ = difference(Predictions::Views, N_VIEWED)?;
        if views_differ > TOLERANCE {
            return Ok(Verdict::Differs(views_differ));
        }
    }
    let mut most = None::<f32>;
    for which in [Predictions::HeldOut, Predictions::Test].into_iter().filter(|which| column.has(*which)) {
        most = Some(most.unwrap_or(0.0).max(difference(which, usize::MAX)?));
    }
    Ok(match most {
        None => Verdict::Damaged("no predictions".to_owned()),
        Some(most) if most <= 0.0 => Verdict::SameBits,
        Some(most) if !same && most <= TOLERANCE => Verdict::Within(most),
        Some(most) => Verdict::Differs(most),
    })
}

/// What to predict with, and whether that is what made the stored predictions.
fn instruction_set(column: &FinishedColumn<'_>) -> (InstructionSet, bool) {
    let record = column.record();
    let by = record.predicted_by.as_ref().or(record.runs.last().map(|run| &run.by));
    let named = by.filter(|by| by.engine == "ciresan-cpu").and_then(|by| by.instruction_set.as_deref());
    match named.and_then(|name| name.parse().ok()) {
        Some(isa) => (isa, true),
        None => (InstructionSet::best(), false),
    }
}

/// 0 when all bits are equal; infinite when the shapes differ.
fn largest_difference(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> f32 {
    if a.dim() != b.dim() {
        return f32::INFINITY;
    }
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}
