//! Training steps and predictions of the paper's network on one core, in images a second; and what the paper's committee
//! takes to predict all test digits on two.

use chacha20::ChaCha8Rng;
use ciresan_cpu::{CpuEngine, InstructionSet};
use ciresan_net::{
    Activation, Engine, EngineSpec, Initialization, Network, Optimizer, Parameters, Precision, Step,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;
use std::hint::black_box;

const BATCH: usize = 128;

fn engine(notation: &str, activation: Activation, isa: InstructionSet) -> (CpuEngine, Vec<f32>, Vec<u8>) {
    let network: Network = notation.parse().expect("a network of the bench");
    let mut rng = ChaCha8Rng::seed_from_u64(2012);
    let start = Parameters::init(&network, activation, Initialization::FanIn, &mut rng);
    let images = (0..BATCH * network.input().len()).map(|_| rng.random_range(-1.0..1.0)).collect();
    let labels = (0..BATCH).map(|_| rng.random_range(0..10)).collect();
    let optimizer = Optimizer::Sgd { momentum: 0.9, nesterov: true };
    let spec = EngineSpec {
        network,
        activation,
        optimizer,
        precision: Precision::Fp32,
        max_batch: BATCH,
        skip_below: 0.0,
    };
    (CpuEngine::with_isa(&spec, &[start], isa).expect("a network of the paper's form"), images, labels)
}

fn training(c: &mut Criterion) {
    for (name, notation) in
        [("paper", "1x29x29-20C4-MP2-40C5-MP3-150N-10N"), ("theano", "1x29x29-32C4-MP2-48C5-MP3-150N-10N")]
    {
        for activation in [Activation::ScaledTanh, Activation::Relu] {
            let mut group = c.benchmark_group(format!("{name}/{activation}/batch{BATCH}"));
            group.throughput(Throughput::Elements(BATCH as u64));
            for isa in InstructionSet::available() {
                let (mut engine, images, labels) = engine(notation, activation, isa);
                let mut steps = [Step::default()];
                group.bench_function(BenchmarkId::new("train", isa), |b| {
                    b.iter(|| engine.train_step(black_box(&images), &labels, 1e-6, &mut steps));
                });
                let mut probabilities = vec![0.0; BATCH * 10];
                group.bench_function(BenchmarkId::new("predict", isa), |b| {
                    b.iter(|| engine.predict(0, black_box(&images), &mut probabilities));
                });
            }
            group.finish();
        }
    }
}

/// The paper's 35 columns on 10,000 digits, a column at a time on each of two threads.
fn committee(c: &mut Criterion) {
    let (n_columns, n_digits, threads) = (35, 10_000, 2);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("two threads");
    let mut group = c.benchmark_group(format!("committee/{n_columns}x{n_digits}/{threads}-threads"));
    group.throughput(Throughput::Elements(n_columns * n_digits)).sample_size(10);
    for isa in InstructionSet::available() {
        let made =
            (0..n_columns).map(|_| engine("1x29x29-20C4-MP2-40C5-MP3-150N-10N", Activation::ScaledTanh, isa));
        let (mut engines, images): (Vec<_>, Vec<_>) =
            made.map(|(engine, images, _)| (engine, images)).unzip();
        let digits = images[0].iter().copied().cycle().take(n_digits as usize * 29 * 29).collect::<Vec<_>>();
        let mut probabilities = vec![vec![0.0; n_digits as usize * 10]; engines.len()];
        group.bench_function(BenchmarkId::new("predict", isa), |b| {
            b.iter(|| {
                pool.install(|| {
                    engines.par_iter_mut().zip(&mut probabilities).for_each(|(engine, out)| {
                        engine.predict(0, black_box(&digits), out).expect("digits of the network's size");
                    });
                });
            });
        });
    }
    group.finish();
}

criterion_group!(benches, training, committee);
criterion_main!(benches);
