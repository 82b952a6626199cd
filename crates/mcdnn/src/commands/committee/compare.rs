//! `--compare A B`: whether one committee is better than another.

use ::committee::{Bootstrap, Committee, McNemar, Rule, Score, bootstrap_difference};
use anyhow::Result;
use report::{Columns, Labels, RESAMPLES, Selection, load};
use serde::Serialize;
use study::ColumnId;

use super::Args;
use super::chosen::Chosen;
use crate::app::App;
use crate::digits::Digits;
use crate::studies::Found;

/// Format of a [`Comparison`]: the value of its key `schema`.
const COMPARISON_SCHEMA: u32 = 1;

/// A p-value below this is called evidence.
const SIGNIFICANCE: f64 = 0.05;

/// What `--compare --json` prints.
#[derive(Debug, Serialize)]
struct Comparison {
    /// [`COMPARISON_SCHEMA`].
    schema: u32,
    /// Name of the study.
    study: String,
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
    columns: Vec<ColumnId>,
    score: Score,
}

/// Compares and prints.
pub(super) fn run(args: &Args, app: &App, first: &str, second: &str) -> Result<()> {
    let (a, b) = (Chosen::either(first), Chosen::either(second));
    let both = a.and(&b);
    let found = Found::given_or_best(app, args.study.as_deref(), |finished| both.rank(finished))?;
    both.check(&found)?;
    let labels = Digits::bring(found.study.data, args.data.as_deref(), &app.terminal)?;
    let selection = Selection { columns: Columns::Only(both.finished(&found)), rule: args.vote };
    let committee = load(&found.folder, Labels::from(&labels.data), &selection)?.committee;

    let (first, first_answers) = side(&committee, first, a.finished(&found))?;
    let (second, second_answers) = side(&committee, second, b.finished(&found))?;
    let labels = committee.labels();
    let comparison = Comparison {
        schema: COMPARISON_SCHEMA,
        study: found.study.name.clone(),
        rule: args.vote,
        first,
        second,
        test: McNemar::of(&first_answers, &second_answers, labels)?,
        difference: bootstrap_difference(
            &first_answers,
            &second_answers,
            labels,
            RESAMPLES,
            found.study.seed,
        )?,
    };
    Ok(app.terminal.result(if args.json {
        serde_json::to_string(&comparison)?
    } else {
        text(&comparison)
    })?)
}

fn side(committee: &Committee, name: &str, columns: Vec<ColumnId>) -> Result<(Side, Vec<u8>)> {
    let is_member = |name: &str| columns.iter().any(|id| id.to_string() == name);
    let members = committee.members().iter().enumerate().filter(|(_, member)| is_member(&member.name));
    let members: Vec<usize> = members.map(|(index, _)| index).collect();
    let answers = committee.predictions(committee.rule(), &members)?;
    let score = Score::of(&answers, committee.labels())?;
    Ok((Side { name: name.to_owned(), columns, score }, answers))
}

fn text(comparison: &Comparison) -> String {
    let Comparison { study, rule, first, second, test, difference, .. } = comparison;
    let line = |label: &str, Side { name, columns, score }: &Side| {
        let interval = score.interval();
        format!(
            "{label}: {name}, {}, {} of {} digits wrong: {:.2} % (95 %: {:.2}–{:.2})\n",
            if columns.len() == 1 { "1 column".to_owned() } else { format!("{} columns", columns.len()) },
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
# Two committees of study {study}, by {rule}

{}{}
|             | B right | B wrong |
| ----------- | ------: | ------: |
| **A right** | {:>7} | {:>7} |
| **A wrong** | {:>7} | {:>7} |

McNemar's exact test, two-sided: p = {}
B's error less A's, digits drawn anew {} times: {:+.2} to {:+.2} % points (95 %)

{}
",
        line("A", first),
        line("B", second),
        test.both_right,
        test.only_first_right,
        test.only_second_right,
        test.both_wrong,
        p_value(test.p_value),
        difference.n_resamples,
        interval.low_percent,
        interval.high_percent,
        verdict(test)
    )
}

fn p_value(p: f64) -> String {
    if p < 0.0001 { format!("{p:.1e}") } else { format!("{p:.4}") }
}

/// What the test says, in words.
fn verdict(test: &McNemar) -> String {
    let (a, b) = (test.only_first_right, test.only_second_right);
    let n = a + b;
    if n == 0 {
        return "Both are right on the same digits, so nothing tells them apart.".to_owned();
    }
    let better = if a > b { "A" } else { "B" };
    let finding = if test.p_value < SIGNIFICANCE {
        format!("that is evidence that {better} is better on digits like these.")
    } else {
        "that is no evidence that either is better.".to_owned()
    };
    let chance = match test.p_value {
        p if p >= 1.0 => "always, if both were as good".to_owned(),
        p => format!("with probability {}, if both were as good", p_value(p)),
    };
    let digits = if n == 1 { "the one digit".to_owned() } else { format!("the {n} digits") };
    format!(
        "Of {digits} that one alone gets right, A has {a} and B {b}. A split at least as uneven comes about\n{chance}: {finding}"
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
            text.contains("A has 1 and B 9") && text.contains("0.0215") && text.contains("B is better"),
            "{text}"
        );
        assert!(words(test(9, 1, 0.021_484_375)).contains("A is better"));
        let text = words(test(3, 4, 1.0));
        assert!(text.contains("always") && text.contains("no evidence"), "{text}");
        assert!(words(test(0, 1, 1.0)).starts_with("Of the one digit"));
        assert!(words(test(0, 60, 1.7e-18)).contains("1.7e-18"));
    }
}
