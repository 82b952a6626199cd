//! Images distorted and normalized a second, on one thread.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array3;
use preprocess::{Distorter, Distortion, Epoch, Smoothing, Width, normalize_all};

const N_IMAGES: usize = 256;
const EPOCH: Epoch = Epoch { study_seed: 2012, column: 1, epoch: 0 };

/// Rings of varying size: ink and background in about the shares a digit has.
fn rings(n_images: usize, side_px: usize) -> Array3<u8> {
    let centre = (side_px as f32 - 1.0) / 2.0;
    Array3::from_shape_fn((n_images, side_px, side_px), |(n, row, column)| {
        let radius = (row as f32 - centre).hypot(column as f32 - centre);
        let ring = centre * (0.4 + 0.3 * n as f32 / n_images as f32);
        ((1.5 - (radius - ring).abs() * 0.5).clamp(0.0, 1.0) * 255.0) as u8
    })
}

fn bench_distort(criterion: &mut Criterion) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread can be started");
    let mut group = criterion.benchmark_group("distort");
    group.throughput(Throughput::Elements(N_IMAGES as u64));
    let indices: Vec<u32> = (0..N_IMAGES as u32).collect();
    let cases = [
        ("29x29/sigma8", 29, 8.0, Smoothing::Gaussian),
        ("29x29/sigma6", 29, 6.0, Smoothing::Gaussian),
        ("29x29/sigma2", 29, 2.0, Smoothing::Gaussian),
        ("29x29/sigma8-theano", 29, 8.0, Smoothing::Theano),
        ("64x64/sigma8", 64, 8.0, Smoothing::Gaussian),
    ];
    for (name, side_px, sigma, smoothing) in cases {
        let distortion = Distortion {
            sigma,
            alpha: 36.0,
            smoothing,
            translation_px: 1.0,
            rotation_deg: 7.5,
            scaling: 0.1,
            shear: 0.1,
        };
        let distorter = Distorter::new(&distortion, side_px, side_px).expect("all parameters are in range");
        let images = rings(N_IMAGES, side_px);
        let mut out = vec![0.0; images.len()];
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                pool.install(|| {
                    distorter.distort_batch(images.view(), &indices, EPOCH, 1.0, black_box(&mut out))
                })
            });
        });
    }
    group.finish();
}

fn bench_normalize(criterion: &mut Criterion) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread can be started");
    let mut group = criterion.benchmark_group("normalize");
    group.throughput(Throughput::Elements(N_IMAGES as u64));
    let images = rings(N_IMAGES, 28);
    for width_px in [10, 20] {
        let width = Width::try_from(width_px).expect("the width is in range");
        group.bench_function(format!("28x28/width{width_px}"), |bencher| {
            bencher.iter(|| pool.install(|| normalize_all(black_box(images.view()), width, [29, 29])));
        });
    }
    group.finish();
}

criterion_group!(benches, bench_distort, bench_normalize);
criterion_main!(benches);
