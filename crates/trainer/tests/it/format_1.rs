//! A results folder of format 1 is resumed by every later build, to the same bits.
//!
//! `tests/fixtures/format-1/results` was begun by the program of version 0.1.0 (the commit stands in its `study.json`) on AVX2 with
//! one worker, and ended by SIGTERM: `w14-1` is finished, `original-1` has made 17 of the 23 steps of its fifth epoch, `w20-1` is not
//! begun. `unbroken.json` has the SHA-256 of what the same program made without interruption: of the parameters,
//! f32, little-endian, tensor by tensor as the network's layers stand, and of the probabilities, digit by digit. None of these files
//! is ever edited or made anew: they stand for the folders that people have.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use ciresan_cpu::{CpuEngine, InstructionSet};
use ciresan_net::{EngineSpec, Parameters};
use mnist_data::Data;
use sha2::{Digest, Sha256};
use study::{ColumnFolder, Provenance, ResultsFolder, Study};
use trainer::{Setup, StudyDigits, Summary};

#[test]
fn a_folder_of_format_1_is_resumed_to_the_same_bits() {
    let Ok(isa) = "avx2".parse::<InstructionSet>() else {
        println!("skipped: this CPU has no avx2");
        return;
    };
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/format-1");
    let study = Study::read(&fixture.join("config.json")).unwrap();
    let copy = tempfile::tempdir().unwrap();
    copy_folder(&fixture.join("results"), copy.path());
    let folder = ResultsFolder::create(copy.path()).unwrap();
    folder.adopt(&study).unwrap();

    let summary = resume(&study, &folder, isa);
    assert!(summary.failed.is_empty(), "{summary:?}");
    assert_eq!(summary.finished, study.columns()[1..], "the first column was finished");
    // 8 epochs of 360 digits less 17 steps of 16, and 12: the checkpoint's steps are not made again.
    assert_eq!(summary.images, 8 * 360 - 17 * 16 + 12 * 360);
    let unbroken = fs::read_to_string(fixture.join("unbroken.json")).unwrap();
    let want: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_str(&unbroken).unwrap();
    let columns = study.columns().into_iter();
    let got: BTreeMap<_, _> = columns.map(|id| (id.to_string(), hashes(&folder.column(&id)))).collect();
    assert_eq!(got, want);

    // The column that was finished before there were records gets one.
    assert!(!folder.column(&study.columns()[0]).record().exists());
    trainer::clean_finished(&folder, &study.columns()).unwrap();
    assert!(folder.is_complete(&study.columns(), true, None));
    let manifest = folder.manifest().unwrap().unwrap();
    let kinds: Vec<String> = (study.columns().into_iter())
        .map(|id| folder.finished_column(&manifest, id).unwrap().record().kind())
        .collect();
    assert_eq!(kinds, ["ciresan-cpu avx2 fp32"; 3]);
}

/// Trains the unfinished columns to their end.
fn resume(study: &Study, folder: &ResultsFolder, isa: InstructionSet) -> Summary {
    let mut columns = study.columns();
    columns.retain(|id| !folder.is_finished(id).unwrap());
    let data = Data::sample();
    let (training, validation) = data.train.hold_out(study.validation as usize).unwrap();
    let provenance = Provenance {
        engine: "ciresan-cpu".to_owned(),
        instruction_set: Some("avx2".to_owned()),
        precision: "fp32".to_owned(),
        ..Provenance::default()
    };
    let setup = Setup {
        study,
        folder,
        may_write: &|_| Ok(()),
        columns: &columns,
        digits: StudyDigits { training, validation, test: Some(&data.test) },
        workers: NonZeroUsize::MIN,
        group: NonZeroUsize::MIN,
        threads: NonZeroUsize::MIN,
        data: &[],
        provenance: &provenance,
        started: SystemTime::UNIX_EPOCH,
        stop: &AtomicBool::new(false),
        clock: &|| Duration::ZERO,
        observer: &(),
    };
    let make = |_: usize, spec: &EngineSpec, columns: &[Parameters]| CpuEngine::with_isa(spec, columns, isa);
    trainer::run(&setup, &make).unwrap()
}

/// The hashes of a finished column, as `unbroken.json` has them.
fn hashes(column: &ColumnFolder) -> BTreeMap<String, String> {
    let (weights, _) = Parameters::from_safetensors(&fs::read(column.weights()).unwrap()).unwrap();
    let probabilities = |path: PathBuf| sha256(study::read_probabilities(&path).unwrap().iter());
    BTreeMap::from([
        ("weights".to_owned(), sha256(weights.values().iter())),
        ("validation".to_owned(), probabilities(column.validation())),
        ("probabilities".to_owned(), probabilities(column.probabilities())),
    ])
}

fn sha256<'a>(values: impl Iterator<Item = &'a f32>) -> String {
    let bytes: Vec<u8> = values.flat_map(|value| value.to_le_bytes()).collect();
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
