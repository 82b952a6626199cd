//! Images distorted a second of user CPU time on one thread, on every instruction set: a figure that other programs on the
//! same machine disturb little. Linux only; `cargo bench -p preprocess` measures wall time anywhere.
//!
//! ```text
//! cargo run --release -p preprocess --example speed
//! ```
#![allow(clippy::print_stdout, reason = "the result of the program")]

use std::error::Error;
use std::fs;

use mnist_data::Data;
use ndarray::Array3;
use preprocess::{CANVAS_PX, Distorter, Distortion, Epoch, InstructionSet, Width, normalize_all};

const N_PASSES: u32 = 3_000;
/// The kernel counts CPU time in ticks of this many a second.
const TICKS_PER_S: f64 = 100.0;

fn main() -> Result<(), Box<dyn Error>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let sample = Data::sample();
    let images = normalize_all(sample.train.images(), Width::ORIGINAL, [CANVAS_PX, CANVAS_PX])?;
    println!("sigma  instructions  images/s  us/image");
    for sigma in [8.0, 6.0] {
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            let distortion = Distortion { sigma, shear: 0.05, ..Distortion::default() };
            let distorter = Distorter::new(&distortion, CANVAS_PX, CANVAS_PX)?.on(set)?;
            let start_s = user_s()?;
            pool.install(|| run(&distorter, &images))?;
            let image_s = (user_s()? - start_s) / f64::from(N_PASSES) / images.dim().0 as f64;
            println!("{sigma:<5}  {set:<12}  {:>8.0}  {:>8.2}", 1.0 / image_s, 1e6 * image_s);
        }
    }
    Ok(())
}

fn run(distorter: &Distorter, images: &Array3<u8>) -> Result<(), preprocess::PreprocessError> {
    let indices: Vec<u32> = (0..images.dim().0 as u32).collect();
    let mut out = vec![0.0; images.len()];
    for epoch in 0..N_PASSES {
        let epoch = Epoch { study_seed: 2012, column: 0, epoch };
        distorter.distort_batch(images.view(), &indices, epoch, 1.0, std::hint::black_box(&mut out))?;
    }
    Ok(())
}

/// User CPU time of this process: field 14 of its `stat`, counted from behind the name in parentheses.
fn user_s() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let behind_name = stat.rsplit(')').next().ok_or("/proc/self/stat has no name")?;
    let ticks = behind_name.split_whitespace().nth(11).ok_or("/proc/self/stat has no user time")?;
    Ok(ticks.parse::<f64>()? / TICKS_PER_S)
}
