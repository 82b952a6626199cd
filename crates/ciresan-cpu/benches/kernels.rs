//! Every kernel of a training step on one core. Elements a second are floating-point operations, of those that the algorithm needs;
//! `peak` is what the core does at best, in registers. For the kernels that hardly compute they are images.
//!
//! ```text
//! cargo bench -p ciresan-cpu --features kernels --bench kernels
//! ```

use chacha20::ChaCha8Rng;
use ciresan_cpu::InstructionSet;
use ciresan_cpu::kernels::{Kernels, multiply_add, multiply_add_flops};
use ciresan_net::{Activation, EngineSpec, Initialization, Network, Optimizer, Parameters, Precision};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::{RngExt, SeedableRng};
use std::hint::black_box;

const PAPER: &str = "1x29x29-20C4-MP2-40C5-MP3-150N-10N";
const BATCH: usize = 128;

fn kernels(isa: InstructionSet) -> Kernels {
    let network: Network = PAPER.parse().expect("the paper's network");
    let mut rng = ChaCha8Rng::seed_from_u64(2012);
    let activation = Activation::ScaledTanh;
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
    Kernels::new(&spec, &start, isa, images, labels).expect("a network of the paper's form")
}

type Run = fn(&mut Kernels);

/// Name, images and floating-point operations an image, two for each multiply-add that the algorithm needs.
const KERNELS: [(&str, usize, usize, Run); 9] = [
    ("conv1-forward", Kernels::IMAGES, 2 * 26 * 26 * 16 * 20, |k| k.forward_stage(0)),
    ("conv2-forward", Kernels::IMAGES, 2 * 9 * 49 * 20 * 40, |k| k.forward_stage(1)),
    ("conv2-backward", Kernels::IMAGES, 2 * 2 * 360 * 500, |k| k.backward_stage(1)),
    ("conv1-backward", Kernels::IMAGES, 2 * 3380 * 16, |k| k.backward_stage(0)),
    ("dense-forward", BATCH, 2 * (360 * 150 + 150 * 10), Kernels::forward_dense),
    ("dense-backward", BATCH, 2 * 2 * (360 * 150 + 150 * 10), Kernels::backward_dense),
    ("update", BATCH, 0, Kernels::update),
    ("pack", BATCH, 0, Kernels::pack),
    ("forward", BATCH, 0, Kernels::forward),
];

fn bench(c: &mut Criterion) {
    for isa in InstructionSet::available() {
        let mut group = c.benchmark_group(format!("kernels/{isa}"));
        let n = 10_000;
        group.throughput(Throughput::Elements((n * multiply_add_flops(isa)) as u64));
        let mut sum = 0.0;
        group.bench_function("peak", |b| b.iter(|| multiply_add(isa, black_box(n), &mut sum)));
        let mut kernels = kernels(isa);
        for (name, images, flops, run) in KERNELS {
            group.throughput(Throughput::Elements((images * flops.max(1)) as u64));
            group.bench_function(BenchmarkId::new(name, images), |b| b.iter(|| run(&mut kernels)));
        }
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
