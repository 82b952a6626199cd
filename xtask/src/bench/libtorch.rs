//! `cargo xtask bench --device`: whether the engine on libtorch is right on a device, and how fast.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use ciresan_net::Precision;
use mcdnn::digits::Digits;
use mcdnn::host::{Machine, version};
use mcdnn::plan::epoch_speeds;
use mcdnn::{Device, Terminal, device, libtorch};
use serde::Serialize;
use serde_json::Value;
use study::{DataSet, ResultsFolder, Study};

use super::origin::clean_commit;
use crate::build::{self, Kind, Profile};
use crate::terminal;
use crate::test::step;
use crate::workspace::{Workspace, same_command_again};

/// Version of what is printed and written.
const SCHEMA: u32 = 2;

/// The example of `ciresan-net` that measures.
const EXAMPLE: &str = "libtorch_speed";

/// What is printed, and written for a GPU.
#[derive(Debug, Serialize)]
struct Report {
    schema: u32,
    command: String,
    /// Of the code, if it is a commit's own.
    commit: Option<String>,
    machine: Machine,
    /// Name, memory, driver and power limit of each.
    gpus: Vec<String>,
    libtorch: String,
    /// The engine's tests on this device: they passed, or there is no report.
    correctness: &'static str,
    /// What the example printed, a run each: step time by columns, batch, precision and way of convolving.
    speed: Vec<Value>,
    /// All of it, a run each: digits distorted, fed and trained on by the program `mcdnn`.
    training: Vec<Training>,
    /// What Nsight Systems counted of a run, or why it did not.
    profile: String,
    /// Of all this, builds included.
    wall_s: f64,
}

#[derive(Debug, Serialize)]
struct Training {
    columns: usize,
    batch: u32,
    precision: Precision,
    /// Of all columns together, in the last of [`EPOCHS`]: their sum, which holds where all fit the memory and train side by side.
    images_per_second: f64,
}

/// Epochs that are trained; the first also allocates, and loads what libtorch loads late.
const EPOCHS: u32 = 2;

/// Arguments of the runs.
fn runs(device: Device) -> &'static [&'static [&'static str]] {
    match device {
        Device::Cuda => &[
            &["--device", "cuda:0", "--columns", "1,7,35", "--batch", "32,128,512", "--seconds", "0.1"],
            // Whether cuDNN's own search for the fastest kernels pays.
            &[
                "--device",
                "cuda:0",
                "--columns",
                "35",
                "--batch",
                "128,512",
                "--seconds",
                "0.1",
                "--cudnn-benchmark",
            ],
        ],
        // Enough to try this script; nobody would train so.
        Device::Cpu | Device::LibtorchCpu => &[&[
            "--device",
            "cpu",
            "--columns",
            "1,2",
            "--batch",
            "128",
            "--precision",
            "fp32,bf16",
            "--seconds",
            "0.1",
        ]],
    }
}

/// What is profiled.
const PROFILED: [&str; 10] =
    ["--device", "cuda:0", "--columns", "35", "--batch", "128", "--precision", "bf16", "--seconds", "0.2"];

/// Tests, measures, and returns the report as JSON.
///
/// # Errors
/// When there is no such device, libtorch cannot be had, a test fails, or the measuring program does.
pub(super) fn run(workspace: &Workspace, device: Device) -> Result<String> {
    let started = Instant::now();
    device.check()?;
    let found = libtorch::bring(&workspace.place(), &Terminal::standard())?;
    terminal::note(&found);
    // Whatever may be missing is missed before minutes of measuring.
    let program = build::program_with_libtorch(workspace, "mcdnn", Kind::Bin("mcdnn"), Profile::Release)?;
    let mut study = study(workspace, device)?;
    Digits::bring(study.data, None, &Terminal::standard())?;

    let package = ["--release", "--package", "ciresan-net", "--features", "libtorch"];
    let mut tests = workspace.cargo_with_libtorch();
    // stdout is for the report.
    tests.arg("test").args(package).args(["--lib", "libtorch"]).stdout(io::stderr());
    step("correctness: the engine's tests", &mut tests)?;

    let example =
        build::program_with_libtorch(workspace, "ciresan-net", Kind::Example(EXAMPLE), Profile::Release)?;
    let speed = runs(device).iter().map(|args| measure(&example, args)).collect::<Result<_>>()?;
    let mut training = Vec::new();
    for precision in [Precision::Fp32, Precision::Bf16] {
        study.precision = precision;
        training.push(train(&program, &study, device)?);
    }
    let profile = if device == Device::Cuda { profile(&example) } else { "not on a CPU".to_owned() };
    let report = Report {
        schema: SCHEMA,
        command: same_command_again(),
        commit: clean_commit(workspace),
        machine: Machine::this(),
        gpus: device::nvidia_gpus().unwrap_or_default(),
        libtorch: found.installation.version().to_owned(),
        correctness: "passed",
        speed,
        training,
        profile,
        wall_s: started.elapsed().as_secs_f64(),
    };
    let mut text = serde_json::to_string_pretty(&report)?;
    text.push('\n');
    Ok(text)
}

