//! What [`EngineSpec::skip_below`] promises beside the conformance tests: batches of several parts, threads, memory.

use chacha20::ChaCha8Rng;
use ciresan_cpu::{CpuEngine, InstructionSet};
use ciresan_net::{
    Activation, Engine, EngineSpec, Initialization, Network, Optimizer, Parameters, Precision, Step,
};
use rand::{RngExt, SeedableRng};

/// Three parts of a batch, the last one smaller.
const BATCH: usize = 70;
const CLASSES: usize = 5;
const EPSILON: f32 = 0.5;

/// A network through the stages of all three ways, with images and labels to know by heart.
struct Example {
    spec: EngineSpec,
    start: Parameters,
    images: Vec<f32>,
    labels: Vec<u8>,
}

fn example(momentum: f32) -> Example {
    let network: Network = "1x29x29-9C4-MP2-11C5-MP3-12C2-MP1-10N-5N".parse().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let activation = Activation::ScaledTanh;
    let start = Parameters::init(&network, activation, Initialization::FanIn, &mut rng);
    let images = (0..BATCH * 29 * 29).map(|_| rng.random_range(-1.0..1.0)).collect();
    let labels = (0..BATCH).map(|_| rng.random_range(0..CLASSES as u8)).collect();
    let optimizer = Optimizer::Sgd { momentum, nesterov: false };
    let precision = Precision::Fp32;
    let spec =
        EngineSpec { network, activation, optimizer, precision, max_batch: BATCH, skip_below: EPSILON };
    Example { spec, start, images, labels }
}

impl Example {
    fn engine(&self, skip_below: f32, start: &Parameters, isa: InstructionSet) -> CpuEngine {
        let spec = EngineSpec { skip_below, ..self.spec.clone() };
        CpuEngine::with_isa(&spec, std::slice::from_ref(start), isa).unwrap()
    }

    fn step(&self, engine: &mut CpuEngine) -> Step {
        let mut steps = [Step::default()];
        engine.train_step(&self.images, &self.labels, 0.05, &mut steps).unwrap();
        steps[0]
    }

    /// The numbers of the images that are not skipped.
    fn learned(&self, engine: &mut CpuEngine) -> Vec<usize> {
        let mut probabilities = vec![0.0; BATCH * CLASSES];
        engine.predict(0, &self.images, &mut probabilities).unwrap();
        let rows = probabilities.chunks_exact(CLASSES).zip(&self.labels).enumerate();
        let learned = rows.filter(|(_, (row, label))| row[usize::from(**label)] <= 1.0 - EPSILON);
        learned.map(|(image, _)| image).collect()
    }

    /// Trains until some images of every part are skipped, and some are not.
    fn half_trained(&self, isa: InstructionSet) -> CpuEngine {
        let mut engine = self.engine(EPSILON, &self.start, isa);
        for _ in 0..500 {
            self.step(&mut engine);
            let learned = self.learned(&mut engine);
            let of_part = [0..32, 32..64, 64..BATCH].map(|part| {
                let n = learned.iter().filter(|image| part.contains(image)).count();
                (1..part.len()).contains(&n)
            });
            if of_part == [true; 3] {
                return engine;
            }
        }
        panic!("{isa}: no step skips some images of every part");
    }
}

#[test]
fn the_gradient_is_that_of_the_images_left() {
    let example = example(0.0);
    for isa in InstructionSet::available() {
        let mut engine = example.half_trained(isa);
        let learned = example.learned(&mut engine);
        let start = engine.parameters(0).unwrap();
        let step = example.step(&mut engine);
        assert_eq!(step.skipped as usize, BATCH - learned.len());
        let got = engine.optimizer_state(0).unwrap().moments.remove(0);

        let mut exact = example.engine(0.0, &start, isa);
        let mut all = [Step::default()];
        exact.train_step(&example.images, &example.labels, 0.05, &mut all).unwrap();
        assert_eq!((step.loss.to_bits(), all[0].skipped), (all[0].loss.to_bits(), 0), "the loss is of all");

        // The images left as a batch of their own, whose mean has another divisor.
        let mut apart = example.engine(0.0, &start, isa);
        let images = learned.iter().flat_map(|&i| example.images[i * 29 * 29..][..29 * 29].to_vec());
        let labels: Vec<u8> = learned.iter().map(|&i| example.labels[i]).collect();
        apart.train_step(&images.collect::<Vec<_>>(), &labels, 0.05, &mut all).unwrap();
        let want = apart.optimizer_state(0).unwrap().moments.remove(0);
        let share = learned.len() as f32 / BATCH as f32;
        // Sums over at most 70 images of 676 positions each, in another order.
        let largest = want.values().iter().fold(0.0f32, |largest, g| largest.max(g.abs()));
        let tolerance = 256.0 * f32::EPSILON * largest;
        for (i, (got, want)) in got.values().iter().zip(want.values()).enumerate() {
            assert!(
                (got - share * want).abs() <= tolerance,
                "{isa}: value {i} is {got}, want {share} · {want}"
            );
        }
    }
}

#[test]
fn threads_that_help_change_no_bit() {
    let example = example(0.9);
    for isa in InstructionSet::available() {
        let start = example.half_trained(isa).parameters(0).unwrap();
        let train = || {
            let mut engine = example.engine(EPSILON, &start, isa);
            let skipped: Vec<u32> = (0..6).map(|_| example.step(&mut engine).skipped).collect();
            let parameters = engine.parameters(0).unwrap();
            (skipped, parameters.values().iter().map(|x| x.to_bits()).collect::<Vec<_>>())
        };
        let alone = train();
        assert!(alone.0.iter().any(|skipped| (1..BATCH as u32).contains(skipped)), "{:?}", alone.0);
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert!(pool.install(train) == alone, "{isa}, {threads} threads");
        }
    }
}

#[test]
fn skipping_takes_no_memory_but_for_the_matrix_products() {
    let example = example(0.9);
    for isa in InstructionSet::available() {
        let start = example.half_trained(isa).parameters(0).unwrap();
        let mut engine = example.engine(EPSILON, &start, isa);
        let mut steps = [Step::default()];
        let trained = allocation_counter::measure(|| {
            engine.train_step(&example.images, &example.labels, 0.05, &mut steps).unwrap();
        });
        assert!((1..BATCH as u32).contains(&steps[0].skipped), "{isa}: {steps:?}");
        // As without skipping: `matrixmultiply` takes one buffer for each of a step's products.
        assert_eq!((trained.count_total, trained.count_current), (6, 0), "{isa}: {trained:?}");
    }
}

#[test]
fn a_batch_that_is_known_moves_nothing() {
    let example = example(0.0);
    for isa in InstructionSet::available() {
        let mut start = example.start.clone();
        let biases = start.values().len() - CLASSES;
        start.values_mut()[biases..].copy_from_slice(&[0.0, 0.0, 90.0, 0.0, 0.0]);
        let mut engine = example.engine(0.001, &start, isa);
        let mut steps = [Step::default()];
        engine.train_step(&example.images, &[2; BATCH], 0.05, &mut steps).unwrap();
        assert_eq!((steps[0].skipped, steps[0].update_ratio), (BATCH as u32, 0.0), "{isa}");
        assert!(engine.parameters(0).unwrap() == start, "{isa}");
        assert!(engine.optimizer_state(0).unwrap().moments[0].values().iter().all(|g| *g == 0.0), "{isa}");
    }
}
