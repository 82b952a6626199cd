//! This study's columns as rows of the Theano project's table of trials.

use thousands::Separable;

use super::format::optional;
use crate::published::theano;
use crate::table::{Align, table};
use crate::{Summary, Trial};

const HEADER: [(&str, Align); 10] = [
    ("whose", Align::Left),
    ("batch", Align::Right),
    ("rate", Align::Right),
    ("width", Align::Right),
    ("σ", Align::Right),
    ("α", Align::Right),
    ("iterations", Align::Right),
    ("val %", Align::Right),
    ("test %", Align::Right),
    ("min", Align::Right),
];

/// This study's rows above those of the Theano project; none for other digits than its.
pub(super) fn trials_table(summary: &Summary) -> Option<String> {
    if !summary.has_peers() {
        return None;
    }
    let mut header = HEADER.to_vec();
    header.push(("epochs", Align::Right));
    let ours = summary.trials.iter().map(|trial| our_row(summary, trial));
    let rows: Vec<Vec<String>> = ours.chain(theano::TRIALS.iter().map(theano_row)).collect();
    let text = table(&header, &rows);
    Some(format!(
        "{text}\nTheano: one column each, on a Tesla c2075; its errors are high because the\n\
         validation and test digits were distorted, too. This study: means over a width's\n\
         columns, trained side by side; rate is the highest rate.\n"
    ))
}

fn our_row(summary: &Summary, trial: &Trial) -> Vec<String> {
    let study = &summary.manifest.config;
    let distortion = study.distortion.as_ref().map(|annealed| &annealed.distortion);
    vec![
        format!("this study, {}", trial.n_columns),
        study.batch.to_string(),
        trial.learning_rate.to_string(),
        trial.width.to_string(),
        optional(distortion.map(|distortion| distortion.sigma.to_string())),
        optional(distortion.map(|distortion| distortion.alpha.to_string())),
        u32::try_from(trial.iterations).unwrap_or(u32::MAX).separate_with_commas(),
        optional(trial.validation_percent.map(|percent| format!("{percent:.2}"))),
        optional(trial.test_percent.map(|percent| format!("{percent:.2}"))),
        optional(trial.minutes.map(|minutes| format!("{minutes:.1}"))),
        (trial.iterations / u64::from(study.run_length().steps_per_epoch)).to_string(),
    ]
}

fn theano_row(trial: &theano::Trial) -> Vec<String> {
    vec![
        "Theano".to_owned(),
        trial.batch.to_string(),
        trial.learning_rate.to_string(),
        trial.width_px.to_string(),
        optional(trial.sigma.map(|sigma| sigma.to_string())),
        optional(trial.sigma.map(|_| theano::TRIAL_ALPHA.to_string())),
        optional(trial.iterations.map(|n| n.separate_with_commas())),
        // As published, which is not always with two decimals.
        optional(trial.validation_percent.map(|percent| percent.to_string())),
        trial.test_percent.to_string(),
        trial.minutes.to_string(),
        optional(trial.epochs.map(|epochs| epochs.to_string())),
    ]
}
