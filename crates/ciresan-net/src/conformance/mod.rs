//! The tests that every [`Engine`] passes: against the plain f64 [`reference`](crate::reference), against
//! finite differences, and against itself.
//!
//! An engine's crate turns the feature `conformance` on in its dev-dependencies and calls one function in a
//! test:
//!
//! ```no_run
//! # use ciresan_net::{conformance, reference::ReferenceEngine as MyEngine};
//! conformance::check_engine::<MyEngine>();
//! ```
//!
//! [`Made`] is an engine of a device or an instruction set, which [`Engine::new`] does not take.
//!
//! The subjects can also be run one by one, by an engine that cannot promise all of them: one on a GPU may
//! have to leave out [`resumed`], and [`together_equals_apart`] for [`together_within_rounding`], which bounds how far it may be from it.
//!
//! # Tolerances
//! They follow from how f32 rounds. Every sum of n products that the reference computes exactly is, in f32,
//! off by what n products and n additions are rounded by, each by at most u = 2⁻²⁴ of a partial sum, which is
//! no larger than the sum of magnitudes M; as these roundings are independent of each other the standard
//! deviation is at most √(2n)·u·M (Higham and Mary, *A New Approach to Probabilistic Rounding Error
//! Analysis*, 2019). Deviations are propagated through all layers, forward and backward, beside the values. A
//! result may be off by six deviations; partial sums are usually far below M, so honest engines stay well
//! within one.
//!
//! Where a rounding could change a winner or the sign of a rectified sum the gradient jumps, and no tolerance
//! would do: such images are drawn again, and so are those near the bound above which an image is skipped. Exact ties are a subject of their own, in numbers that f32 adds
//! without rounding.

mod batches;
mod case;
mod errors;
mod finite;
mod forward;
mod gradients;
mod made;
mod optimizer;
mod rounding;
mod skipping;
mod state;
mod ties;
mod together;

pub use batches::batches;
pub use case::Failure;
pub use errors::errors;
pub use forward::forward;
pub use gradients::gradients;
pub use made::{Made, Make};
pub use optimizer::optimizer;
pub use skipping::skipping;
pub use state::{resumed, state};
pub use ties::ties;
pub use together::{together_equals_apart, together_within_rounding};

use crate::Engine;

/// Runs every subject: seconds in a build with optimization.
///
/// # Panics
/// With the first [`Failure`].
#[track_caller]
pub fn check_engine<E: Engine>() {
    let subjects = [
        errors::<E>,
        forward::<E>,
        gradients::<E>,
        ties::<E>,
        optimizer::<E>,
        skipping::<E>,
        state::<E>,
        resumed::<E>,
        batches::<E>,
        together_equals_apart::<E>,
    ];
    for subject in subjects {
        if let Err(failure) = subject() {
            panic!("{failure}");
        }
    }
}

#[cfg(test)]
mod tests;
