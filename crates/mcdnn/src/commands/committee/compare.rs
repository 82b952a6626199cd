//! `--compare A B` and `--also STUDY`: whether one committee is better than another.

use std::path::{Path, PathBuf};

use ::committee::{Bootstrap, Committee, McNemar, Member, Rule, Score, bootstrap_difference};
use anyhow::{Context, Result};
use report::{Columns, Labels, Loaded, RESAMPLES, Selection, load};
use serde::Serialize;
use study::{ColumnId, Predictions};

use super::Args;
use super::chosen::Chosen;
use crate::app::{App, shown};
use crate::digits::Digits;
use crate::failure::usage_error;
use crate::numbers::count;
use crate::studies::Found;

/// Format of a [`Comparison`]: the value of its key `schema`.
const COMPARISON_SCHEMA: u32 = 2;

/// A p-value below this is called evidence.
const SIGNIFICANCE: f64 = 0.05;

/// A committee that was asked for.
pub(super) struct Asked {
    name: String,
    parts: Vec<(WhichStudy, Chosen)>,
}

/// `None`: the one of `--study`, else the one with the most of what is asked for.
type WhichStudy = Option<PathBuf>;

impl Asked {
    /// From `14,16`, `paper/14,16` or, of all columns, `results/paper/`.
    pub(super) fn parse(text: &str) -> Self {
        let (study, list) = match text.rsplit_once('/') {
            Some((study, list)) => (Some(PathBuf::from(study)), list),
            None => (None, text),
        };
        let chosen = if list.is_empty() { Chosen::all() } else { Chosen::either(list) };
        Self { name: text.to_owned(), parts: vec![(study, chosen)] }
    }

