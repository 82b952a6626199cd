//! Distortion of batches: the identity, independence of threads and order, refused arguments, no panic.

use ndarray::Array3;
use preprocess::{Distorter, Distortion, Epoch, PreprocessError, Smoothing, scale_to_input};
use proptest::prelude::*;

const STILL: Distortion = Distortion {
    sigma: 8.0,
    alpha: 0.0,
    smoothing: Smoothing::Gaussian,
    translation_px: 0.0,
    rotation_deg: 0.0,
    scaling: 0.0,
    shear: 0.0,
};
const ALL: Distortion =
    Distortion { alpha: 36.0, translation_px: 1.0, rotation_deg: 10.0, scaling: 0.1, shear: 0.1, ..STILL };
const EPOCH: Epoch = Epoch { study_seed: 2012, column: 7, epoch: 1 };

fn some_images(n_images: usize, height: usize, width: usize) -> Array3<u8> {
    Array3::from_shape_fn((n_images, height, width), |(n, row, column)| {
        ((n * 31 + row * row * 5 + column * column * 3) % 256) as u8
    })
}

fn distorted(distorter: &Distorter, images: &Array3<u8>, indices: &[u32], strength: f32) -> Vec<f32> {
    let mut out = vec![f32::NAN; indices.len() * images.dim().1 * images.dim().2];
    distorter.distort_batch(images.view(), indices, EPOCH, strength, &mut out).unwrap();
    out
}

fn scaled(images: &Array3<u8>) -> Vec<f32> {
    let mut out = vec![f32::NAN; images.len()];
    scale_to_input(images.as_slice().unwrap(), &mut out).unwrap();
    out
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

#[test]
fn no_amplitude_and_no_strength_are_the_identity_to_the_bit() {
    let images = some_images(3, 13, 21);
    let still = Distorter::new(&STILL, 13, 21).unwrap();
    assert_eq!(bits(&distorted(&still, &images, &[0, 1, 2], 1.0)), bits(&scaled(&images)));
    let all = Distorter::new(&ALL, 13, 21).unwrap();
    assert_eq!(bits(&distorted(&all, &images, &[0, 1, 2], 0.0)), bits(&scaled(&images)));
    assert_ne!(bits(&distorted(&all, &images, &[0, 1, 2], 1.0)), bits(&scaled(&images)));
}

#[test]
fn threads_order_and_grouping_change_nothing() {
    let images = some_images(50, 29, 29);
    let distorter = Distorter::new(&ALL, 29, 29).unwrap();
    let indices: Vec<u32> = (0..50).collect();
    let on_threads = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        pool.install(|| bits(&distorted(&distorter, &images, &indices, 1.0)))
    };
    let alone = on_threads(1);
    assert_eq!(on_threads(2), alone);

    let shuffled: Vec<u32> = (0..50).map(|n| (n * 7 + 3) % 50).chain([11, 11]).collect();
    let result = bits(&distorted(&distorter, &images, &shuffled, 1.0));
    for (result, &index) in result.chunks(29 * 29).zip(&shuffled) {
        let index = index as usize;
        assert_eq!(result, &alone[index * 29 * 29..][..29 * 29], "image {index}");
    }

    let mut single = vec![f32::NAN; 29 * 29];
    let image = images.index_axis(ndarray::Axis(0), 17);
    distorter.distort(image.as_slice().unwrap(), EPOCH.image(17), 1.0, &mut single).unwrap();
    assert_eq!(bits(&single), alone[17 * 29 * 29..][..29 * 29]);
}

#[test]
fn images_in_another_memory_order_are_distorted_alike() {
    let images = some_images(4, 12, 17);
    let mut reversed_axes = Array3::zeros((17, 12, 4));
    reversed_axes.assign(&images.t());
    let distorter = Distorter::new(&ALL, 12, 17).unwrap();
    let mut out = vec![f32::NAN; images.len()];
    distorter.distort_batch(reversed_axes.t(), &[0, 1, 2, 3], EPOCH, 1.0, &mut out).unwrap();
    assert_eq!(bits(&out), bits(&distorted(&distorter, &images, &[0, 1, 2, 3], 1.0)));
}

#[test]
fn every_image_and_epoch_has_its_own_draw() {
    let images = Array3::from_shape_fn((2, 29, 29), |(_, row, column)| (row * 8 + column) as u8);
    let distorter = Distorter::new(&ALL, 29, 29).unwrap();
    let out = distorted(&distorter, &images, &[0, 1], 1.0);
    assert_ne!(out[..29 * 29], out[29 * 29..]);
    let mut later = vec![f32::NAN; images.len()];
    distorter.distort_batch(images.view(), &[0, 1], Epoch { epoch: 2, ..EPOCH }, 1.0, &mut later).unwrap();
    assert_ne!(out, later);
}

