//! How much of a summary is shown.

/// How much a report lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Every subset of up to four widths, at most 15; of more widths the best and the worst of each size.
    Short,
    /// Every subset of up to seven widths, at most 127; also the trials, the
    /// committee-size curve and the statistics.
    Full,
}
