//! Images a second, on one thread, of every step: the normal numbers and the field they make, the warp, the whole
//! distortion on every instruction set of the machine, the iterator over batches, and the normalization of widths.
//!
//! ```text
//! cargo bench -p preprocess                      everything
//! cargo bench -p preprocess -- 29x29/sigma8      the paper's size, σ = 8
//! ```
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array3;
use preprocess::steps::Steps;
use preprocess::{Batches, Distorter, Distortion, Epoch, InstructionSet, Smoothing, Width, normalize_all};
use rayon::ThreadPool;

const N_IMAGES: usize = 1_024;
const EPOCH: Epoch = Epoch { study_seed: 2012, column: 1, epoch: 0 };
/// Everything on.
const ALL: Distortion = Distortion {
    sigma: 8.0,
    alpha: 36.0,
    smoothing: Smoothing::Gaussian,
    translation_px: 1.0,
    rotation_deg: 7.5,
    scaling: 0.1,
    shear: 0.1,
};

fn one_thread() -> ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread can be started")
}

/// Rings of varying size: ink and background in about the shares a digit has.
fn rings(n_images: usize, side_px: usize) -> Array3<u8> {
    let centre = (side_px as f32 - 1.0) / 2.0;
    Array3::from_shape_fn((n_images, side_px, side_px), |(n, row, column)| {
        let radius = (row as f32 - centre).hypot(column as f32 - centre);
        let ring = centre * (0.4 + 0.3 * n as f32 / n_images as f32);
        ((1.5 - (radius - ring).abs() * 0.5).clamp(0.0, 1.0) * 255.0) as u8
    })
}

fn distorter(distortion: &Distortion, side_px: usize) -> Distorter {
    Distorter::new(distortion, side_px, side_px).expect("all parameters are in range")
}

fn bench_distort(criterion: &mut Criterion) {
    let pool = one_thread();
    let mut group = criterion.benchmark_group("distort");
    group.throughput(Throughput::Elements(N_IMAGES as u64));
    let indices: Vec<u32> = (0..N_IMAGES as u32).collect();
    let mut bench = |name: &str, side_px: usize, distorter: &Distorter| {
        let images = rings(N_IMAGES, side_px);
        let mut out = vec![0.0; images.len()];
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                pool.install(|| {
                    distorter.distort_batch(images.view(), &indices, EPOCH, 1.0, black_box(&mut out))
                })
            });
        });
    };
    bench("29x29/sigma8", 29, &distorter(&ALL, 29));
    for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
        let on_set = distorter(&ALL, 29).on(set).expect("only sets that are there");
        bench(&format!("29x29/sigma8/{set}"), 29, &on_set);
    }
    // Without a field: the random words of the affine map, the map and the sampling.
    bench("29x29/affine-only", 29, &distorter(&Distortion { alpha: 0.0, ..ALL }, 29));
    for sigma in [6.0, 4.0, 2.0] {
        bench(&format!("29x29/sigma{sigma}"), 29, &distorter(&Distortion { sigma, ..ALL }, 29));
    }
    bench("29x29/sigma8-theano", 29, &distorter(&Distortion { smoothing: Smoothing::Theano, ..ALL }, 29));
    bench("64x64/sigma8", 64, &distorter(&ALL, 64));
    group.finish();
}

/// Words, normal numbers and field, without any image; the field goes into new arrays, which costs a share of the time.
fn bench_field(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("field");
    group.throughput(Throughput::Elements(1));
    for sigma in [8.0, 6.0, 2.0] {
        let distorter = distorter(&Distortion { sigma, ..ALL }, 29);
        let mut image = 0;
        group.bench_function(format!("29x29/sigma{sigma}"), |bencher| {
            bencher.iter(|| {
                image += 1;
                distorter.field(EPOCH.image(black_box(image)), 1.0)
            });
        });
    }
    group.finish();
}

