//! Trains the paper's network in candle or burn, to be timed against other contenders (../README.md has the protocol).
//!
//! The program starts itself once for every column that trains side by side: the frameworks read their number of
//! threads from the environment, which only a parent can set in time.

mod burn;
mod candle;
mod data;

use std::env;
use std::io::{BufRead, BufReader, Write, stdin, stdout};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

// Both frameworks allocate every intermediate tensor anew: candle trains a fifth faster than with glibc's allocator, and burn
// no slower.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str =
    "usage: rust-training-peers candle|burn [--threads T] [--processes P] [--batch B] [--check]";
const WARM_UP_STEPS: usize = 12;
/// Set for the processes that train; its value means nothing.
const WORKER: &str = "RUST_TRAINING_PEERS_WORKER";

/// A column in training.
trait Trainer {
    /// That many steps, at least one, each on the next batch; the loss of the last one. Nothing is pending afterwards.
    fn train(&mut self, n_steps: usize) -> Result<f32>;
}

struct Args {
    framework: String,
    threads: usize,
    processes: usize,
    batch: usize,
    check: bool,
}

impl Args {
    fn parse() -> Result<Self> {
        let mut words = env::args().skip(1);
        let framework = words.next().context(USAGE)?;
        let mut args = Self { framework, threads: 1, processes: 1, batch: 128, check: false };
        while let Some(word) = words.next() {
            let number = match word.as_str() {
                "--threads" => &mut args.threads,
                "--processes" => &mut args.processes,
                "--batch" => &mut args.batch,
                "--check" => {
                    args.check = true;
                    continue;
                }
                _ => bail!("{word}: {USAGE}"),
            };
            let value = words.next().with_context(|| format!("{word} has no value: {USAGE}"))?;
            *number = value.parse().with_context(|| format!("{word} {value}"))?;
            ensure!(
                (1..=data::N_IMAGES).contains(number),
                "{word} {value}, expected 1 to {}",
                data::N_IMAGES
            );
        }
        Ok(args)
    }

    fn trainer(&self) -> Result<Box<dyn Trainer>> {
        match self.framework.as_str() {
            "candle" => Ok(Box::new(candle::Candle::new(self.batch)?)),
            "burn" => Ok(Box::new(burn::Burn::new(self.batch))),
            other => bail!("{other}: {USAGE}"),
        }
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let args = Args::parse()?;
    if env::var_os(WORKER).is_some() { work(&args) } else { conduct(&args) }
}

/// Trains one column: the losses of 5 steps, or an answer to each count of images on stdin.
fn work(args: &Args) -> Result<()> {
    let mut trainer = args.trainer()?;
    if args.check {
        let losses = (0..5).map(|_| trainer.train(1)).collect::<Result<Vec<_>>>()?;
        return say(&json!({ "name": args.framework, "precision": "fp32", "losses": losses }));
    }
    trainer.train(WARM_UP_STEPS)?;
    say(&Value::Null)?;
    for line in stdin().lines() {
        let n_steps = count(&line?)?.div_ceil(args.batch).max(1);
        let start = Instant::now();
        let loss = trainer.train(n_steps)?;
        let seconds = start.elapsed().as_secs_f64();
        ensure!(loss.is_finite(), "the loss is {loss}, expected a finite one");
        say(&json!({ "images": n_steps * args.batch, "seconds": seconds }))?;
    }
    Ok(())
}

/// Starts the columns' processes and speaks for all of them: a turn lasts as long as the slowest of them.
fn conduct(args: &Args) -> Result<()> {
    let n_processes = if args.check { 1 } else { args.processes };
    let mut workers = (0..n_processes).map(|_| Worker::start(args)).collect::<Result<Vec<_>>>()?;
    for worker in &mut workers {
        let line = worker.hear()?;
        if args.check {
            return say(&line);
        }
    }
    let (version, detail) = match args.framework.as_str() {
        "candle" => ("0.11.1", "candle on its own CPU kernels, f32, tanh after max_pool2d, momentum by hand"),
        _ => ("0.22.1", "burn on its flex backend, f32, tanh after max pooling"),
    };
    say(&json!({
        "name": args.framework,
        "version": version,
        "threads": args.threads * args.processes,
        "task": "train",
        "processes": args.processes,
        "batch": args.batch,
        "detail": detail,
    }))?;
    for line in stdin().lines() {
        let share = count(&line?)?.div_ceil(workers.len());
        for worker in &mut workers {
            writeln!(worker.stdin, "{share}").context("a training process is gone")?;
        }
        let (mut images, mut seconds) = (0, 0.0_f64);
        for worker in &mut workers {
            let turn = worker.hear()?;
            images += turn["images"].as_u64().context("images of a turn")?;
            seconds = seconds.max(turn["seconds"].as_f64().context("seconds of a turn")?);
        }
        say(&json!({ "images": images, "seconds": seconds }))?;
    }
    Ok(())
}

/// A process that trains. It ends with its stdin.
struct Worker {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    process: Child,
}

impl Worker {
    fn start(args: &Args) -> Result<Self> {
        let threads = args.threads.to_string();
        let mut process = Command::new(env::current_exe()?)
            .args(env::args().skip(1))
            .envs([(WORKER, "1"), ("RAYON_NUM_THREADS", &threads), ("CANDLE_NUM_THREADS", &threads)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a training process")?;
        let stdin = process.stdin.take().context("stdin is piped")?;
        let stdout = BufReader::new(process.stdout.take().context("stdout is piped")?);
        Ok(Self { stdin, stdout, process })
    }

    fn hear(&mut self) -> Result<Value> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            let status = self.process.wait()?;
            ensure!(status.code() == Some(1), "a training process ended with {status}");
            std::process::exit(1); // it has said why
        }
        Ok(serde_json::from_str(&line)?)
    }
}

fn count(line: &str) -> Result<usize> {
    line.trim().parse().with_context(|| format!("{line:?}, expected a count of images"))
}

fn say(answer: &Value) -> Result<()> {
    let mut stdout = stdout().lock();
    writeln!(stdout, "{answer}")?;
    Ok(stdout.flush()?)
}
