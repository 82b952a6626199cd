//! Keeping `metrics.jsonl`: a line of JSON for every epoch of a column, as the column is trained.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use study::{EpochRecord, StudyError, write_whole};
use thiserror::Error;

use crate::warning::Warning;

/// Why metrics could not be kept.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// The file could not be read, cut or written.
    #[error("{path}: cannot {action} the metrics: {reason}")]
    Io {
        /// The metrics file.
        path: PathBuf,
        /// What was tried, as a verb.
        action: &'static str,
        /// The operating system's reason.
        reason: io::Error,
    },
    /// The file could not be written anew without its damaged lines.
    #[error(transparent)]
    Results(#[from] Box<StudyError>),
}

/// The metrics of one column, open for the next epoch's line.
#[derive(Debug)]
pub(crate) struct MetricsFile {
    path: PathBuf,
    file: File,
    /// Over all lines.
    hasher: Sha256,
}

impl MetricsFile {
    /// Opens or creates the metrics at `path` with the lines of the first `epochs_done` epochs as far as they are there,
    /// and drops what follows: lines of epochs that will be trained again, or half a line of a run that was killed. Says
    /// when lines are missing, or are not those whose SHA-256 is `sha256`.
    ///
    /// # Errors
    /// [`MetricsError`] when the disk says so.
    pub(crate) fn open(
        path: &Path,
        epochs_done: u32,
        sha256: Option<&str>,
    ) -> Result<(Self, Option<Warning>), MetricsError> {
        let fail = |action| move |reason| MetricsError::Io { path: path.to_path_buf(), action, reason };
        let bytes = match study::read_column_file(path) {
            Ok(bytes) => bytes,
            Err(reason) if reason.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(reason) => return Err(fail("read")(reason)),
        };
        let lines: Vec<&[u8]> = (EpochRecord::lines(&bytes))
            .take_while(|(_, record)| record.epoch <= epochs_done)
            .map(|(line, _)| line)
            .collect();
        let (kept, n_kept) = (lines.concat(), lines.len() as u32);
        if !bytes.starts_with(&kept) {
            write_whole(path, &kept).map_err(Box::new)?;
        }
        let file = OpenOptions::new().append(true).create(true).open(path).map_err(fail("open"))?;
        file.set_len(kept.len() as u64).map_err(fail("cut"))?;
        let metrics = Self { path: path.to_path_buf(), file, hasher: Sha256::new_with_prefix(&kept) };
        let path = path.to_path_buf();
        let warning = if n_kept < epochs_done {
            Some(Warning::MetricsMissing { path, missing: epochs_done - n_kept, epochs: epochs_done })
        } else {
            let altered = sha256.is_some_and(|want| metrics.sha256() != want);
            altered.then_some(Warning::MetricsAltered { path })
        };
        Ok((metrics, warning))
    }

    /// Appends the line of one epoch and waits until it is on the disk.
    ///
    /// # Errors
    /// [`MetricsError::Io`], for example when the disk is full; the half line is cut off at the next [`Self::open`].
    pub(crate) fn append(&mut self, record: &EpochRecord) -> Result<(), MetricsError> {
        let fail = |reason| MetricsError::Io { path: self.path.clone(), action: "write", reason };
        let mut line = serde_json::to_vec(record).map_err(|error| fail(error.into()))?;
        line.push(b'\n');
        self.hasher.update(&line);
        self.file.write_all(&line).and_then(|()| self.file.sync_data()).map_err(fail)
    }

    /// The SHA-256 of all lines, hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        self.hasher.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn record(epoch: u32) -> EpochRecord {
        EpochRecord {
            epoch,
            learning_rate: 0.05,
            loss: 0.25,
            update_ratio: 0.001,
            skipped: None,
            images_per_second: 10_000.0,
            validation_error: None,
            elapsed_s: f64::from(epoch),
        }
    }

    /// The text of these epochs, and its SHA-256.
    fn written(path: &Path, epochs: u32) -> (String, String) {
        let (mut metrics, _) = MetricsFile::open(path, 0, None).unwrap();
        (1..=epochs).for_each(|epoch| metrics.append(&record(epoch)).unwrap());
        (fs::read_to_string(path).unwrap(), metrics.sha256())
    }

    #[test]
    fn lines_past_the_checkpoint_and_half_lines_are_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let (whole, _) = written(&path, 3);
        for keep in 0..=3 {
            for tail in ["", "{\"epoch\":4,\"learn", "\n", "{}\n"] {
                fs::write(&path, format!("{whole}{tail}")).unwrap();
                let (mut metrics, warning) = MetricsFile::open(&path, keep, None).unwrap();
                assert!(warning.is_none(), "{warning:?}");
                metrics.append(&record(keep + 1)).unwrap();
                let text = fs::read_to_string(&path).unwrap();
                assert_eq!(text.lines().count() as u32, keep + 1);
                assert_eq!(EpochRecord::lines(text.as_bytes()).count() as u32, keep + 1);
                assert_eq!(metrics.sha256(), study::sha256_hex(text.as_bytes()));
            }
        }
    }

    #[test]
    fn lost_lines_are_told_and_the_others_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let (whole, sha256) = written(&path, 3);
        let open = |text: &str| {
            fs::write(&path, text).unwrap();
            let (_, warning) = MetricsFile::open(&path, 3, Some(&sha256)).unwrap();
            let kept =
                EpochRecord::lines(&fs::read(&path).unwrap()).map(|(_, record)| record.epoch).collect();
            (kept, warning.map(|warning| warning.to_string()))
        };
        let message = |rest: &str| Some(format!("{}: {rest}", path.display()));
        let lost = |n| {
            message(&format!(
                "{n} of 3 lines (one per epoch) are missing or damaged; training resumes without them"
            ))
        };
        assert_eq!(open(&whole), (vec![1, 2, 3], None));
        assert_eq!(open(&whole.replace("\"epoch\":2", "\"epoch\":\"2")), (vec![1, 3], lost(1)));
        assert_eq!(open(&whole[..whole.len() / 2]), (vec![1], lost(2)));
        assert_eq!(open(""), (vec![], lost(3)));
        let altered =
            "a line was changed after it was written; training resumes and leaves the line unchanged";
        assert_eq!(open(&whole.replacen("0.25", "0.35", 1)), (vec![1, 2, 3], message(altered)));
    }
}
