//! The bits of trained columns, pinned.
//!
//! **AVX2's bits never change again without a new major format of results.** A study is resumed and checked by its bits. A
//! change that rounds differently anywhere fails here: undo the change, do not edit the hash. AVX-512's hashes are pinned so that a
//! change is noticed.
//!
//! The hashes also cover what the engine takes from elsewhere: `exp` and `ln` of the C library in softmax and
//! cross-entropy (and in the normal distribution of the first weights), and the kernel of the `matrixmultiply` crate in the
//! dense layers, which is the one for AVX2 on every CPU that has it, as long as that crate is built without its feature `avx512`
//! (`cargo xtask lint` checks it).

use std::fmt::Write;

use chacha20::ChaCha8Rng;
use ciresan_cpu::{CpuEngine, InstructionSet};
use ciresan_net::{
    Activation, Engine, EngineSpec, Initialization, Network, Optimizer, Parameters, Precision, Step,
};
use mnist_data::Data;
use ndarray::ArrayView3;
use rand::SeedableRng;
use sha2::{Digest, Sha256};

use crate::has;

const STEPS: usize = 50;
/// Two parts of a batch, the second one smaller.
const BATCH: usize = 40;
/// Test digits that the trained column is applied to.
const N_PREDICTED: usize = 10;

const PAPER: &str = "1x29x29-20C4-MP2-40C5-MP3-150N-10N";
/// Shapes of no round size, which take the other ways through convolution and pooling.
const ODD: &str = "1x29x29-9C4-MP2-11C5-MP3-12C2-MP1-30N-10N";

const NESTEROV: Optimizer = Optimizer::Sgd { momentum: 0.9, nesterov: true };
const ADAM_W: Optimizer = Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 };

/// A training, and what comes of it.
#[derive(Clone, Copy)]
struct Golden {
    network: &'static str,
    activation: Activation,
    optimizer: Optimizer,
    learning_rate: f32,
    /// SHA-256 of the weights after [`STEPS`] steps: f32, little-endian, tensor by tensor as the network's layers stand.
    weights: &'static str,
    /// SHA-256 of the probabilities of [`N_PREDICTED`] test digits by these weights, digit by digit.
    probabilities: &'static str,
}

/// They change with the major format of results alone.
const AVX2: [Golden; 4] = [
    Golden {
        network: PAPER,
        activation: Activation::Relu,
        optimizer: NESTEROV,
        learning_rate: 0.01,
        weights: "4f92748d4e1ebaf235569435d5a5541f201d6f24a4af2b0c9c9ade1e62e16f33",
        probabilities: "e47d8d34d9b29d45f09783d7f3b91b13fe12a7e971b1cd3c8863bf7d62503920",
    },
    Golden {
        network: PAPER,
        activation: Activation::ScaledTanh,
        optimizer: NESTEROV,
        learning_rate: 0.01,
        weights: "649831ee336425769cfae9a86ed4e81cd7247726c23532fa6fbed25433427e00",
        probabilities: "a899671f23146eba18bf46a7fe69cc58284a94afdef748b4d6438f26f38ea879",
    },
    Golden {
        network: PAPER,
        activation: Activation::Relu,
        optimizer: ADAM_W,
        learning_rate: 0.001,
        weights: "803a185cfb19133de21ea959ed3a36936656795df926cd1d595fe36a486f69ae",
        probabilities: "6256787359247de14f91a7ca73a00d55b2fd8811f5085fe2549c64b92699ca33",
    },
    Golden {
        network: ODD,
        activation: Activation::ScaledTanh,
        optimizer: NESTEROV,
        learning_rate: 0.01,
        weights: "fb2c167c1af4393842f5462542dfadcfefc787bc13e07659db9d4610b134d229",
        probabilities: "cb0d7d1f461306417b343ed32f23cca3955d940d3dddc9a6766eb1bc382ffb4d",
    },
];

