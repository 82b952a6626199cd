//! Where a study's files are.
//!
//! ```text
//! <root>/
//!   study.json               the manifest: config and hashes of the data, written once
//!   committee.json           every number the report prints
//!   report.html, report.md   the report
//!   figures/                 its figures
//!   .locks/                   who works on which columns
//!   .lock                    held by programs that lock the whole folder
//!   columns/<id>/
//!     weights.safetensors    final parameters
//!     metrics.jsonl          a line an epoch
//!     validation.npy         [held-out digits, 10] f32 softmax, where the config holds some out
//!     probabilities.npy      [test digits, 10] f32 softmax
//!     views.npy              the same of views of these digits, where the config asks for views
//!     column.json            written last, says that the column is done: provenance and checksums
//!     checkpoint.safetensors, checkpoint-before.safetensors
//!                            the last two places to resume from, only while unfinished
//!     diverged.json          the step at which the loss was not finite, only while unfinished
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ciresan_net::Parameters;

use crate::file_names::{MANIFEST, METRICS, PROBABILITIES, VALIDATION, WEIGHTS};
use crate::listing::entries;
use crate::lock::{at_work, is_held_by_an_older_program};
use crate::read_file::read_column_file;
use crate::{Asking, ColumnId, ColumnLocks, ColumnRecord, Holder, Manifest, Study, StudyError};

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

    /// Whether a column is finished: its record is there. In a folder that was begun before there were records, weights
    /// and probabilities without a checkpoint say so too.
    ///
    /// # Errors
    /// [`StudyError::Io`] when the column's folder cannot be read: nobody knows then.
    pub fn is_finished(&self, id: &ColumnId) -> Result<bool, StudyError> {
        let column = self.column(id);
        if is_file(&column.record())? {
            return Ok(true);
        }
        let all_there = is_file(&column.weights())? && is_file(&column.probabilities())?;
        let of_format_1 = || self.manifest().is_ok_and(|found| found.is_some_and(|it| it.format_1.is_some()));
        Ok(all_there && !column.has_checkpoint() && of_format_1())
    }

    /// The finished ones of some columns, then the others, in their order.
    ///
    /// # Errors
    /// Those of [`is_finished`](Self::is_finished).
    pub fn split(&self, columns: &[ColumnId]) -> Result<[Vec<ColumnId>; 2], StudyError> {
        let [mut finished, mut unfinished] = [Vec::new(), Vec::new()];
        for id in columns {
            if self.is_finished(id)? { finished.push(*id) } else { unfinished.push(*id) }
        }
        Ok([finished, unfinished])
    }

    /// The finished columns of a study, in training order.
    ///
    /// # Errors
    /// Those of [`is_finished`](Self::is_finished).
    pub fn finished(&self, study: &Study) -> Result<Vec<ColumnId>, StudyError> {
        let [finished, _] = self.split(&study.columns())?;
        Ok(finished)
    }

    /// Takes columns for this process: all or none. Others, on other hosts too, may hold other columns. Waits up to two seconds
    /// for a run that holds one to leave it (a run that was told to stop may still be saving), and a minute and a half for a
    /// heartbeat of one on another host. Also removes what killed runs left half-written in the columns' folders, and in the folder
    /// what is older than an hour.
    ///
    /// # Errors
    /// [`StudyError::Busy`] when another process stays, [`StudyError::Io`] when the locks cannot be made.
    pub fn lock(&self, columns: &[ColumnId], asking: &Asking<'_>) -> Result<ColumnLocks, StudyError> {
        ColumnLocks::take(&self.root, columns, asking)
    }

    /// The columns that runs hold at this moment, and who they are, as far as that is known; changes nothing and does not wait.
    /// A run on another kernel than `kernel` counts while its last heartbeat is young at the time `now`.
    ///
    /// # Errors
    /// [`StudyError::Io`] when the locks are there and cannot be looked at.
    pub fn at_work(
        &self,
        kernel: &str,
        now: SystemTime,
    ) -> Result<BTreeMap<ColumnId, Option<Holder>>, StudyError> {
        at_work(&self.root, kernel, now)
    }

    /// Whether an older version of the program, which locks the whole folder, is running here.
    ///
    /// # Errors
    /// [`StudyError::Io`] when the lock is there and cannot be opened.
    pub fn is_held_by_an_older_program(&self) -> Result<bool, StudyError> {
        is_held_by_an_older_program(&self.root)
    }

    /// Reads `study.json`; `None` when there is none.
    ///
    /// # Errors
    /// [`StudyError::Manifest`] when it is no manifest, [`StudyError::Io`] when it cannot be read.
    pub fn manifest(&self) -> Result<Option<Manifest>, StudyError> {
        Manifest::read(&self.manifest_path())
    }

    /// Writes `study.json`, whole or not at all. It is written when a study begins and never again.
    ///
    /// # Errors
    /// [`StudyError::Io`] when it cannot be written.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), StudyError> {
        manifest.write(&self.manifest_path())
    }

    /// Whether this folder is empty or of this study; changes nothing. Gives back the manifest that is there. Where it
    /// was lost, columns that say they are of this config make the folder this study's.
    ///
    /// # Errors
    /// [`StudyError::OtherConfig`] when the folder's study has another [`hash`](Study::hash),
    /// [`StudyError::NoManifest`] when there are columns' files that do not say of which config they are; both are a
    /// matter of wrong usage. Else what [`manifest`](Self::manifest) says.
    pub fn adopt(&self, study: &Study) -> Result<Option<Manifest>, StudyError> {
        match self.manifest()? {
            Some(manifest) if manifest.config_hash == study.hash() => Ok(Some(manifest)),
            Some(Manifest { config, .. }) => {
                let differences = study.differences(&config);
                Err(StudyError::OtherConfig { path: self.root.clone(), differences })
            }
            None => match self.adopt_without_manifest(&study.hash()) {
                // Another run may have begun the study in between. Listed first, because a client of NFS may remember for a
                // while that there was no such file, and a listing makes it ask.
                Err(StudyError::NoManifest { .. })
                    if entries(&self.root)?.contains(&self.manifest_path()) =>
                {
                    self.adopt(study)
                }
                adopted => adopted.map(|()| None),
            },
        }
    }

    fn adopt_without_manifest(&self, want: &str) -> Result<(), StudyError> {
        let (mut n_files, mut n_known) = (0, 0);
        for root in entries(&self.columns())? {
            let column = ColumnFolder { root };
            n_files += if column.root.is_file() { 1 } else { entries(&column.root)?.len() };
            match column.config_hash()? {
                Some(got) if got != want => {
                    let differences = Vec::new(); // nobody knows the other config
                    return Err(StudyError::OtherConfig { path: self.root.clone(), differences });
                }
                Some(_) => n_known += 1,
                // A checkpoint is compared with the config when training resumes from it.
                None => n_known += usize::from(column.has_checkpoint()),
            }
        }
        if n_files > 0 && n_known == 0 {
            return Err(StudyError::NoManifest { path: self.root.clone() });
        }
        Ok(())
    }

    fn columns(&self) -> PathBuf {
        self.root.join("columns")
    }
}

