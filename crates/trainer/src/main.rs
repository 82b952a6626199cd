//! Trains columns.
fn main() {}
