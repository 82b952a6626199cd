//! A finished column: its files, each compared with its checksum whenever it is read.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use ciresan_net::{Metadata, Parameters};
use ndarray::Array2;
use preprocess::Views;
use serde::{Deserialize, Serialize};

use crate::file_names::{METRICS, PROBABILITIES, VALIDATION, VIEWS, WEIGHTS};
use crate::metrics::EpochRecord;
use crate::provenance::TrainingRun;
use crate::read_file::read_column_file;
use crate::record::{ColumnRecord, RECORD_SCHEMA};
use crate::sealed::sha256_hex;
use crate::{
    ColumnFolder, ColumnId, Manifest, ResultsFolder, Study, StudyError, probabilities, read_metrics,
};

/// A finished column. Having one in hand means that its record is whole and of its study; each file is read and
/// compared with the record when it is asked for.
#[derive(Debug, Clone)]
pub struct FinishedColumn<'a> {
    manifest: &'a Manifest,
    files: ColumnFolder,
    record: ColumnRecord,
}

/// Which digits a file of probabilities is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Predictions {
    /// Training digits that the study holds out: `validation.npy`.
    HeldOut,
    /// The test digits: `probabilities.npy`.
    Test,
    /// Views of the test digits or, where the study holds digits out, of these: `views.npy`.
    Views,
}

impl Predictions {
    /// The file in a column's folder.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::HeldOut => VALIDATION,
            Self::Test => PROBABILITIES,
            Self::Views => VIEWS,
        }
    }

    /// The digits that these predictions of a study are about: [`HeldOut`](Self::HeldOut) or [`Test`](Self::Test).
    #[must_use]
    pub fn digits(self, study: &Study) -> Self {
        match self {
            Self::Views if study.validation > 0 => Self::HeldOut,
            Self::Views => Self::Test,
            which => which,
        }
    }
}

impl ResultsFolder {
    /// A finished column of the folder's study.
    ///
    /// # Errors
    /// [`StudyError::Record`] when its `column.json` is missing, damaged or of a newer format,
    /// [`StudyError::ForeignColumn`] when it is of another column or config, [`StudyError::Io`] when it cannot be read.
    pub fn finished_column<'a>(
        &self,
        manifest: &'a Manifest,
        id: ColumnId,
    ) -> Result<FinishedColumn<'a>, StudyError> {
        let files = self.column(&id);
        let path = files.record();
        let record = match ColumnRecord::read(&path)? {
            Some(record) => record,
            None => format_1_record(manifest, &files, id)
                .ok_or(StudyError::Record { path: path.clone(), reason: "no such file".to_owned() })?,
        };
        let pairs = [
            ("name", record.column.to_string(), id.to_string()),
            ("config hash", record.config_hash.clone(), manifest.config_hash.clone()),
        ];
        foreign(&path, pairs)?;
        Ok(FinishedColumn { manifest, files, record })
    }
}

impl ResultsFolder {
    /// Whether there is nothing left to do for these columns: they are finished, no checkpoint is left behind, every file is
    /// as its record says, and no predictions are missing; with `test`, none of the test digits either, and with `views`
    /// none of these views.
    #[must_use]
    pub fn is_complete(&self, columns: &[ColumnId], test: bool, views: Option<Views>) -> bool {
        let Ok(Some(manifest)) = self.manifest() else { return false };
        let is_whole = |id: ColumnId| {
            let column = self.finished_column(&manifest, id);
            column.and_then(|column| column.lost_predictions(test, views)).is_ok_and(|lost| lost.is_empty())
        };
        let is_tidy =
            |id: &ColumnId| self.is_finished(id).is_ok_and(|is| is) && !self.column(id).has_checkpoint();
        // What is answered at once comes first: a look into every folder before any file is hashed.
        columns.iter().all(is_tidy) && columns.iter().all(|id| is_whole(*id))
    }
}

/// What a manifest of format 1 knows of a finished column, which has no record; without checksums.
fn format_1_record(manifest: &Manifest, files: &ColumnFolder, id: ColumnId) -> Option<ColumnRecord> {
    let by = manifest.format_1.clone()?;
    // Nothing is lost with metrics that cannot be read: the time is then unknown.
    let epochs = read_metrics(&files.metrics()).unwrap_or_default();
    let wall_s = epochs.last().map_or(0.0, |last| last.elapsed_s);
    let run = TrainingRun { begun: String::new(), epochs_before: 0, wall_s, by };
    Some(ColumnRecord {
        schema: RECORD_SCHEMA,
        column: id,
        config_hash: manifest.config_hash.clone(),
        runs: vec![run],
        predicted_by: None,
        kept_epoch: None,
        views: None,
        files: BTreeMap::new(),
    })
}

