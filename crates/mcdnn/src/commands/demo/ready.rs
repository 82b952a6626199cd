//! A study whose columns are loaded and wait for digits.

use std::path::Path;

use anyhow::Result;
use classifier::{CLEAR, Classifier};
use ndarray::{ArrayView2, ShapeError};
use preprocess::{Distortion, MNIST_PX, Views, Width};
use serde::Serialize;
use study::ColumnId;

use super::refused::Refused;
use super::upload::MAX_BYTES;
use crate::app::{App, shown};
use crate::commands::predict;
use crate::failure::usage_error;
use crate::instruction_set;
use crate::studies::Found;

/// Version of the JSON objects.
pub(super) const SCHEMA: u32 = 1;

/// The study, and its finished columns.
pub(super) struct Ready {
    pub(super) found: Found,
    pub(super) classifier: Classifier,
    views: Option<Views>,
}

impl Ready {
    /// Loads the study that `predict` would ask.
    ///
    /// # Errors
    /// As `predict`: no such study, none of its columns finished, no digits, damaged files, views without a distortion.
    pub(super) fn open(given: Option<&Path>, views: Option<Views>, app: &App) -> Result<Self> {
        let found = predict::study(given, app)?;
        let mut classifier = Classifier::open_with(found.folder.root(), instruction_set::chosen()?)?;
        if let Some(views) = views {
            classifier = classifier
                .with_views(views)
                .map_err(|error| usage_error(format_args!("--views: {error}")))?;
        }
        Ok(Self { found, classifier, views })
    }

    /// The distortion of the study's training, or that of the paper's kind for a study that trains without.
    pub(super) fn distortion(&self) -> Distortion {
        let trained_by = self.found.study.distortion.as_ref();
        trained_by.map_or_else(Distortion::default, |distortion| distortion.distortion)
    }

    /// What the page has to know before a digit is drawn.
    pub(super) fn about(&self) -> About {
        let column = |id: &ColumnId| AboutColumn { column: id.to_string(), width: id.width };
        About {
            schema: SCHEMA,
            study: self.found.study.name.clone(),
            path: shown(self.found.folder.root()).to_string(),
            network: self.found.study.network.to_string(),
            columns: self.classifier.columns().iter().map(column).collect(),
            widths: self.classifier.widths().to_vec(),
            clear_from: CLEAR,
            views: self.views,
            distortion: self.distortion(),
            max_bytes: MAX_BYTES,
        }
    }
}

/// The study, for the page.
#[derive(Debug, Clone, Serialize)]
pub(super) struct About {
    schema: u32,
    /// The study's name.
    study: String,
    /// Its results folder.
    path: String,
    /// In the paper's notation.
    network: String,
    /// In training order.
    columns: Vec<AboutColumn>,
    /// `original` first, then by pixels.
    widths: Vec<Width>,
    /// Least probability that every column gives a clear answer.
    clear_from: f64,
    /// What the columns are asked about, if not the digit alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    views: Option<Views>,
    distortion: Distortion,
    /// Largest image, in bytes.
    max_bytes: usize,
}

#[derive(Debug, Clone, Serialize)]
struct AboutColumn {
    column: String,
    width: Width,
}

/// A digit in MNIST's form that a request brings: 28 rows of 28 bytes, 0 background to 255 ink.
///
/// # Errors
/// When there are more or fewer bytes.
pub(super) fn digit(bytes: &[u8]) -> Result<ArrayView2<'_, u8>, Refused> {
    ArrayView2::from_shape([MNIST_PX; 2], bytes).map_err(|_: ShapeError| {
        Refused::unfit(format!(
            "the digit has {} bytes, expected {}: 28 rows of 28 pixels",
            bytes.len(),
            MNIST_PX * MNIST_PX
        ))
    })
}
