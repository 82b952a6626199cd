use super::*;
use ciresan_net::{Activation, Optimizer, Precision};

const RUN: RunLength = RunLength { epochs: 8, steps_per_epoch: 10 };

const SGD: Optimizer = Optimizer::Sgd { momentum: 0.9, nesterov: true };
const ADAM_W: Optimizer = Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 };
const TINY: &str = "1x29x29-2C4-MP2-3C5-MP3-10N";

fn spec(network: &str, optimizer: Optimizer) -> EngineSpec {
    EngineSpec {
        network: network.parse().unwrap(),
        activation: Activation::Relu,
        optimizer,
        precision: Precision::Fp32,
        max_batch: 4,
        skip_below: 0.0,
    }
}

fn owner() -> Owner<'static> {
    Owner { column: "w14-1".parse().unwrap(), config_hash: "c0ffee" }
}

fn checkpoint(optimizer: Optimizer) -> Checkpoint {
    let spec = spec(TINY, optimizer);
    let mut parameters = Parameters::zeros(&spec.network);
    let mut optimizer = OptimizerState::new(&spec.optimizer, &spec.network);
    for (i, value) in parameters.values_mut().iter_mut().enumerate() {
        *value = (i as f32).sin();
    }
    optimizer.n_steps = u64::MAX;
    for (k, moment) in optimizer.moments.iter_mut().enumerate() {
        for (i, value) in moment.values_mut().iter_mut().enumerate() {
            *value = ((i + k) as f32).cos() * 1e-30; // down among the subnormals too
        }
    }
    let position = Position {
        epoch: 3,
        step: 7,
        loss_sum: 0.1 + 0.2,
        ratio_sum: f64::MIN_POSITIVE / 3.0,
        skipped: 42,
        elapsed: Duration::from_nanos(12_345_678_901),
        epoch_elapsed: Duration::from_nanos(987_654_321),
    };
    let by = study::Provenance { engine: "ciresan-cpu".to_owned(), ..Default::default() };
    let begun = "2026-11-25T10:00:00Z".to_owned();
    let runs = vec![TrainingRun { begun, epochs_before: 0, wall_s: 12.345, by }];
    let past = Past { runs, metrics_sha256: Some("00ff".to_owned()) };
    Checkpoint { position, parameters, optimizer, past, best: None }
}

/// The same with early stopping.
fn with_a_best_epoch(optimizer: Optimizer) -> Checkpoint {
    let mut checkpoint = checkpoint(optimizer);
    let mut parameters = checkpoint.parameters.clone();
    parameters.values_mut().iter_mut().for_each(|value| *value *= 0.3);
    checkpoint.best = Some(BestEpoch { epoch: 2, error: 0.1 + 0.2, parameters, patience: 7 });
    checkpoint
}

/// The folder of a column.
fn column() -> (tempfile::TempDir, ColumnFolder) {
    let folder = tempfile::tempdir().unwrap();
    let files = study::ResultsFolder::open(folder.path()).column(&owner().column);
    files.create().unwrap();
    (folder, files)
}

fn bytes(optimizer: Optimizer) -> Vec<u8> {
    checkpoint(optimizer).to_bytes(owner(), &spec(TINY, optimizer))
}

fn read(bytes: &[u8]) -> Result<Checkpoint, Flaw> {
    Checkpoint::from_bytes(bytes, owner(), &spec(TINY, SGD), RUN)
}

fn bits(parameters: &Parameters) -> Vec<u32> {
    parameters.values().iter().map(|value| value.to_bits()).collect()
}

#[test]
fn every_bit_comes_back() {
    for want in [SGD, ADAM_W].into_iter().flat_map(|rule| [checkpoint(rule), with_a_best_epoch(rule)]) {
        let rule = if want.optimizer.moments.len() == 1 { SGD } else { ADAM_W };
        let spec = spec(TINY, rule);
        let (_folder, files) = column();
        assert!(Checkpoint::find(&files, owner(), &spec, RUN).unwrap().checkpoint.is_none());
        want.write(&files, owner(), &spec).unwrap();
        let got = Checkpoint::find(&files, owner(), &spec, RUN).unwrap().checkpoint.unwrap();
        assert_eq!((&got.past, &got.best), (&want.past, &want.best));
        assert_eq!(bits(&got.parameters), bits(&want.parameters));
        assert_eq!(got.optimizer.n_steps, want.optimizer.n_steps);
        let moments =
            |checkpoint: &Checkpoint| -> Vec<_> { checkpoint.optimizer.moments.iter().map(bits).collect() };
        assert_eq!(moments(&got), moments(&want));
        assert_eq!(got.position, want.position);
        assert_eq!(got.position.loss_sum.to_bits(), want.position.loss_sum.to_bits());
        assert_eq!(got.position.ratio_sum.to_bits(), want.position.ratio_sum.to_bits());
    }
}

