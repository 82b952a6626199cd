//! What both fuzz targets check of one input: no panic, no memory that the input does not justify, one verdict
//! whichever way the bytes come, and whatever is accepted writes back to the same bytes.
#![forbid(unsafe_code)]

use std::alloc::System;
use std::cell::RefCell;
use std::fs;
use std::mem::discriminant;

use cap::Cap;
use mnist_data::Error;
use mnist_data::idx::{Array, read, read_from, write_to};
use tempfile::TempDir;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// What reading may allocate besides the elements: the first step and the input buffer (64 KiB each), the inflater's
/// window and tables, and a message with 255 sizes.
const FIXED_BYTES: usize = 512 * 1024;

/// A file may get its array's memory before its data arrive: 8 times its own length when it is gzipped.
const FIRST_STEP_GZIP: usize = 8;

thread_local! {
    /// In memory where the system has a folder for that: one small file is written for each input.
    static FOLDER: RefCell<TempDir> = RefCell::new(
        tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("there is a temporary folder"),
    );
}

/// Reads `input` from memory and from a file. `n_justified`: bytes of elements that the data can hold.
///
/// # Panics
/// When the two disagree, or when more is allocated than `n_justified` explains.
pub fn read_both(input: &[u8], n_justified: usize) -> Result<Array, Error> {
    // Memory that only the data justify doubles, so old and new stand side by side for a moment: at most 2 + 1 halves.
    let from_memory = within(FIXED_BYTES + 3 * n_justified, || read_from(input, "input"));
    let from_file = FOLDER.with_borrow(|folder| {
        let path = folder.path().join("input");
        fs::write(&path, input).expect("the temporary folder takes the input");
        within(FIXED_BYTES + 3 * n_justified.max(FIRST_STEP_GZIP * input.len()), || read(&path))
    });
    match (&from_memory, &from_file) {
        (Ok(a), Ok(b)) => assert_eq!(written(a), written(b)),
        (Err(a), Err(b)) => assert_eq!(discriminant(a), discriminant(b), "{a}, but from a file: {b}"),
        (a, b) => panic!("{a:?}, but from a file: {b:?}"),
    }
    from_memory
}

/// The raw IDX bytes of an array.
///
/// # Panics
/// When an array that was read cannot be written.
pub fn written(array: &Array) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_to(&mut bytes, array, "output").expect("what was read can be written");
    bytes
}

/// Runs `work` with at most `n_bytes` more memory; the reader reports a refusal as [`Error::Memory`], and any other
/// one ends the process: either is a finding.
fn within(n_bytes: usize, work: impl FnOnce() -> Result<Array, Error>) -> Result<Array, Error> {
    ALLOCATOR.set_limit(ALLOCATOR.allocated() + n_bytes).expect("the limit is above what is allocated");
    let outcome = work();
    ALLOCATOR.set_limit(usize::MAX).expect("no limit");
    if let Err(error @ Error::Memory { .. }) = &outcome {
        panic!("more than {n_bytes} bytes allocated: {error}");
    }
    outcome
}
