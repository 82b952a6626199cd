//! How often a study is right about scenes made of real digits, and how often it calls an answer clear, by kind of scene.
//!
//! ```text
//! cargo run --release -p classifier --example scenes -- results/published/best                          the embedded sample
//! cargo run --release -p classifier --example scenes -- results/published/best 400 ~/.cache/ciresan-mcdnn/mnist
//! ```
//!
//! The last two arguments are the number of scenes of each kind and a folder with MNIST's files, of which the training digits are taken.
#![allow(clippy::print_stdout, reason = "an example prints its answer")]

#[path = "../tests/it/scenes/mod.rs"]
mod scenes;

use std::env;
use std::error::Error;

use classifier::Classifier;
use mnist_data::Data;

use self::scenes::KINDS;

/// The embedded sample is of MNIST's first so many training digits.
const SAMPLED: usize = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().ok_or("the results folder of a study is missing")?;
    let n = arguments.next().map_or(Ok(200), |n| n.parse())?;
    let data = arguments.next().map_or_else(|| Ok(Data::sample()), Data::read)?;
    // The sample is of MNIST's first digits: what was chosen with it is measured on others.
    let all = data.train.view();
    let digits = if all.len() > SAMPLED { all.slice(SAMPLED..all.len()) } else { all };
    let classifier = Classifier::open(folder)?;
    println!(
        "| {:<20} | {:>6} | {:>7} | {:>7} | {:>15} |",
        "kind", "scenes", "right %", "clear %", "clear and wrong"
    );
    println!("| {:-<20} | {:->5}: | {:->6}: | {:->6}: | {:->14}: |", "", "", "", "", "");
    for kind in KINDS {
        let scenes = kind.scenes(digits, n);
        let (mut n_right, mut n_clear, mut n_wrong) = (0, 0, 0);
        for scene in &scenes {
            // What cannot be read, such as a blank image, is neither right nor clear.
            let Ok(answer) = classifier.classify(kind.image(scene)) else { continue };
            let is_right = scene.digit == Some(answer.class());
            let is_clear = answer.unclear().is_none();
            n_right += usize::from(is_right);
            n_clear += usize::from(is_clear);
            n_wrong += usize::from(is_clear && !is_right);
        }
        let percent = |n_of: usize| format!("{:.1}", 100.0 * n_of as f64 / n as f64);
        let right = if scenes.iter().all(|scene| scene.digit.is_none()) {
            "–".to_owned()
        } else {
            percent(n_right)
        };
        println!("| {:<20} | {n:>6} | {right:>7} | {:>7} | {n_wrong:>15} |", kind.name, percent(n_clear));
    }
    Ok(())
}
