//! The conformance tests on the CPU, column by column as the engine works there, and in lockstep as it works on a GPU;
//! and on a GPU, where there is one.

use super::*;
use crate::conformance::{
    Failure, Made, Make, batches, check_engine, errors, forward, gradients, optimizer, resumed, skipping,
    state, ties, together_within_rounding,
};
use crate::reference::ReferenceEngine;
use crate::{Activation, Initialization, Network, Optimizer, Precision};
use chacha20::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// All columns in one lockstep on the CPU.
fn together(
    spec: &EngineSpec,
    columns: &[Parameters],
    convolution: Convolution,
) -> Result<LibtorchEngine, EngineError> {
    LibtorchEngine::with(spec, columns, Device::Cpu, convolution, columns.len())
}

struct GroupedTogether;

impl Make for GroupedTogether {
    type Engine = LibtorchEngine;

    fn make(spec: &EngineSpec, columns: &[Parameters]) -> Result<LibtorchEngine, EngineError> {
        together(spec, columns, Convolution::Grouped)
    }
}

struct UnfoldedTogether;

impl Make for UnfoldedTogether {
    type Engine = LibtorchEngine;

    fn make(spec: &EngineSpec, columns: &[Parameters]) -> Result<LibtorchEngine, EngineError> {
        together(spec, columns, Convolution::Unfolded)
    }
}

struct UnfoldedApart;

impl Make for UnfoldedApart {
    type Engine = LibtorchEngine;

    fn make(spec: &EngineSpec, columns: &[Parameters]) -> Result<LibtorchEngine, EngineError> {
        LibtorchEngine::with_convolution(spec, columns, Device::Cpu, Convolution::Unfolded)
    }
}

struct OnGpu;

impl Make for OnGpu {
    type Engine = LibtorchEngine;

    fn make(spec: &EngineSpec, columns: &[Parameters]) -> Result<LibtorchEngine, EngineError> {
        LibtorchEngine::on(spec, columns, Device::Cuda(0))
    }
}

/// All that an engine promises whose sums have no fixed order.
#[track_caller]
fn check_but_for_bits<M: Make>() {
    let subjects: [fn() -> Result<(), Failure>; 9] = [
        errors::<Made<M>>,
        forward::<Made<M>>,
        gradients::<Made<M>>,
        ties::<Made<M>>,
        optimizer::<Made<M>>,
        skipping::<Made<M>>,
        state::<Made<M>>,
        batches::<Made<M>>,
        together_within_rounding::<Made<M>>,
    ];
    for subject in subjects {
        if let Err(failure) = subject() {
            panic!("{failure}");
        }
    }
}

#[test]
fn conforms_on_the_cpu() {
    check_engine::<LibtorchEngine>();
}

#[test]
fn conforms_on_the_cpu_with_unfolded_convolutions() {
    check_engine::<Made<UnfoldedApart>>();
}

#[test]
fn a_lockstep_of_grouped_convolutions_conforms() {
    check_but_for_bits::<GroupedTogether>();
    resumed::<Made<GroupedTogether>>().unwrap();
}

#[test]
fn a_lockstep_of_unfolded_convolutions_conforms() {
    check_but_for_bits::<UnfoldedTogether>();
    resumed::<Made<UnfoldedTogether>>().unwrap();
}

#[test]
fn conforms_on_a_gpu_but_for_bits() {
    if let Err(error) = n_gpus() {
        println!("skipped: {error}");
        return;
    }
    check_but_for_bits::<OnGpu>();
}

const PAPER: &str = "1x29x29-20C4-MP2-40C5-MP3-150N-10N";

/// Two columns of the paper's network, a batch of 16 for each.
struct Example {
    spec: EngineSpec,
    columns: Vec<Parameters>,
    images: Vec<f32>,
    labels: Vec<u8>,
}

fn example(activation: Activation, precision: Precision) -> Example {
    let network: Network = PAPER.parse().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let columns =
        (0..2).map(|_| Parameters::init(&network, activation, Initialization::FanIn, &mut rng)).collect();
    let mut uniform = || rng.next_u32() as f32 / (1_u64 << 31) as f32 - 1.0;
    let images = (0..2 * 16 * network.input().len()).map(|_| uniform()).collect();
    let labels = (0..2 * 16).map(|i| i as u8 % 10).collect();
    let optimizer = Optimizer::Sgd { momentum: 0.0, nesterov: false };
    Example {
        spec: EngineSpec { network, activation, optimizer, precision, max_batch: 16, skip_below: 0.0 },
        columns,
        images,
        labels,
    }
}