/// Runs the example, whose progress goes to stderr, and reads what it prints.
fn measure(example: &Path, args: &[&str]) -> Result<Value> {
    terminal::note(format_args!("── speed: {EXAMPLE} {}", args.join(" ")));
    let output = Command::new(example).args(args).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("{}: cannot start", example.display()))?;
    if !output.status.success() {
        bail!("{EXAMPLE} failed ({}); its messages are above", output.status);
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("{EXAMPLE} printed something unexpected"))
}

/// The paper's study, a few epochs of it; on a CPU two columns on the embedded sample.
fn study(workspace: &Workspace, device: Device) -> Result<Study> {
    let mut study = Study::read(&workspace.configs().join("paper.json"))?;
    study.epochs = EPOCHS;
    if device != Device::Cuda {
        study.data = DataSet::Sample;
        study.widths.truncate(2);
        study.columns_per_width = 1;
    }
    Ok(study)
}

/// Trains the study, and reads how fast.
fn train(program: &Path, study: &Study, device: Device) -> Result<Training> {
    let place = tempfile::tempdir().context("no temporary folder for a study")?;
    let (config, root) = (place.path().join("config.json"), place.path().join("study"));
    study::write_whole(&config, study.to_json().as_bytes())?;
    let mut training = Command::new(program);
    training.args(["reproduce", "--device", &device.to_string()]).arg("--config").arg(&config);
    training.arg("--study").arg(&root).stdin(Stdio::null()).stdout(io::stderr());
    step("training: distortion, feeding and steps", &mut training)?;
    let folder = ResultsFolder::open(root);
    let columns = study.columns();
    let last_speed = |id| {
        let speeds = epoch_speeds(&folder.column(id));
        match speeds.last() {
            Some(&last) if speeds.len() == EPOCHS as usize => Ok(last),
            _ => bail!("column {id}: speeds of {} epochs in its metrics, expected {EPOCHS}", speeds.len()),
        }
    };
    let speeds = columns.iter().map(last_speed);
    Ok(Training {
        columns: columns.len(),
        batch: study.batch,
        precision: study.precision,
        images_per_second: speeds.sum::<Result<f64>>()?,
    })
}

/// A run under Nsight Systems: the time of every kernel and copy.
fn profile(example: &Path) -> String {
    if version(&mut Command::new("nsys")).is_none() {
        return "no program nsys here: install NVIDIA's Nsight Systems for a profile".to_owned();
    }
    terminal::note("── profile: nsys");
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => return format!("no temporary folder for nsys: {error}"),
    };
    let mut nsys = Command::new("nsys");
    nsys.args(["profile", "--trace=cuda,cudnn,cublas", "--stats=true", "--output"])
        .arg(folder.path().join("profile"));
    match nsys.arg(example).args(PROFILED).stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
        Ok(output) => {
            format!("nsys failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim())
        }
        Err(error) => format!("nsys cannot start: {error}"),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn what_the_example_prints_is_read_and_its_failure_told() {
        let script =
            |text: &str| measure(Path::new("/bin/sh"), &["-c", text]).map_err(|error| format!("{error:#}"));
        assert_eq!(script("echo '{\"schema\": 1}'").unwrap()["schema"], 1);
        assert!(script("exit 1").unwrap_err().contains("libtorch_speed failed (exit status: 1)"));
        assert!(script("echo no JSON").unwrap_err().contains("printed something unexpected"));
    }
}