impl FinishedColumn<'_> {
    /// Which column it is.
    #[must_use]
    pub fn id(&self) -> ColumnId {
        self.record.column
    }

    /// Where it comes from. Of a study begun by a program before there were records: made up from what is known, and
    /// without checksums.
    #[must_use]
    pub fn record(&self) -> &ColumnRecord {
        &self.record
    }

    /// Whether it has predictions for these digits; a study that holds digits out predicts these alone.
    #[must_use]
    pub fn has(&self, which: Predictions) -> bool {
        self.has_file(which.file_name())
    }

    /// Its final parameters, of the study's network, all finite.
    ///
    /// # Errors
    /// [`StudyError::Damaged`] when the file is not the one that was written, [`StudyError::ForeignColumn`] when it says
    /// that it is of another network, activation, column or config, [`StudyError::Weights`] when it holds no such
    /// parameters, [`StudyError::Io`] when it cannot be read.
    pub fn weights(&self) -> Result<Parameters, StudyError> {
        let (path, bytes) = self.read(WEIGHTS)?;
        let (parameters, metadata) = Parameters::from_safetensors(&bytes)
            .map_err(|error| StudyError::Weights { path: path.clone(), reason: error.to_string() })?;
        let Metadata { network, activation, extra } = metadata;
        let said = |key: &str| extra.get(key).map_or_else(|| "none".to_owned(), Clone::clone);
        let config = &self.manifest.config;
        let pairs = [
            ("network", network.to_string(), config.network.to_string()),
            ("activation", activation.to_string(), config.activation.to_string()),
            ("name", said("column"), self.id().to_string()),
            ("config hash", said("config_hash"), self.manifest.config_hash.clone()),
        ];
        foreign(&path, pairs)?;
        Ok(parameters)
    }

    /// Its probabilities for some digits.
    ///
    /// # Shapes
    /// `[digits, 10]`, row-major; class 0 first.
    /// # Units
    /// Probabilities 0..=1; each row sums to 1 within [`committee::ROW_SUM_TOLERANCE`].
    /// # Errors
    /// [`StudyError::Damaged`] when the file is not the one that was written, [`StudyError::Probabilities`] when it
    /// cannot be read or holds anything else.
    pub fn probabilities(&self, which: Predictions) -> Result<Array2<f32>, StudyError> {
        let (path, bytes) = self.read(which.file_name())?;
        probabilities::parse(&path, &bytes)
    }

    /// The predictions that it should have and has not, or not as they were written: of the held-out digits, if the study
    /// holds some out, of the test digits, if it holds none out or `test` asks for them, and of these views or, if there are
    /// none, of those that it has. They can be made again from the weights.
    ///
    /// # Errors
    /// What is wrong with the files that cannot be made again: [`StudyError::Damaged`] and all that
    /// [`weights`](Self::weights) says.
    pub fn lost_predictions(&self, test: bool, views: Option<Views>) -> Result<Vec<Predictions>, StudyError> {
        self.weights()?;
        if self.has_file(METRICS) {
            self.check(METRICS)?;
        }
        let holds_out = self.manifest.config.validation > 0;
        let mut wanted = Vec::new();
        // Those of the first format of results had no validation.npy at first.
        if holds_out && (self.has(Predictions::HeldOut) || self.manifest.format_1.is_none()) {
            wanted.push(Predictions::HeldOut);
        }
        if test || !holds_out || self.has(Predictions::Test) {
            wanted.push(Predictions::Test);
        }
        if views.or(self.record.views).is_some() {
            wanted.push(Predictions::Views);
        }
        let is_of_others =
            |which| which == Predictions::Views && views.is_some_and(|it| self.record.views != Some(it));
        wanted.retain(|&which| is_of_others(which) || !self.has(which) || self.probabilities(which).is_err());
        Ok(wanted)
    }

    /// Its epochs, in order. Some may be missing: their lines were lost before the column was finished.
    ///
    /// # Errors
    /// [`StudyError::Damaged`] when the file is not the one that was written, [`StudyError::Io`] when it cannot be read.
    pub fn epochs(&self) -> Result<Vec<EpochRecord>, StudyError> {
        if !self.has_file(METRICS) {
            return Ok(Vec::new()); // lost before the column was finished
        }
        let (_, bytes) = self.read(METRICS)?;
        Ok(EpochRecord::lines(&bytes).map(|(_, record)| record).collect())
    }

    /// The one of its [`epochs`](Self::epochs) whose weights it has: the last or, with early stopping, the best; `None` if its line is
    /// missing.
    #[must_use]
    pub fn kept_epoch<'e>(&self, epochs: &'e [EpochRecord]) -> Option<&'e EpochRecord> {
        match self.record.kept_epoch {
            Some(kept) => epochs.iter().find(|record| record.epoch == kept),
            None => epochs.last(),
        }
    }

    /// The files that are in its record or, of format 1, on the disk.
    #[must_use]
    pub fn file_names(&self) -> Vec<&'static str> {
        [WEIGHTS, METRICS, VALIDATION, PROBABILITIES, VIEWS]
            .into_iter()
            .filter(|name| self.has_file(name))
            .collect()
    }

    /// Compares one of its files with its checksum.
    ///
    /// # Errors
    /// [`StudyError::Damaged`], or [`StudyError::Io`] when the file cannot be read.
    pub fn check(&self, name: &str) -> Result<(), StudyError> {
        self.read(name).map(drop)
    }

    /// The SHA-256 of what the committee's figures depend on: the checksums of its predictions.
    ///
    /// # Errors
    /// Those of [`check`](Self::check): a file that has none in the record is read.
    pub fn predictions_sha256(&self) -> Result<String, StudyError> {
        let mut all = String::new();
        for name in [VALIDATION, PROBABILITIES, VIEWS].into_iter().filter(|name| self.has_file(name)) {
            all += &sha256_hex(&self.read(name)?.1);
        }
        Ok(sha256_hex(all.as_bytes()))
    }

    fn has_file(&self, name: &str) -> bool {
        match self.manifest.format_1 {
            Some(_) if self.record.files.is_empty() => self.files.root().join(name).exists(),
            _ => self.record.files.contains_key(name),
        }
    }

    /// A file with its bytes, which are those that were written.
    fn read(&self, name: &str) -> Result<(PathBuf, Vec<u8>), StudyError> {
        let path = self.files.root().join(name);
        let want = self.record.files.get(name);
        let bytes = match (read_column_file(&path), want) {
            (Ok(bytes), _) => bytes,
            (Err(reason), Some(want)) if reason.kind() == io::ErrorKind::NotFound => {
                return Err(StudyError::Damaged { path, got: None, want: want.clone() });
            }
            (Err(reason), _) => return Err(StudyError::io(&path, "read the file")(reason)),
        };
        let got = sha256_hex(&bytes);
        match want {
            Some(want) if got != *want => {
                Err(StudyError::Damaged { path, got: Some(got), want: want.clone() })
            }
            _ => Ok((path, bytes)),
        }
    }
}

