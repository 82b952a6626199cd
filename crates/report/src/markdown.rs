//! A summary as Markdown, made to be read in a terminal too.

mod columns;
pub(crate) mod format;
pub(crate) mod listing;
mod statistics;
mod subsets;
mod trials;
mod with_views;

use crate::Summary;
use columns::{together_table, widths_table};
use format::{duration, epochs, list, named, short};
use listing::Listing;
use study::{EpochRecord, Kind};
use thousands::Separable;

/// The report: each column's error, each width's mean and committee, all columns together by every rule, the
/// committees of subsets of the widths, and what more `listing` has; for MNIST beside what the paper and the Theano project
/// reported. Ends in a line break. Errors are in percent of the test digits; ± is the sample standard deviation.
#[must_use]
pub fn markdown(summary: &Summary, listing: Listing) -> String {
    let mut sections = vec![
        Section("Columns and widths, error in %", Some(widths_table(summary))),
        Section("All columns together", Some(together_table(summary))),
        Section(WITH_VIEWS, with_views::with_views_table(summary)),
    ];
    sections.extend(subset_sections(summary, listing));
    if listing == Listing::Full {
        sections.push(Section("Error by number of columns, in %", statistics::curve_table(summary)));
        sections.push(Section("Confidence and errors", Some(statistics::statistics_table(summary))));
        sections.push(Section("Trials, one row for each width", trials::trials_table(summary)));
    }
    page(summary, &sections)
}

/// The report on a committee that was asked for: the committees of subsets of its widths first, then what they are made of.
/// Else as [`markdown`].
#[must_use]
pub fn committee_markdown(summary: &Summary, listing: Listing) -> String {
    let mut sections = subset_sections(summary, listing);
    sections.push(Section("All columns together", Some(together_table(summary))));
    sections.push(Section("Columns and widths, error in %", Some(widths_table(summary))));
    sections.push(Section(WITH_VIEWS, with_views::with_views_table(summary)));
    page(summary, &sections)
}

/// Title of the section with views.
const WITH_VIEWS: &str = "With views of each digit, error in %";

/// A title and what stands below it; nothing, when there is none.
struct Section(&'static str, Option<String>);

fn subset_sections(summary: &Summary, listing: Listing) -> Vec<Section> {
    vec![
        Section("Committees of widths", subsets::subsets_table(summary, listing)),
        Section("Error by number of widths, in %", subsets::sizes_table(summary)),
        Section("Additional odd widths", subsets::odd_widths_table(summary)),
    ]
}

fn page(summary: &Summary, sections: &[Section]) -> String {
    let mut text = head(summary);
    for Section(title, content) in sections {
        if let Some(content) = content {
            text.push_str(&format!("\n## {title}\n\n{content}"));
        }
    }
    if summary.has_peers() {
        text.push_str(
            "\nPaper: five columns for each of seven widths, about 800 epochs. For its committees\nof one width, \
             only the range is known.\nTheano: the Theano project, one column for each width; it used the labels when it\n\
             normalized the digits.\n",
        );
    }
    text
}

fn head(summary: &Summary) -> String {
    let manifest = &summary.manifest;
    let study = &manifest.config;
    let n_finished = summary.finished.len();
    let n_columns = n_finished + summary.missing.len();
    let mut lines = vec![
        format!(
            "# Study {}: error on {} {} of {}",
            study.name,
            summary.n_digits().separate_with_commas(),
            summary.digits_name(),
            study.data
        ),
        String::new(),
        format!("- columns: {n_finished} of {n_columns} finished, {}", study.network),
        format!(
            "- training: {}, batches of {}, seed {}; {} in total for all columns",
            epochs(study),
            study.batch,
            study.seed,
            duration(summary.training.column_s)
        ),
        match &summary.kinds[..] {
            [Kind { kind, .. }] => format!("- engine: {kind} on {}", summary.training.machines.join("; ")),
            kinds => format!(
                "- engines: **a mixture**, {}; on {}",
                kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
                summary.training.machines.join("; ")
            ),
        },
        format!(
            "- trained by: {}; config {}",
            summary.training.programs.join("; "),
            short(&manifest.config_hash)
        ),
    ];
    if let Some(skip_below) = study.skip_below {
        let shares: Option<Vec<String>> = (summary.trials.iter())
            .map(|trial| Some(format!("{:.0} % of width {}", trial.skipped_percent?, trial.width)))
            .collect();
        let shares = shares.map_or_else(|| "their share is unknown".to_owned(), |shares| shares.join(", "));
        lines.push(format!(
            "- skipped in training because the label had a probability above 1 − {skip_below}: {shares}"
        ));
    }
    let nothing_learnt: Vec<String> = (summary.figures.members.iter())
        .filter(|member| member.score.error_percent() > 100.0 * EpochRecord::NOTHING_LEARNT)
        .map(|member| member.name.clone())
        .collect();
    if !nothing_learnt.is_empty() {
        lines.push(format!(
            "- **learnt nothing**, wrong for more than half of the digits: {}",
            nothing_learnt.join(", ")
        ));
    }
    if summary.widths.len() < study.widths.len() {
        lines.push(format!("- only the widths {}", list(&summary.widths)));
    }
    if n_columns < summary.widths.len() * usize::from(study.columns_per_width) {
        lines.push(format!("- only the columns {}", named(&summary.finished)));
    }
    if summary.figures.rule != committee::Rule::Mean {
        lines.push(format!("- committees combined by: {}", summary.figures.rule));
    }
    if !summary.missing.is_empty() {
        lines.push(format!("- **not finished yet** and not included: {}", named(&summary.missing)));
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text
}
