//! Fetches a collection, shows what happens, and says what came:
//! `cargo run -p mnist-data --example fetch -- mnist [cache folder]`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use mnist_data::fetch::{Event, Fetcher, default_cache};
use mnist_data::{Collection, Data};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut sentence = error.to_string();
            let mut source = error.source();
            while let Some(error) = source {
                sentence += &format!(": {error}");
                source = error.source();
            }
            eprintln!("error: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let collection: Collection = arguments.next().as_deref().unwrap_or("mnist").parse()?;
    let cache = arguments.next().map_or_else(default_cache, |folder| Ok(PathBuf::from(folder)))?;

    let start = Instant::now();
    let folder = Fetcher::new(collection, cache).fetch(&mut |event| {
        if !matches!(event, Event::Progress { .. }) {
            eprintln!("{:6.2} s  {event}", start.elapsed().as_secs_f64());
        }
    })?;
    let (data, hashes) = Data::read_verified(collection, &folder)?;
    eprintln!("{:6.2} s  read", start.elapsed().as_secs_f64());
    println!("{} training and {} test images", data.train.len(), data.test.len());
    for hash in hashes {
        println!("{}  {}", hash.sha256, hash.name);
    }
    Ok(())
}