impl Example {
    /// The gradient of both columns: the velocity after a step without momentum.
    fn gradient<E: Engine>(&self, mut engine: E) -> Vec<f32> {
        engine.train_step(&self.images, &self.labels, 0.01, &mut [Step::default(); 2]).unwrap();
        (0..2)
            .flat_map(|column| engine.optimizer_state(column).unwrap().moments[0].values().to_vec())
            .collect()
    }
}

/// ‖got − want‖₂ / ‖want‖₂.
fn relative_error(got: &[f32], want: &[f32]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    let off = norm(&mut got.iter().zip(want).map(|(&got, &want)| f64::from(got) - f64::from(want)));
    off / norm(&mut want.iter().map(|&want| f64::from(want)))
}

#[test]
fn bf16_rounds_operands_and_keeps_parameters() {
    // A rounding to 8 bits is off by at most 2⁻⁹ of a value, of random sign. On its way a gradient meets the image, four
    // weights, four outputs, as many gradients by outputs, and itself: 14 roundings, √14·2⁻⁹ = 0.7 %. A winner that
    // changes with a rounding moves its window's share, at a cost of √2 of it: 15 % is one window in 90.
    const TOLERANCE: f64 = 0.15;
    for activation in [Activation::ScaledTanh, Activation::Relu] {
        let exact = example(activation, Precision::Fp32);
        let want = exact.gradient(ReferenceEngine::new(&exact.spec, &exact.columns).unwrap());
        let coarse = example(activation, Precision::Bf16);
        for convolution in [Convolution::Grouped, Convolution::Unfolded] {
            let got = coarse.gradient(together(&coarse.spec, &coarse.columns, convolution).unwrap());
            let off = relative_error(&got, &want);
            println!("{activation}, {convolution:?}: {off:.4}");
            assert!(off < TOLERANCE, "{activation}, {convolution:?}: {off}");
            assert!(off > 1e-4, "{activation}, {convolution:?}: {off}, as if nothing had been rounded");
        }
        // The master parameters are f32: set and read exactly, and moved by less than a bf16 can tell.
        let mut engine = LibtorchEngine::new(&coarse.spec, &coarse.columns).unwrap();
        assert_eq!(engine.parameters(1).unwrap(), coarse.columns[1]);
        engine.train_step(&coarse.images, &coarse.labels, 1e-4, &mut [Step::default(); 2]).unwrap();
        let moved = engine.parameters(1).unwrap();
        let is_fine = |value: &&f32| value.to_bits() & 0xffff != 0;
        assert!(moved.values().iter().filter(is_fine).count() > moved.values().len() / 2);
        assert_ne!(moved, coarse.columns[1]);
    }
}

#[test]
fn tf32_on_the_cpu_is_fp32() {
    let [fine, coarse] = [Precision::Fp32, Precision::Tf32].map(|p| example(Activation::Relu, p));
    let gradient =
        |example: &Example| example.gradient(LibtorchEngine::new(&example.spec, &example.columns).unwrap());
    assert_eq!(gradient(&fine), gradient(&coarse));
}

#[test]
fn fp32_on_a_gpu_takes_no_grouped_convolutions() {
    assert_eq!(Convolution::suited_to(Device::Cuda(0), Precision::Fp32), Convolution::Unfolded);
    let Example { spec, columns, .. } = example(Activation::Relu, Precision::Fp32);
    let result = LibtorchEngine::with_convolution(&spec, &columns, Device::Cuda(0), Convolution::Grouped);
    assert!(matches!(result, Err(EngineError::NotSupported { .. })), "{result:?}");
}

#[test]
fn the_calling_threads_setting_changes_no_bit() {
    let example = example(Activation::ScaledTanh, Precision::Fp32);
    let gradient = || example.gradient(LibtorchEngine::new(&example.spec, &example.columns).unwrap());
    let want = gradient();
    let threads = std::thread::scope(|scope| {
        let many = || {
            tch::set_num_threads(4);
            gradient()
        };
        scope.spawn(many).join().unwrap()
    });
    assert_eq!(threads, want);
}

#[test]
fn a_parameter_without_gradient_stays_however_small_epsilon() {
    let network: Network = PAPER.parse().unwrap();
    let optimizer = Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-40, weight_decay: 0.0 };
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let start = Parameters::init(&network, Activation::Relu, Initialization::FanIn, &mut rng);
    let columns = std::slice::from_ref(&start);
    let mut state = state::State::new(&network, optimizer, tch::Device::Cpu, columns).unwrap();
    let zeros = tch::Tensor::zeros([1, network.n_params() as i64], (tch::Kind::Float, tch::Device::Cpu));
    state.descend(zeros, 0.1, Device::Cpu).unwrap();
    assert_eq!(state.parameters(&network, 0).unwrap(), start);
}
