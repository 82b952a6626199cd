//! What came of the recipes, sorted and compared with the best.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use ::committee::{Committee, McNemar, Member, Score, Spread, log_loss};
use anyhow::{Context, Result};
use report::{Align, table};
use serde::Serialize;
use serde_json::Value;
use study::{Predictions, ResultsFolder, Study};
use thousands::Separable;

use super::recipes::{Recipe, Variation, last_step};
use crate::app::shown;
use crate::digits::Digits;
use crate::numbers::significant;

/// Format of a [`Comparison`]: the value of its key `schema`.
const SCHEMA: u32 = 1;

/// What came of a recipe.
pub(super) enum Outcome {
    Measured(Measured),
    /// A loss was not finite.
    Diverged,
}

/// What all columns of a recipe say of the held-out digits.
pub(super) struct Measured {
    committee: Score,
    columns: Spread,
    log_loss: f64,
    answers: Vec<u8>,
    labels: Vec<u8>,
}

impl Outcome {
    /// Of a study whose columns are all finished, by the digits that it holds out, even if it has predicted the test digits too.
    pub(super) fn measure(folder: &ResultsFolder, study: &Study, digits: &Digits) -> Result<Self> {
        let manifest = folder.manifest()?.context("a finished study has its study.json")?;
        let (_, held_out) = digits.data.train.hold_out(study.validation as usize)?;
        let member = |id: study::ColumnId| -> Result<Member> {
            let probabilities = folder.finished_column(&manifest, id)?.probabilities(Predictions::HeldOut)?;
            Ok(Member::new(id.width.to_string(), id.to_string(), probabilities))
        };
        let members = study.columns().into_iter().map(member).collect::<Result<_>>()?;
        let committee = Committee::new(members, held_out.labels())?;
        let all = committee.figures().all;
        Ok(Self::Measured(Measured {
            committee: all.score,
            columns: all.members,
            log_loss: log_loss(committee.probabilities(), held_out.labels())?,
            answers: committee.answers(),
            labels: held_out.labels().to_vec(),
        }))
    }

    /// What recipes are sorted by.
    fn rank(&self) -> (u32, f64) {
        match self {
            Self::Measured(measured) => (measured.committee.errors, measured.log_loss),
            Self::Diverged => (u32::MAX, f64::MAX),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measured(Measured { committee, columns, log_loss, .. }) => write!(
                f,
                "committee {} of {} wrong, columns {}, log-loss {}",
                committee.errors,
                committee.n.separate_with_commas(),
                spread(columns),
                significant(*log_loss, 3)
            ),
            Self::Diverged => f.write_str("diverged"),
        }
    }
}

/// `0.48 ± 0.03 %`
fn spread(Spread { mean_percent, sd_percent }: &Spread) -> String {
    match sd_percent {
        Some(sd) => format!("{mean_percent:.2} ± {sd:.2} %"),
        None => format!("{mean_percent:.2} %"),
    }
}

/// `learning_rate.peak=0.02 distortion.sigma=6`
pub(super) fn changes(variations: &[Variation], recipe: &Recipe) -> String {
    let pairs = variations.iter().zip(&recipe.values);
    pairs.map(|(Variation { key, .. }, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
}

/// What `--json` prints.
#[derive(Serialize)]
pub(super) struct Comparison<'a> {
    /// [`SCHEMA`].
    schema: u32,
    /// Name of the config that was varied.
    study: &'a str,
    /// The folder of all.
    path: String,
    held_out_digits: u32,
    /// The best first; those that diverged last.
    recipes: Vec<Row<'a>>,
}

/// A recipe.
#[derive(Serialize)]
struct Row<'a> {
    /// By key.
    changes: BTreeMap<&'a str, Value>,
    /// Its results folder.
    path: String,
    diverged: bool,
    /// Errors of the committee of all columns.
    committee: Option<Score>,
    columns: Option<Spread>,
    /// Of the committee, in nats.
    log_loss: Option<f64>,
    /// Against the best, which is the first; of the best `None`.
    versus_best: Option<McNemar>,
    #[serde(skip)]
    recipe: &'a Recipe,
    #[serde(skip)]
    variations: &'a [Variation],
}

