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

const N_FIELDS: u32 = 1_500;
/// Neither square nor a whole block of lanes.
const FIELD_SIZE: [usize; 2] = [6, 17];

/// The covariance of one axis's field for α = 1 from the definition: the answers to each single impulse of noise.
fn exact_covariance(kernel: ArrayView2<'_, f64>) -> Array2<f64> {
    let n_pixels = FIELD_SIZE[0] * FIELD_SIZE[1];
    let mut answers = Array2::zeros((n_pixels, n_pixels));
    for (pixel, mut answer) in answers.columns_mut().into_iter().enumerate() {
        let mut noise = Array2::zeros(FIELD_SIZE);
        noise[[pixel / FIELD_SIZE[1], pixel % FIELD_SIZE[1]]] = 1.0;
        answer.assign(&reference::smooth(noise.view(), kernel).flatten());
    }
    answers.dot(&answers.t())
}

/// Mean products of all pairs of pixels over `N_FIELDS` fields: x part with itself and y part with itself together, and
/// x part with y part. Means are known to be 0, so these are the sample covariances.
fn sample_covariances(mut next: impl FnMut(u32) -> [Array2<f64>; 2]) -> [Array2<f64>; 2] {
    let n_pixels = FIELD_SIZE[0] * FIELD_SIZE[1];
    let flat = |part: usize, fields: &[[Array2<f64>; 2]]| {
        let values: Vec<f64> = fields.iter().flat_map(|field| field[part].iter().copied()).collect();
        Array2::from_shape_vec((N_FIELDS as usize, n_pixels), values).unwrap()
    };
    let fields: Vec<[Array2<f64>; 2]> = (0..N_FIELDS).map(&mut next).collect();
    let (x, y) = (flat(0, &fields), flat(1, &fields));
    let n = f64::from(N_FIELDS);
    [(x.t().dot(&x) + y.t().dot(&y)) / (2.0 * n), x.t().dot(&y) / n]
}

/// The fast fields' covariance, sampled, against the exact one and against that of fields by plain convolution.
///
/// # Bound
/// A product of two jointly normal numbers with covariance c and variances a, b has variance a b + c² (Isserlis 1918). A mean
/// of m independent ones has standard error √((a b + c²) / m), the difference of two such means √2 of that. Such a mean is
/// a weighted sum of squared normal numbers, so it is off by more than √(2 x) + 2 x / √m standard errors with probability
/// at most 2 exp(−x) (Laurent, Massart 2000, lemma 1). Seven standard errors at m = 1,500 are x = 18.3: 2.3 · 10⁻⁸ for each
/// comparison, 1.2 % for all half a million together, and the seeds are fixed.
/// On top comes what the fast field leaves out: 10⁻⁴ of the trace, which bounds every entry of a covariance.
#[track_caller]
fn check_covariance(smoothing: Smoothing, sigma: f32) {
    const Z: f64 = 7.0;
    let distortion = Distortion { sigma, alpha: 1.0, smoothing, ..Distortion::default() };
    let distorter = Distorter::new(&distortion, FIELD_SIZE[0], FIELD_SIZE[1]).unwrap();
    let draws = Epoch { study_seed: 8, column: 9, epoch: 10 };
    let fast = sample_covariances(|n| {
        distorter.field(draws.image(n), 1.0).unwrap().map(|part| part.mapv(f64::from))
    });

    let kernel = reference::kernel(smoothing, f64::from(sigma));
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let plain = sample_covariances(|_| {
        [(); 2].map(|()| {
            let noise = Array2::from_shape_simple_fn(FIELD_SIZE, || StandardNormal.sample(&mut rng));
            reference::smooth(noise.view(), kernel.view())
        })
    });

    let exact = exact_covariance(kernel.view());
    let neglected = 1e-4 * exact.diag().sum();
    for ((p, q), &covariance) in exact.indexed_iter() {
        let (variance_p, variance_q) = (exact[[p, p]], exact[[q, q]]);
        let n = f64::from(N_FIELDS);
        let error = ((variance_p * variance_q + covariance.powi(2)) / (2.0 * n)).sqrt();
        let cross_error = (variance_p * variance_q / n).sqrt();
        let two = std::f64::consts::SQRT_2;
        for (what, off, error) in [
            ("fast and exact", fast[0][[p, q]] - covariance, error),
            ("fast and plain", fast[0][[p, q]] - plain[0][[p, q]], two * error),
            ("x and y, fast", fast[1][[p, q]], cross_error),
            ("x and y, fast and plain", fast[1][[p, q]] - plain[1][[p, q]], two * cross_error),
        ] {
            assert!(
                off.abs() <= Z * error + neglected,
                "{smoothing:?} σ {sigma}, {what}, pixels {p} and {q}: off by {off:e}, one standard error is {error:e}"
            );
        }
    }
}

#[test]
fn fields_have_the_covariance_of_the_plain_convolution() {
    for smoothing in [Smoothing::Gaussian, Smoothing::Theano] {
        // From noise that is not smoothed at all, which takes every vector, to a field that is nearly one shift.
        for sigma in [0.3, 0.8, 1.5, 2.0, 4.0, 6.0, 8.0, 30.0] {
            check_covariance(smoothing, sigma);
        }
    }
}
