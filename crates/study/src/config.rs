//! Reading a config: every key of its top level, its range, and what the keys must be together.

use ciresan_net::{Activation, EngineSpec, Initialization, Network, Optimizer, Precision, Shape};
use preprocess::{CANVAS_PX, Views, Width};
use serde::{Deserialize, Deserializer, de};

use crate::json::{expected, number, object, present, word};
use crate::study::{CONFIG_SCHEMA, Study};
use crate::{
    AnnealedDistortion, DataSet, EarlyStopping, LearningRate, early_stopping, learning_rate, optimizer,
    views, widths,
};

impl<'de> Deserialize<'de> for Study {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys: Keys = object(deserializer, "an object")?;
        keys.check()
    }
}

/// The keys of a config as read, before the checks; [`Study`] documents them. Numbers are wide enough that one out of
/// range arrives at its check.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    #[serde(rename = "$schema", default, deserialize_with = "present")]
    _for_editors: Option<String>,
    schema: i64,
    name: String,
    #[serde(default)]
    notes: Vec<String>,
    #[serde(deserialize_with = "word")]
    data: DataSet,
    seed: u64,
    network: Network,
    #[serde(deserialize_with = "word")]
    activation: Activation,
    #[serde(deserialize_with = "word")]
    initialization: Initialization,
    #[serde(deserialize_with = "widths::read")]
    widths: Vec<Width>,
    columns_per_width: i64,
    epochs: i64,
    batch: i64,
    validation: i64,
    #[serde(default, deserialize_with = "early_stopping::read")]
    early_stopping: Option<EarlyStopping>,
    #[serde(deserialize_with = "learning_rate::read")]
    learning_rate: LearningRate,
    #[serde(deserialize_with = "optimizer::read")]
    optimizer: Optimizer,
    #[serde(deserialize_with = "word")]
    precision: Precision,
    #[serde(default, deserialize_with = "number")]
    skip_below: Option<f64>,
    // Named, so that null does not mean "left out".
    #[serde(deserialize_with = "Option::deserialize")]
    distortion: Option<AnnealedDistortion>,
    #[serde(default, deserialize_with = "views::read")]
    views: Option<Views>,
}

impl Keys {
    fn check<E: de::Error>(self) -> Result<Study, E> {
        if self.schema != i64::from(CONFIG_SCHEMA) {
            let want = format_args!("{CONFIG_SCHEMA}, the config format of this version");
            return Err(expected(".schema", want));
        }
        check_name(&self.name)?;
        check_network(&self.network)?;
        if self.views.is_some() && self.distortion.is_none() {
            return Err(expected(
                ".views",
                "to be left out: views are distorted, and there is no distortion",
            ));
        }
        let n_train = i64::from(self.data.n_train());
        let some_left = format!(": \"{}\" has {n_train} training digits", self.data);
        let validation = whole(".validation", self.validation, [0, n_train - 1], &some_left)?;
        if self.early_stopping.is_some() && validation == 0 {
            let want = "to be left out: no digits are held out (validation is 0), and early stopping needs their error";
            return Err(expected(".early_stopping", want));
        }
        let n_left = n_train - self.validation;
        let left = ", the training digits that are not held out";
        Ok(Study {
            schema: CONFIG_SCHEMA,
            name: self.name,
            notes: self.notes,
            data: self.data,
            seed: self.seed,
            network: self.network,
            activation: self.activation,
            initialization: self.initialization,
            widths: self.widths,
            columns_per_width: whole(
                ".columns_per_width",
                self.columns_per_width,
                [1, Study::MAX_COLUMNS_PER_WIDTH.into()],
                "",
            )?,
            epochs: whole(".epochs", self.epochs, [1, Study::MAX_EPOCHS.into()], "")?,
            batch: whole(".batch", self.batch, [1, n_left], left)?,
            validation,
            early_stopping: self.early_stopping,
            learning_rate: self.learning_rate,
            optimizer: self.optimizer,
            precision: self.precision,
            skip_below: skip_below(self.skip_below)?,
            distortion: self.distortion,
            views: self.views,
        })
    }
}

/// 0 is what was done before the key existed: `None`.
fn skip_below<E: de::Error>(got: Option<f64>) -> Result<Option<f32>, E> {
    let max = EngineSpec::MAX_SKIP_BELOW;
    match got {
        Some(got) if !(0.0..=f64::from(max)).contains(&got) => {
            Err(expected(".skip_below", format_args!("a number from 0 to {max}")))
        }
        got => Ok(got.map(|got| got as f32).filter(|&got| got > 0.0)),
    }
}

/// The name is also that of a folder, on every system.
fn check_name<E: de::Error>(name: &str) -> Result<(), E> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let max = Study::MAX_NAME_CHARS;
    let fits = name.chars().all(plain) && (1..=max).contains(&name.len());
    if fits && !name.starts_with(['.', '-']) && !name.ends_with('.') {
        return Ok(());
    }
    let rule = format_args!(
        "1 to {max} letters, digits, dots, underscores and hyphens, not beginning with a dot or hyphen, \
         nor ending with a dot"
    );
    Err(expected(".name", rule))
}

fn check_network<E: de::Error>(network: &Network) -> Result<(), E> {
    let input = Shape { maps: 1, height: CANVAS_PX, width: CANVAS_PX };
    let (got, classes, n_classes) = (network.input(), network.classes(), Study::N_CLASSES);
    let want = if got != input {
        format!("a network with the input {input}, not {got}")
    } else if classes != n_classes {
        format!("a network that ends with {n_classes}N, not {classes}N")
    } else if !network.paper_form().is_ok_and(|form| !form.stages.is_empty()) {
        "convolutions, each followed by at most one max-pooling, then dense layers".to_owned()
    } else {
        return Ok(());
    };
    Err(expected(".network", want))
}

/// A whole number from `min` to `max`; `why` follows the range in the message.
fn whole<T: TryFrom<i64>, E: de::Error>(
    below: &str,
    got: i64,
    [min, max]: [i64; 2],
    why: &str,
) -> Result<T, E> {
    match T::try_from(got) {
        Ok(value) if (min..=max).contains(&got) => Ok(value),
        _ => Err(expected(below, format_args!("a whole number from {min} to {max}{why}"))),
    }
}
