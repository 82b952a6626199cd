//! Text and tables that fit into lines of a given width.

use std::iter::once;

/// A label at the start of a line, such as `network   `, is at most this long; what is wrapped starts below what follows it.
const MAX_INDENT: usize = 16;

/// The same text in lines of at most `width` characters. Tables in Markdown are split into several below each other, each with
/// the first column; cells that are still too wide continue in the row below. Other lines are wrapped at spaces. Only a single
/// word or path that is longer than a line stays as it is.
pub(crate) fn fit(text: &str, width: usize) -> String {
    let mut fitted = String::new();
    let mut table: Vec<&str> = Vec::new();
    for line in text.lines().map(Some).chain(once(None)) {
        if let Some(row) = line.filter(|line| line.starts_with("| ")) {
            table.push(row);
            continue;
        }
        if !table.is_empty() {
            push_table(&mut fitted, &table, width);
            table.clear();
        }
        if let Some(line) = line {
            push_wrapped(&mut fitted, line, width);
        }
    }
    if !text.ends_with('\n') {
        fitted.pop();
    }
    fitted
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn push_wrapped(to: &mut String, line: &str, width: usize) {
    if length(line) <= width {
        to.push_str(line);
        to.push('\n');
        return;
    }
    let indent = indent(line);
    let mut at = 0;
    for (word, gap) in words(line) {
        if at > indent && at + gap + length(word) > width {
            to.push('\n');
            to.push_str(&" ".repeat(indent));
            at = indent;
        } else {
            to.push_str(&" ".repeat(gap));
            at += gap;
        }
        to.push_str(word);
        at += length(word);
    }
    to.push('\n');
}

/// The words of a line, each with the number of spaces in front of it.
fn words(line: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let word_on = rest.trim_start_matches(' ');
        let gap = rest.len() - word_on.len();
        let end = word_on.find(' ').unwrap_or(word_on.len());
        let (word, after) = word_on.split_at(end);
        rest = after;
        (!word.is_empty()).then_some((word, gap))
    })
}

/// Where the wrapped part of a line starts: behind a list's dash, a short label followed by two spaces or more, or its own indent.
fn indent(line: &str) -> usize {
    let own = line.len() - line.trim_start_matches(' ').len();
    if line[own..].starts_with("- ") {
        return own + 2;
    }
    let label = line[own..].find("  ").map(|end| {
        let behind = line[own + end..].trim_start_matches(' ');
        length(&line[..line.len() - behind.len()])
    });
    label.filter(|indent| *indent <= MAX_INDENT).unwrap_or(own)
}

/// A table's column: its cells from the header down, without the rule.
struct Column<'a> {
    cells: Vec<&'a str>,
    is_right: bool,
    width: usize,
}

fn push_table(to: &mut String, rows: &[&str], width: usize) {
    let parsed = columns(rows).filter(|_| rows.iter().any(|row| length(row) > width));
    let Some(columns) = parsed else {
        for row in rows {
            to.push_str(row);
            to.push('\n');
        }
        return;
    };
    for (index, part) in parts(&columns, width).iter().enumerate() {
        if index > 0 {
            to.push('\n');
        }
        push_part(to, part, width);
    }
}

/// The columns of a table with a header, a rule and rows of as many cells; `None` for anything else.
fn columns<'a>(rows: &[&'a str]) -> Option<Vec<Column<'a>>> {
    let cells = |row: &&'a str| -> Option<Vec<&'a str>> {
        Some(row.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").map(str::trim).collect())
    };
    let rows: Vec<Vec<&str>> = rows.iter().map(cells).collect::<Option<_>>()?;
    let (header, rule, body) = (rows.first()?, rows.get(1)?, rows.get(2..)?);
    if rows.iter().any(|row| row.len() != header.len()) {
        return None;
    }
    let column = |index: usize| {
        let cells: Vec<&str> = once(header).chain(body).map(|row| row[index]).collect();
        let width = cells.iter().map(|cell| length(cell)).max().unwrap_or(0).max(3);
        Column { cells, is_right: rule[index].ends_with(':'), width }
    };
    Some((0..header.len()).map(column).collect())
}

