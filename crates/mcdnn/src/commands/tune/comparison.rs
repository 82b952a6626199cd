//! What came of the recipes, sorted and compared with the best.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use ::committee::{Committee, McNemar, Member, Score, Spread, log_loss};
use anyhow::{Context, Result};
use report::{Align, table};
use serde::Serialize;
use serde_json::Value;
use study::{ColumnId, Predictions, ResultsFolder, Study};
use thousands::Separable;

use super::recipes::{Recipe, Variation, last_step};
use crate::app::shown;
use crate::numbers::significant;

/// Format of a [`Comparison`]: the value of its key `schema`.
const SCHEMA: u32 = 1;

/// What came of a recipe; `None` if a loss was not finite.
pub(super) type Outcome = Option<Measured>;

/// What stands for the figures of a recipe whose loss was not finite.
pub(super) const DIVERGED: &str = "diverged";

/// What all columns of a recipe say of the held-out digits.
pub(super) struct Measured {
    committee: Score,
    columns: Spread,
    log_loss: f64,
    answers: Vec<u8>,
}

impl Measured {
    /// Of a study whose columns are all finished, by the digits that it holds out, even if it has predicted the test digits too.
    pub(super) fn of(folder: &ResultsFolder, study: &Study, labels: &[u8]) -> Result<Self> {
        let manifest = folder.manifest()?.context("a finished study has its study.json")?;
        let member = |id: ColumnId| -> Result<Member> {
            let probabilities = folder.finished_column(&manifest, id)?.probabilities(Predictions::HeldOut)?;
            Ok(Member::new(id.width.to_string(), id.to_string(), probabilities))
        };
        let members = study.columns().into_iter().map(member).collect::<Result<_>>()?;
        let committee = Committee::new(members, labels)?;
        let all = committee.figures().all;
        Ok(Self {
            committee: all.score,
            columns: all.members,
            log_loss: log_loss(committee.probabilities(), labels)?,
            answers: committee.answers(),
        })
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { committee, columns, log_loss, .. } = self;
        write!(
            f,
            "committee {} of {} wrong, columns {}, log-loss {}",
            committee.errors,
            committee.n.separate_with_commas(),
            spread(columns),
            significant(*log_loss, 3)
        )
    }
}

/// The order of two recipes: by the committee's errors, then by its log-loss; what diverged comes last.
fn order(a: &Outcome, b: &Outcome) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => {
            a.committee.errors.cmp(&b.committee.errors).then(a.log_loss.total_cmp(&b.log_loss))
        }
        _ => a.is_none().cmp(&b.is_none()),
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
    #[serde(skip)]
    variations: &'a [Variation],
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
}

impl<'a> Comparison<'a> {
    /// `outcomes`: those of the first recipes, or of all. `labels`: of the held-out digits.
    pub(super) fn new(
        root: &Path,
        base: &'a Study,
        variations: &'a [Variation],
        recipes: &'a [Recipe],
        outcomes: &[Outcome],
        labels: &[u8],
    ) -> Result<Self> {
        let mut sorted: Vec<(&Recipe, &Outcome)> = recipes.iter().zip(outcomes).collect();
        sorted.sort_by(|(_, a), (_, b)| order(a, b));
        let best = sorted.first().and_then(|(_, outcome)| outcome.as_ref());
        let row = |(index, (recipe, outcome)): (usize, (&'a Recipe, &Outcome))| -> Result<Row<'a>> {
            let outcome = outcome.as_ref();
            let others = best.zip(outcome).filter(|_| index > 0);
            let versus_best = others.map(|(best, it)| McNemar::of(&best.answers, &it.answers, labels));
            let keys = variations.iter().map(|variation| variation.key.as_str());
            let value = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into());
            Ok(Row {
                changes: keys.zip(recipe.values.iter().map(value)).collect(),
                path: shown(&root.join(&recipe.study.name)).to_string(),
                diverged: outcome.is_none(),
                committee: outcome.map(|it| it.committee),
                columns: outcome.map(|it| it.columns),
                log_loss: outcome.map(|it| it.log_loss),
                versus_best: versus_best.transpose()?,
                recipe,
            })
        };
        Ok(Self {
            schema: SCHEMA,
            study: &base.name,
            path: shown(root).to_string(),
            held_out_digits: base.validation,
            recipes: sorted.into_iter().enumerate().map(row).collect::<Result<_>>()?,
            variations,
        })
    }

    /// One row for each recipe.
    pub(super) fn table(&self) -> String {
        let keys = self.variations.iter().map(|variation| short(&variation.key, self.variations));
        let figures = ["committee", "columns", "log-loss", "p"];
        let header: Vec<(&str, Align)> = keys.chain(figures).map(|title| (title, Align::Right)).collect();
        table(&header, &self.recipes.iter().map(Row::cells).collect::<Vec<_>>())
    }

    /// The config of the best recipe, under its own name; `None` if all diverged.
    pub(super) fn best_config(&self) -> Option<Study> {
        let best = self.recipes.first().filter(|best| !best.diverged)?;
        let mut study = best.recipe.study.clone();
        study.name = format!("{}-tuned", self.study);
        study.notes = vec![format!(
            "The config {} with {}: the best of {} recipes on {} held-out digits.",
            self.study,
            changes(self.variations, best.recipe),
            self.recipes.len(),
            self.held_out_digits
        )];
        Some(study)
    }
}

impl fmt::Display for Comparison<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "# Recipes for {}, by errors on {} held-out digits\n\n{}\n\
             committee: errors of all columns together; columns: mean error of one, ± spread;\n\
             p: McNemar's exact test against the first row. The best of several recipes looks\n\
             better by chance: recipes with a large p may be as good.\n",
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
            _ => [DIVERGED.to_owned(), nothing(), nothing(), nothing()],
        };
        self.recipe.values.iter().cloned().chain(figures).collect()
    }
}
