//! A race's results as Markdown tables, for the terminal and for the documents that quote them.

use mcdnn::numbers;

use super::results::{Comparison, ContenderResult, Ratio, Side, TaskResult};

/// Every task's table under its name, and where the figures come from.
pub(super) fn all_tables(comparison: &Comparison) -> String {
    let tables = comparison.tasks.iter().map(|task| {
        let failed = task.contenders.iter().filter_map(|contender| {
            let reason = contender.failed.as_ref()?;
            Some(format!("- {} failed: {reason}\n", contender.name))
        });
        let failed: String = failed.collect();
        let failed = if failed.is_empty() { failed } else { format!("\n{failed}") };
        format!("## {}\n\n{}.\n\n{}{failed}\n", task.task, task.what, table(&[task]))
    });
    tables.collect::<String>() + &source(comparison)
}

/// Some tasks' contenders that came through, in one table.
pub(super) fn table(tasks: &[&TaskResult]) -> String {
    let one = tasks.len() == 1;
    let first = if one { ("", "") } else { ("| task ", "| --- ") };
    let mut text = format!(
        "{}| | threads | images a second | this project is … times as fast |\n{}| --- | ---: | ---: | ---: |\n",
        first.0, first.1
    );
    for task in tasks {
        for contender in &task.contenders {
            let Some(median) = contender.median_images_per_s else { continue };
            let task_name = if one { String::new() } else { format!("| {} ", task.task) };
            text += &format!(
                "{task_name}| {} | {} | {} | {} |\n",
                shown_name(contender),
                contender.threads,
                thousands(median),
                compared(task, contender)
            );
        }
    }
    text
}

/// Where the figures come from, in a sentence.
pub(super) fn source(comparison: &Comparison) -> String {
    let Comparison { machine, command, rounds, turn_s, .. } = comparison;
    format!(
        "Median of {rounds} turns of about {turn_s} s each, one contender after the other, and of the ratios round by round with the least and the \
         greatest; {}, {} cores, {}, {}; `{command}`.\n",
        machine.cpu, machine.cores, machine.instruction_set, machine.os
    )
}

fn shown_name(contender: &ContenderResult) -> String {
    let ContenderResult { name, version, detail, side, .. } = contender;
    let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    match side {
        Side::Ours => format!("**{name}**{detail}"),
        Side::Peer => format!("{name} {version}{detail}"),
        Side::Floor | Side::Shortcut => format!("*{name}*{detail}"),
    }
}

fn compared(task: &TaskResult, contender: &ContenderResult) -> String {
    if contender.side != Side::Ours {
        return task.ratio_to(contender).map(spread).unwrap_or_default();
    }
    match task.scaling_of(contender) {
        Some(scaling) => format!("{} its speed on one", spread(scaling)),
        None => String::new(),
    }
}

/// `12.3 × (11.9 to 12.6)`
fn spread(ratio: &Ratio) -> String {
    let [median, min, max] = [ratio.median, ratio.min, ratio.max].map(three_digits);
    format!("{median} × ({min} to {max})")
}

fn three_digits(value: f64) -> String {
    let n_decimals = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.n_decimals$}")
}

/// Three digits that count, in groups of three: `334,000`.
fn thousands(value: f64) -> String {
    let unit = 10_f64.powi((value.log10().floor() as i32 - 2).max(0));
    numbers::thousands(((value / unit).round() * unit) as u64)
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs;

    use super::super::results::tests::task;
    use super::*;
    use crate::workspace::Workspace;

    #[test]
    fn a_table_shows_who_came_through() {
        let want = "\
| | threads | images a second | this project is … times as fast |
| --- | ---: | ---: | ---: |
| **ours** | 1 | 300,000 |  |
| **ours** | 2 | 600,000 | 2.00 × (1.80 to 2.00) its speed on one |
| theirs 1.0 | 1 | 15,500 | 20.0 × (10.0 to 20.0) |
| theirs 1.0 | 2 | 20,000 | 30.0 × (26.1 to 31.0) |
";
        assert_eq!(table(&[&task()]), want);
        assert!(table(&[&task(), &task()]).contains("| distort | theirs 1.0 | 1 | 15,500 |"));
    }

    #[test]
    fn numbers_have_three_digits_that_count() {
        let shown = [0.4, 7.0, 999.6, 1_234.0, 333_777.0, 12_345_678.0].map(thousands);
        assert_eq!(shown, ["0", "7", "1,000", "1,230", "334,000", "12,300,000"]);
        assert_eq!([1.234, 12.34, 123.4].map(three_digits), ["1.23", "12.3", "123"]);
    }

    /// The documents that quote a race, and between which comments: `<!-- race preprocess-avx2: distort, width -->`.
    const DOCUMENTS: [&str; 4] =
        ["README.md", "docs/PERFORMANCE.md", "crates/preprocess/README.md", "crates/mnist-data/README.md"];
    const MARK: &str = "<!-- race ";
    const END: &str = "<!-- end of race -->";

    /// Puts the tables that a document asks for between its marks.
    fn with_tables(text: &str, results: impl Fn(&str) -> Comparison) -> String {
        let mut done = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(MARK) {
            let (asked, after) = after.split_once(" -->").expect("a mark ends with -->");
            let (_, after) = after.split_once(END).expect("every mark has its end");
            let (race, names) = asked.split_once(": ").expect("a mark says race: tasks");
            let comparison = results(race);
            let tasks: Vec<&TaskResult> = names
                .split(", ")
                .map(|name| {
                    comparison.tasks.iter().find(|task| task.task == name).expect("a task of the race")
                })
                .collect();
            done += &format!("{before}{MARK}{asked} -->\n{}\n{}{END}", table(&tasks), source(&comparison));
            rest = after;
        }
        done + rest
    }

    /// `UPDATE_TABLES=1 cargo test -p xtask` rewrites them.
    #[test]
    fn the_documents_quote_the_results() {
        let workspace = Workspace::find().unwrap();
        for document in DOCUMENTS {
            let path = workspace.root().join(document);
            let text = fs::read_to_string(&path).unwrap();
            let want = with_tables(&text, |race| {
                let path = workspace.results().join(format!("bench/{race}.json"));
                serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap()
            });
            if env::var_os("UPDATE_TABLES").is_some() {
                fs::write(&path, &want).unwrap();
            } else {
                assert!(text == want, "{document}: its tables are stale; UPDATE_TABLES=1 rewrites them");
            }
        }
    }
}
