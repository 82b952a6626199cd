//! The flags of commands that can ask columns about views of each digit.

use preprocess::Views;

/// How many views of each digit, and how much distorted.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct ViewArgs {
    /// Ask each column about N views of a digit, the digit itself and others that are distorted as in training, and take the
    /// mean: fewer errors for N times the work; 16 are enough [default: the digit alone, as in the paper]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(Views::MAX_COUNT)))]
    views: Option<u16>,
    /// How much the views are distorted: the share of the training's distortion, 0 to 1
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
