//! The instruction set that the environment asks for.

use std::env;

use anyhow::Result;
use ciresan_cpu::InstructionSet;

use crate::failure::usage_error;

/// Names the instruction set to compute with: a test's, or that of the machine on which a study was begun.
pub(crate) const VARIABLE: &str = "CIRESAN_INSTRUCTION_SET";

/// For the help of commands that compute.
pub(crate) const ENVIRONMENT: &str = "  CIRESAN_INSTRUCTION_SET
                 avx512, avx2 or portable: the instruction set to use [default: the fastest of
                 this CPU]; a study gives the same bits only on the instruction set that it
                 was started with";

/// The instruction set that the environment names, if it names one.
///
/// # Errors
/// A usage error when this CPU does not have it.
pub(crate) fn asked_for() -> Result<Option<InstructionSet>> {
    let Some(name) = env::var_os(VARIABLE).filter(|name| !name.is_empty()) else { return Ok(None) };
    let name = name.to_string_lossy().to_ascii_lowercase();
    Ok(Some(name.parse().map_err(|error| usage_error(format_args!("{VARIABLE}: {error}")))?))
}

/// The instruction set to compute with: that of the environment, else the fastest.
///
/// # Errors
/// As [`asked_for`].
pub(crate) fn chosen() -> Result<InstructionSet> {
    Ok(asked_for()?.unwrap_or_else(InstructionSet::best))
}
