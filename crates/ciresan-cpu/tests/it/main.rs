//! `CpuEngine` against the conformance tests of `Engine`, on every instruction set of this CPU, and its bits pinned.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test's helpers fail and speak as tests do")]

mod golden;
mod skipping;

use chacha20::ChaCha8Rng;
use ciresan_cpu::{CpuEngine, InstructionSet};
use ciresan_net::conformance::{Made, Make, check_engine};
use ciresan_net::reference::ReferenceEngine;
use ciresan_net::{
    Activation, Engine, EngineError, EngineSpec, Initialization, Network, Optimizer, Parameters, Precision,
    Step,
};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};

/// Makes engines for one instruction set.
macro_rules! makes_on {
    ($name:ident, $isa:literal) => {
        struct $name;

        impl Make for $name {
            type Engine = CpuEngine;

            fn make(spec: &EngineSpec, columns: &[Parameters]) -> Result<CpuEngine, EngineError> {
                CpuEngine::with_isa(spec, columns, $isa.parse().unwrap())
            }
        }
    };
}
makes_on!(OnAvx512, "avx512");
makes_on!(OnAvx2, "avx2");
makes_on!(OnPortable, "portable");

/// Whether this CPU has `isa`; says so where it has not.
fn has(isa: &str) -> bool {
    let has = isa.parse::<InstructionSet>().is_ok();
    if !has {
        println!("skipped: this CPU has no {isa}");
    }
    has
}

#[test]
fn conforms_with_avx512() {
    if has("avx512") {
        check_engine::<Made<OnAvx512>>();
    }
}

#[test]
fn conforms_with_avx2() {
    if has("avx2") {
        check_engine::<Made<OnAvx2>>();
    }
}

#[test]
fn conforms_with_portable_code() {
    check_engine::<Made<OnPortable>>();
}

/// Parameters after one step of plain gradient descent, on random images.
fn one_step<E: Engine>(make: impl Fn(&EngineSpec, &Parameters) -> E, case: &Case) -> Vec<f32> {
    let network: Network = case.notation().parse().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(case.seed);
    let start = Parameters::init(&network, case.activation, Initialization::FanIn, &mut rng);
    let images: Vec<f32> =
        (0..case.batch * network.input().len()).map(|_| rng.random_range(-1.0..1.0)).collect();
    let labels: Vec<u8> = (0..case.batch).map(|_| rng.random_range(0..3)).collect();
    let optimizer = Optimizer::Sgd { momentum: 0.0, nesterov: false };
    let spec = EngineSpec {
        network,
        activation: case.activation,
        optimizer,
        precision: Precision::Fp32,
        max_batch: case.batch,
        skip_below: 0.0,
    };
    let mut engine = make(&spec, &start);
    engine.train_step(&images, &labels, 1.0, &mut [Step::default()]).unwrap();
    engine.parameters(0).unwrap().values().to_vec()
}

/// A small network of the paper's form that fits its input.
#[derive(Clone, Debug)]
struct Case {
    input: [usize; 3],
    stages: Vec<[usize; 3]>,
    hidden: Option<usize>,
    activation: Activation,
    batch: usize,
    seed: u64,
}

impl Case {
    fn notation(&self) -> String {
        let [maps, height, width] = self.input;
        let mut parts = vec![format!("{maps}x{height}x{width}")];
        for [maps, kernel, pool] in &self.stages {
            parts.push(format!("{maps}C{kernel}"));
            parts.push(format!("MP{pool}"));
        }
        parts.extend(self.hidden.map(|n| format!("{n}N")));
        parts.push("3N".to_owned());
        parts.join("-")
    }
}

