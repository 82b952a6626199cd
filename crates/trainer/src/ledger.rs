//! `study.json` while a run goes on: what is finished, and how long it took.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use study::{MANIFEST_SCHEMA, Manifest, ResultsFolder, Study, StudyError};

use crate::setup::{Clock, Provenance, Stopwatch, whole_ms};

/// The manifest of the study at work.
pub(crate) struct Ledger<'a> {
    folder: &'a ResultsFolder,
    study: &'a Study,
    stopwatch: Stopwatch<'a>,
    /// Held while writing, so that an older state never replaces a newer one.
    manifest: Mutex<Manifest>,
}

impl<'a> Ledger<'a> {
    /// Adopts the folder for the study and writes the manifest, before any column has a file there.
    pub(crate) fn open(
        folder: &'a ResultsFolder,
        study: &'a Study,
        provenance: &Provenance,
        clock: Clock<'a>,
    ) -> Result<Self, Box<StudyError>> {
        let earlier = folder.adopt(study)?;
        let wall_s = earlier.map_or(0.0, |manifest| manifest.wall_s);
        // A manifest with a time that is none says nothing about the results: it counts from zero.
        let before = Duration::try_from_secs_f64(wall_s).unwrap_or_default();
        let stopwatch = Stopwatch::start(clock, before);
        let Provenance { version, commit, engine, device, data } = provenance.clone();
        let manifest = Mutex::new(Manifest {
            schema: MANIFEST_SCHEMA,
            config: study.clone(),
            config_hash: study.hash(),
            version,
            commit,
            engine,
            device,
            data,
            columns: Vec::new(),
            wall_s,
        });
        let ledger = Self { folder, study, stopwatch, manifest };
        ledger.write()?;
        Ok(ledger)
    }

    /// Writes down which columns are finished, and the time spent up to now.
    pub(crate) fn write(&self) -> Result<(), Box<StudyError>> {
        let mut manifest = self.manifest.lock().unwrap_or_else(PoisonError::into_inner);
        manifest.wall_s = whole_ms(self.stopwatch.elapsed());
        manifest.columns = self.folder.finished(self.study);
        Ok(self.folder.write_manifest(&manifest)?)
    }
}
