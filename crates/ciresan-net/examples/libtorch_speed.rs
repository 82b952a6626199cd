//! How fast the engine on libtorch trains and predicts, by columns, batch, precision and way of convolving: one object of
//! JSON on stdout, progress on stderr.
//!
//! ```sh
//! cargo run --release -p ciresan-net --features libtorch --example libtorch_speed -- --device cuda:0
//! ```
//!
//! A step trains on random images that are on the device; a fed step too, while other threads fill the next batch from the
//! host's memory, as in training. A step ends when its losses are on the host. What a way of convolving cannot do on a device, or has too little memory for, is told in place of
//! its figures. Exit codes: 0 measured, 1 the device cannot be used, 2 wrong usage.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "stdout is for the result, stderr for progress"
)]

use chacha20::ChaCha8Rng;
use ciresan_net::libtorch::{Convolution, Device, LibtorchEngine, loaded_version, n_gpus};
use ciresan_net::{
    Activation, Batch, Engine, EngineError, EngineSpec, Initialization, Network, Optimizer, Parameters,
    Precision, Step,
};
use clap::Parser;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Measures step time and prediction of the engine on libtorch.
#[derive(Debug, Parser)]
struct Args {
    /// cpu, cuda:0, cuda:1, …
    #[arg(long, default_value = "cpu")]
    device: Device,
    /// Columns trained at once, separated by commas
    #[arg(long, value_delimiter = ',', default_value = "1,7,35")]
    columns: Vec<usize>,
    /// Images of a column in a step, separated by commas
    #[arg(long, value_delimiter = ',', default_value = "128")]
    batch: Vec<usize>,
    /// fp32, tf32 and bf16, separated by commas
    #[arg(long, value_delimiter = ',', default_value = "fp32,tf32,bf16")]
    precision: Vec<Precision>,
    /// The network, in the paper's notation
    #[arg(long, default_value = "1x29x29-20C4-MP2-40C5-MP3-150N-10N")]
    network: Network,
    /// Seconds of a turn; each figure is the median of five
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Let cuDNN try its kernels and keep the fastest
    #[arg(long)]
    cudnn_benchmark: bool,
}

const TURNS: usize = 5;

/// Images of one prediction.
const N_PREDICTED: usize = 2_000;

/// What is printed.
#[derive(Debug, Serialize)]
struct Report {
    schema: u32,
    device: String,
    libtorch: Option<String>,
    network: String,
    cudnn_benchmark: bool,
    measurements: Vec<Measurement>,
    /// The most memory that this process has had, where Linux tells; that of a GPU is not in it.
    peak_resident_bytes: Option<u64>,
}

/// One way to train.
#[derive(Debug, Serialize)]
struct Measurement {
    columns: usize,
    batch: usize,
    precision: Precision,
    convolution: String,
    predicted_memory_bytes: u64,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Measured(Figures),
    /// Why there are no figures.
    Refused(String),
}

#[derive(Debug, Serialize)]
struct Figures {
    /// Of a step of all columns: the median turn's mean, and the fastest and slowest turn's.
    step_ms: f64,
    fastest_ms: f64,
    slowest_ms: f64,
    /// Of a step while the next batch is copied from the host's memory and sent to the device: the median turn's mean.
    fed_step_ms: f64,
    /// Over all columns.
    trained_images_per_second: f64,
    /// Additions and multiplications of dense convolutions and products, forward and backward.
    tflop_per_second: f64,
    predicted_images_per_second: f64,
}

fn main() -> ExitCode {
    match measure(&Args::parse()) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(1)
        }
    }
}

fn measure(args: &Args) -> Result<String, Box<dyn Error>> {
    let libtorch = loaded_version()?;
    if args.device != Device::Cpu {
        n_gpus()?; // before any other question about CUDA
        tch::Cuda::cudnn_set_benchmark(args.cudnn_benchmark);
    }
    let mut measurements = Vec::new();
    for &precision in &args.precision {
        for convolution in [Convolution::Grouped, Convolution::Unfolded] {
            for (&columns, &batch) in args.columns.iter().flat_map(|n| args.batch.iter().map(move |b| (n, b)))
            {
                let measurement = one(args, columns, batch, precision, convolution);
                eprintln!("{}", serde_json::to_string(&measurement)?);
                measurements.push(measurement);
            }
        }
    }
    let report = Report {
        schema: 2,
        device: args.device.to_string(),
        libtorch,
        network: args.network.to_string(),
        cudnn_benchmark: args.cudnn_benchmark,
        measurements,
        peak_resident_bytes: peak_resident_bytes(),
    };
    Ok(serde_json::to_string_pretty(&report)?)
}

