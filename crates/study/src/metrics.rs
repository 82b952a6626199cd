//! `metrics.jsonl`: a line of JSON for every epoch of a column. The one definition of such a line, and the one reader.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::StudyError;
use crate::read_file::read_column_file;

/// One epoch of one column: a line of `metrics.jsonl`. Keys that later versions add are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The epoch, counted from 1.
    pub epoch: u32,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f32,
    /// Mean cross-entropy over the epoch's images, each taken before the step it belongs to; in nats.
    pub loss: f64,
    /// Mean over the epoch's steps of the mean over parameter tensors of ‖lr·∇‖₁ / ‖θ‖₁.
    pub update_ratio: f64,
    /// Share of the epoch's images that were skipped, 0..=1; absent where the config's `skip_below` is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<f64>,
    /// Images of this column trained a second, skipped ones and distortion included, validation and saving not; a group's columns have
    /// about the same.
    pub images_per_second: f64,
    /// Share of the held-out training digits that is wrong after the epoch, 0..=1; absent when none are held out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_error: Option<f64>,
    /// Seconds spent on this column so far, over all runs.
    pub elapsed_s: f64,
}

impl EpochRecord {
    /// The share of digits wrong above which a column has learnt nothing.
    pub const NOTHING_LEARNT: f64 = 0.5;

    /// Without held-out digits: the loss above which it has learnt nothing, in nats. Guessing among ten classes gives ln 10 = 2.3.
    const NOTHING_LEARNT_LOSS: f64 = 1.5;

    /// Whether a column has learnt nothing in the first tenth of its `epochs`, or later: its error on the held-out digits is above one half
    /// or, where none are held out, its loss above 1.5.
    #[must_use]
    pub fn has_learnt_nothing(&self, epochs: u32) -> bool {
        let wrong = match self.validation_error {
            Some(error) => error > Self::NOTHING_LEARNT,
            None => self.loss > Self::NOTHING_LEARNT_LOSS,
        };
        wrong && u64::from(self.epoch) * 10 >= epochs.into()
    }

    /// The whole lines of some metrics, with epochs that rise: lines that are damaged or cut off are left out, and so are
    /// those that do not go on from the line before. An unfinished column may be at work on its last line.
    pub fn lines(bytes: &[u8]) -> impl Iterator<Item = (&[u8], Self)> {
        let mut last = 0;
        bytes.split_inclusive(|&byte| byte == b'\n').filter_map(move |line| {
            let record: Self = serde_json::from_slice(line.strip_suffix(b"\n")?).ok()?;
            let mut shares = [record.skipped, record.validation_error].into_iter().flatten();
            let goes_on = record.epoch > last && shares.all(|share| (0.0..=1.0).contains(&share));
            goes_on.then(|| {
                last = record.epoch;
                (line, record)
            })
        })
    }
}

/// The epochs in the metrics at `path`, by [`EpochRecord::lines`]; none when there is no such file.
///
/// # Errors
/// [`StudyError::Io`] when the file cannot be read.
pub fn read_metrics(path: &Path) -> Result<Vec<EpochRecord>, StudyError> {
    match read_column_file(path) {
        Ok(bytes) => Ok(EpochRecord::lines(&bytes).map(|(_, record)| record).collect()),
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(reason) => Err(StudyError::io(path, "read the metrics")(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(text: &str) -> Vec<u32> {
        EpochRecord::lines(text.as_bytes()).map(|(_, record)| record.epoch).collect()
    }

    fn line(epoch: u32, more: &str) -> String {
        format!(
            "{{\"epoch\":{epoch},\"learning_rate\":0.05,\"loss\":0.25,\"update_ratio\":0.001,\
             \"images_per_second\":10000.0{more},\"elapsed_s\":1.0}}\n"
        )
    }

    #[test]
    fn a_line_is_one_flat_object() {
        let record = EpochRecord {
            epoch: 1,
            learning_rate: 0.05,
            loss: 0.25,
            update_ratio: 0.001,
            skipped: None,
            images_per_second: 10_000.0,
            validation_error: None,
            elapsed_s: 1.0,
        };
        assert_eq!(serde_json::to_string(&record).unwrap() + "\n", line(1, ""));
        let with = EpochRecord { validation_error: Some(0.0061), ..record };
        assert_eq!(serde_json::to_string(&with).unwrap() + "\n", line(1, ",\"validation_error\":0.0061"));
        let skipping = EpochRecord { skipped: Some(0.625), ..record };
        let text = serde_json::to_string(&skipping).unwrap() + "\n";
        assert!(text.contains("\"update_ratio\":0.001,\"skipped\":0.625,\"images_per_second\""), "{text}");
        assert_eq!(EpochRecord::lines(text.as_bytes()).next().unwrap().1, skipping);
    }

    #[test]
    fn keys_of_later_versions_are_ignored() {
        assert_eq!(epochs(&line(1, ",\"heat\":0.4")), [1]);
    }

    #[test]
    fn damaged_lines_are_left_out_and_the_others_kept() {
        let text = [line(1, ""), line(2, ""), line(3, "")].concat();
        assert_eq!(epochs(&text), [1, 2, 3]);
        assert_eq!(epochs(&text[..text.len() - 1]), [1, 2]);
        assert_eq!(epochs(&text.replace("\"epoch\":2", "\"epoch\"2")), [1, 3]);
        assert_eq!(epochs(&[line(2, ""), line(2, ""), line(1, ""), line(5, "")].concat()), [2, 5]);
        assert_eq!(epochs(&line(1, ",\"validation_error\":1.5")), [0; 0]);
        assert_eq!(epochs(&line(1, ",\"skipped\":-0.1")), [0; 0]);
        assert_eq!(epochs(""), [0; 0]);
    }

    #[test]
    fn no_file_has_no_epochs() {
        assert_eq!(read_metrics(Path::new("no/such/metrics.jsonl")).unwrap(), []);
    }
}
