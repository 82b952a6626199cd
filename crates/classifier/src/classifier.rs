//! A finished study as something that answers.

use std::path::PathBuf;

use ciresan_cpu::InstructionSet;
use ciresan_net::EngineSpec;
use ndarray::{Array3, ArrayView3, Axis};
use preprocess::{Doubt, MNIST_PX, ViewMaker, Views, Width};
use rayon::prelude::*;
use study::{ColumnId, ResultsFolder, Study};

use crate::answer::{Answer, Answers};
use crate::column::Column;
use crate::error::{ClassifyError, OpenError};
use crate::finished::prediction_spec;
use crate::image::{Image, ImageError};
use crate::predict::PredictError;
use crate::views::view_maker;

/// Digits that are normalized at once: at seven widths they take 6 MB, and no more is held whatever their number.
const CHUNK: usize = 1_000;

/// Digits that a column works on at once: some milliseconds, so that idle threads find work to take.
const BLOCK: usize = 64;

/// Images that an engine takes at once: few, because every engine allocates memory for this number.
const MAX_BATCH: usize = 32;

/// Digits times columns times views from which on other threads are called. Of fewer, each some hundredth of a millisecond, waking them
/// would take longer than it saves.
const PARALLEL_FROM: usize = 8;

/// The finished columns of a study, ready to answer. All methods can be called from many threads at once.
pub struct Classifier {
    study: Study,
    spec: EngineSpec,
    isa: InstructionSet,
    columns: Vec<Column>,
    ids: Vec<ColumnId>,
    widths: Vec<Width>,
}

/// Some digits of one column, and where their probabilities go.
type Job<'a> = (&'a Column, ArrayView3<'a, u8>, &'a mut [f32]);

