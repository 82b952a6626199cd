//! This crate's contender in the comparison of training speeds: a column on each thread, timed turn by turn.
//!
//! ```text
//! cargo run --release -p ciresan-cpu --example training_race -- --threads 2
//! ```
//!
//! The protocol and the other contenders are in `xtask/peers/`: a line on stdin is a count of images to train on.

use std::error::Error;
use std::io::{Write, stdin, stdout};
use std::process::ExitCode;
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Instant;

use ciresan_cpu::CpuEngine;
use ciresan_net::{Activation, Engine, EngineSpec, Network, Optimizer, Parameters, Precision, Step};

const NETWORK: &str = "1x29x29-20C4-MP2-40C5-MP3-150N-10N";
const LEARNING_RATE: f32 = 0.05;
const N_IMAGES: usize = 4096;
const WARM_UP_STEPS: usize = 12;
const USAGE: &str = "usage: training_race [--threads T] [--batch B] [--check]";

type Failure = Box<dyn Error + Send + Sync>;

struct Args {
    threads: usize,
    batch: usize,
    check: bool,
}

impl Args {
    fn parse() -> Result<Self, Failure> {
        let mut args = Self { threads: 1, batch: 128, check: false };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let number = match word.as_str() {
                "--threads" => &mut args.threads,
                "--batch" => &mut args.batch,
                "--check" => {
                    args.check = true;
                    continue;
                }
                _ => return Err(format!("{word}: {USAGE}").into()),
            };
            let value = words.next().unwrap_or_default();
            *number = value.parse().map_err(|error| format!("{word} {value:?}: {error}; {USAGE}"))?;
            if !(1..=N_IMAGES).contains(number) {
                return Err(format!("{word} {value}, expected 1 to {N_IMAGES}").into());
            }
        }
        Ok(args)
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A closed stderr leaves nobody to tell.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let args = Args::parse()?;
    let data = Data::new();
    if args.check {
        let mut column = Column::new(&data, args.batch)?;
        let losses = (0..5).map(|_| Ok(column.train(1)?.to_string())).collect::<Result<Vec<_>, Failure>>()?;
        return say(&format!(
            r#"{{"name": "ciresan-cpu", "precision": "fp32", "losses": [{}]}}"#,
            losses.join(", ")
        ));
    }
    let barrier = Barrier::new(args.threads);
    thread::scope(|scope| {
        let (answer, answers) = mpsc::channel();
        let mut orders = Vec::new();
        for _ in 0..args.threads {
            let (order, counts) = mpsc::channel();
            orders.push(order);
            let (answer, data, barrier, batch) = (answer.clone(), &data, &barrier, args.batch);
            scope.spawn(move || work(data, batch, barrier, &counts, &answer));
        }
        race(&args, &orders, &answers)
    })
}

