//! Made-up studies with digits, metrics and weights: everything that figures are drawn from.

use mnist_data::{Data, TestDigits};
use ndarray::{Axis, Slice};
use report::{Evidence, Report, Summary, read};
use study::ResultsFolder;

use crate::made_up::{self, Column, MadeUp, N_TEST, labels, of, study};

/// Two columns each of four widths, that err here and there.
pub(crate) fn complete() -> MadeUp {
    const WRONG: [&[usize]; 8] =
        [&[3, 50, 101], &[3, 51], &[3, 101, 9], &[50, 120, 9], &[3, 7], &[3, 8, 120], &[3, 101], &[3, 199]];
    const NAMES: [&str; 8] = ["w14-1", "w14-2", "w16-1", "w16-2", "w18-1", "w18-2", "w20-1", "w20-2"];
    let column =
        |index: usize| Column { name: NAMES[index], sure: 0.55 + 0.05 * index as f32, wrong: WRONG[index] };
    let made_up = study("mnist", "[14, 16, 18, 20]", 2, &(0..8).map(column).collect::<Vec<_>>());
    NAMES.iter().for_each(|name| write_metrics(&made_up.folder, name, 8));
    made_up
}

/// Metrics of a column, with validation errors.
pub(crate) fn write_metrics(folder: &ResultsFolder, name: &str, n_epochs: u32) {
    let epoch = |epoch: u32| (epoch, 1.5 / f64::from(epoch), Some(0.04 / f64::from(epoch)), 1.0);
    made_up::write_metrics(folder, name, &(1..=n_epochs).map(epoch).collect::<Vec<_>>());
}

/// As many test digits as made-up studies have, with their labels; the pictures are of others.
pub(crate) fn digits() -> Data {
    let sample = Data::sample();
    let images = sample.train.images().slice_axis(Axis(0), Slice::from(..N_TEST)).to_owned();
    Data { test: TestDigits::new(images, labels()).unwrap(), train: sample.train }
}

pub(crate) fn summary(made_up: &MadeUp) -> Summary {
    read(&made_up.folder, of(&labels()), None).unwrap()
}

/// Draws the report of a study and hands it to `look`.
pub(crate) fn with_report<T>(made_up: &MadeUp, look: impl FnOnce(&Report<'_>) -> T) -> T {
    let (summary, digits) = (summary(made_up), digits());
    let evidence = Evidence::new(&summary, &made_up.folder, &digits).unwrap();
    look(&Report::draw(&evidence).unwrap())
}

/// The page of a study.
pub(crate) fn html(made_up: &MadeUp) -> String {
    with_report(made_up, |report| report.html())
}