/// Groups of columns that fit, each led by the first column. A column without a title, or titled `of`, says something of the one
/// before it and stays with it.
fn parts<'t, 'a>(columns: &'t [Column<'a>], width: usize) -> Vec<Vec<&'t Column<'a>>> {
    let Some((first, others)) = columns.split_first() else { return Vec::new() };
    let taken = |part: &[&Column<'_>]| part.iter().map(|column| column.width + 3).sum::<usize>() + 1;
    let mut parts = Vec::new();
    let mut part = vec![first];
    let mut rest = others;
    while !rest.is_empty() {
        let belongs = |column: &&Column<'_>| matches!(column.cells.first(), Some(&"" | &"of"));
        let n = 1 + rest[1..].iter().take_while(|column| belongs(column)).count();
        let (unit, after) = rest.split_at(n);
        let unit: Vec<&Column<'_>> = unit.iter().collect();
        if part.len() > 1 && taken(&part) + taken(&unit) - 1 > width {
            parts.push(std::mem::replace(&mut part, vec![first]));
        }
        part.extend(unit);
        rest = after;
    }
    parts.push(part);
    parts
}

fn push_part(to: &mut String, part: &[&Column<'_>], width: usize) {
    // The widest column gives way where even one column beside the first is too wide.
    let mut widths: Vec<usize> = part.iter().map(|column| column.width).collect();
    let excess = (widths.iter().map(|width| width + 3).sum::<usize>() + 1).saturating_sub(width);
    if let Some(widest) = widths.iter_mut().max() {
        *widest = widest.saturating_sub(excess).max(10.min(*widest));
    }
    let mut line = |cells: &mut dyn Iterator<Item = String>| {
        to.push_str(&format!("| {} |\n", cells.collect::<Vec<_>>().join(" | ")));
    };
    let n_rows = part.first().map_or(0, |column| column.cells.len());
    for row in 0..n_rows {
        let cells: Vec<Vec<String>> =
            part.iter().zip(&widths).map(|(column, width)| pieces(column.cells[row], *width)).collect();
        for level in 0..cells.iter().map(Vec::len).max().unwrap_or(1) {
            line(&mut cells.iter().zip(part).zip(&widths).map(|((pieces, column), &width)| {
                let piece = pieces.get(level).map_or("", String::as_str);
                if column.is_right { format!("{piece:>width$}") } else { format!("{piece:<width$}") }
            }));
        }
        if row == 0 {
            line(&mut part.iter().zip(&widths).map(|(column, width)| match column.is_right {
                true => format!("{}:", "-".repeat(width - 1)),
                false => "-".repeat(*width),
            }));
        }
    }
}

/// A cell in lines of a width.
fn pieces(cell: &str, width: usize) -> Vec<String> {
    let mut wrapped = String::new();
    push_wrapped(&mut wrapped, cell, width);
    wrapped.lines().map(|line| line.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, width: usize, want: &str) {
        let got = fit(text, width);
        assert_eq!(got, want);
        assert!(got.lines().all(|line| length(line) <= width), "{got}");
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let text = "# Study\n\n- a\n\n| a   |   b |\n| --- | --: |\n| ±   |   1 |\n";
        check(text, 13, text);
        check("no end", 80, "no end");
        check("", 80, "");
    }

    #[test]
    fn lines_are_wrapped_below_their_label() {
        check("- engine: ciresan-cpu on a CPU", 20, "- engine:\n  ciresan-cpu on a\n  CPU");
        check("time      about 11 h, an estimate", 22, "time      about 11 h,\n          an estimate");
        check("Two words more", 9, "Two words\nmore");
    }

    #[test]
    fn a_wide_table_becomes_several_with_the_first_column() {
        let table = "\
| width    | no. 1 | no. 2 | committee |
| -------- | ----: | ----: | --------: |
| 14       |  0.40 |  0.39 |      0.33 |
| original |  0.41 |  0.38 |      0.30 |
";
        let want = "\
| width    | no. 1 | no. 2 |
| -------- | ----: | ----: |
| 14       |  0.40 |  0.39 |
| original |  0.41 |  0.38 |

| width    | committee |
| -------- | --------: |
| 14       |      0.33 |
| original |      0.30 |
";
        check(table, 30, want);
    }

    #[test]
    fn what_belongs_to_a_column_stays_with_it() {
        let table = "\
| widths | mean | best | of      |
| ------ | ---: | ---: | ------- |
| 2 of 7 | 0.28 | 0.25 | 10 + 12 |
";
        let want = "\
| widths | mean |
| ------ | ---: |
| 2 of 7 | 0.28 |

| widths | best | of      |
| ------ | ---: | ------- |
| 2 of 7 | 0.25 | 10 + 12 |
";
        check(table, 28, want);
    }

    #[test]
    fn a_cell_that_is_too_wide_continues_below() {
        let table = "\
| column | verdict                            |
| ------ | ---------------------------------- |
| w14-1  | DAMAGED: weights are not those     |
";
        let want = "\
| column | verdict          |
| ------ | ---------------- |
| w14-1  | DAMAGED: weights |
|        | are not those    |
";
        check(table, 29, want);
    }
}