fn case() -> impl Strategy<Value = Case> {
    let stage = (1usize..=40, 1usize..=5, 1usize..=3).prop_map(|(maps, kernel, pool)| [maps, kernel, pool]);
    let stages = prop::collection::vec(stage, 1..=2);
    let size = (1usize..=3, 0usize..=4, 0usize..=4);
    let rest = (prop::option::of(1usize..=20), any::<bool>(), 1usize..=4, any::<u64>());
    (stages, size, rest).prop_map(|(stages, (maps, taller, wider), (hidden, relu, batch, seed))| {
        // Backwards from one pixel of output: each stage needs pool · size + kernel − 1.
        let needed = stages.iter().rev().fold(1, |size, [_, kernel, pool]| size * pool + kernel - 1);
        let activation = if relu { Activation::Relu } else { Activation::ScaledTanh };
        Case { input: [maps, needed + taller, needed + wider], stages, hidden, activation, batch, seed }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_network_of_the_papers_form_trains_as_the_dense_reference(case in case()) {
        let want = one_step(|spec, start| ReferenceEngine::new(spec, std::slice::from_ref(start)).unwrap(), &case);
        // A parameter moves by a sum over at most batch · conv outputs of products that went through sums of at most
        // 40·25 terms, all of order one and below: thousands of roundings of ε/2, of random sign.
        let largest = want.iter().fold(1.0f32, |m, x| m.max(x.abs()));
        let bound = 256.0 * f32::EPSILON * largest;
        for isa in InstructionSet::available() {
            let got = one_step(|spec, start| {
                CpuEngine::with_isa(spec, std::slice::from_ref(start), isa).unwrap()
            }, &case);
            for (i, (g, w)) in got.iter().zip(&want).enumerate() {
                prop_assert!((g - w).abs() <= bound, "{isa}, {}: value {i} is {g}, want {w}", case.notation());
            }
        }
    }
}

#[test]
fn a_nan_reaches_the_loss() {
    let network: Network = "1x8x8-4C3-MP2-5N-3N".parse().unwrap();
    for activation in [Activation::ScaledTanh, Activation::Relu] {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let start = Parameters::init(&network, activation, Initialization::FanIn, &mut rng);
        let optimizer = Optimizer::Sgd { momentum: 0.0, nesterov: false };
        let spec = EngineSpec {
            network: network.clone(),
            activation,
            optimizer,
            precision: Precision::Fp32,
            max_batch: 1,
            skip_below: 0.0,
        };
        for isa in InstructionSet::available() {
            let mut engine = CpuEngine::with_isa(&spec, std::slice::from_ref(&start), isa).unwrap();
            let mut steps = [Step::default()];
            engine.train_step(&[f32::NAN; 64], &[1], 0.1, &mut steps).unwrap();
            assert!(steps[0].loss.is_nan(), "{isa}, {activation:?}: {}", steps[0].loss);
        }
    }
}

#[test]
fn threads_that_help_change_no_bit() {
    // Three parts of a batch, the last one smaller, through the stages of all three ways.
    let network: Network = "1x29x29-9C4-MP2-11C5-MP3-12C2-MP1-10N-5N".parse().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let activation = Activation::ScaledTanh;
    let start = Parameters::init(&network, activation, Initialization::FanIn, &mut rng);
    let images: Vec<f32> = (0..70 * 29 * 29).map(|_| rng.random_range(-1.0..1.0)).collect();
    let labels: Vec<u8> = (0..70).map(|_| rng.random_range(0..5)).collect();
    let optimizer = Optimizer::Sgd { momentum: 0.9, nesterov: true };
    let precision = Precision::Fp32;
    let spec = EngineSpec { network, activation, optimizer, precision, max_batch: 70, skip_below: 0.0 };
    for isa in InstructionSet::available() {
        let train = || {
            let mut engine = CpuEngine::with_isa(&spec, std::slice::from_ref(&start), isa).unwrap();
            for _ in 0..4 {
                engine.train_step(&images, &labels, 0.1, &mut [Step::default()]).unwrap();
            }
            let mut probabilities = vec![0.0; 70 * 5];
            engine.predict(0, &images, &mut probabilities).unwrap();
            [engine.parameters(0).unwrap().values(), &probabilities]
                .concat()
                .iter()
                .map(|x| x.to_bits())
                .collect::<Vec<_>>()
        };
        let alone = train();
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert!(pool.install(train) == alone, "{isa}, {threads} threads");
        }
    }
}

#[test]
fn a_step_takes_no_memory_but_for_its_matrix_products() {
    let network: Network = "1x29x29-20C4-MP2-40C5-MP3-150N-10N".parse().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let activation = Activation::ScaledTanh;
    let start = Parameters::init(&network, activation, Initialization::FanIn, &mut rng);
    let images: Vec<f32> = (0..40 * 29 * 29).map(|_| rng.random_range(-1.0..1.0)).collect();
    let mut probabilities = vec![0.0; 40 * 10];
    let optimizer = Optimizer::Sgd { momentum: 0.9, nesterov: true };
    let precision = Precision::Fp32;
    let spec = EngineSpec { network, activation, optimizer, precision, max_batch: 40, skip_below: 0.0 };
    for isa in InstructionSet::available() {
        let mut engine = CpuEngine::with_isa(&spec, std::slice::from_ref(&start), isa).unwrap();
        let mut steps = [Step::default()];
        let trained = allocation_counter::measure(|| {
            engine.train_step(&images, &[3; 40], 0.1, &mut steps).unwrap();
        });
        let predicted = allocation_counter::measure(|| {
            engine.predict(0, &images, &mut probabilities).unwrap();
        });
        // `matrixmultiply` packs each product's operands into a buffer of its own: for each of the two dense layers
        // one forward, and in training one for either gradient.
        assert_eq!([trained.count_total, predicted.count_total], [6, 2], "{isa}: {trained:?}, {predicted:?}");
        assert_eq!([trained.count_current, predicted.count_current], [0, 0], "{isa}");
    }
}
