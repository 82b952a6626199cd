//! What the same columns do with views of each digit.

use committee::{McNemar, Score, Spread};

use super::format::{percent, range};
use crate::Summary;
use crate::table::{Align, table};

/// A row a width, plain beside with views, and whether the difference is chance; none where no views were asked for.
pub(super) fn with_views_table(summary: &Summary) -> Option<String> {
    let with_views = summary.with_views.as_ref()?;
    let header = [
        ("width", Align::Left),
        ("mean column", Align::Right),
        ("with views", Align::Right),
        ("committee", Align::Right),
        ("with views", Align::Right),
        ("95 %", Align::Right),
    ];
    let row = |name: &str, plain: (Spread, Score), views: (Spread, Score)| {
        let [columns, with_views] = [plain.0, views.0].map(|columns| format!("{:.2}", columns.mean_percent));
        let interval = range(views.1.interval());
        vec![name.to_owned(), columns, with_views, percent(plain.1), percent(views.1), interval]
    };
    let groups = summary.figures.groups.iter().zip(&with_views.figures.groups);
    let mut rows: Vec<Vec<String>> = groups
        .map(|(plain, views)| row(&plain.group, (plain.members, plain.score), (views.members, views.score)))
        .collect();
    let (plain, views) = (&summary.figures.all, &with_views.figures.all);
    if rows.len() > 1 {
        rows.push(row("all", (plain.members, plain.score), (views.members, views.score)));
    }
    let McNemar { only_first_right, only_second_right, .. } = with_views.against_plain;
    let (count, strength) = (with_views.views.count, with_views.views.strength);
    Some(format!(
        "The mean of {count} views of each digit: the digit itself and versions distorted\n\
         with {strength} of the training's strength. The paper classifies only the digit.\n\n{}\n\
         All columns together: {} errors with views, {} without. Right only with views:\n\
         {only_second_right}, only without: {only_first_right}. McNemar's exact test, two-sided: p = {}.\n",
        table(&header, &rows),
        views.score.errors,
        plain.score.errors,
        with_views.against_plain.p_text(),
    ))
}