fn one(
    args: &Args,
    columns: usize,
    batch: usize,
    precision: Precision,
    convolution: Convolution,
) -> Measurement {
    let spec = EngineSpec {
        network: args.network.clone(),
        activation: Activation::ScaledTanh,
        optimizer: Optimizer::Sgd { momentum: 0.9, nesterov: true },
        precision,
        max_batch: batch,
        skip_below: 0.0,
    };
    let outcome = match figures(args, &spec, columns, convolution) {
        Ok(figures) => Outcome::Measured(figures),
        Err(error) => Outcome::Refused(error.to_string()),
    };
    Measurement {
        columns,
        batch,
        precision,
        convolution: format!("{convolution:?}").to_lowercase(),
        predicted_memory_bytes: spec.training_memory(columns),
        outcome,
    }
}

fn figures(
    args: &Args,
    spec: &EngineSpec,
    columns: usize,
    convolution: Convolution,
) -> Result<Figures, EngineError> {
    let EngineSpec { network, activation, max_batch: batch, .. } = spec;
    let mut rng = ChaCha8Rng::seed_from_u64(2012);
    let start: Vec<_> = (0..columns)
        .map(|_| Parameters::init(network, *activation, Initialization::FanIn, &mut rng))
        .collect();
    let mut draw = |n: usize| -> Vec<f32> {
        (0..n).map(|_| rng.next_u32() as f32 / (1_u64 << 31) as f32 - 1.0).collect()
    };
    let image_len = network.input().len();
    let images = draw(columns * batch * image_len);
    let to_predict = draw(N_PREDICTED * image_len);
    let mut probabilities = vec![0.0; N_PREDICTED * network.classes()];
    let mut engine = LibtorchEngine::with_convolution(spec, &start, args.device, convolution)?;

    let fill = |into: &mut <LibtorchEngine as Engine>::Batch| {
        into.fill(*batch, |column, of_images, labels| {
            of_images.copy_from_slice(&images[column * batch * image_len..][..batch * image_len]);
            labels.iter_mut().enumerate().for_each(|(i, label)| *label = (i % network.classes()) as u8);
            Ok::<_, EngineError>(())
        })
    };
    let (mut ready, mut next) = (engine.batch(), engine.batch());
    fill(&mut ready)?;
    let mut steps = vec![Step::default(); columns];
    let mut train = turns(args, &mut engine, |engine| engine.train_on(&ready, 0.001, &mut steps))?;
    let mut fed = turns(args, &mut engine, |engine| {
        let mut filled = Ok(());
        let trained = rayon::in_place_scope(|scope| {
            scope.spawn(|_| filled = fill(&mut next));
            engine.train_on(&ready, 0.001, &mut steps)
        });
        std::mem::swap(&mut ready, &mut next);
        trained.and(filled)
    })?;
    let predict = turns(args, &mut engine, |engine| engine.predict(0, &to_predict, &mut probabilities))?;
    fed.sort_by(f64::total_cmp);
    train.sort_by(f64::total_cmp);
    let median = train[TURNS / 2];
    let trained = (columns * batch) as f64 / median;
    let mut predict = predict;
    predict.sort_by(f64::total_cmp);
    Ok(Figures {
        step_ms: 1e3 * median,
        fastest_ms: 1e3 * train[0],
        slowest_ms: 1e3 * train[TURNS - 1],
        fed_step_ms: 1e3 * fed[TURNS / 2],
        trained_images_per_second: trained,
        tflop_per_second: trained * training_flop(network) / 1e12,
        predicted_images_per_second: N_PREDICTED as f64 / predict[TURNS / 2],
    })
}

/// Seconds of a call, the mean of each turn; the device has done all of them when the clock stops.
fn turns(
    args: &Args,
    engine: &mut LibtorchEngine,
    mut call: impl FnMut(&mut LibtorchEngine) -> Result<(), EngineError>,
) -> Result<Vec<f64>, EngineError> {
    let turn = Duration::try_from_secs_f64(args.seconds).unwrap_or(Duration::ZERO);
    for _ in 0..3 {
        call(engine)?; // allocates, and lets cuDNN try its kernels
    }
    let mut seconds = Vec::new();
    for _ in 0..TURNS {
        synchronize(args.device);
        let (started, mut n_calls) = (Instant::now(), 0);
        while n_calls == 0 || started.elapsed() < turn {
            call(engine)?;
            n_calls += 1;
        }
        synchronize(args.device);
        seconds.push(started.elapsed().as_secs_f64() / f64::from(n_calls));
    }
    Ok(seconds)
}

fn synchronize(device: Device) {
    if let Device::Cuda(index) = device {
        tch::Cuda::synchronize(index as i64);
    }
}

/// Operations of a training step, an image: forward, gradient by weights, and by inputs of all but the first layer, two for
/// each multiply-add.
fn training_flop(network: &Network) -> f64 {
    let all = network.multiply_adds();
    let first = network.paper_form().ok().and_then(|form| form.stages.first().copied()).map_or(0, |stage| {
        let side = |length: usize| length - stage.kernel + 1;
        stage.maps
            * side(stage.input.height)
            * side(stage.input.width)
            * stage.input.maps
            * stage.kernel.pow(2)
    });
    2.0 * (3 * all - first as u64) as f64
}

fn peak_resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kb| 1024 * kb)
}
