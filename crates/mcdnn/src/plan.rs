//! What a run is going to do, and for how long: said before it starts.

use std::num::NonZeroUsize;
use std::time::Duration;

use study::{ColumnFolder, ColumnId, ResultsFolder, Study, read_metrics};

use crate::device::Device;
use crate::numbers::{count, thousands};

/// Images a second that one worker is taken to train with the paper's network, distortion included, before a results
/// folder has measurements of its own: a core of an AMD EPYC trains 19,000 (Zen 3, AVX2) to 26,000 (Zen 4, AVX-512).
const ASSUMED_IMAGES_PER_SECOND: f64 = 20_000.0;

/// Multiply-adds of one image's forward pass through the paper's network; the assumed speed of another network is that
/// of the paper's by their ratio.
const PAPER_MULTIPLY_ADDS: f64 = 1_891_820.0;

/// A study's state in its results folder, and what is left to do.
pub(crate) struct Plan<'a> {
    study: &'a Study,
    n_workers: NonZeroUsize,
    /// The unfinished columns in training order, with the images each still has to be shown.
    left: Vec<(ColumnId, u64)>,
    speed: Speed,
    device: Device,
}

/// Images a second and worker.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Speed {
    /// Mean over the epochs that are in the results folder.
    Measured(f64),
    /// From [`ASSUMED_IMAGES_PER_SECOND`].
    Assumed(f64),
}

impl<'a> Plan<'a> {
    /// Looks into the results folder. A column whose folder cannot be read is counted as not begun: whoever trains it says why.
    pub(crate) fn new(study: &'a Study, folder: &ResultsFolder, n_workers: NonZeroUsize) -> Self {
        let columns = study.columns();
        let speeds: Vec<Vec<f64>> = columns.iter().map(|id| epoch_speeds(&folder.column(id))).collect();
        let left = columns.iter().zip(&speeds).filter(|(id, _)| !folder.is_finished(id).unwrap_or(false));
        let left = left.map(|(id, epochs)| {
            let done = u64::try_from(epochs.len()).unwrap_or(u64::MAX);
            let epochs = u64::from(study.epochs).saturating_sub(done);
            (*id, epochs * u64::from(study.n_training_digits()))
        });
        Self {
            study,
            n_workers,
            left: left.collect(),
            speed: speed(study, &speeds.concat()),
            device: Device::Cpu,
        }
    }

    /// The same, of these columns alone.
    pub(crate) fn of(mut self, columns: &[ColumnId]) -> Self {
        self.left.retain(|(id, _)| columns.contains(id));
        self
    }

    /// The same, trained by something else than this project's own engine, of whose speed nothing is assumed.
    pub(crate) fn on(self, device: Device) -> Self {
        Self { device, ..self }
    }

    /// Images still to be shown, all columns together.
    pub(crate) fn n_images(&self) -> u64 {
        self.left.iter().map(|(_, n_images)| n_images).sum()
    }

    /// Estimated time of training, when every worker takes the next column as soon as it is free.
    pub(crate) fn estimate(&self) -> Duration {
        let (Speed::Measured(images_per_second) | Speed::Assumed(images_per_second)) = self.speed;
        let mut busy = vec![0_u64; self.n_workers.get()];
        for (_, n_images) in &self.left {
            if let Some(first_free) = busy.iter_mut().min() {
                *first_free += n_images;
            }
        }
        let longest = busy.into_iter().max().unwrap_or(0);
        Duration::from_secs_f64(longest as f64 / images_per_second)
    }
}

/// The images a second of each epoch in a column's metrics; of none when there are no metrics yet, or they cannot be read,
/// because an estimate can do without.
#[must_use]
pub fn epoch_speeds(column: &ColumnFolder) -> Vec<f64> {
    let epochs = read_metrics(&column.metrics()).unwrap_or_default();
    let speeds = epochs.into_iter().map(|epoch| epoch.images_per_second);
    speeds.filter(|speed| speed.is_finite() && *speed > 0.0).collect()
}

fn speed(study: &Study, measured: &[f64]) -> Speed {
    if measured.is_empty() {
        let ratio = PAPER_MULTIPLY_ADDS / study.network.multiply_adds().max(1) as f64;
        return Speed::Assumed(ASSUMED_IMAGES_PER_SECOND * ratio);
    }
    // Epochs are of one length, so the mean speed is the harmonic one.
    let seconds: f64 = measured.iter().map(|speed| speed.recip()).sum();
    Speed::Measured(measured.len() as f64 / seconds)
}

impl Plan<'_> {
    /// The line with the estimated time; `None` where nothing is known of the device's speed.
    pub(crate) fn time(&self) -> Option<String> {
        let (at, speed) = match self.speed {
            Speed::Measured(speed) => ("at the measured", speed),
            Speed::Assumed(speed) => ("assuming", speed),
        };
        (self.device == Device::Cpu).then(|| {
            format!(
                "time      about {} on {} ({at} {} images/s per core)",
                rounded(self.estimate()),
                count(self.n_busy(), "core"),
                thousands(speed.round() as u64)
            )
        })
    }

    /// Workers that get a column, a core each.
    fn n_busy(&self) -> usize {
        self.n_workers.get().min(self.left.len())
    }

    /// The lines about columns, network and digits; `about_network` stands below the network.
    pub(crate) fn study(&self, about_network: Option<&str>) -> String {
        let Self { study, left, .. } = self;
        let widths = study.widths.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let (n_columns, n_left) = (study.columns().len(), left.len());
        let each = study.columns_per_width;
        let n_parameters = thousands(study.network.n_params() as u64);
        let n_digits = thousands(study.n_training_digits().into());
        let mut lines = vec![
            format!("columns   {n_columns}: {each} of each width ({widths}); {n_left} to train"),
            format!("network   {}, {n_parameters} parameters", study.network),
        ];
        lines.extend(about_network.map(|text| format!("          {text}")));
        lines.push(format!("digits    {}, {n_digits} to train on", study.data));
        lines.extend(study.skip_below.map(|skip_below| {
            format!("skipped   images whose label has a probability above 1 − {skip_below} (skip_below)")
        }));
        if study.early_stopping.is_some() {
            lines.push(
                "stops     early, by the error on held-out digits: the work below is an upper limit"
                    .to_owned(),
            );
        }
        lines.join("\n")
    }

    /// The lines about the engine and the work left.
    pub(crate) fn work(&self) -> String {
        let engine = match self.device {
            Device::Cpu => format!("ciresan-cpu, {}, one column each", count(self.n_busy(), "worker")),
            device => format!("libtorch, --device {device}"),
        };
        let epochs = count(self.study.epochs as usize, "epoch");
        format!(
            "engine    {engine}\nto train  {} images: {epochs} of each column",
            thousands(self.n_images())
        )
    }
}

