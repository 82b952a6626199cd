//! The distribution of distorted images: the fast way against the reference, with fixed seeds.

use std::f64::consts::PI;

use chacha20::ChaCha8Rng;
use ndarray::{Array2, ArrayView2};
use preprocess::{Distorter, Distortion, Epoch, Smoothing, reference};
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

const N_DRAWS: u32 = 3_000;

/// A slanted stroke and a dot: neither symmetric nor the same in x and y.
fn image(height: usize, width: usize) -> Array2<u8> {
    Array2::from_shape_fn((height, width), |(row, column)| {
        let off_stroke = (column as f64 - 2.0 - 0.4 * row as f64).abs();
        let off_dot = (row as f64 - 2.0).hypot(column as f64 - width as f64 + 3.0);
        (255.0 * (2.0 - off_stroke.min(off_dot)).clamp(0.0, 1.0)) as u8
    })
}

/// What is compared: each pixel, its square, and its products with the pixels two to the right and two below.
fn features(pixels: ArrayView2<'_, f64>) -> Vec<f64> {
    let (height, width) = pixels.dim();
    let mut features = Vec::new();
    for ((row, column), &v) in pixels.indexed_iter() {
        features.extend([v, v * v]);
        features.push(v * pixels[[row, (column + 2).min(width - 1)]]);
        features.push(v * pixels[[(row + 2).min(height - 1), column]]);
    }
    features
}

/// Mean and squared standard error of each feature over many images.
fn moments(n_features: usize, mut next: impl FnMut(u32) -> Vec<f64>) -> Vec<(f64, f64)> {
    let mut sums = vec![(0.0, 0.0); n_features];
    for n in 0..N_DRAWS {
        for ((sum, squares), v) in sums.iter_mut().zip(next(n)) {
            *sum += v;
            *squares += v * v;
        }
    }
    let n = f64::from(N_DRAWS);
    sums.into_iter().map(|(sum, squares)| (sum / n, (squares / n - (sum / n).powi(2)).max(0.0) / n)).collect()
}

fn reference_draw(distortion: &Distortion, image: ArrayView2<'_, u8>, rng: &mut ChaCha8Rng) -> Array2<f64> {
    let kernel = reference::kernel(distortion.smoothing, f64::from(distortion.sigma));
    let mut field = || {
        let noise = Array2::from_shape_simple_fn(image.dim(), || StandardNormal.sample(rng));
        reference::smooth(noise.view(), kernel.view()) * f64::from(distortion.alpha)
    };
    let (dx, dy) = (field(), field());
    let mut within = |amplitude: f32| rng.random_range(-amplitude..=amplitude);
    let affine = reference::Affine {
        translation_px: [within(distortion.translation_px), within(distortion.translation_px)],
        rotation_deg: within(distortion.rotation_deg),
        scale: [1.0 + within(distortion.scaling), 1.0 + within(distortion.scaling)],
        shear: within(distortion.shear),
    };
    reference::warp(image, &affine, dx.view(), dy.view())
}

#[track_caller]
fn check_distribution(distortion: &Distortion, height: usize, width: usize) {
    let image = image(height, width);
    let n_features = 4 * height * width;

    let distorter = Distorter::new(distortion, height, width).unwrap();
    let draws = Epoch { study_seed: 1, column: 2, epoch: 3 };
    let mut out = vec![0.0; height * width];
    let got = moments(n_features, |n| {
        distorter.distort(image.as_slice().unwrap(), draws.image(n), 1.0, &mut out).unwrap();
        let pixels: Vec<f64> = out.iter().map(|&v| f64::from(v)).collect();
        features(ArrayView2::from_shape((height, width), &pixels).unwrap())
    });
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let want = moments(n_features, |_| features(reference_draw(distortion, image.view(), &mut rng).view()));

    for (n, ((got, got_error), (want, want_error))) in got.into_iter().zip(want).enumerate() {
        // Five standard errors: one of some thousand features is beyond by chance once in a thousand seeds. The
        // constant is the share of the variance that the fast field leaves out, on features of at most 1.
        let bound = 5.0 * (got_error + want_error).sqrt() + 1e-4;
        let (pixel, kind) = (n / 4, n % 4);
        assert!(
            (got - want).abs() <= bound,
            "pixel {pixel}, feature {kind}: got {got}, want {want} within {bound}"
        );
    }
}

#[test]
fn elastic_and_affine_distortions_have_the_reference_s_distribution() {
    let elastic = Distortion {
        sigma: 2.0,
        alpha: 8.0,
        smoothing: Smoothing::Gaussian,
        translation_px: 0.0,
        rotation_deg: 0.0,
        scaling: 0.0,
        shear: 0.0,
    };
    check_distribution(&elastic, 9, 14);
    let still = Distortion { alpha: 0.0, ..elastic };
    check_distribution(&Distortion { translation_px: 1.5, ..still }, 9, 14);
    check_distribution(&Distortion { rotation_deg: 30.0, ..still }, 9, 14);
    check_distribution(&Distortion { scaling: 0.5, ..still }, 9, 14);
    check_distribution(&Distortion { shear: 0.5, ..still }, 9, 14);
    let all = Distortion { translation_px: 1.5, rotation_deg: 20.0, scaling: 0.2, shear: 0.3, ..elastic };
    check_distribution(&all, 9, 14);
    check_distribution(&Distortion { smoothing: Smoothing::Theano, ..elastic }, 14, 9);
    check_distribution(&Distortion { sigma: 8.0, alpha: 36.0, ..elastic }, 8, 12);
}

/// A ramp shows the field itself: far from the border its variance is the sum of the squared weights times α².
#[test]
fn displacements_have_the_documented_size() {
    let (side, sigma, alpha) = (41, 4.0, 18.0);
    let distortion = Distortion {
        sigma,
        alpha,
        smoothing: Smoothing::Gaussian,
        translation_px: 0.0,
        rotation_deg: 0.0,
        scaling: 0.0,
        shear: 0.0,
    };
    let distorter = Distorter::new(&distortion, side, side).unwrap();
    let draws = Epoch { study_seed: 5, column: 6, epoch: 7 };
    let mut out = vec![0.0; side * side];
    let middle = side / 2;
    let mut displacement = |image: &[u8], n: u32| {
        distorter.distort(image, draws.image(n), 1.0, &mut out).unwrap();
        (f64::from(out[middle * side + middle]) + 1.0) * 127.5 / 6.0 - middle as f64
    };
    let by_column: Vec<u8> = (0..side * side).map(|n| (n % side * 6) as u8).collect();
    let by_row: Vec<u8> = (0..side * side).map(|n| (n / side * 6) as u8).collect();
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for n in 0..N_DRAWS {
        let (dx, dy) = (displacement(&by_column, n), displacement(&by_row, n));
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    let [xx, yy, xy] = [xx, yy, xy].map(|sum| sum / f64::from(N_DRAWS));
    let variance = (f64::from(alpha) / (2.0 * f64::from(sigma) * PI.sqrt())).powi(2);
    // A variance from n normal draws is off by √(2/n) of itself, a covariance of two independent ones by √(1/n): five
    // times that, and a percent because the kernel is cut at 3σ and then made larger to sum to 1.
    let error = (2.0 / f64::from(N_DRAWS)).sqrt();
    for got in [xx, yy] {
        assert!((got / variance - 1.0).abs() < 5.0 * error + 0.012, "got {got}, want {variance}");
    }
    assert!((xy / variance).abs() < 5.0 * error, "dx and dy are correlated: {xy}");
}
