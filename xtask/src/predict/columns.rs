//! The program `predictor`, which applies the columns: built by cargo, asked over its stdin and stdout.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use mnist_data::idx::{self, Array};
use ndarray::{Array3, Axis, Ix3};

use super::source::Found as Image;
use crate::build::{self, Kind, Profile};
use crate::failure::AlreadyTold;
use crate::studies::Found;
use crate::workspace::Workspace;

/// What it writes, in errors.
const ANSWER: &str = "the predictor's answer";

/// Builds the predictor with the profile this program was built with, and returns the path of the executable.
///
/// # Errors
/// Those of [`build::program`].
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    build::program(workspace, "trainer", Kind::Bin("predictor"), Profile::own())
}

/// What the finished columns of a study make of some digits: `[columns, images, 10]`.
///
/// # Errors
/// When the predictor cannot be started or fails, of which it has told the reason then.
pub(crate) fn ask(program: &Path, found: &Found, images: &[Image]) -> Result<Array3<f32>> {
    let columns: Vec<String> = found.finished.iter().map(ToString::to_string).collect();
    let mut child = Command::new(program)
        .arg("--study")
        .arg(found.folder.root())
        .args(["--columns", &columns.join(",")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{}: cannot start the predictor", program.display()))?;
    let views: Vec<_> = images.iter().map(|image| image.pixels.view()).collect();
    let digits = Array::from(ndarray::stack(Axis(0), &views)?);
    let mut bytes = Vec::new();
    idx::write_to(&mut bytes, &digits, "the digits")?;
    // It reads all before it writes anything; the pipe closes behind the last byte.
    let sent = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(&bytes));
    let output = child.wait_with_output().context("waiting for the predictor")?;
    match output.status.code() {
        Some(0) => {}
        Some(code) => return Err(AlreadyTold(u8::try_from(code).unwrap_or(1)).into()),
        None => bail!("the predictor was ended from outside ({})", output.status),
    }
    sent.context("sending digits to the predictor")?;
    let answer = idx::read_from(io::Cursor::new(output.stdout), ANSWER)?;
    let shape = answer.shape().to_vec();
    match answer {
        Array::F32(probabilities) if shape[..] == [columns.len(), images.len(), 10] => {
            Ok(probabilities.into_dimensionality::<Ix3>()?)
        }
        _ => bail!("{ANSWER}: shape {shape:?}, expected {:?}", [columns.len(), images.len(), 10]),
    }
}
