//! A tiny study, and runs of it in a results folder of its own.

use std::fs;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use mnist_data::Data;
use serde_json::{Value, json};
use study::{Provenance, ResultsFolder, Study};
use tempfile::TempDir;
use trainer::{Event, MakeEngine, Observer, Setup, StudyDigits, Summary, run};

/// 60 digits in batches of 16, the last one of 12: 4 steps an epoch, 12 a column.
pub(crate) fn study(changes: &[(&str, Value)]) -> Study {
    let mut config = json!({
        "schema": 1, "name": "tiny", "data": "sample", "seed": 2012,
        "network": "1x29x29-2C4-MP2-3C5-MP3-10N", "activation": "scaled-tanh", "initialization": "paper",
        "widths": [14, "original"], "columns_per_width": 1, "epochs": 3, "batch": 16, "validation": 340,
        "learning_rate": { "schedule": "exponential", "initial": 0.05, "factor": 0.9, "floor": 0.01 },
        "optimizer": { "rule": "sgd", "momentum": 0.9, "nesterov": false },
        "precision": "fp32",
        "distortion": {
            "sigma": 6, "alpha": 36, "smoothing": "gaussian", "translation_px": 1, "rotation_deg": 5, "scaling": 0,
            "shear": 0.1, "anneal": 0.5
        }
    });
    for (key, value) in changes {
        config[*key] = value.clone();
    }
    Study::from_json(&config.to_string()).unwrap()
}

/// A results folder, and runs in it.
pub(crate) struct Runs {
    pub(crate) study: Study,
    root: TempDir,
    data: Data,
}

/// Sets the stop flag at the n-th step of a run, and keeps what it is told.
struct StopAt<'a> {
    step: usize,
    steps: AtomicUsize,
    stop: &'a AtomicBool,
    told: Mutex<Vec<String>>,
}

impl Observer for StopAt<'_> {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Step { .. } = event
            && self.steps.fetch_add(1, Ordering::Relaxed) + 1 == self.step
        {
            self.stop.store(true, Ordering::Relaxed);
        }
        if !matches!(event, Event::Step { .. }) {
            self.told.lock().unwrap().push(format!("{event:?}"));
        }
    }
}

impl Runs {
    pub(crate) fn new(study: Study) -> Self {
        Self { study, root: tempfile::tempdir().unwrap(), data: Data::sample() }
    }

    pub(crate) fn folder(&self) -> ResultsFolder {
        ResultsFolder::create(self.root.path()).unwrap()
    }

    /// Trains what is unfinished until the stop flag is set after `step` steps, on any engine; also gives back what was
    /// told.
    pub(crate) fn run_on<M: MakeEngine>(
        &self,
        make: &M,
        step: usize,
        workers: usize,
        threads: usize,
        group: usize,
    ) -> (Summary, Vec<String>) {
        let (stop, ticks) = (AtomicBool::new(false), AtomicUsize::new(0));
        let observer = StopAt { step, steps: AtomicUsize::new(0), stop: &stop, told: Mutex::default() };
        let (training, validation) = self.data.train.hold_out(self.study.validation as usize).unwrap();
        let folder = self.folder();
        let mut columns = self.study.columns();
        columns.retain(|id| !folder.is_finished(id).unwrap());
        let setup = Setup {
            study: &self.study,
            folder: &folder,
            may_write: &|_| Ok(()),
            columns: &columns,
            digits: StudyDigits { training, validation, test: Some(&self.data.test) },
            workers: NonZeroUsize::new(workers).unwrap(),
            group: NonZeroUsize::new(group).unwrap(),
            threads: NonZeroUsize::new(threads).unwrap(),
            data: &[],
            provenance: &Provenance { engine: "ciresan-cpu".to_owned(), ..Provenance::default() },
            started: SystemTime::UNIX_EPOCH,
            stop: &stop,
            // Each look at the clock takes a millisecond.
            clock: &|| Duration::from_millis(ticks.fetch_add(1, Ordering::Relaxed) as u64),
            observer: &observer,
        };
        let summary = run(&setup, make);
        (summary.unwrap(), observer.told.into_inner().unwrap())
    }

    /// The bytes of all columns' weights and probabilities.
    pub(crate) fn bits(&self) -> Vec<Vec<u8>> {
        let folder = self.folder();
        let files = |id| [folder.column(&id).weights(), folder.column(&id).probabilities()];
        self.study.columns().into_iter().flat_map(files).map(|path| fs::read(path).unwrap()).collect()
    }
}
