//! The names of a study's files that more than one part knows.

/// The manifest's name.
pub(crate) const MANIFEST: &str = "study.json";
/// Names of a column's files.
pub(crate) const WEIGHTS: &str = "weights.safetensors";
pub(crate) const METRICS: &str = "metrics.jsonl";
pub(crate) const VALIDATION: &str = "validation.npy";
pub(crate) const PROBABILITIES: &str = "probabilities.npy";
pub(crate) const VIEWS: &str = "views.npy";
