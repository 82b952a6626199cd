//! The flags of commands that can ask columns about views of each digit.

use preprocess::Views;

/// How many views of each digit, and how much distorted.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct ViewArgs {
    /// Classify N views of each digit and average: the digit itself, and versions distorted as in training. Gives fewer errors
    /// for N times the work; 16 are enough [default: only the digit itself, as in the paper]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(Views::MAX_COUNT)))]
    views: Option<u16>,
    /// Strength of the views' distortion, 0 to 1; 1 is the strength used in training
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, value_parser = share, requires = "views")]
    view_strength: f32,
}

impl ViewArgs {
    pub(crate) fn views(self) -> Option<Views> {
        self.views.map(|count| Views { count, strength: self.view_strength })
    }
}

fn share(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}