impl Classifier {
    /// Reads the finished columns of the study in a results folder, each file compared with its checksum, and computes on
    /// the fastest instruction set of this CPU.
    ///
    /// # Errors
    /// [`OpenError::NoStudy`], [`OpenError::NoColumn`], and [`OpenError::Study`] for a file that cannot be read, is damaged
    /// or is another study's.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, OpenError> {
        Self::open_with(folder, InstructionSet::best())
    }

    /// [`open`](Self::open) for another instruction set: the one that columns were trained on gives the bits of their
    /// stored probabilities.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(folder: impl Into<PathBuf>, isa: InstructionSet) -> Result<Self, OpenError> {
        let folder = ResultsFolder::open(folder);
        let path = || folder.root().to_path_buf();
        let manifest =
            folder.manifest().map_err(Box::new)?.ok_or_else(|| OpenError::NoStudy { path: path() })?;
        let study = &manifest.config;
        let ids = folder.finished(study).map_err(Box::new)?;
        if ids.is_empty() {
            return Err(OpenError::NoColumn { path: path(), n_columns: study.columns().len() });
        }
        let spec = prediction_spec(study, MAX_BATCH);
        let column = |id: &ColumnId| {
            let finished = folder.finished_column(&manifest, *id).map_err(Box::new)?;
            let weights = finished.weights().map_err(Box::new)?;
            Column::new(*id, weights, &spec, isa)
                .map_err(|problem| OpenError::Engine { column: *id, problem })
        };
        let columns = ids.iter().map(column).collect::<Result<_, OpenError>>()?;
        let mut widths: Vec<Width> = ids.iter().map(|id| id.width).collect();
        widths.sort_unstable();
        widths.dedup();
        Ok(Self { columns, ids, widths, isa, study: manifest.config, spec })
    }

    /// Asks the columns about distorted views of each digit, too, and answers with the mean: fewer errors, and as many times the
    /// work as there are views.
    ///
    /// # Errors
    /// [`PredictError::NoDistortion`] for a study that trains on digits as they are, [`PredictError::Preprocess`] for views
    /// out of their range.
    pub fn with_views(mut self, views: Views) -> Result<Self, PredictError> {
        for column in &mut self.columns {
            column.views = view_maker(&self.study, column.id, Some(views))?;
        }
        Ok(self)
    }

    /// The study: which digits its columns know, and how they were trained.
    #[must_use]
    pub fn study(&self) -> &Study {
        &self.study
    }

    /// The columns, in training order.
    #[must_use]
    pub fn columns(&self) -> &[ColumnId] {
        &self.ids
    }

    /// The widths of the columns: `original` first, then by pixels.
    #[must_use]
    pub fn widths(&self) -> &[Width] {
        &self.widths
    }

    /// The instruction set that is computed with.
    #[must_use]
    pub fn isa(&self) -> InstructionSet {
        self.isa
    }

    /// What one image shows. The bits are those of [`classify_all`](Self::classify_all).
    ///
    /// # Errors
    /// As [`classify_all`](Self::classify_all).
    pub fn classify(&self, image: Image<'_>) -> Result<Answer, ClassifyError> {
        Ok(self.classify_all(&[image])?.into_only())
    }

    /// What each image shows. The probabilities of an image do not depend on the others, nor on threads: of many, idle
    /// threads of the current rayon pool take a part.
    ///
    /// # Errors
    /// [`ClassifyError::Image`] for the first image that is no digit, [`ClassifyError::Probabilities`] for a column whose
    /// weights are too large to compute with.
    pub fn classify_all(&self, images: &[Image<'_>]) -> Result<Answers, ClassifyError> {
        let (digits, doubts) = digits(images)?;
        let columns = self.probabilities(digits.view())?;
        if !images.is_empty() {
            for (column, probabilities) in self.ids.iter().zip(columns.outer_iter()) {
                committee::check_probabilities(probabilities)
                    .map_err(|problem| ClassifyError::Probabilities { column: *column, problem })?;
            }
        }
        Ok(Answers::new(columns, doubts, &self.ids, &self.widths))
    }

    /// `[columns, digits, classes]` of `[digits, 28, 28]`.
    fn probabilities(&self, digits: ArrayView3<'_, u8>) -> Result<Array3<f32>, ClassifyError> {
        let classes = self.spec.network.classes();
        let mut probabilities = Array3::zeros((self.columns.len(), digits.len_of(Axis(0)), classes));
        let chunks =
            digits.axis_chunks_iter(Axis(0), CHUNK).zip(probabilities.axis_chunks_iter_mut(Axis(1), CHUNK));
        for (digits, mut out) in chunks {
            let canvases = self.canvases(digits);
            let mut jobs: Vec<Job<'_>> = Vec::with_capacity(self.columns.len());
            for (column, out) in self.columns.iter().zip(out.outer_iter_mut()) {
                let width = self.widths.binary_search(&column.id.width).expect("made from the columns");
                let out = out.into_slice().expect("whole rows of a row-major array are contiguous");
                let blocks = canvases[width].axis_chunks_iter(Axis(0), BLOCK);
                jobs.extend(
                    blocks.zip(out.chunks_mut(BLOCK * classes)).map(|(digits, out)| (column, digits, out)),
                );
            }
            let work = |(column, digits, out): Job<'_>| {
                let filled = column.fill(digits, &self.spec, self.isa, out);
                filled.map_err(|problem| ClassifyError::Predict { column: column.id, problem })
            };
            if self.columns.len() * digits.len_of(Axis(0)) * self.n_views() < PARALLEL_FROM {
                jobs.into_iter().try_for_each(work)?;
            } else {
                jobs.into_par_iter().try_for_each(work)?;
            }
        }
        Ok(probabilities)
    }

    fn n_views(&self) -> usize {
        self.columns[0].views.as_ref().map_or(1, ViewMaker::count)
    }

    /// The digits at each width.
    fn canvases(&self, digits: ArrayView3<'_, u8>) -> Vec<Array3<u8>> {
        let input = self.spec.network.input();
        let normalize = |width: &Width| {
            preprocess::normalize_all(digits, *width, [input.height, input.width])
                .expect("a study's network takes 29 x 29 pixels, and no width is above 28")
        };
        self.widths.iter().map(normalize).collect()
    }
}

/// The images in MNIST's form, `[images, 28, 28]`, and why they may show something else.
fn digits(images: &[Image<'_>]) -> Result<(Array3<u8>, Vec<Option<Doubt>>), ClassifyError> {
    let mut digits = Array3::zeros((images.len(), MNIST_PX, MNIST_PX));
    let jobs: Vec<_> = images.iter().zip(digits.outer_iter_mut()).collect();
    let written: Vec<Result<Option<Doubt>, ImageError>> =
        jobs.into_par_iter().map(|(image, digit)| image.write_digit(digit)).collect();
    let doubt = |(index, written): (usize, Result<_, _>)| {
        written.map_err(|problem| ClassifyError::Image { index, problem })
    };
    let doubts = written.into_iter().enumerate().map(doubt).collect::<Result<_, _>>()?;
    Ok((digits, doubts))
}
