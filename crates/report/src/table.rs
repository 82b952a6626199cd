//! Markdown tables that are also tables in a terminal.

/// Which side of its column a cell keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// The left one: texts.
    Left,
    /// The right one: numbers.
    Right,
}

/// A Markdown table with every column as wide as its widest cell: a table in a terminal, too. Cells beyond the header's columns are left out.
#[must_use]
pub fn table(header: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(column, (title, _))| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            // A rule takes three characters at least.
            cells.chain([title.chars().count(), 3]).max().unwrap_or(3)
        })
        .collect();

    let mut text = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = String>| {
        text.push_str("| ");
        text.push_str(&cells.collect::<Vec<_>>().join(" | "));
        text.push_str(" |\n");
    };
    let columns = || header.iter().map(|(_, align)| *align).zip(widths.iter().copied());
    let titles = header.iter().map(|(title, _)| *title);
    line(&mut titles.zip(columns()).map(|(title, (align, width))| padded(title, align, width)));
    line(&mut columns().map(|(align, width)| match align {
        Align::Left => "-".repeat(width),
        Align::Right => format!("{}:", "-".repeat(width - 1)),
    }));
    for row in rows {
        line(&mut row.iter().zip(columns()).map(|(cell, (align, width))| padded(cell, align, width)));
    }
    text
}

fn padded(cell: &str, align: Align, width: usize) -> String {
    match align {
        Align::Left => format!("{cell:<width$}"),
        Align::Right => format!("{cell:>width$}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters() {
        let rows = [vec!["14".into(), "0.44 ± 0.06".into()], vec!["original".into(), "–".into()]];
        let got = table(&[("width", Align::Left), ("error %", Align::Right)], &rows);
        let want = "\
| width    |     error % |
| -------- | ----------: |
| 14       | 0.44 ± 0.06 |
| original |           – |
";
        assert_eq!(got, want);
    }
}
