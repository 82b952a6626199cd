//! This project's contenders in the comparison with what people use: `cargo xtask bench --peers preprocess` starts them.
//!
//! ```text
//! cargo run --release -p preprocess --example race -- distort FOLDER THREADS
//! ```
//!
//! `FOLDER` holds MNIST's four files; `THREADS` is the size of the pool. Tasks: `distort` and `width` work on the training
//! images; `raw` and `gzip` load the training files; `raw-floor` and `gzip-floor` do the least that the same bytes cost
//! anyone who returns them: they read, or inflate, the image file's bytes into new memory.
//!
//! A contender prints a line of JSON about itself when it is ready, then answers each line of stdin, a number of images, with a
//! line that says how many it worked on (loading goes by whole files) and the seconds that took. It ends when stdin does.
#![allow(clippy::print_stdout, reason = "the protocol")]

use std::error::Error;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use flate2::bufread::GzDecoder;
use mnist_data::Digits;
use ndarray::{Array3, ArrayView3};
use preprocess::{
    CANVAS_PX, Distorter, Distortion, Epoch, InstructionSet, Width, normalize_all, scale_to_input,
};
use serde_json::json;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The peers' amplitudes, in `xtask/peers/preprocess/contender.py`, are the same.
const SIGMA: f32 = 8.0;
/// Images a call distorts for each thread: as many as a training step takes. So do the peers that have threads.
const BATCH: usize = 128;
const WIDTH_PX: u8 = 16;
const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";
/// Of the training images' file, not gzipped.
const N_TRAIN_BYTES: usize = 16 + 60_000 * 28 * 28;

/// Works on about as many images as asked for, and says on how many.
type Work = Box<dyn FnMut(usize) -> Outcome<usize> + Send>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task, folder, threads] = &arguments[..] else {
        return Err("usage: race TASK FOLDER THREADS".into());
    };
    let (folder, threads) = (Path::new(folder), threads.parse::<usize>()?);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let (name, detail, mut work) = match task.as_str() {
        "distort" => ours(distort(folder, BATCH * threads)?),
        "width" => ours(width(folder)?),
        "raw" => ours(load(folder, "")?),
        "gzip" => ours(load(folder, ".gz")?),
        "raw-floor" => read_floor(folder),
        "gzip-floor" => inflate_floor(folder),
        other => return Err(format!("no task {other:?}").into()),
    };
    in_pool(&pool, &mut work, 1)?; // warm, and known to work
    let (version, task) = (env!("CARGO_PKG_VERSION"), task.trim_end_matches("-floor"));
    answer(&json!({ "name": name, "version": version, "threads": threads, "task": task, "detail": detail }))?;
    for line in io::stdin().lock().lines() {
        let n_images = line?.trim().parse()?;
        let start = Instant::now();
        let outcome = in_pool(&pool, &mut work, n_images);
        let seconds = start.elapsed().as_secs_f64();
        match outcome {
            Ok(n_images) => answer(&json!({ "images": n_images, "seconds": seconds }))?,
            Err(error) => answer(&json!({ "error": error.to_string() }))?,
        }
    }
    Ok(())
}

/// Runs in the pool, whose threads an error's type need not be fit for.
fn in_pool(pool: &rayon::ThreadPool, work: &mut Work, n_images: usize) -> Outcome<usize> {
    pool.install(|| work(n_images).map_err(|error| error.to_string())).map_err(Into::into)
}

fn answer(line: &serde_json::Value) -> io::Result<()> {
    println!("{line}");
    io::stdout().flush()
}

fn ours((detail, work): (String, Work)) -> (&'static str, String, Work) {
    ("this project", detail, work)
}

/// The training digits, in the form that every contender starts from: 28 × 28 bytes each.
fn training_images(folder: &Path) -> Outcome<Array3<u8>> {
    Ok(Digits::read(folder.join(TRAIN_IMAGES), folder.join(TRAIN_LABELS))?.images().to_owned())
}

/// Batches of distorted digits on the canvas, into a buffer that is used again, every image with a draw of its own.
fn distort(folder: &Path, n_call: usize) -> Outcome<(String, Work)> {
    let canvas = [CANVAS_PX, CANVAS_PX];
    let images = normalize_all(training_images(folder)?.view(), Width::ORIGINAL, canvas)?;
    let distortion = Distortion { sigma: SIGMA, ..Distortion::default() };
    let distorter = Distorter::new(&distortion, CANVAS_PX, CANVAS_PX)?;
    check_distorted(&distorter, &images)?;
    let mut batch = vec![0.0; n_call * CANVAS_PX * CANVAS_PX];
    let (mut next, mut epoch) = (0, 0);
    let work = move |n_images: usize| {
        let mut left = n_images;
        while left > 0 {
            let n = left.min(n_call).min(images.dim().0 - next);
            let indices: Vec<u32> = (next..next + n).map(|index| index as u32).collect();
            let draws = Epoch { study_seed: 2012, column: 1, epoch };
            let out = black_box(&mut batch[..n * CANVAS_PX * CANVAS_PX]);
            distorter.distort_batch(images.view(), &indices, draws, 1.0, out)?;
            (left, next) = (left - n, next + n);
            if next == images.dim().0 {
                (next, epoch) = (0, epoch + 1);
            }
        }
        Ok(n_images)
    };
    let detail = format!("Distorter::distort_batch, {n_call} images a call, {}", InstructionSet::best());
    Ok((detail, Box::new(work)))
}

