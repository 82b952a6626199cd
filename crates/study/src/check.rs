//! From the config as written to a [`Study`]: every range, and what belongs together.

use std::collections::HashSet;
use std::fmt::Display;

use ciresan_net::{Network, Optimizer, OptimizerError, Shape};
use preprocess::{CANVAS_PX, Distortion, PreprocessError, Width};

use crate::LearningRate;
use crate::json::{Reason, Refusal};
use crate::raw::{RawDistortion, RawLearningRate, RawOptimizer, RawStudy, RawWidth, Rule, Schedule};
use crate::study::{AnnealedDistortion, CONFIG_SCHEMA, Study};

impl TryFrom<RawStudy> for Study {
    type Error = Refusal;

    fn try_from(raw: RawStudy) -> Result<Self, Refusal> {
        raw.check()
    }
}

impl RawStudy {
    /// The study, or the first wrong value.
    pub(crate) fn check(self) -> Result<Study, Refusal> {
        if self.schema != i128::from(CONFIG_SCHEMA) {
            return Err(want("schema", format!("{CONFIG_SCHEMA}, the config format of this version")));
        }
        check_name(&self.name)?;
        let seed = whole("seed", self.seed, 0, u64::MAX, "")?;
        let network = check_network(&self.network)?;
        let widths = check_widths(&self.widths)?;
        let max = Study::MAX_COLUMNS_PER_WIDTH;
        let columns_per_width = whole("columns_per_width", self.columns_per_width, 1, max, "")?;
        let epochs = whole("epochs", self.epochs, 1, Study::MAX_EPOCHS, "")?;
        let n_train = self.data.n_train();
        let some_left = format!(": \"{}\" has {n_train} training digits", self.data);
        let validation = whole("validation", self.validation, 0, n_train - 1, &some_left)?;
        let n_left = n_train - validation;
        let batch = whole("batch", self.batch, 1, n_left, ", the training digits that are not held out")?;
        Ok(Study {
            name: self.name,
            notes: self.notes,
            data: self.data,
            seed,
            network,
            activation: self.activation,
            initialization: self.initialization,
            widths,
            columns_per_width,
            epochs,
            batch,
            validation,
            learning_rate: self.learning_rate.check()?,
            optimizer: self.optimizer.check()?,
            precision: self.precision,
            distortion: self.distortion.map(RawDistortion::check).transpose()?,
        })
    }
}

impl RawLearningRate {
    fn check(self) -> Result<LearningRate, Refusal> {
        let Self { schedule, initial, factor, floor, peak, warm_up } = self;
        let max = Study::MAX_LEARNING_RATE;
        match schedule {
            Schedule::Exponential => {
                let known = ["schedule", "initial", "factor", "floor"];
                absent([("learning_rate.peak", peak), ("learning_rate.warm_up", warm_up)], &known)?;
                let initial = above_zero("learning_rate.initial", initial, max)?;
                let factor = above_zero("learning_rate.factor", factor, 1.0)?;
                let floor = required("learning_rate.floor", floor)?;
                if !(0.0..=initial).contains(&floor) {
                    let range = format!("a number from 0 to {initial}, the initial rate");
                    return Err(want("learning_rate.floor", range));
                }
                Ok(LearningRate::Exponential { initial, factor, floor: unsigned_zero(floor) })
            }
            Schedule::OneCycle => {
                let known = ["schedule", "peak", "warm_up"];
                let others = ["learning_rate.initial", "learning_rate.factor", "learning_rate.floor"];
                absent(others.into_iter().zip([initial, factor, floor]), &known)?;
                let peak = above_zero("learning_rate.peak", peak, max)?;
                let warm_up = required("learning_rate.warm_up", warm_up)?;
                if !(0.0..=1.0).contains(&warm_up) {
                    return Err(want("learning_rate.warm_up", "a number from 0 to 1".to_owned()));
                }
                Ok(LearningRate::OneCycle { peak, warm_up: unsigned_zero(warm_up) })
            }
        }
    }
}

impl RawOptimizer {
    fn check(self) -> Result<Optimizer, Refusal> {
        let Self { rule, momentum, nesterov, beta1, beta2, epsilon, weight_decay } = self;
        let single = |key, value| Ok(single(required(key, value)?));
        let optimizer = match rule {
            Rule::Sgd => {
                let known = ["rule", "momentum", "nesterov"];
                let others =
                    ["optimizer.beta1", "optimizer.beta2", "optimizer.epsilon", "optimizer.weight_decay"];
                absent(others.into_iter().zip([beta1, beta2, epsilon, weight_decay]), &known)?;
                Optimizer::Sgd {
                    momentum: single("optimizer.momentum", momentum)?,
                    nesterov: required("optimizer.nesterov", nesterov)?,
                }
            }
            Rule::AdamW => {
                let known = ["rule", "beta1", "beta2", "epsilon", "weight_decay"];
                absent([("optimizer.momentum", momentum)], &known)?;
                absent([("optimizer.nesterov", nesterov)], &known)?;
                Optimizer::AdamW {
                    beta1: single("optimizer.beta1", beta1)?,
                    beta2: single("optimizer.beta2", beta2)?,
                    epsilon: single("optimizer.epsilon", epsilon)?,
                    weight_decay: single("optimizer.weight_decay", weight_decay)?,
                }
            }
        };
        optimizer.check().map_err(|OptimizerError { name, want: range, .. }| {
            want(&format!("optimizer.{name}"), format!("a number {range}"))
        })?;
        match optimizer {
            Optimizer::Sgd { momentum, nesterov: true } if momentum <= 0.0 => {
                Err(want("optimizer.nesterov", "false, because momentum is 0".to_owned()))
            }
            _ => Ok(optimizer),
        }
    }
}

