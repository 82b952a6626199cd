//! The program `predictor`: what finished columns make of digits, from stdin to stdout.
#![forbid(unsafe_code)]

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use ciresan_cpu::{CpuEngine, Isa};
use ciresan_net::{EngineSpec, Parameters};
use clap::Parser;
use mnist_data::idx::{self, Array};
use ndarray::Ix3;
use study::{ColumnId, ResultsFolder};

/// Applies finished columns of a study to digits.
///
/// Reads the digits from stdin: IDX, raw or gzip, of bytes, [images, height, width], 0 background to 255 ink. Writes the
/// probabilities to stdout: IDX of f32, [columns, images, classes], the columns in the order asked for.
#[derive(Debug, Parser)]
#[command(name = "predictor", version, after_help = EXIT_CODES)]
struct Cli {
    /// Results folder of the study
    #[arg(long, value_name = "DIR")]
    study: PathBuf,

    /// Finished columns, separated by commas, like w14-1,original-2
    #[arg(long, value_name = "IDS", value_delimiter = ',', required = true)]
    columns: Vec<ColumnId>,
}

/// Shown under the flags.
const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 weights or digits that cannot be used; 2 a wrong flag.

Environment variables:
  CIRESAN_INSTRUCTION_SET  avx512, avx2 or portable: what to compute with [default: the fastest of this CPU]";

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where stderr is closed there is no other place to tell it.
            let _ = writeln!(io::stderr().lock(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    // Before anything that can fail, so that whoever writes them is not cut off in the middle.
    let digits = idx::read_from(io::stdin().lock(), "the digits on stdin")?;
    let shape = digits.shape().to_vec();
    let Array::U8(digits) = digits else { bail!("the digits on stdin: {} instead of u8", digits.element()) };
    let digits = digits.into_dimensionality::<Ix3>();
    let digits =
        digits.with_context(|| format!("the digits on stdin: shape {shape:?}, expected three axes"))?;

    let isa = match std::env::var_os("CIRESAN_INSTRUCTION_SET") {
        Some(name) => name.to_string_lossy().parse().context("CIRESAN_INSTRUCTION_SET")?,
        None => Isa::best(),
    };
    let folder = ResultsFolder::open(&cli.study);
    let Some(manifest) = folder.manifest()? else { bail!("{}: no study.json there", cli.study.display()) };
    let make = |spec: &EngineSpec, columns: &[Parameters]| CpuEngine::with_isa(spec, columns, isa);
    let probabilities = classifier::predict_finished(&folder, &manifest, &cli.columns, digits.view(), make)?;
    let mut stdout = BufWriter::new(io::stdout().lock());
    idx::write_to(&mut stdout, &Array::from(probabilities), "stdout")?;
    Ok(stdout.flush()?)
}
