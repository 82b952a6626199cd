//! Every instruction set of this machine gives the same bits, scalar arithmetic included.
//!
//! The tolerance is zero: the loops use sums, products, roots, comparisons and conversions that IEEE 754 rounds in one way,
//! each pixel's in one order. That leaves out fused multiply-add, which would be allowed to differ.

use ndarray::Array3;
use preprocess::{Distorter, Distortion, Epoch, InstructionSet, Smoothing};
use proptest::prelude::*;

fn bits(distortion: &Distortion, images: &Array3<u8>, strength: f32, set: InstructionSet) -> Vec<u32> {
    let (n_images, height, width) = images.dim();
    let distorter = Distorter::new(distortion, height, width).unwrap().on(set).unwrap();
    let indices: Vec<u32> = (0..n_images as u32).collect();
    let epoch = Epoch { study_seed: 3, column: 1, epoch: 4 };
    distorter
        .distorted(images.view(), &indices, epoch, strength)
        .unwrap()
        .iter()
        .map(|v| v.to_bits())
        .collect()
}

#[track_caller]
fn check_sets(distortion: &Distortion, images: &Array3<u8>, strength: f32) {
    let scalar = bits(distortion, images, strength, InstructionSet::Scalar);
    for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
        assert!(bits(distortion, images, strength, set) == scalar, "{set} and scalar differ: {distortion:?}");
    }
}

#[test]
fn the_paper_s_size() {
    let images = Array3::from_shape_fn((40, 29, 29), |(n, row, column)| (n * row * column % 251) as u8);
    for smoothing in [Smoothing::Gaussian, Smoothing::Theano] {
        for sigma in [0.4, 5.0, 8.0, 9.0] {
            check_sets(&Distortion { sigma, smoothing, shear: 0.1, ..Distortion::default() }, &images, 1.0);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_size_and_amplitude(
        height in 1_usize..50,
        width in 1_usize..50,
        sigma in 0.01_f32..20.0,
        alpha in prop_oneof![Just(0.0_f32), 0.0_f32..100.0, 0.0_f32..1e6],
        rotation_deg in 0.0_f32..180.0,
        strength in 0.0_f32..=1.0,
    ) {
        let images = Array3::from_shape_fn((2, height, width), |(n, row, column)| (n + row * 37 + column * 59) as u8);
        check_sets(&Distortion { sigma, alpha, rotation_deg, ..Distortion::default() }, &images, strength);
    }
}
