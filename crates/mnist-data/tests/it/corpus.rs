//! Inputs made by hand or found by fuzzing: each is judged as its name says, from memory and from a file.
//!
//! A name is the verdict, a hyphen, and what the input is: `accepted-i16`, `truncated-cut-at-7`. New ones, such as a
//! minimized corpus or a crash of cargo-fuzz, are adopted under names of that form by
//! `ADOPT_CASES=<folder> cargo test -p mnist-data --test it`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use mnist_data::Error;
use mnist_data::idx::{self, Array};
use sha2::{Digest, Sha256};

/// The folder of the kept inputs.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// All inputs may take this much, because they travel with the source.
const MAX_BYTES: usize = 200_000;

/// 87 by hand and 262 by fuzzing: fewer mean that the folder is not whole.
const N_CASES_LEAST: usize = 349;

const GZIP_MARK: [u8; 2] = [0x1f, 0x8b];

/// The first words of a case's name.
fn verdict(outcome: &Result<Array, Error>) -> &'static str {
    match outcome {
        Ok(_) => "accepted",
        Err(Error::Magic { .. }) => "magic",
        Err(Error::ElementCode { .. }) => "element-code",
        Err(Error::TooLarge { .. }) => "too-large",
        Err(Error::Truncated { .. }) => "truncated",
        Err(Error::Trailing { .. }) => "trailing",
        Err(Error::Gzip { .. }) => "gzip",
        Err(Error::GzipTrailing { .. }) => "gzip-trailing",
        Err(Error::Foreign { .. }) => "foreign",
        Err(Error::Limit { .. }) => "limit",
        Err(error) => panic!("no input may come to this: {error}"),
    }
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let mut files: Vec<_> = paths
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

/// Copies the files of the folder that `ADOPT_CASES` names among the cases.
fn adopt_cases() {
    let Some(source) = env::var_os("ADOPT_CASES") else { return };
    for (_, bytes) in files(Path::new(&source)) {
        let verdict = verdict(&idx::read_from(&bytes[..], "adopted"));
        let hash: String = Sha256::digest(&bytes)[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        let ending = if bytes.starts_with(&GZIP_MARK) { ".gz" } else { "" };
        fs::write(folder().join(format!("{verdict}-fuzz-{hash}{ending}")), bytes).unwrap();
    }
}

#[test]
fn every_case_is_judged_as_its_name_says() {
    adopt_cases();
    let cases = files(&folder());
    assert!(cases.len() >= N_CASES_LEAST, "{} cases, expected at least {N_CASES_LEAST}", cases.len());
    let mut n_bytes = 0;
    for (name, bytes) in &cases {
        n_bytes += bytes.len();
        let from_memory = idx::read_from(&bytes[..], name);
        let from_file = idx::read(folder().join(name));
        assert_eq!(verdict(&from_memory), verdict(&from_file), "{name}: from memory and from a file");
        let verdict = verdict(&from_memory);
        let rest = name.strip_prefix(verdict).and_then(|rest| rest.strip_prefix('-'));
        assert!(rest.is_some(), "{name}: {verdict}, {:?}", from_memory.err());
        // "gzip-trailing-…" begins with "gzip-", too.
        assert!(verdict != "gzip" || !name.starts_with("gzip-trailing"), "{name}: {verdict}");

        if let Ok(array) = from_memory {
            let mut written = Vec::new();
            idx::write_to(&mut written, &array, name).unwrap();
            let is_gzip = bytes.starts_with(&GZIP_MARK);
            assert!(is_gzip || written == *bytes, "{name}: read, but written otherwise");
            let again = idx::read_from(&written[..], name).unwrap();
            assert_eq!((again.shape(), again.element()), (array.shape(), array.element()), "{name}");
        }
    }
    assert!(n_bytes <= MAX_BYTES, "{n_bytes} bytes of cases, expected at most {MAX_BYTES}");
}
