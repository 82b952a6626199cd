//! This crate's contender in the comparison of training speeds: a column on each thread, timed turn by turn.
//!
//! ```text
//! cargo run --release -p ciresan-cpu --example training_race -- --threads 2
//! ```
//!
//! The protocol and the other contenders are in `xtask/peers/`: a line on stdin is a count of images to train on. With `--skip-below`
//! a column first learns distorted digits and is then timed on others of them: of the random images that the others train on, none would be skipped.

use std::error::Error;
use std::io::{Write, stdin, stdout};
use std::ops::Range;
use std::process::ExitCode;
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Instant;

use ciresan_cpu::CpuEngine;
use ciresan_net::{Activation, Engine, EngineSpec, Network, Optimizer, Parameters, Precision, Step};
use ndarray::Array3;
use preprocess::{CANVAS_PX, Distorter, Distortion, Epoch, Width};

const NETWORK: &str = "1x29x29-20C4-MP2-40C5-MP3-150N-10N";
const LEARNING_RATE: f32 = 0.05;
const N_IMAGES: usize = 4096;
const WARM_UP_STEPS: usize = 12;
/// Epochs of the embedded sample before the first turn of a column that skips.
const KNOWN_AFTER: u32 = 200;
const USAGE: &str = "usage: training_race [--threads T] [--batch B] [--skip-below E] [--check]";

type Failure = Box<dyn Error + Send + Sync>;

struct Args {
    threads: usize,
    batch: usize,
    skip_below: f32,
    check: bool,
}