    /// Some columns, and these with all of another study.
    pub(super) fn with_another(name: &str, chosen: Chosen, other: &Path) -> [Self; 2] {
        let both = format!("{name}, with all columns of {}", other.display());
        let first = Self { name: name.to_owned(), parts: vec![(None, chosen.clone())] };
        [first, Self { name: both, parts: vec![(None, chosen), (Some(other.to_owned()), Chosen::all())] }]
    }
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Comparison {
    /// [`COMPARISON_SCHEMA`].
    schema: u32,
    /// What both are combined by.
    rule: Rule,
    first: Side,
    second: Side,
    test: McNemar,
    /// The second's error less the first's, if the digits were drawn anew.
    difference: Bootstrap,
}

/// One of the two committees.
#[derive(Debug, Serialize)]
struct Side {
    /// As it was asked for.
    name: String,
    members: Vec<OfStudy>,
    score: Score,
}

/// The members that one study gives.
#[derive(Debug, Serialize)]
struct OfStudy {
    /// Name of the study.
    study: String,
    /// Its results folder.
    path: String,
    columns: Vec<ColumnId>,
}

/// A study that is asked, and its columns that any of the two committees has.
struct Source {
    which: WhichStudy,
    found: Found,
    loaded: Loaded,
}

/// Compares and prints.
pub(super) fn run(args: &Args, app: &App, asked: &[Asked; 2]) -> Result<()> {
    let parts = || asked.iter().flat_map(|asked| &asked.parts);
    let mut studies: Vec<(WhichStudy, Found, Chosen)> = Vec::new();
    for (which, chosen) in parts() {
        if studies.iter().any(|(known, ..)| known == which) {
            continue;
        }
        let others = parts().filter(|(other, _)| other == which);
        let wanted = others.fold(chosen.clone(), |all, (_, chosen)| all.and(chosen));
        let found = match which {
            Some(study) => Found::with_columns(app, Some(study))?,
            None => Found::given_or_best(app, args.study.as_deref(), |finished| wanted.rank(finished))?,
        };
        wanted.check(&found)?;
        studies.push((which.clone(), found, wanted));
    }
    let data = studies.first().context("no committee is asked for")?.1.study.data;
    if let Some((_, other, _)) = studies.iter().find(|(_, found, _)| found.study.data != data) {
        let (folder, other) = (shown(other.folder.root()), other.study.data);
        return Err(usage_error(format_args!(
            "{folder}: this study uses other digits ({other}, not {data})"
        )));
    }
    let digits = Digits::bring(data, args.data.as_deref(), &app.terminal)?;
    let labels = Labels::from(&digits.data);
    let sources = studies.into_iter().map(|(which, found, wanted)| {
        let selection = Selection { columns: Columns::Only(wanted.finished(&found)), rule: args.vote };
        let loaded = load(&found.folder, labels, &selection)?;
        Ok(Source { which, found, loaded })
    });
    let sources: Vec<Source> = sources.collect::<Result<_>>()?;
    check_same_digits(&sources)?;

    let labels = sources[0].loaded.committee.labels().to_vec();
    let (first, first_answers) = side(&asked[0], &sources, args.vote, &labels)?;
    let (second, second_answers) = side(&asked[1], &sources, args.vote, &labels)?;
    let seed = sources[0].found.study.seed;
    let comparison = Comparison {
        schema: COMPARISON_SCHEMA,
        rule: args.vote,
        first,
        second,
        test: McNemar::of(&first_answers, &second_answers, &labels)?,
        difference: bootstrap_difference(&first_answers, &second_answers, &labels, RESAMPLES, seed)?,
    };
    if args.json {
        return Ok(app.terminal.result(serde_json::to_string(&comparison)?)?);
    }
    Ok(app.terminal.fitted_result(text(&comparison))?)
}

/// Columns of different digits form no committee.
fn check_same_digits(sources: &[Source]) -> Result<()> {
    let first = &sources[0];
    let digits = |source: &Source| match source.loaded.digits {
        Predictions::HeldOut => {
            format!("the last {} training digits, held out", source.found.study.validation)
        }
        _ => "the test digits".to_owned(),
    };
    let here = shown(first.found.folder.root());
    for other in sources {
        let there = shown(other.found.folder.root());
        if digits(other) != digits(first) {
            return Err(usage_error(format_args!(
                "{there}: its predictions are of {}, those of {here} of {}",
                digits(other),
                digits(first)
            )));
        }
        if other.found.manifest.data != first.found.manifest.data {
            return Err(usage_error(format_args!(
                "{there}: its digits differ from those of {here}: the hashes of the data files are not the same"
            )));
        }
    }
    Ok(())
}

fn side(asked: &Asked, sources: &[Source], rule: Rule, labels: &[u8]) -> Result<(Side, Vec<u8>)> {
    let mut members: Vec<Member> = Vec::new();
    let mut of_studies = Vec::new();
    for (which, chosen) in &asked.parts {
        let Some(Source { found, loaded, .. }) = sources.iter().find(|source| source.which == *which) else {
            continue;
        };
        let columns = chosen.finished(found);
        let is_chosen = |member: &&Member| columns.iter().any(|id| id.to_string() == member.name);
        members.extend(loaded.committee.members().iter().filter(is_chosen).cloned());
        of_studies.push(OfStudy {
            study: found.study.name.clone(),
            path: shown(found.folder.root()).to_string(),
            columns,
        });
    }
    let answers = Committee::by(rule, members, labels)?.answers();
    let score = Score::of(&answers, labels)?;
    Ok((Side { name: asked.name.clone(), members: of_studies, score }, answers))
}

fn text(comparison: &Comparison) -> String {
    let Comparison { rule, first, second, test, difference, .. } = comparison;
    let line = |label: &str, Side { name, members, score }: &Side| {
        let interval = score.interval();
        let studies: Vec<&str> = members.iter().map(|of| of.study.as_str()).collect();
        format!(
            "{label}: {name} ({} of {}): {} of {} digits wrong: {:.2} % (95 %: {:.2}–{:.2})\n",
            count(members.iter().map(|of| of.columns.len()).sum(), "column"),
            studies.join(" and "),
            score.errors,
            score.n,
            score.error_percent(),
            interval.low_percent,
            interval.high_percent
        )
    };
    let interval = difference.interval;
    format!(
        "\
# Two committees, each combined by {rule}

{}{}
|             | B right | B wrong |
| ----------- | ------: | ------: |
| **A right** | {:>7} | {:>7} |
| **A wrong** | {:>7} | {:>7} |

McNemar's exact test, two-sided: p = {}
B's error minus A's, digits resampled {} times: {:+.2} to {:+.2} % points (95 %)

{}
",
        line("A", first),
        line("B", second),
        test.both_right,
        test.only_first_right,
        test.only_second_right,
        test.both_wrong,
        test.p_text(),
        difference.n_resamples,
        interval.low_percent,
        interval.high_percent,
        verdict(test)
    )
}

/// What the test says, in words.
fn verdict(test: &McNemar) -> String {
    let (a, b) = (test.only_first_right, test.only_second_right);
    let n = a + b;
    if n == 0 {
        return "Both are right on the same digits: there is no difference between them.".to_owned();
    }
    let better = if a > b { "A" } else { "B" };
    let finding = if test.p_value < SIGNIFICANCE {
        format!("this is evidence that {better} is better on digits like these.")
    } else {
        "this is not evidence that either is better.".to_owned()
    };
    let chance = match test.p_value {
        p if p >= 1.0 => "always".to_owned(),
        _ => format!("with probability {}", test.p_text()),
    };
    let digits = if n == 1 { "the one digit".to_owned() } else { format!("the {n} digits") };
    format!(
        "Of {digits} that only one of them gets right, A has {a} and B has {b}. If both were equally\ngood, a split at least this uneven would happen {chance}:\n{finding}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(only_first_right: u32, only_second_right: u32, p_value: f64) -> McNemar {
        McNemar { both_right: 90, only_first_right, only_second_right, both_wrong: 1, p_value }
    }

    #[test]
    fn a_verdict_names_the_better_only_with_evidence() {
        let words = |test: McNemar| verdict(&test);
        assert!(words(test(0, 0, 1.0)).starts_with("Both are right on the same digits"));
        let text = words(test(1, 9, 0.021_484_375));
        assert!(
            text.contains("A has 1 and B has 9") && text.contains("0.0215") && text.contains("B is better"),
            "{text}"
        );
        assert!(words(test(9, 1, 0.021_484_375)).contains("A is better"));
        let text = words(test(3, 4, 1.0));
        assert!(text.contains("always") && text.contains("not evidence"), "{text}");
        assert!(words(test(0, 1, 1.0)).starts_with("Of the one digit"));
        assert!(words(test(0, 60, 1.7e-18)).contains("1.7e-18"));
    }
}