#[test]
fn wrong_arguments_are_named_and_nothing_is_written() {
    let images = some_images(2, 5, 6);
    let distorter = Distorter::new(&ALL, 5, 6).unwrap();
    let mut out = [7.0; 60];
    let mut check = |images: &Array3<u8>, indices: &[u32], strength: f32, len: usize, want: &str| {
        let got = distorter.distort_batch(images.view(), indices, EPOCH, strength, &mut out[..len]);
        assert_eq!(got.unwrap_err().to_string(), want);
    };
    check(&images, &[0, 2], 1.0, 60, "image index 2 is out of range: there are 2 images");
    check(&images, &[0, 1], 1.0, 59, "out has 59 elements, expected 60");
    check(&images, &[0, 1], 1.5, 60, "strength 1.5 is out of range: 0 to 1");
    check(&images, &[0, 1], f32::NAN, 60, "strength NaN is out of range: 0 to 1");
    let want = "images of 6 x 5 pixels (height x width), but the distorter was made for 5 x 6";
    check(&some_images(2, 6, 5), &[0, 1], 1.0, 60, want);
    assert_eq!(out, [7.0; 60]);

    let draw = EPOCH.image(0);
    let err = distorter.distort(&[0; 29], draw, 1.0, &mut out[..30]).unwrap_err();
    assert_eq!(err.to_string(), "image has 29 elements, expected 30");
    let err = distorter.distort(&[0; 30], draw, 1.0, &mut out[..31]).unwrap_err();
    assert_eq!(err.to_string(), "out has 31 elements, expected 30");
    let err = Distorter::new(&ALL, 0, 6).unwrap_err();
    assert_eq!(err.to_string(), "image height of 0 pixels is out of range: 1 to 512");
    let err = Distorter::new(&ALL, 5, 513).unwrap_err();
    assert_eq!(err.to_string(), "image width of 513 pixels is out of range: 1 to 512");
}

#[test]
fn no_image_at_all_is_no_error() {
    let images = some_images(0, 5, 6);
    let distorter = Distorter::new(&ALL, 5, 6).unwrap();
    assert_eq!(distorter.distort_batch(images.view(), &[], EPOCH, 1.0, &mut []), Ok(()));
}

/// Any float at all, often one in or near the range.
fn any_parameter(largest: f32) -> impl Strategy<Value = f32> {
    prop_oneof![4 => 0.0..=largest, 1 => any::<f32>(), 1 => Just(0.0), 1 => Just(largest)]
}

prop_compose! {
    fn any_distortion()(
        sigma in prop_oneof![any_parameter(10.0), any_parameter(Distortion::MAX_SIGMA)],
        alpha in any_parameter(Distortion::MAX_ALPHA),
        theano in any::<bool>(),
        translation_px in any_parameter(Distortion::MAX_TRANSLATION_PX),
        rotation_deg in any_parameter(Distortion::MAX_ROTATION_DEG),
        scaling in any_parameter(Distortion::MAX_SCALING),
        shear in any_parameter(Distortion::MAX_SHEAR),
    ) -> Distortion {
        let smoothing = if theano { Smoothing::Theano } else { Smoothing::Gaussian };
        Distortion { sigma, alpha, smoothing, translation_px, rotation_deg, scaling, shear }
    }
}

proptest! {
    #[test]
    fn nothing_panics_and_results_stay_in_range(
        distortion in any_distortion(),
        height in 0_usize..40,
        width in 0_usize..40,
        strength in prop_oneof![3 => 0.0_f32..=1.0, 1 => any::<f32>()],
        indices in prop::collection::vec(0_u32..6, 0..20),
        seed in any::<u64>(),
    ) {
        let distorter = match Distorter::new(&distortion, height, width) {
            Ok(distorter) => distorter,
            Err(PreprocessError::Parameter { .. } | PreprocessError::Side { .. }) => return Ok(()),
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        };
        let images = some_images(5, height, width);
        let mut out = vec![f32::NAN; indices.len() * height * width];
        let epoch = Epoch { study_seed: seed, ..EPOCH };
        match distorter.distort_batch(images.view(), &indices, epoch, strength, &mut out) {
            Ok(()) => prop_assert!(out.iter().all(|v| (-1.0..=1.0).contains(v))),
            Err(_) => prop_assert!(out.iter().all(|v| v.is_nan())),
        }
    }
}
