//! Where results come from: the program, its engine and the machine.

use serde::{Deserialize, Serialize};

/// What trained or predicted: program, engine and machine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(expecting = "an object")]
pub struct Provenance {
    /// Version of the program.
    pub version: String,
    /// Commit of its source, with `+dirty` when the source differed from it; "unknown" outside a git checkout.
    pub commit: String,
    /// The engine: `ciresan-cpu`, `libtorch 2.11.0`.
    pub engine: String,
    /// The engine's instruction set, where results depend on it: `avx2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction_set: Option<String>,
    /// What the engine rounds operands to: `fp32`, `tf32`, `bf16`.
    pub precision: String,
    /// The CPU's name.
    pub cpu: String,
    /// The GPUs that computed, if any did: `1 NVIDIA GPU`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<String>,
    /// The C library, whose `exp` and `ln` the results depend on: `glibc 2.36`; `None` if the system does not report it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub libc: Option<String>,
}

impl Provenance {
    /// Whether the source had changes that no commit holds, so that nobody can build the program again.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.commit.ends_with("+dirty")
    }

    /// What decides the rounding of results: `ciresan-cpu avx2 fp32`, `libtorch 2.11.0 bf16 on 1 NVIDIA GPU`.
    #[must_use]
    pub fn kind(&self) -> String {
        let mut kind = self.engine.clone();
        for part in self.instruction_set.iter().chain([&self.precision]).filter(|part| !part.is_empty()) {
            kind += &format!(" {part}");
        }
        if let Some(gpu) = &self.gpu {
            kind += &format!(" on {gpu}");
        }
        kind
    }
}

/// One run of a program on a column: from its beginning or an interruption to the next or the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "an object")]
pub struct TrainingRun {
    /// When it took up the column: RFC 3339, UTC.
    pub begun: String,
    /// Complete epochs that it found.
    pub epochs_before: u32,
    /// Seconds that it spent on the column, by the clock.
    pub wall_s: f64,
    /// The program and its machine.
    pub by: Provenance,
}
