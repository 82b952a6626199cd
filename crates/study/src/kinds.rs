//! Columns by what they were trained by.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ColumnId, ColumnRecord};

/// Columns whose results round alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// What they were trained by: [`Provenance::kind`](crate::Provenance::kind), several joined by "and" when a column changed engines.
    pub kind: String,
    /// They, in the order given.
    pub columns: Vec<ColumnId>,
}

/// Columns by what they were trained by, the most frequent kind first. More than one kind is a mixture: such
/// results are not those of any one machine, bit for bit.
#[must_use]
pub fn kinds<'a>(records: impl IntoIterator<Item = &'a ColumnRecord>) -> Vec<Kind> {
    let mut of_kind: BTreeMap<String, Vec<ColumnId>> = BTreeMap::new();
    for record in records {
        of_kind.entry(record.kind()).or_default().push(record.column);
    }
    let mut kinds: Vec<Kind> = of_kind.into_iter().map(|(kind, columns)| Kind { kind, columns }).collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.columns.len()));
    kinds
}

impl fmt::Display for Kind {
    /// `ciresan-cpu avx2 fp32 (34 columns)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n_columns = self.columns.len();
        write!(f, "{} ({n_columns} column{})", self.kind, if n_columns == 1 { "" } else { "s" })
    }
}
