//! Where a study's files are.
//!
//! ```text
//! <root>/
//!   study.json               the manifest: config and provenance
//!   committee.json           every number the report prints
//!   report.html, report.md   the report
//!   figures/                 its figures
//!   .lock                    held by the run that works here
//!   columns/<id>/
//!     weights.safetensors    final parameters
//!     metrics.jsonl          a line an epoch
//!     validation.npy         [held-out digits, 10] f32 softmax, where the config holds some out
//!     probabilities.npy      [test digits, 10] f32 softmax
//!     checkpoint.safetensors only while unfinished
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::{ColumnId, FolderLock, Manifest, Study, StudyError};

/// The manifest's name.
pub(crate) const MANIFEST: &str = "study.json";

/// The results folder of a study. Having one in hand means nothing yet: only [`create`](Self::create) and the
/// writing functions touch the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultsFolder {
    root: PathBuf,
}

impl ResultsFolder {
    /// The results folder at `root`, which need not exist.
    #[must_use]
    pub fn open(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Makes the folder at `root` and its `columns` folder, parents included, where they are not there yet.
    ///
    /// # Errors
    /// [`StudyError::Io`] when one cannot be made.
    pub fn create(root: impl Into<PathBuf>) -> Result<Self, StudyError> {
        let folder = Self::open(root);
        let columns = folder.columns();
        fs::create_dir_all(&columns).map_err(StudyError::io(&columns, "create the results folder"))?;
        Ok(folder)
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `study.json`.
    #[must_use]
    pub fn manifest_path(&self) -> PathBuf {
        self.root.join(MANIFEST)
    }

    /// `committee.json`.
    #[must_use]
    pub fn committee_path(&self) -> PathBuf {
        self.root.join("committee.json")
    }

    /// `report.html`.
    #[must_use]
    pub fn report_page_path(&self) -> PathBuf {
        self.root.join("report.html")
    }

    /// `report.md`.
    #[must_use]
    pub fn report_markdown_path(&self) -> PathBuf {
        self.root.join("report.md")
    }

    /// `figures/`.
    #[must_use]
    pub fn figures(&self) -> PathBuf {
        self.root.join("figures")
    }

    /// The folder of one column.
    #[must_use]
    pub fn column(&self, id: &ColumnId) -> ColumnFolder {
        ColumnFolder { root: self.columns().join(id.to_string()) }
    }

    /// Whether a column is finished: its weights and its probabilities are there. Files are whole or absent,
    /// so nothing more needs a look here.
    #[must_use]
    pub fn is_finished(&self, id: &ColumnId) -> bool {
        let column = self.column(id);
        column.weights().is_file() && column.probabilities().is_file()
    }

    /// The finished columns of a study, in training order.
    #[must_use]
    pub fn finished(&self, study: &Study) -> Vec<ColumnId> {
        study.columns().into_iter().filter(|id| self.is_finished(id)).collect()
    }

    /// Takes the folder for this process, or waits up to two seconds for another to leave it (a killed run
    /// may still be saving). Also removes what a killed run left half-written in the columns' folders.
    ///
    /// # Errors
    /// [`StudyError::Busy`] when another process stays, [`StudyError::Io`] when the lock cannot be made.
    pub fn lock(&self) -> Result<FolderLock, StudyError> {
        FolderLock::take(&self.root, &self.columns())
    }

    /// Reads `study.json`; `None` when there is none.
    ///
    /// # Errors
    /// [`StudyError::Manifest`] when it is no manifest, [`StudyError::Io`] when it cannot be read.
    pub fn manifest(&self) -> Result<Option<Manifest>, StudyError> {
        Manifest::read(&self.manifest_path())
    }

    /// Writes `study.json`, whole or not at all.
    ///
    /// # Errors
    /// [`StudyError::Io`] when it cannot be written.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), StudyError> {
        manifest.write(&self.manifest_path())
    }

    /// Whether this folder is empty or of this study; changes nothing. Gives back the manifest that is there.
    ///
    /// # Errors
    /// [`StudyError::OtherConfig`] when the folder's study has another [`hash`](Study::hash),
    /// [`StudyError::NoManifest`] when there are columns' files without a manifest; both are a matter of
    /// wrong usage. Else what [`manifest`](Self::manifest) says.
    pub fn adopt(&self, study: &Study) -> Result<Option<Manifest>, StudyError> {
        match self.manifest()? {
            Some(manifest) if manifest.config_hash == study.hash() => Ok(Some(manifest)),
            Some(Manifest { config, .. }) => {
                let differences = study.differences(&config);
                Err(StudyError::OtherConfig { path: self.root.clone(), differences })
            }
            None if self.has_column_files()? => Err(StudyError::NoManifest { path: self.root.clone() }),
            None => Ok(None),
        }
    }

    fn columns(&self) -> PathBuf {
        self.root.join("columns")
    }

    fn has_column_files(&self) -> Result<bool, StudyError> {
        for column in entries(&self.columns())? {
            if column.is_file() || !entries(&column)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The folder of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnFolder {
    root: PathBuf,
}

impl ColumnFolder {
    /// Makes the folder, parents included, where it is not there yet.
    ///
    /// # Errors
    /// [`StudyError::Io`] when it cannot be made.
    pub fn create(&self) -> Result<(), StudyError> {
        fs::create_dir_all(&self.root).map_err(StudyError::io(&self.root, "create the column's folder"))
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `weights.safetensors`: final parameters.
    #[must_use]
    pub fn weights(&self) -> PathBuf {
        self.root.join("weights.safetensors")
    }

    /// `metrics.jsonl`: a line an epoch.
    #[must_use]
    pub fn metrics(&self) -> PathBuf {
        self.root.join("metrics.jsonl")
    }

    /// `validation.npy`: softmax outputs on the training digits held out, where the config holds some out. Columns that were
    /// finished before there was such a file have none.
    #[must_use]
    pub fn validation(&self) -> PathBuf {
        self.root.join("validation.npy")
    }

    /// `probabilities.npy`: softmax outputs on the test digits.
    #[must_use]
    pub fn probabilities(&self) -> PathBuf {
        self.root.join("probabilities.npy")
    }

    /// `checkpoint.safetensors`: where an unfinished column stands.
    #[must_use]
    pub fn checkpoint(&self) -> PathBuf {
        self.root.join("checkpoint.safetensors")
    }
}

/// What is in a folder; nothing when there is none.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, StudyError> {
    let list = |listing: fs::ReadDir| listing.map(|entry| entry.map(|entry| entry.path())).collect();
    match fs::read_dir(folder).and_then(list) {
        Ok(paths) => Ok(paths),
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(reason) => Err(StudyError::io(folder, "list the folder")(reason)),
    }
}
