//! How far reading and classifying are, on a terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is done before this time shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// A bar on stderr, which is cleared at the end and is shown on terminals alone.
pub(super) struct Progress {
    bar: ProgressBar,
    begun: Instant,
    total: u64,
}

impl Progress {
    /// Of `n` things that are called `what`.
    pub(super) fn of(n: usize, what: &str) -> Self {
        let style = ProgressStyle::with_template("{msg:8} {wide_bar:.cyan/238} {pos}/{len}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─");
        let bar = ProgressBar::hidden().with_style(style).with_message(what.to_owned());
        Self { bar, begun: Instant::now(), total: n as u64 }
    }

    /// `n` more are done.
    pub(super) fn advance(&self, n: usize) {
        if self.bar.length().is_none() && self.begun.elapsed() >= PATIENCE {
            self.bar.set_length(self.total);
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(n as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