/// The last network has the bits of AVX2: nothing in it is summed in another order.
const AVX512: [Golden; 4] = [
    Golden {
        weights: "3d0e0329a4f5d459dcc15d29917566ecbab1a3ce88a4582d1ae86a9d8034204e",
        probabilities: "1a72b97b2eec90f6ff827e3a161dc9f0cfda7530a62ab21eb3b09179224e74ee",
        ..AVX2[0]
    },
    Golden {
        weights: "01fd465c271387cbaa4665f134a1904f23cf8417f2cbbeaa6611cea0c0b0510a",
        probabilities: "9ec8ddf213e0acea019abfd0c206ba56ab695eb97155242db93423e4d162bcda",
        ..AVX2[1]
    },
    Golden {
        weights: "30ae97c87f58cf8469d5e8bd0ce5cb87d91e40f6430e5e4aeaa2e5af3a236c1a",
        probabilities: "61c5c2b7de61830437d2dc73b0dfe7fa1128508e9c34cff119bd2b68f93055e6",
        ..AVX2[2]
    },
    AVX2[3],
];

#[test]
fn avx2_keeps_its_bits() {
    if has("avx2") {
        check("avx2", &AVX2);
    }
}

#[test]
fn avx512_keeps_its_bits() {
    if has("avx512") {
        check("avx512", &AVX512);
    }
}

#[track_caller]
fn check(isa: &str, cases: &[Golden]) {
    let isa: InstructionSet = isa.parse().unwrap();
    // As many threads as the machine has or `RAYON_NUM_THREADS` says: the bits depend on neither.
    let pool = rayon::ThreadPoolBuilder::new().build().unwrap();
    let mut wrong = String::new();
    for case in cases {
        let got = pool.install(|| train(case, isa));
        if got != [case.weights, case.probabilities] {
            let Golden { network, activation, optimizer, .. } = case;
            writeln!(wrong, "{network}, {activation}, {optimizer:?}: weights and probabilities {got:#?}")
                .unwrap();
        }
    }
    assert!(wrong.is_empty(), "other bits than pinned on {isa}:\n{wrong}");
}

/// The two hashes of a case: those of weights and probabilities.
fn train(case: &Golden, isa: InstructionSet) -> [String; 2] {
    let network: Network = case.network.parse().unwrap();
    let data = Data::sample();
    let (images, labels) = (input(data.train.images()), data.train.labels());
    let mut rng = ChaCha8Rng::seed_from_u64(2012);
    let start = Parameters::init(&network, case.activation, Initialization::FanIn, &mut rng);
    let spec = EngineSpec {
        network,
        activation: case.activation,
        optimizer: case.optimizer,
        precision: Precision::Fp32,
        max_batch: BATCH,
        skip_below: 0.0,
    };
    let mut engine = CpuEngine::with_isa(&spec, &[start], isa).unwrap();
    let image_len = spec.network.input().len();
    let batches = images.chunks_exact(BATCH * image_len).zip(labels.chunks_exact(BATCH));
    let mut steps = [Step::default()];
    for (images, labels) in batches.cycle().take(STEPS) {
        engine.train_step(images, labels, case.learning_rate, &mut steps).unwrap();
    }
    // A column that has diverged, or has learned nothing, would pin little.
    assert!(steps[0].loss < 1.0, "loss {}", steps[0].loss);
    let mut probabilities = [0.0; N_PREDICTED * 10];
    let test = input(data.test.images());
    engine.predict(0, &test[..N_PREDICTED * image_len], &mut probabilities).unwrap();
    [sha256(engine.parameters(0).unwrap().values()), sha256(&probabilities)]
}

/// Digits `[n][28][28]` as the network's input `[n][29][29]`: as they are, with a row and a column of paper more.
fn input(digits: ArrayView3<'_, u8>) -> Vec<f32> {
    let mut input = vec![-1.0; digits.dim().0 * 29 * 29];
    for (digit, image) in digits.outer_iter().zip(input.chunks_exact_mut(29 * 29)) {
        for ((row, column), &pixel) in digit.indexed_iter() {
            image[row * 29 + column] = f32::from(pixel) / 127.5 - 1.0;
        }
    }
    input
}

fn sha256(values: &[f32]) -> String {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