/// The normal numbers alone, and the warp alone with the numbers that are there, an image a turn.
fn bench_steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("steps");
    group.throughput(Throughput::Elements(1));
    let image = rings(1, 29);
    let image = image.as_slice().expect("a new array is contiguous");
    let mut out = vec![0.0; image.len()];
    for sigma in [8.0, 6.0, 2.0] {
        let distortion = Distortion { sigma, ..ALL };
        let mut steps = Steps::new(&distortion, 29, InstructionSet::best()).expect("parameters are in range");
        let words: Vec<u32> = (0..2 * steps.n_words() as u32).map(|n| n.wrapping_mul(0x9e37_79b9)).collect();
        let (radii, angles) = words.split_at(steps.n_words());
        group.bench_function(format!("normal-numbers/29x29/sigma{sigma}"), |bencher| {
            bencher.iter(|| steps.normal_numbers(black_box([radii, angles])));
        });
        group.bench_function(format!("warp/29x29/sigma{sigma}"), |bencher| {
            bencher.iter(|| steps.warp(black_box(image), black_box(&mut out)));
        });
    }
    group.finish();
}

fn bench_batches(criterion: &mut Criterion) {
    let pool = one_thread();
    let mut group = criterion.benchmark_group("batches");
    group.throughput(Throughput::Elements(N_IMAGES as u64));
    let images = Arc::new(rings(N_IMAGES, 29));
    let distorter = Arc::new(distorter(&ALL, 29));
    for batch in [32, 128].map(|n| NonZeroUsize::new(n).expect("not zero")) {
        group.bench_function(format!("29x29/batch{batch}"), |bencher| {
            bencher.iter(|| {
                pool.install(|| {
                    Batches::new(Arc::clone(&distorter), Arc::clone(&images), EPOCH, 1.0, batch)
                        .map(|batches| batches.map(|(_, array)| black_box(array).len()).sum::<usize>())
                })
            });
        });
    }
    group.finish();
}

/// All training and test digits to the paper's seven widths, on two threads: what preparing the whole study costs.
fn bench_study(criterion: &mut Criterion) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads can be started");
    let images = rings(70_000, 28);
    let widths = [10, 12, 14, 16, 18, 20].map(|px| Width::try_from(px).expect("in range"));
    let mut group = criterion.benchmark_group("normalize-two-threads");
    group.sample_size(10).throughput(Throughput::Elements(60_000));
    let train = images.slice(ndarray::s![..60_000, .., ..]);
    group.bench_function("60000x28x28/20", |bencher| {
        bencher.iter(|| pool.install(|| normalize_all(black_box(train), widths[5], [29, 29])));
    });
    group.throughput(Throughput::Elements(7 * images.dim().0 as u64));
    group.bench_function("70000x28x28/all-seven", |bencher| {
        bencher.iter(|| {
            for width in [Width::ORIGINAL].into_iter().chain(widths) {
                black_box(pool.install(|| normalize_all(black_box(images.view()), width, [29, 29])))
                    .expect("the widths fit onto the canvas");
            }
        });
    });
    group.finish();
}

/// As many digits as MNIST has.
fn bench_normalize(criterion: &mut Criterion) {
    let pool = one_thread();
    let images = rings(60_000, 28);
    let mut group = criterion.benchmark_group("normalize");
    group.throughput(Throughput::Elements(images.dim().0 as u64)).sample_size(10);
    for width in
        [Width::ORIGINAL].into_iter().chain([10, 20].map(|px| Width::try_from(px).expect("in range")))
    {
        group.bench_function(format!("60000x28x28/{width}"), |bencher| {
            bencher.iter(|| pool.install(|| normalize_all(black_box(images.view()), width, [29, 29])));
        });
    }
    group.finish();
}

criterion_group!(
    benches,
    bench_distort,
    bench_field,
    bench_steps,
    bench_batches,
    bench_normalize,
    bench_study
);
criterion_main!(benches);