/// Whether there is a file of this name.
fn is_file(path: &Path) -> Result<bool, StudyError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_file()),
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(reason) => Err(StudyError::io(path, "look at the file")(reason)),
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
        self.root.join(WEIGHTS)
    }

    /// `metrics.jsonl`: a line an epoch.
    #[must_use]
    pub fn metrics(&self) -> PathBuf {
        self.root.join(METRICS)
    }

    /// `validation.npy`: softmax outputs on the training digits held out, where the config holds some out. Columns that were
    /// finished before there was such a file have none.
    #[must_use]
    pub fn validation(&self) -> PathBuf {
        self.root.join(VALIDATION)
    }

    /// `probabilities.npy`: softmax outputs on the test digits.
    #[must_use]
    pub fn probabilities(&self) -> PathBuf {
        self.root.join(PROBABILITIES)
    }

    /// `column.json`: that the column is done, its provenance and its files' checksums.
    #[must_use]
    pub fn record(&self) -> PathBuf {
        self.root.join("column.json")
    }

    /// `checkpoint.safetensors`: where an unfinished column stands.
    #[must_use]
    pub fn checkpoint(&self) -> PathBuf {
        self.root.join("checkpoint.safetensors")
    }

    /// `diverged.json`: the step at which an unfinished column diverged: its loss was not finite.
    #[must_use]
    pub fn diverged(&self) -> PathBuf {
        self.root.join("diverged.json")
    }

    /// `checkpoint-before.safetensors`: the checkpoint before the last, for when that one is damaged.
    #[must_use]
    pub fn checkpoint_before(&self) -> PathBuf {
        self.root.join("checkpoint-before.safetensors")
    }

    /// Whether there is a place to resume from.
    #[must_use]
    pub fn has_checkpoint(&self) -> bool {
        self.checkpoint().exists() || self.checkpoint_before().exists()
    }

    /// The hash of the config that this column's record or, without one, its weights say they are of.
    fn config_hash(&self) -> Result<Option<String>, StudyError> {
        if let Some(record) = ColumnRecord::read(&self.record())? {
            return Ok(Some(record.config_hash));
        }
        let path = self.weights();
        let bytes = match read_column_file(&path) {
            Ok(bytes) => bytes,
            Err(reason)
                if matches!(reason.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
            {
                return Ok(None);
            }
            Err(reason) => return Err(StudyError::io(&path, "read the weights")(reason)),
        };
        let (_, metadata) = Parameters::from_safetensors(&bytes)
            .map_err(|error| StudyError::Weights { path, reason: error.to_string() })?;
        Ok(metadata.extra.get("config_hash").cloned())
    }
}
