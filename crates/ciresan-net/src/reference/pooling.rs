//! Max-pooling: who wins, and where the gradient goes.

use super::PlannedLayer;
use crate::Shape;

/// Which of equal values in a window wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tie {
    /// The first in row-major order: the rule of [`Engine`](crate::Engine).
    FirstWins,
    /// The last: a mistake that tests must notice.
    LastWins,
}

/// Index of the winner of every window of one image. A NaN wins against everything before it.
pub(crate) fn winners(input: Shape, size: usize, tie: Tie, x: &[f64]) -> Vec<usize> {
    windows(input, size)
        .map(|window| {
            let mut winner = usize::MAX;
            for i in window {
                let beaten = winner == usize::MAX
                    || x[i] > x[winner]
                    || x[i].is_nan()
                    || (tie == Tie::LastWins && x[i] >= x[winner]);
                if beaten {
                    winner = i;
                }
            }
            winner
        })
        .collect()
}

/// The indices of every window, each in row-major order.
pub(crate) fn windows(
    input: Shape,
    size: usize,
) -> impl Iterator<Item = impl Iterator<Item = usize> + Clone> {
    let (rows, columns) = (input.height / size, input.width / size);
    (0..input.maps * rows * columns).map(move |window| {
        let (map, row, column) = (window / (rows * columns), window / columns % rows, window % columns);
        let first = (map * input.height + row * size) * input.width + column * size;
        (0..size * size).map(move |i| first + i / size * input.width + i % size)
    })
}

/// Hands each window's value to its winner: zero everywhere else. For a whole batch.
pub(crate) fn to_winners(layer: &PlannedLayer, winners: &[usize], values: &[f64]) -> Vec<f64> {
    let output_len = layer.output.len();
    let mut below = vec![0.0; values.len() / output_len * layer.input.len()];
    for ((below, winners), values) in below
        .chunks_exact_mut(layer.input.len())
        .zip(winners.chunks_exact(output_len))
        .zip(values.chunks_exact(output_len))
    {
        for (&winner, &value) in winners.iter().zip(values) {
            below[winner] += value;
        }
    }
    below
}