/// Refuses a file that says it is of something else.
fn foreign<const N: usize>(
    path: &Path,
    pairs: [(&'static str, String, String); N],
) -> Result<(), StudyError> {
    match pairs.into_iter().find(|(_, got, want)| got != want) {
        Some((what, got, want)) => {
            Err(StudyError::ForeignColumn { path: path.to_path_buf(), what, got, want })
        }
        None => Ok(()),
    }
}

impl ColumnFolder {
    /// The SHA-256 of each of the column's files that is there, hexadecimal, by name.
    ///
    /// # Errors
    /// [`StudyError::Io`] when a file cannot be read.
    pub fn checksums(&self) -> Result<BTreeMap<String, String>, StudyError> {
        let mut sums = BTreeMap::new();
        for name in [WEIGHTS, METRICS, VALIDATION, PROBABILITIES, VIEWS] {
            let path = self.root().join(name);
            match read_column_file(&path) {
                Ok(bytes) => sums.insert(name.to_owned(), sha256_hex(&bytes)),
                Err(reason) if reason.kind() == io::ErrorKind::NotFound => None,
                Err(reason) => return Err(StudyError::io(&path, "read the file")(reason)),
            };
        }
        Ok(sums)
    }

    /// Says that the column is done: writes `column.json`, whole or not at all. The last thing that is written of a column.
    ///
    /// # Errors
    /// [`StudyError::Io`] when it cannot be written.
    pub fn write_record(&self, record: &ColumnRecord) -> Result<(), StudyError> {
        record.write(&self.record())
    }
}
