//! Gzip data into the IDX reader.
//!
//! Plain mutation hardly ever gets past gzip's sum, so half of the mutations are made inside: inflate, mutate, deflate.
#![no_main]

use std::io::{Read, Write};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use mnist_data::idx::read_from;
use mnist_data_fuzz::{read_both, written};

const GZIP_MARK: [u8; 2] = [0x1f, 0x8b];

/// Data that inflate to more are cut off here: 4 KiB of deflate data can hold 4 MiB.
const MAX_INFLATED_BYTES: u64 = 8 << 20;

/// The inflated bytes as far as they go, and whether they are one whole gzip member and nothing else.
fn inflate(input: &[u8]) -> (Vec<u8>, bool) {
    let mut decoder = GzDecoder::new(input);
    let mut inflated = Vec::new();
    let outcome = decoder.by_ref().take(MAX_INFLATED_BYTES).read_to_end(&mut inflated);
    (inflated, outcome.is_ok() && decoder.into_inner().is_empty())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes every byte");
    encoder.finish().expect("memory takes every byte")
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let (mut inner, _) = inflate(&data[..size]);
    // An even seed, or nothing inside: the gzip data themselves.
    if seed % 2 == 0 || inner.is_empty() || inner.len() > max_size {
        return fuzzer_mutate(data, size, max_size);
    }
    let n_inner = inner.len();
    inner.resize(max_size, 0);
    let n_inner = fuzzer_mutate(&mut inner, n_inner, max_size);
    let packed = gzip(&inner[..n_inner]);
    let n_packed = packed.len().min(max_size);
    data[..n_packed].copy_from_slice(&packed[..n_packed]);
    n_packed
});

fuzz_target!(|input: &[u8]| {
    if !input.starts_with(&GZIP_MARK) {
        return;
    }
    let (inflated, is_whole) = inflate(input);
    let outcome = read_both(input, inflated.len());
    if inflated.starts_with(&GZIP_MARK) {
        assert!(outcome.is_err(), "gzip data in gzip data are no IDX file");
        return;
    }
    // Accepted exactly when the gzip form is whole and what it holds would be accepted by itself.
    let is_accepted = is_whole && read_from(&inflated[..], "inflated").is_ok();
    match outcome {
        Ok(array) => assert!(is_accepted && written(&array) == inflated, "read, but not what was inflated"),
        Err(error) => assert!(!is_accepted, "{error}, but what it holds is an IDX file"),
    }
});
