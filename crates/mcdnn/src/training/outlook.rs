//! How far a run is, how fast, and how long it will take.

use std::time::{Duration, Instant};

use study::Study;

/// Images done and to do, over all columns of a run.
#[derive(Debug)]
pub(super) struct Outlook {
    started: Instant,
    /// Of a column, at most.
    epochs: u32,
    images_per_epoch: u64,
    /// Images of all columns from first to last epoch.
    total: u64,
    /// Images trained in earlier runs, of columns begun in this one.
    before: u64,
    /// Images trained in this run.
    trained: u64,
}

impl Outlook {
    pub(super) fn new(study: &Study, n_columns: usize) -> Self {
        let images_per_epoch = u64::from(study.n_training_digits());
        let total = images_per_column(study) * n_columns as u64;
        Self { started: Instant::now(), epochs: study.epochs, images_per_epoch, total, before: 0, trained: 0 }
    }

    /// A column has begun that earlier runs had trained on `images_done` images.
    pub(super) fn begin(&mut self, images_done: u64) {
        self.before += images_done;
    }

    /// Images have been trained.
    pub(super) fn advance(&mut self, n_images: usize) {
        self.trained += n_images as u64;
    }

    /// A column has ended after so many epochs. Returns the images that it need not train on any more.
    pub(super) fn end(&mut self, epochs: u32) -> u64 {
        let spared = u64::from(self.epochs - epochs) * self.images_per_epoch;
        self.total -= spared;
        spared
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Images done, those of earlier runs included.
    pub(super) fn done(&self) -> u64 {
        self.before + self.trained
    }

    pub(super) fn images_per_second(&self) -> f64 {
        rate(self.trained, self.started.elapsed())
    }

    /// Time left at this run's mean speed.
    pub(super) fn left(&self) -> Duration {
        time_left(self.total.saturating_sub(self.done()), self.images_per_second())
    }
}

/// Images that a column of the study is trained on.
pub(super) fn images_per_column(study: &Study) -> u64 {
    u64::from(study.epochs) * u64::from(study.n_training_digits())
}

/// Images a second.
pub(super) fn rate(n_images: u64, time: Duration) -> f64 {
    n_images as f64 / time.as_secs_f64().max(1e-9)
}

/// The time that `n_images` take; zero while nothing is known of the speed.
pub(super) fn time_left(n_images: u64, images_per_second: f64) -> Duration {
    Duration::try_from_secs_f64(n_images as f64 / images_per_second).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_the_rate() {
        assert_eq!(time_left(1_000, 500.0), Duration::from_secs(2));
        assert_eq!(time_left(1_000, 0.0), Duration::ZERO);
        assert_eq!(time_left(0, 0.0), Duration::ZERO);
    }
}