#[test]
fn a_checkpoint_without_skipped_images_is_written_as_before_there_were_any() {
    let written = |skipped| {
        let mut checkpoint = checkpoint(SGD);
        checkpoint.position.skipped = skipped;
        let bytes = checkpoint.to_bytes(owner(), &spec(TINY, SGD));
        assert_eq!(read(&bytes).unwrap().position.skipped, skipped);
        String::from_utf8_lossy(&bytes).contains("skipped")
    };
    assert_eq!([0, 1, u32::MAX].map(written), [false, true, true]);
}

#[test]
fn every_prefix_and_every_flipped_byte_is_refused() {
    for checkpoint in [checkpoint(SGD), with_a_best_epoch(SGD)] {
        let whole = checkpoint.to_bytes(owner(), &spec(TINY, SGD));
        assert!(read(&whole).is_ok());
        for length in (0..whole.len()).step_by(7) {
            assert!(read(&whole[..length]).is_err(), "prefix of {length} bytes");
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            assert!(read(&flipped).is_err(), "byte {at} flipped");
        }
    }
}

#[test]
fn a_foreign_checkpoint_is_refused_with_both_names() {
    let other = |owner, network: &str, run| {
        Checkpoint::from_bytes(&bytes(SGD), owner, &spec(network, SGD), run).unwrap_err()
    };
    let column = Owner { column: "w16-1".parse().unwrap(), ..owner() };
    assert_eq!(other(column, TINY, RUN).to_string(), "checkpoint of column w14-1, expected w16-1");
    let config = Owner { config_hash: "decaf", ..owner() };
    assert_eq!(other(config, TINY, RUN).to_string(), "checkpoint of config c0ffee, expected decaf");
    let shape = other(owner(), "1x29x29-2C4-MP2-4C5-MP3-10N", RUN).to_string();
    assert_eq!(
        shape,
        "tensor \"parameters/conv2.weight\" has shape [3, 2, 5, 5], expected [4, 2, 5, 5] of f32"
    );
    assert_eq!(
        other(owner(), "1x29x29-2C4-MP2-3C5-MP3-5N-10N", RUN).to_string(),
        "tensor \"parameters/dense1.weight\" has shape [10, 27], expected [5, 27] of f32"
    );
    let adam_w = |bytes| Checkpoint::from_bytes(bytes, owner(), &spec(TINY, ADAM_W), RUN).unwrap_err();
    assert_eq!(adam_w(&bytes(SGD)).to_string(), "no tensor \"first_moment/conv1.weight\"");
    let more = read(&bytes(ADAM_W)).unwrap_err().to_string();
    assert_eq!(more, "no tensor \"velocity/conv1.weight\"");
    let short = other(owner(), TINY, RunLength { epochs: 3, steps_per_epoch: 10 });
    assert_eq!(
        short.to_string(),
        "checkpoint after epoch 3 and step 7, expected at most 3 epochs of 10 steps"
    );
}

#[test]
fn a_file_too_large_to_be_one_is_refused_unread() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let error = Checkpoint::read(&path, owner(), &spec(TINY, SGD), RUN).unwrap_err().to_string();
    assert!(error.contains("1099511627776 bytes, expected at most"), "{error}");
}

#[test]
fn the_checkpoint_before_is_kept_and_found_when_the_last_is_damaged_or_lost() {
    let (_folder, files) = column();
    let spec = spec(TINY, SGD);
    let at = |step| {
        let mut checkpoint = checkpoint(SGD);
        checkpoint.position.step = step;
        checkpoint
    };
    let find = || Checkpoint::find(&files, owner(), &spec, RUN);
    at(1).write(&files, owner(), &spec).unwrap();
    assert!(!files.checkpoint_before().exists());
    at(2).write(&files, owner(), &spec).unwrap();
    at(3).write(&files, owner(), &spec).unwrap();
    let found = find().unwrap();
    assert_eq!((found.checkpoint.unwrap().position.step, found.damaged.is_some()), (3, false));

    let whole = fs::read(files.checkpoint()).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 4;
    for damaged in [&whole[..whole.len() - 9], &flipped, b"", b"zeros"] {
        fs::write(files.checkpoint(), damaged).unwrap();
        let found = find().unwrap();
        assert_eq!((found.checkpoint.unwrap().position.step, found.damaged.is_some()), (2, true));
    }
    // A crash between keeping the one and writing the other.
    fs::remove_file(files.checkpoint()).unwrap();
    let found = find().unwrap();
    assert_eq!((found.checkpoint.unwrap().position.step, found.damaged.is_some()), (2, false));

    // No good one at all, and a whole one of something else.
    fs::write(files.checkpoint(), &flipped).unwrap();
    fs::write(files.checkpoint_before(), &flipped).unwrap();
    assert!(find().unwrap_err().to_string().contains("checksum"));
    fs::write(files.checkpoint(), &whole).unwrap();
    let other = Owner { config_hash: "decaf", ..owner() };
    let error = Checkpoint::find(&files, other, &spec, RUN).unwrap_err().to_string();
    assert!(error.contains("checkpoint of config c0ffee, expected decaf"), "{error}");
}