/// The figures that the peers are held to, in `xtask/peers/preprocess/contender.py`: how far results are from the digits as
/// they are, and how far from its place a pixel's colour comes.
fn check_distorted(distorter: &Distorter, images: &Array3<u8>) -> Outcome<()> {
    const N_CHECKED: u32 = 2_000;
    let indices: Vec<u32> = (0..N_CHECKED).collect();
    let draws = Epoch { study_seed: 2012, column: 1, epoch: u32::MAX };
    let distorted = distorter.distorted(images.view(), &indices, draws, 1.0)?;
    let mut plain = vec![0.0; distorted.len()];
    let pixels = images.as_slice().ok_or("a new array is contiguous")?;
    scale_to_input(&pixels[..plain.len()], &mut plain)?;
    let change = distorted.iter().zip(&plain).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>();
    let change = change / plain.len() as f64;
    let mut squared_px = 0.0;
    for &index in &indices {
        let [x, y] = distorter.field(draws.image(index), 1.0)?;
        squared_px += f64::from((x.powi(2).sum() + y.powi(2).sum()) / (2 * x.len()) as f32);
    }
    let field_px = (squared_px / f64::from(N_CHECKED)).sqrt();
    let fits = (0.9 * CHANGE..1.1 * CHANGE).contains(&change)
        && (0.95 * FIELD_PX..1.05 * FIELD_PX).contains(&field_px);
    if fits {
        Ok(())
    } else {
        Err(format!("mean change {change:.4}, expected about {CHANGE}; field {field_px:.4} px, expected about {FIELD_PX}").into())
    }
}

/// Mean distance of a distorted pixel from the pixel that was there, in the network's input from -1 to 1.
const CHANGE: f64 = 0.179;
/// Root of the mean square of the elastic displacement of an axis, over all pixels.
const FIELD_PX: f64 = 1.079;

/// All digits to one width, 28 × 28 pixels to 29 × 29, as often as it takes.
fn width(folder: &Path) -> Outcome<(String, Work)> {
    let images = training_images(folder)?;
    let width = Width::try_from(WIDTH_PX)?;
    let work = move |n_images: usize| {
        let mut left = n_images;
        while left > 0 {
            let n = left.min(images.dim().0);
            let some: ArrayView3<'_, u8> = images.slice(ndarray::s![..n, .., ..]);
            black_box(normalize_all(some, width, [CANVAS_PX, CANVAS_PX])?);
            left -= n;
        }
        Ok(n_images)
    };
    Ok(("normalize_all".to_owned(), Box::new(work)))
}

/// Training images and labels as checked arrays.
fn load(folder: &Path, suffix: &str) -> Outcome<(String, Work)> {
    let [images, labels] = [TRAIN_IMAGES, TRAIN_LABELS].map(|name| folder.join(format!("{name}{suffix}")));
    let work = move |n_images: usize| by_file(n_images, || Ok(Digits::read(&images, &labels)?.len()));
    Ok(("mnist_data::Digits::read".to_owned(), Box::new(work)))
}

fn read_floor(folder: &Path) -> (&'static str, String, Work) {
    let path = folder.join(TRAIN_IMAGES);
    let work = move |n_images: usize| by_file(n_images, || Ok(n_digits(&fs::read(&path)?)));
    ("reading the bytes", "std::fs::read of the images".to_owned(), Box::new(work))
}

fn inflate_floor(folder: &Path) -> (&'static str, String, Work) {
    let path: PathBuf = folder.join(format!("{TRAIN_IMAGES}.gz"));
    let work = move |n_images: usize| {
        by_file(n_images, || {
            let mut bytes = Vec::with_capacity(N_TRAIN_BYTES);
            GzDecoder::new(BufReader::with_capacity(1 << 16, File::open(&path)?)).read_to_end(&mut bytes)?;
            Ok(n_digits(&bytes))
        })
    };
    ("inflating the bytes", "flate2 with zlib-rs, of the images".to_owned(), Box::new(work))
}

/// The digits of an image file of this many bytes.
fn n_digits(file: &[u8]) -> usize {
    black_box(file).len() / (28 * 28)
}

/// Loads whole files until there were as many images as asked for.
fn by_file(n_images: usize, mut load: impl FnMut() -> Outcome<usize>) -> Outcome<usize> {
    let mut n_loaded = 0;
    while n_loaded < n_images {
        n_loaded += load()?;
    }
    Ok(n_loaded)
}