/// A time no finer than an estimate is: `40 s`, `1 min 50 s`, `25 min`, `12 h 10 min`, `3 d 4 h`.
pub(crate) fn rounded(time: Duration) -> String {
    let of = |unit: u64, step: u64| time.as_secs().div_ceil(unit * step) * step;
    let pair = |count: u64, per: u64, upper: &str, lower: &str| match (count / per, count % per) {
        (0, rest) => format!("{rest} {lower}"),
        (whole, 0) => format!("{whole} {upper}"),
        (whole, rest) => format!("{whole} {upper} {rest} {lower}"),
    };
    match time.as_secs() {
        ..20 => format!("{} s", of(1, 1)),
        20..600 => pair(of(1, 10), 60, "min", "s"),
        600..7_200 => pair(of(60, 1), 60, "h", "min"),
        7_200..172_800 => pair(of(60, 10), 60, "h", "min"),
        _ => pair(of(3600, 1), 24, "d", "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quick() -> Study {
        Study::from_json(include_str!("../configs/quick.json")).unwrap()
    }

    fn workers(n: usize) -> NonZeroUsize {
        NonZeroUsize::new(n).unwrap()
    }

    #[test]
    fn numbers_and_times_are_readable() {
        assert_eq!([0, 999, 1_000, 1_920_000].map(thousands), ["0", "999", "1,000", "1,920,000"]);
        let time = |seconds| rounded(Duration::from_secs(seconds));
        assert_eq!([0, 7, 41, 60, 106].map(time), ["0 s", "7 s", "50 s", "1 min", "1 min 50 s"]);
        assert_eq!([3_600, 45_000, 200_000].map(time), ["1 h", "12 h 30 min", "2 d 8 h"]);
    }

    #[test]
    fn the_assumed_speed_is_of_the_papers_network() {
        let study = quick();
        assert!((study.network.multiply_adds() as f64 - PAPER_MULTIPLY_ADDS).abs() < 0.5);
        assert_eq!(speed(&study, &[]), Speed::Assumed(ASSUMED_IMAGES_PER_SECOND));
        assert_eq!(speed(&study, &[4_000.0, 12_000.0]), Speed::Measured(6_000.0));
    }

    #[test]
    fn the_estimate_follows_the_queue() {
        let (study, folder) = (quick(), tempfile::tempdir().unwrap());
        let results = ResultsFolder::create(folder.path().join("quick")).unwrap();
        let seconds = |n_workers| Plan::new(&study, &results, workers(n_workers)).estimate().as_secs_f64();
        let column_s = 8.0 * 60_000.0 / ASSUMED_IMAGES_PER_SECOND;
        for (n_workers, columns_in_turn) in [(1, 4.0), (2, 2.0), (3, 2.0), (4, 1.0), (9, 1.0)] {
            assert!((seconds(n_workers) - columns_in_turn * column_s).abs() < 1e-6, "{n_workers} workers");
        }
    }

    #[test]
    fn what_is_skipped_is_said_where_the_config_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let results = ResultsFolder::open(folder.path());
        let mut study = quick();
        assert!(!Plan::new(&study, &results, workers(1)).study(None).contains("skip"));
        study.skip_below = Some(0.001);
        let plan = Plan::new(&study, &results, workers(1));
        let text = format!("{}\n{}", plan.study(None), plan.work());
        let line = "\nskipped   images whose label has a probability above 1 − 0.001 (skip_below)\n";
        assert!(text.contains(line), "{text}");
    }

    #[test]
    fn epochs_behind_are_not_planned_again() {
        let (study, folder) = (quick(), tempfile::tempdir().unwrap());
        let results = ResultsFolder::create(folder.path().join("quick")).unwrap();
        let column = results.column(&study.columns()[0]);
        column.create().unwrap();
        let line = |epoch: u32| {
            format!(
                "{{\"epoch\":{epoch},\"learning_rate\":0.1,\"loss\":0.1,\"update_ratio\":0.1,\
                 \"images_per_second\":5000.0,\"elapsed_s\":1.0}}\n"
            )
        };
        std::fs::write(column.metrics(), line(1) + &line(2) + "{\"epo").unwrap();
        let plan = Plan::new(&study, &results, workers(2));
        assert_eq!(plan.n_images(), (4 * 8 - 2) * 60_000);
        let text = format!("{}\n{}", plan.time().unwrap(), plan.study(None));
        assert!(text.contains("columns   4: 1 of each width (14, 16, 18, 20); 4 to train"), "{text}");
        assert!(
            text.contains("76,040 parameters") && text.contains("at the measured 5,000 images/s"),
            "{text}"
        );
    }
}
