//! A column's error on the digits that were held out of training.

use std::fs;
use std::io;
use std::path::Path;

use committee::Score;
use serde::Deserialize;

use crate::ReportError;

/// What is read of a line of `metrics.jsonl`.
#[derive(Debug, Deserialize)]
pub(crate) struct Epoch {
    /// Share of the held-out digits, 0..=1.
    pub(crate) validation_error: Option<f64>,
    /// Seconds since the column's training began.
    pub(crate) elapsed_s: Option<f64>,
}

/// The last epoch of these metrics; `None` when the file is not there or empty.
///
/// # Errors
/// [`ReportError::Metrics`] when the file cannot be read or its last line is no epoch's.
pub(crate) fn last_epoch(metrics: &Path) -> Result<Option<Epoch>, ReportError> {
    let failed = |reason: String| ReportError::Metrics { path: metrics.to_path_buf(), reason };
    let text = match fs::read_to_string(metrics) {
        Ok(text) => text,
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(reason) => return Err(failed(format!("cannot read: {reason}"))),
    };
    let Some((index, last)) = text.lines().enumerate().last() else { return Ok(None) };
    let epoch: Epoch = serde_json::from_str(last)
        .map_err(|error| failed(format!("line {} is no epoch's: {error}", index + 1)))?;
    match epoch.validation_error {
        Some(error) if !(0.0..=1.0).contains(&error) => {
            Err(failed(format!("line {} has the validation error {error}, expected 0 to 1", index + 1)))
        }
        _ => Ok(Some(epoch)),
    }
}

/// The errors on `n_validation` held-out digits after the last epoch of these metrics; `None` when they are not known.
///
/// # Errors
/// Those of [`last_epoch`].
pub(crate) fn validation_score(metrics: &Path, n_validation: u32) -> Result<Option<Score>, ReportError> {
    let Some(error) = last_epoch(metrics)?.and_then(|epoch| epoch.validation_error) else { return Ok(None) };
    // A share of these digits: the nearest count is the one it was made from.
    let errors = (error * f64::from(n_validation)).round() as u32;
    Ok((n_validation > 0).then_some(Score { errors, n: n_validation }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Score>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        fs::write(&path, text).unwrap();
        validation_score(&path, 10_000).map_err(|error| {
            let message = error.to_string();
            message.strip_prefix(&format!("{}: ", path.display())).unwrap_or(&message).to_owned()
        })
    }

    #[test]
    fn the_last_epoch_counts() {
        let text = "{\"epoch\":1,\"validation_error\":0.024}\n{\"epoch\":2,\"validation_error\":0.0132}\n";
        assert_eq!(read(text), Ok(Some(Score { errors: 132, n: 10_000 })));
        assert_eq!(read("{\"epoch\":1,\"validation_error\":null}\n"), Ok(None));
        assert_eq!(read("{\"epoch\":1}\n"), Ok(None));
        assert_eq!(read(""), Ok(None));
        assert!(matches!(validation_score(Path::new("no/such/metrics.jsonl"), 5), Ok(None)));
    }

    #[test]
    fn damaged_metrics_are_named_by_line() {
        let message = read("{\"epoch\":1}\n{\"epo").unwrap_err();
        assert!(message.starts_with("line 2 is no epoch's: "), "{message}");
        let message = read("{\"validation_error\":1.5}").unwrap_err();
        assert_eq!(message, "line 1 has the validation error 1.5, expected 0 to 1");
    }
}