impl<'a> Comparison<'a> {
    /// `outcomes`: those of the first recipes, or of all.
    pub(super) fn new(
        root: &Path,
        base: &'a Study,
        variations: &'a [Variation],
        recipes: &'a [Recipe],
        outcomes: &[Outcome],
    ) -> Result<Self> {
        let mut sorted: Vec<(&Recipe, &Outcome)> = recipes.iter().zip(outcomes).collect();
        sorted.sort_by(|(_, a), (_, b)| {
            let ((a, a_loss), (b, b_loss)) = (a.rank(), b.rank());
            a.cmp(&b).then(a_loss.total_cmp(&b_loss))
        });
        let best = sorted.first().and_then(|(_, outcome)| match outcome {
            Outcome::Measured(best) => Some(&best.answers),
            Outcome::Diverged => None,
        });
        let mut rows = Vec::new();
        for (index, (recipe, outcome)) in sorted.into_iter().enumerate() {
            let of_measured = match outcome {
                Outcome::Measured(measured) => Some(measured),
                Outcome::Diverged => None,
            };
            let versus_best = match (best, of_measured) {
                (Some(best), Some(it)) if index > 0 => Some(McNemar::of(best, &it.answers, &it.labels)?),
                _ => None,
            };
            let keys = variations.iter().map(|variation| variation.key.as_str());
            let value = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into());
            rows.push(Row {
                changes: keys.zip(recipe.values.iter().map(value)).collect(),
                path: shown(&root.join(&recipe.study.name)).to_string(),
                diverged: of_measured.is_none(),
                committee: of_measured.map(|it| it.committee),
                columns: of_measured.map(|it| it.columns),
                log_loss: of_measured.map(|it| it.log_loss),
                versus_best,
                recipe,
                variations,
            });
        }
        let path = shown(root).to_string();
        Ok(Self { schema: SCHEMA, study: &base.name, path, held_out_digits: base.validation, recipes: rows })
    }

    /// A row a recipe.
    pub(super) fn table(&self) -> String {
        let keys: Vec<&str> = self.recipes.first().map_or_else(Vec::new, |row| {
            row.variations.iter().map(|variation| short(&variation.key, row.variations)).collect()
        });
        let figures = ["committee", "columns", "log-loss", "p"];
        let header: Vec<(&str, Align)> =
            keys.into_iter().chain(figures).map(|title| (title, Align::Right)).collect();
        table(&header, &self.recipes.iter().map(Row::cells).collect::<Vec<_>>())
    }

    /// Whether a recipe did not diverge.
    pub(super) fn has_best(&self) -> bool {
        self.recipes.first().is_some_and(|best| !best.diverged)
    }

    /// The config of the best recipe, under a name of its own.
    pub(super) fn best_config(&self, base: &Study, recipes: &[Recipe]) -> Option<Study> {
        let best = self.recipes.first().filter(|best| !best.diverged)?;
        let mut study = best.recipe.study.clone();
        study.name = format!("{}-tuned", base.name);
        let (changes, n_recipes) = (changes(best.variations, best.recipe), recipes.len());
        study.notes = vec![format!(
            "The config {} with {changes}: the best of {n_recipes} recipes on {} held-out digits.",
            base.name, base.validation
        )];
        Some(study)
    }
}

impl fmt::Display for Comparison<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "# Recipes for {}, by errors on {} held-out digits\n\n{}\n\
             committee: errors of all columns together; columns: mean and spread of one;\n\
             p: McNemar's exact test against the first. The first of several is flattered by\n\
             chance: recipes with a large p may be as good.\n",
            self.study,
            self.held_out_digits.separate_with_commas(),
            self.table()
        )
    }
}

/// The key's last step, where no other ends with it.
fn short<'k>(key: &'k str, variations: &[Variation]) -> &'k str {
    let n_alike = variations.iter().filter(|other| last_step(&other.key) == last_step(key)).count();
    if n_alike > 1 { key } else { last_step(key) }
}

impl Row<'_> {
    fn cells(&self) -> Vec<String> {
        let nothing = || "–".to_owned();
        let figures = match (self.committee, &self.columns, self.log_loss) {
            (Some(committee), Some(columns), Some(log_loss)) => [
                committee.errors.separate_with_commas(),
                spread(columns),
                significant(log_loss, 3),
                self.versus_best.map_or_else(nothing, |test| test.p_text()),
            ],
            _ => ["diverged".to_owned(), nothing(), nothing(), nothing()],
        };
        self.recipe.values.iter().cloned().chain(figures).collect()
    }
}
