//! The widths and columns that were asked for.

use anyhow::{Result, bail};
use report::Columns;
use study::{ColumnId, Study};

use crate::app::shown;
use crate::failure::usage_error;
use crate::studies::Found;

/// Some widths, by the names they were given by, and some columns.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    widths: Vec<String>,
    columns: Vec<ColumnId>,
}

impl Chosen {
    /// Whatever there is.
    pub(super) const fn all() -> Self {
        Self { widths: Vec::new(), columns: Vec::new() }
    }

    /// All columns of some widths. Whether there are such widths, the study knows.
    ///
    /// # Errors
    /// A column's name among them.
    pub(super) fn widths(names: &[String]) -> Result<Self> {
        if let Some(column) = names.iter().find(|name| name.parse::<ColumnId>().is_ok()) {
            return Err(usage_error(format_args!(
                "--widths {column}: this is a column, not a width; use --columns"
            )));
        }
        Ok(Self { widths: names.to_vec(), columns: Vec::new() })
    }

    /// Some columns.
    ///
    /// # Errors
    /// A text that names none.
    pub(super) fn columns(names: &[String]) -> Result<Self> {
        let columns = names
            .iter()
            .map(|name| name.parse().map_err(|error| usage_error(format_args!("--columns: {error}"))));
        Ok(Self { widths: Vec::new(), columns: columns.collect::<Result<_>>()? })
    }

    /// Widths and columns, separated by commas.
    pub(super) fn either(list: &str) -> Self {
        let mut chosen = Self::all();
        for name in list.split(',') {
            match name.parse() {
                Ok(column) => chosen.columns.push(column),
                Err(_) => chosen.widths.push(name.to_owned()),
            }
        }
        chosen
    }

    /// Both.
    pub(super) fn and(&self, other: &Self) -> Self {
        if self.is_everything() || other.is_everything() {
            return Self::all();
        }
        Self {
            widths: [self.widths.clone(), other.widths.clone()].concat(),
            columns: [self.columns.clone(), other.columns.clone()].concat(),
        }
    }

    fn is_everything(&self) -> bool {
        self.widths.is_empty() && self.columns.is_empty()
    }

    /// Whether a column is among what was asked for.
    pub(super) fn has(&self, id: &ColumnId) -> bool {
        let width = id.width.to_string();
        self.is_everything() || self.columns.contains(id) || self.widths.contains(&width)
    }

    /// How well these finished columns answer what was asked: the widths and columns that are there, then the columns.
    pub(super) fn rank(&self, finished: &[ColumnId]) -> (usize, usize) {
        let widths =
            self.widths.iter().filter(|width| finished.iter().any(|id| id.width.to_string() == **width));
        let columns = self.columns.iter().filter(|id| finished.contains(id));
        (widths.count() + columns.count(), finished.iter().filter(|id| self.has(id)).count())
    }

    /// Whether the study has it, and something of each finished.
    ///
    /// # Errors
    /// A usage error for what the study does not have; a failure for what is not finished.
    pub(super) fn check(&self, found: &Found) -> Result<()> {
        let shown = shown(found.folder.root());
        let known: Vec<String> = found.study.widths.iter().map(ToString::to_string).collect();
        if let Some(unknown) = self.widths.iter().find(|asked| !known.contains(asked)) {
            let known = known.join(", ");
            return Err(usage_error(format_args!(
                "{shown}: this study has no width {unknown}; it has {known}"
            )));
        }
        let Study { columns_per_width, .. } = &found.study;
        let all = found.study.columns();
        if let Some(unknown) = self.columns.iter().find(|asked| !all.contains(asked)) {
            return Err(usage_error(format_args!(
                "{shown}: this study has no column {unknown}; it has numbers 1 to {columns_per_width} of the widths {}",
                known.join(", ")
            )));
        }
        if let Some(missing) = self.columns.iter().find(|id| !found.finished.contains(id)) {
            bail!("{shown}: column {missing} is not finished");
        }
        let has_finished = |width: &str| found.finished.iter().any(|id| id.width.to_string() == width);
        if let Some(missing) = self.widths.iter().find(|asked| !has_finished(asked)) {
            let finished: Vec<&str> =
                known.iter().map(String::as_str).filter(|width| has_finished(width)).collect();
            let finished = if finished.is_empty() { "none".to_owned() } else { finished.join(", ") };
            bail!(
                "{shown}: no column of width {missing} is finished; widths with finished columns: {finished}"
            );
        }
        Ok(())
    }

    /// For the report, after [`check`](Self::check).
    pub(super) fn selected(&self) -> Columns {
        if self.is_everything() {
            return Columns::All;
        }
        if self.columns.is_empty() {
            let widths = self.widths.iter().filter_map(|width| width.parse().ok());
            return Columns::OfWidths(widths.collect());
        }
        Columns::Only(self.columns.clone())
    }

    /// The finished columns of what was asked for, in training order.
    pub(super) fn finished(&self, found: &Found) -> Vec<ColumnId> {
        found.finished.iter().copied().filter(|id| self.has(id)).collect()
    }
}