impl Args {
    fn parse() -> Result<Self, Failure> {
        let mut args = Self { threads: 1, batch: 128, skip_below: 0.0, check: false };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            if word == "--check" {
                args.check = true;
                continue;
            }
            let value = words.next().unwrap_or_default();
            let wrong = |error: &dyn Error| format!("{word} {value:?}: {error}; {USAGE}");
            let number = match word.as_str() {
                "--threads" => &mut args.threads,
                "--batch" => &mut args.batch,
                "--skip-below" => {
                    args.skip_below = value.parse().map_err(|error| wrong(&error))?;
                    continue;
                }
                _ => return Err(format!("{word}: {USAGE}").into()),
            };
            *number = value.parse().map_err(|error| wrong(&error))?;
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
    let digits = if args.skip_below > 0.0 { Some(Digits::sample()?) } else { None };
    let data = match &digits {
        // Distortions that the columns have not seen.
        Some(digits) => digits.distorted(KNOWN_AFTER..KNOWN_AFTER + 5)?,
        None => Data::random(),
    };
    if args.check {
        let mut column = Column::new(&args, digits.as_ref())?;
        let losses = (0..5)
            .map(|_| Ok(column.train(&data, 1)?.loss.to_string()))
            .collect::<Result<Vec<_>, Failure>>()?;
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
            let (answer, args, digits, data, barrier) =
                (answer.clone(), &args, digits.as_ref(), &data, &barrier);
            scope.spawn(move || work(Column::new(args, digits), data, barrier, &counts, &answer));
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
    let turn = |n_images: usize| -> Result<(usize, f64, u32), Failure> {
        let n_steps = n_images.div_ceil(orders.len()).div_ceil(args.batch).max(1);
        for order in orders {
            order.send(n_steps)?;
        }
        let turns = orders.iter().map(|_| answers.recv()?).collect::<Result<Vec<_>, _>>()?;
        let start = turns.iter().map(|turn| turn.start).min().ok_or("no threads")?;
        let end = turns.iter().map(|turn| turn.end).max().ok_or("no threads")?;
        let n_skipped = turns.iter().map(|turn| turn.n_skipped).sum();
        Ok((orders.len() * n_steps * args.batch, (end - start).as_secs_f64(), n_skipped))
    };
    let (n_images, _, n_skipped) = turn(WARM_UP_STEPS * args.batch * orders.len())?;
    let skipping = if args.skip_below > 0.0 {
        let percent = 100.0 * f64::from(n_skipped) / n_images as f64;
        format!(", {percent:.0} % skipped after {KNOWN_AFTER} epochs of 1,000 distorted digits")
    } else {
        String::new()
    };
    say(&format!(
        r#"{{"name": "ciresan-cpu", "version": "{}", "threads": {}, "task": "train", "batch": {}, "detail": "fp32, {}, a column on each thread, tanh of winners only{skipping}"}}"#,
        env!("CARGO_PKG_VERSION"),
        args.threads,
        args.batch,
        ciresan_cpu::InstructionSet::best(),
    ))?;
    for line in stdin().lines() {
        let line = line?;
        let n_images =
            line.trim().parse().map_err(|error| format!("{line:?}, expected a count of images: {error}"))?;
        let (n_images, seconds, _) = turn(n_images)?;
        say(&format!(r#"{{"images": {n_images}, "seconds": {seconds}}}"#))?;
    }
    Ok(())
}

/// When one thread's part of a turn began and ended, and how many images it skipped.
struct Turn {
    start: Instant,
    end: Instant,
    n_skipped: u32,
}

/// Trains one column: an answer for each count of steps, which all threads start together.
fn work(
    mut column: Result<Column, Failure>,
    data: &Data,
    barrier: &Barrier,
    counts: &mpsc::Receiver<usize>,
    answer: &mpsc::Sender<Result<Turn, Failure>>,
) {
    for n_steps in counts {
        barrier.wait();
        let start = Instant::now();
        let trained = match &mut column {
            Ok(column) => column.train(data, n_steps).map(|trained| trained.n_skipped),
            Err(error) => Err(error.to_string().into()),
        };
        let end = Instant::now();
        if answer.send(trained.map(|n_skipped| Turn { start, end, n_skipped })).is_err() {
            return;
        }
    }
}

/// An engine with one column, and how far it is.
struct Column {
    engine: CpuEngine,
    batch: usize,
    learning_rate: f32,
    n_steps: usize,
}

/// What came of some steps: the last one's loss, and how many images all of them skipped.
struct Trained {
    loss: f64,
    n_skipped: u32,
}

impl Column {
    /// With digits, the column learns them first. From then on its learning rate is 0, so that it does not memorize the images of the
    /// turns; a step takes the same time.
    fn new(args: &Args, digits: Option<&Digits>) -> Result<Self, Failure> {
        let network: Network = NETWORK.parse()?;
        let start = first_parameters(&network);
        let optimizer = Optimizer::Sgd { momentum: 0.9, nesterov: true };
        let spec = EngineSpec {
            network,
            activation: Activation::ScaledTanh,
            optimizer,
            precision: Precision::Fp32,
            max_batch: args.batch,
            skip_below: args.skip_below,
        };
        let engine = CpuEngine::new(&spec, &[start])?;
        let mut column = Self { engine, batch: args.batch, learning_rate: LEARNING_RATE, n_steps: 0 };
        if let Some(digits) = digits {
            for epoch in 0..KNOWN_AFTER {
                let data = digits.distorted(epoch..epoch + 1)?;
                column.train(&data, data.labels.len() / args.batch)?;
            }
            column.learning_rate = 0.0;
        }
        Ok(column)
    }

    /// That many steps, at least one.
    fn train(&mut self, data: &Data, n_steps: usize) -> Result<Trained, Failure> {
        let n_images = data.labels.len();
        let image_len = data.images.len() / n_images;
        let mut steps = [Step::default()];
        let mut n_skipped = 0;
        for _ in 0..n_steps {
            let first = self.n_steps % (n_images / self.batch) * self.batch;
            let range = first..first + self.batch;
            let images = &data.images[range.start * image_len..range.end * image_len];
            self.engine.train_step(images, &data.labels[range], self.learning_rate, &mut steps)?;
            n_skipped += steps[0].skipped;
            self.n_steps += 1;
        }
        if !steps[0].loss.is_finite() {
            return Err(format!("the loss is {}, expected a finite one", steps[0].loss).into());
        }
        Ok(Trained { loss: steps[0].loss, n_skipped })
    }
}

/// Images, 29 x 29 pixels each, and their labels.
struct Data {
    images: Vec<f32>,
    labels: Vec<u8>,
}

impl Data {
    /// What every contender trains on.
    fn random() -> Self {
        Self {
            images: uniform(8, N_IMAGES * 29 * 29).collect(),
            labels: hashes(9, N_IMAGES).map(|z| ((z >> 32) % 10) as u8).collect(),
        }
    }
}

/// The training digits of the embedded sample, and how they are distorted.
struct Digits {
    canvases: Array3<u8>,
    labels: Vec<u8>,
    distorter: Distorter,
}

impl Digits {
    fn sample() -> Result<Self, Failure> {
        let sample = mnist_data::Data::sample().train;
        let size = [CANVAS_PX, CANVAS_PX];
        Ok(Self {
            canvases: preprocess::normalize_all(sample.images(), Width::Original, size)?,
            labels: sample.labels().to_vec(),
            distorter: Distorter::new(&Distortion::default(), CANVAS_PX, CANVAS_PX)?,
        })
    }

    /// All of them, shuffled and distorted anew in each of these epochs.
    fn distorted(&self, epochs: Range<u32>) -> Result<Data, Failure> {
        let mut data = Data { images: Vec::new(), labels: Vec::new() };
        for epoch in epochs {
            let epoch = Epoch { study_seed: 2012, column: 1, epoch };
            let order = epoch.order(self.labels.len() as u32);
            data.images.extend(self.distorter.distorted(self.canvases.view(), &order, epoch, 1.0)?);
            data.labels.extend(order.iter().map(|&index| self.labels[index as usize]));
        }
        Ok(data)
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