impl RawDistortion {
    fn check(self) -> Result<AnnealedDistortion, Refusal> {
        let distortion = Distortion {
            sigma: single(self.sigma),
            alpha: single(self.alpha),
            smoothing: self.smoothing,
            translation_px: single(self.translation_px),
            rotation_deg: single(self.rotation_deg),
            scaling: single(self.scaling),
            shear: single(self.shear),
        };
        distortion.check().map_err(|error| match error {
            PreprocessError::Parameter { name, min, max, .. } => {
                want(&format!("distortion.{name}"), format!("a number from {min} to {max}"))
            }
            other => want("distortion", other.to_string()),
        })?;
        let anneal = single(self.anneal);
        if !(0.0..=1.0).contains(&anneal) {
            return Err(want("distortion.anneal", "a number from 0 to 1".to_owned()));
        }
        Ok(AnnealedDistortion { distortion, anneal })
    }
}

/// The name is also that of a folder, on every system.
fn check_name(name: &str) -> Result<(), Refusal> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let max = Study::MAX_NAME_CHARS;
    let fits = name.chars().all(plain) && (1..=max).contains(&name.len());
    if fits && !name.starts_with(['.', '-']) && !name.ends_with('.') {
        return Ok(());
    }
    let rule = format!(
        "1 to {max} letters, digits, dots, underscores and hyphens, not beginning with a dot or hyphen, \
         nor ending with a dot"
    );
    Err(want("name", rule))
}

fn check_network(notation: &str) -> Result<Network, Refusal> {
    let network: Network = notation
        .parse()
        .map_err(|error| Refusal { key: "network".to_owned(), reason: Reason::Network(error) })?;
    let input = Shape { maps: 1, height: CANVAS_PX, width: CANVAS_PX };
    if network.input() != input {
        return Err(want("network", format!("a network with the input {input}, not {}", network.input())));
    }
    let (classes, n_classes) = (network.classes(), Study::N_CLASSES);
    if classes != n_classes {
        return Err(want("network", format!("a network that ends with {n_classes}N, not {classes}N")));
    }
    if !network.paper_form().is_ok_and(|form| !form.stages.is_empty()) {
        let form = "convolutions, each followed by at most one max-pooling, then dense layers";
        return Err(want("network", form.to_owned()));
    }
    Ok(network)
}

fn check_widths(raw: &[RawWidth]) -> Result<Vec<Width>, Refusal> {
    if raw.is_empty() {
        return Err(want("widths", "at least one width".to_owned()));
    }
    let mut seen = HashSet::new();
    let twice = raw.iter().position(|width| !seen.insert(width.0));
    match twice {
        Some(index) => Err(want(&format!("widths[{index}]"), "every width once".to_owned())),
        None => Ok(raw.iter().map(|width| width.0).collect()),
    }
}

/// A whole number from `min` to `max`; `why` follows the range in the message.
fn whole<T>(key: &str, got: i128, min: T, max: T, why: &str) -> Result<T, Refusal>
where
    T: Copy + Display + Into<i128> + TryFrom<i128>,
{
    let refusal = || want(key, format!("a whole number from {min} to {max}{why}"));
    if (min.into()..=max.into()).contains(&got) {
        T::try_from(got).map_err(|_| refusal())
    } else {
        Err(refusal())
    }
}

fn above_zero(key: &str, got: Option<f64>, max: f64) -> Result<f64, Refusal> {
    let got = required(key, got)?;
    if got > 0.0 && got <= max { Ok(got) } else { Err(want(key, format!("a number above 0, at most {max}"))) }
}

fn required<T>(key: &str, got: Option<T>) -> Result<T, Refusal> {
    got.ok_or_else(|| Refusal { key: key.to_owned(), reason: Reason::MissingKey })
}

/// None of these keys belongs to the schedule or rule with the `known` ones.
fn absent<'a, T>(
    keys: impl IntoIterator<Item = (&'a str, Option<T>)>,
    known: &[&'static str],
) -> Result<(), Refusal> {
    match keys.into_iter().find(|(_, value)| value.is_some()) {
        Some((key, _)) => Err(Refusal { key: key.to_owned(), reason: Reason::UnknownKey(known.to_vec()) }),
        None => Ok(()),
    }
}

/// As f32: values beyond it become infinite and are then out of range. -0 is 0.
fn single(value: f64) -> f32 {
    value as f32 + 0.0
}

/// -0 as 0, so that both have one text and one hash.
fn unsigned_zero(value: f64) -> f64 {
    value + 0.0
}

fn want(key: &str, want: String) -> Refusal {
    Refusal { key: key.to_owned(), reason: Reason::Want(want) }
}
