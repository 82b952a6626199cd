//! Training on libtorch on the CPU, where it promises equal bits; and against this project's own engine.

use ciresan_cpu::CpuEngine;
use ciresan_net::libtorch::{Device, LibtorchEngine, n_gpus};
use ciresan_net::{Engine, EngineError, EngineSpec, Parameters, Step};
use mnist_data::Data;
use serde_json::json;

use crate::runs::{Runs, study};
use crate::training::Fixture;

fn on_cpu(_: usize, spec: &EngineSpec, columns: &[Parameters]) -> Result<LibtorchEngine, EngineError> {
    LibtorchEngine::on(spec, columns, Device::Cpu)
}

#[test]
fn workers_threads_groups_and_interruptions_change_nothing() {
    let study = study(&[]);
    let unbroken = Runs::new(study.clone());
    unbroken.run_on(&on_cpu, usize::MAX, 1, 1, 1);
    let want = unbroken.bits();
    for (workers, threads, group) in [(1, 1, 2), (2, 2, 1), (1, 3, 2)] {
        let runs = Runs::new(study.clone());
        runs.run_on(&on_cpu, usize::MAX, workers, threads, group);
        assert!(runs.bits() == want, "{workers} workers, {threads} threads, groups of {group}");
    }
    for every in [1, 3, 8] {
        let runs = Runs::new(study.clone());
        while runs.folder().finished(&study).unwrap().len() < 2 {
            runs.run_on(&on_cpu, every, 1, 1, 2);
        }
        assert!(runs.bits() == want, "stopped every {every} steps");
    }
}

#[cfg(unix)]
#[test]
fn the_program_killed_and_resumed_gives_the_same_bytes() {
    const DEVICE: [&str; 2] = ["--device", "libtorch-cpu"];
    let unbroken = Fixture::new();
    unbroken
        .run(&[&DEVICE[..], &["--workers", "2"]].concat())
        .check(0, &["engine    libtorch 2.11.0 fp32, 2 workers\n"]);
    let fixture = Fixture::new();
    let running = fixture.start_until(3, &[&DEVICE[..], &["--workers", "1"]].concat());
    running.signal(rustix::process::Signal::KILL);
    assert_eq!(running.end().code, None);
    let lockstep = "libtorch 2.11.0 fp32, 1 worker, up to 2 columns in lockstep\n";
    fixture.run(&[&DEVICE[..], &["--workers", "1"]].concat()).check(0, &[lockstep, "resumes after epoch "]);
    assert!(fixture.bits() == unbroken.bits());
    assert_eq!(kind(&fixture), "libtorch 2.11.0 fp32");
}

/// What the record of the first column says that it was trained by.
fn kind(fixture: &Fixture) -> String {
    let folder = fixture.results();
    let manifest = folder.manifest().unwrap().unwrap();
    folder.finished_column(&manifest, manifest.config.columns()[0]).unwrap().record().kind()
}

#[test]
fn what_is_computed_is_what_the_record_says() {
    for (precision, computed) in [("tf32", "fp32"), ("bf16", "bf16")] {
        let fixture = Fixture::with(json!({ "precision": precision, "epochs": 1, "widths": [14] }));
        fixture.run(&["--device", "libtorch-cpu", "--quiet"]).check(0, &[]);
        let manifest = fixture.results().manifest().unwrap().unwrap();
        assert_eq!(kind(&fixture), format!("libtorch 2.11.0 {computed}"));
        assert_eq!(manifest.config.precision.to_string(), precision);
    }
}

#[test]
fn without_a_gpu_cuda_is_refused() {
    if n_gpus().is_ok() {
        println!("skipped: there is a GPU");
        return;
    }
    let ended = Fixture::new().run(&["--device", "cuda"]);
    ended.check(1, &["error: --device cuda: "]);
}

/// Ten steps on real digits by both engines, from the same first weights; then each predicts with the other's weights.
#[test]
fn engines_agree() {
    let study = study(&[("network", json!("1x29x29-20C4-MP2-40C5-MP3-150N-10N"))]);
    let spec = study.engine_spec();
    let data = Data::sample();
    let digits = data.train.hold_out(0).unwrap().0;
    let canvases = preprocess::normalize_all(digits.images(), preprocess::Width::ORIGINAL, [29, 29]).unwrap();
    let pixels: Vec<u8> = canvases.iter().copied().collect();
    let mut images = vec![0.0; pixels.len()];
    preprocess::scale_to_input(&pixels, &mut images).unwrap();
    let labels = digits.labels();
    let mut rng = <chacha20::ChaCha8Rng as rand::SeedableRng>::seed_from_u64(5);
    let start =
        Parameters::init(&spec.network, spec.activation, ciresan_net::Initialization::FanIn, &mut rng);

    let mut own = CpuEngine::new(&spec, std::slice::from_ref(&start)).unwrap();
    let mut torch = LibtorchEngine::new(&spec, std::slice::from_ref(&start)).unwrap();
    let mut losses = [Vec::new(), Vec::new()];
    let n_pixels = 29 * 29;
    for step in 0..10 {
        let batch = step * 16..(step + 1) * 16;
        let images = &images[batch.start * n_pixels..batch.end * n_pixels];
        let mut steps = [Step::default()];
        own.train_step(images, &labels[batch.clone()], 0.01, &mut steps).unwrap();
        losses[0].push(steps[0].loss);
        torch.train_step(images, &labels[batch], 0.01, &mut steps).unwrap();
        losses[1].push(steps[0].loss);
    }
    // A step is equal within the conformance tests' tolerances: about √(2·500)·2⁻²⁴ = 2e-6 of a value for the longest sums.
    // A winner that a rounding changes moves a gradient of 1/16 of a window's share, and ten steps of momentum 0.9 add up
    // to at most 60 of them; at a rate of 0.01 that stays far below a thousandth of a weight or a nat.
    const TOLERANCE: f64 = 1e-3;
    for (own, torch) in losses[0].iter().zip(&losses[1]) {
        assert!((own - torch).abs() < TOLERANCE, "{losses:?}");
    }
    assert!(losses[0][9] < losses[0][0], "{losses:?}");
    let (of_own, of_torch) = (own.parameters(0).unwrap(), torch.parameters(0).unwrap());
    let off = of_own.values().iter().zip(of_torch.values()).map(|(a, b)| f64::from((a - b).abs()));
    let off = off.fold(0.0, f64::max);
    assert!(off < TOLERANCE, "parameters differ by {off}");
    assert_ne!(of_own, start);

    // The very same weights: what differs is rounding alone, and no winner changes a maximum by more than that.
    let mut probabilities = [vec![0.0; 1000], vec![0.0; 1000]];
    for parameters in [&of_own, &of_torch] {
        own.set_parameters(0, parameters).unwrap();
        torch.set_parameters(0, parameters).unwrap();
        own.predict(0, &images[..100 * n_pixels], &mut probabilities[0]).unwrap();
        torch.predict(0, &images[..100 * n_pixels], &mut probabilities[1]).unwrap();
        for (own, torch) in probabilities[0].iter().zip(&probabilities[1]) {
            // √(2·500) roundings of 2⁻²⁴ a layer, four layers, six deviations: 5e-5 at most.
            assert!((own - torch).abs() < 5e-5, "{own} and {torch}");
        }
    }
}
