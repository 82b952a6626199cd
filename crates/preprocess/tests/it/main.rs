//! Tests of what other crates use.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
#![allow(clippy::float_cmp, reason = "exact results are part of the contract")]

mod batch;
mod batches;
mod instruction_sets;
mod normalize;
#[cfg(feature = "serde")]
mod serialized;
mod sheet;
mod statistics;
mod to_mnist;
