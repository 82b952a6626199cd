//! `metrics.jsonl`: a line of JSON for every epoch of a column.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One epoch of one column: a line of `metrics.jsonl`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochRecord {
    /// The epoch, counted from 1.
    pub epoch: u32,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f32,
    /// Mean cross-entropy over the epoch's images, each taken before the step it belongs to; in nats.
    pub loss: f64,
    /// Mean over the epoch's steps of the mean over parameter tensors of ‖lr·∇‖₁ / ‖θ‖₁.
    pub update_ratio: f64,
    /// Images of this column trained a second, distortion included, validation and saving not; a group's columns have
    /// about the same.
    pub images_per_second: f64,
    /// Share of the held-out training digits that is wrong after the epoch, 0..=1; absent when none are held out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_error: Option<f64>,
    /// Seconds spent on this column so far, over all runs.
    pub elapsed_s: f64,
}

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
    /// Fewer whole lines than epochs trained.
    #[error(
        "{path}: holds the first {got} epochs, expected {want} as the column's checkpoint has it; \
         delete the checkpoint to train this column anew"
    )]
    Lines {
        /// The metrics file.
        path: PathBuf,
        /// Whole lines in order from epoch 1.
        got: u32,
        /// Epochs that the checkpoint has behind it.
        want: u32,
    },
}

/// The metrics of one column, open for the next epoch's line.
#[derive(Debug)]
pub(crate) struct MetricsFile {
    path: PathBuf,
    file: File,
}

impl MetricsFile {
    /// Opens or creates the metrics at `path` with the lines of the first `epochs_done` epochs, and cuts off what follows:
    /// lines of epochs that will be trained again, or half a line of a run that was killed.
    ///
    /// # Errors
    /// [`MetricsError::Lines`] when one of those lines is missing, [`MetricsError::Io`] when the disk says so.
    pub(crate) fn open(path: &Path, epochs_done: u32) -> Result<Self, MetricsError> {
        let fail = |action| move |reason| MetricsError::Io { path: path.to_path_buf(), action, reason };
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).open(path).map_err(fail("open"))?;
        let mut text = Vec::new();
        if epochs_done > 0 {
            file.read_to_end(&mut text).map_err(fail("read"))?;
        }
        let (kept_bytes, n_kept) = whole_lines(&text, epochs_done);
        if n_kept < epochs_done {
            return Err(MetricsError::Lines { path: path.to_path_buf(), got: n_kept, want: epochs_done });
        }
        file.set_len(kept_bytes as u64).map_err(fail("cut"))?;
        Ok(Self { path: path.to_path_buf(), file })
    }

    /// Appends the line of one epoch and waits until it is on the disk.
    ///
    /// # Errors
    /// [`MetricsError::Io`], for example when the disk is full; the half line is cut off at the next [`Self::open`].
    pub(crate) fn append(&mut self, record: &EpochRecord) -> Result<(), MetricsError> {
        let fail = |reason| MetricsError::Io { path: self.path.clone(), action: "write", reason };
        let mut line = serde_json::to_vec(record).map_err(|error| fail(error.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).and_then(|()| self.file.sync_data()).map_err(fail)
    }
}

/// The length in bytes and in lines of the longest beginning of `text` that holds the epochs 1, 2, … up to `limit`.
fn whole_lines(text: &[u8], limit: u32) -> (usize, u32) {
    let (mut n_bytes, mut n_lines) = (0, 0);
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let whole = line.ends_with(b"\n")
            && serde_json::from_slice::<EpochRecord>(line).is_ok_and(|record| record.epoch == n_lines + 1);
        if n_lines == limit || !whole {
            break;
        }
        n_bytes += line.len();
        n_lines += 1;
    }
    (n_bytes, n_lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(epoch: u32) -> EpochRecord {
        EpochRecord {
            epoch,
            learning_rate: 0.05,
            loss: 0.25,
            update_ratio: 0.001,
            images_per_second: 10_000.0,
            validation_error: None,
            elapsed_s: f64::from(epoch),
        }
    }

    fn written(path: &Path, epochs: u32) -> String {
        let mut metrics = MetricsFile::open(path, 0).unwrap();
        (1..=epochs).for_each(|epoch| metrics.append(&record(epoch)).unwrap());
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_line_is_one_flat_object() {
        let folder = tempfile::tempdir().unwrap();
        let text = written(&folder.path().join("metrics.jsonl"), 1);
        assert_eq!(
            text,
            "{\"epoch\":1,\"learning_rate\":0.05,\"loss\":0.25,\"update_ratio\":0.001,\
             \"images_per_second\":10000.0,\"elapsed_s\":1.0}\n"
        );
        let with = EpochRecord { validation_error: Some(0.0061), ..record(1) };
        assert!(serde_json::to_string(&with).unwrap().contains("\"validation_error\":0.0061,"));
    }

    #[test]
    fn lines_past_the_checkpoint_and_half_lines_are_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let whole = written(&path, 3);
        for keep in 0..=3 {
            for tail in ["", "{\"epoch\":4,\"learn", "\n", "{}\n"] {
                std::fs::write(&path, format!("{whole}{tail}")).unwrap();
                MetricsFile::open(&path, keep).unwrap().append(&record(keep + 1)).unwrap();
                let text = std::fs::read_to_string(&path).unwrap();
                assert_eq!(text.lines().count() as u32, keep + 1);
                assert_eq!(whole_lines(text.as_bytes(), u32::MAX), (text.len(), keep + 1));
            }
        }
    }

    #[test]
    fn a_missing_line_is_an_error_that_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        written(&path, 2);
        let error = MetricsFile::open(&path, 3).unwrap_err().to_string();
        assert!(error.contains("holds the first 2 epochs, expected 3"), "{error}");
        assert!(error.contains("delete the checkpoint"), "{error}");
    }
}