/// Leads the columns' threads through the turns that stdin asks for.
fn race(
    args: &Args,
    orders: &[mpsc::Sender<usize>],
    answers: &mpsc::Receiver<Result<Turn, Failure>>,
) -> Result<(), Failure> {
    let turn = |n_images: usize| -> Result<(usize, f64), Failure> {
        let n_steps = n_images.div_ceil(orders.len()).div_ceil(args.batch).max(1);
        for order in orders {
            order.send(n_steps)?;
        }
        let turns = orders.iter().map(|_| answers.recv()?).collect::<Result<Vec<_>, _>>()?;
        let start = turns.iter().map(|turn| turn.start).min().ok_or("no threads")?;
        let end = turns.iter().map(|turn| turn.end).max().ok_or("no threads")?;
        Ok((orders.len() * n_steps * args.batch, (end - start).as_secs_f64()))
    };
    turn(WARM_UP_STEPS * args.batch * orders.len())?;
    say(&format!(
        r#"{{"name": "ciresan-cpu", "version": "{}", "threads": {}, "task": "train", "batch": {}, "detail": "fp32, {}, a column on each thread, tanh of winners only"}}"#,
        env!("CARGO_PKG_VERSION"),
        args.threads,
        args.batch,
        ciresan_cpu::InstructionSet::best(),
    ))?;
    for line in stdin().lines() {
        let line = line?;
        let n_images =
            line.trim().parse().map_err(|error| format!("{line:?}, expected a count of images: {error}"))?;
        let (n_images, seconds) = turn(n_images)?;
        say(&format!(r#"{{"images": {n_images}, "seconds": {seconds}}}"#))?;
    }
    Ok(())
}

/// When one thread's part of a turn began and ended.
struct Turn {
    start: Instant,
    end: Instant,
}

/// Trains one column: an answer for each count of steps, which all threads start together.
fn work(
    data: &Data,
    batch: usize,
    barrier: &Barrier,
    counts: &mpsc::Receiver<usize>,
    answer: &mpsc::Sender<Result<Turn, Failure>>,
) {
    let mut column = Column::new(data, batch);
    for n_steps in counts {
        barrier.wait();
        let start = Instant::now();
        let trained = match &mut column {
            Ok(column) => column.train(n_steps).map(|_| ()),
            Err(error) => Err(error.to_string().into()),
        };
        let end = Instant::now();
        if answer.send(trained.map(|()| Turn { start, end })).is_err() {
            return;
        }
    }
}

/// An engine with one column, and where it is in the data.
struct Column<'data> {
    engine: CpuEngine,
    data: &'data Data,
    batch: usize,
    n_steps: usize,
}

impl<'data> Column<'data> {
    fn new(data: &'data Data, batch: usize) -> Result<Self, Failure> {
        let network: Network = NETWORK.parse()?;
        let start = first_parameters(&network);
        let optimizer = Optimizer::Sgd { momentum: 0.9, nesterov: true };
        let spec = EngineSpec {
            network,
            activation: Activation::ScaledTanh,
            optimizer,
            precision: Precision::Fp32,
            max_batch: batch,
            skip_below: 0.0,
        };
        Ok(Self { engine: CpuEngine::new(&spec, &[start])?, data, batch, n_steps: 0 })
    }

    /// That many steps, at least one; the last one's loss.
    fn train(&mut self, n_steps: usize) -> Result<f64, Failure> {
        let image_len = self.data.images.len() / N_IMAGES;
        let mut steps = [Step::default()];
        for _ in 0..n_steps {
            let first = self.n_steps % (N_IMAGES / self.batch) * self.batch;
            let range = first..first + self.batch;
            let images = &self.data.images[range.start * image_len..range.end * image_len];
            self.engine.train_step(images, &self.data.labels[range], LEARNING_RATE, &mut steps)?;
            self.n_steps += 1;
        }
        if !steps[0].loss.is_finite() {
            return Err(format!("the loss is {}, expected a finite one", steps[0].loss).into());
        }
        Ok(steps[0].loss)
    }
}

/// The images and labels that every contender trains on.
struct Data {
    images: Vec<f32>,
    labels: Vec<u8>,
}

impl Data {
    fn new() -> Self {
        Self {
            images: uniform(8, N_IMAGES * 29 * 29).collect(),
            labels: hashes(9, N_IMAGES).map(|z| ((z >> 32) % 10) as u8).collect(),
        }
    }
}

/// First parameters, the same in every contender: tensor i from stream i, uniform within 1/√fan-in of its layer.
fn first_parameters(network: &Network) -> Parameters {
    let mut parameters = Parameters::zeros(network);
    let layout = parameters.layout().to_vec();
    let mut fan_in = 1;
    for (stream, spec) in (0..).zip(&layout) {
        if !spec.is_bias() {
            fan_in = spec.fan_in();
        }
        let bound = (1.0 / fan_in as f64).sqrt() as f32;
        let values = &mut parameters.values_mut()[spec.range.clone()];
        for (value, drawn) in values.iter_mut().zip(uniform(stream, spec.range.len())) {
            *value = drawn * bound;
        }
    }
    parameters
}

/// In -1..1, exact in 24 bits.
fn uniform(stream: u64, n: usize) -> impl Iterator<Item = f32> {
    hashes(stream, n).map(|z| (z >> 40) as f32 / (1 << 23) as f32 - 1.0)
}

/// The first n numbers of a stream: splitmix64 of (stream, index), so that every language draws the same.
fn hashes(stream: u64, n: usize) -> impl Iterator<Item = u64> {
    (1..=n as u64).map(move |index| {
        let mut z = ((stream << 32) + index).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    })
}

fn say(line: &str) -> Result<(), Failure> {
    let mut stdout = stdout().lock();
    writeln!(stdout, "{line}")?;
    Ok(stdout.flush()?)
}
