//! The Gaussian smoothing of one axis as a few weighted basis vectors.
//!
//! # Derivation
//! An elastic field is `F = G_h N G_wᵀ`: `N` is white noise on the image's `h × w` grid, `G` the symmetric Toeplitz matrix
//! of one axis's taps. Noise outside the image counts as zero, so the matrix simply ends at the border; where the taps end
//! (at 3σ, or at σ in the Theano project) only changes its entries. Both rules are separable, so this is the
//! two-dimensional convolution exactly.
//!
//! With the singular value decomposition `G = U S Vᵀ` of each axis, `F = (U_h S_h) (V_hᵀ N V_w) (U_w S_w)ᵀ`. White noise
//! turned by orthogonal matrices is white noise, so `F` has the same distribution as `(U_h S_h) Z (U_w S_w)ᵀ` with `Z`
//! white: both are normal with mean zero and covariance `(G_h G_hᵀ) ⊗ (G_w G_wᵀ)`. Nothing is approximated so far.
//!
//! # Truncation
//! Smoothing makes the singular values fall so fast that a few columns of `U S` carry nearly everything. Each axis keeps the
//! fewest whose squares sum to at least `1 − ε/2` of the whole, ε = [`NEGLECTED_VARIANCE`]. The field's variance summed
//! over all pixels is the product of both axes' sums, so at most `1 − (1 − ε/2)² < ε` of it is lost. What is lost is a
//! covariance itself, hence positive semidefinite: no entry of the field's covariance is off by more than ε of that sum.
//! Where the rank is not small (σ below one pixel: all vectors are strong) the same rule keeps every vector, and the two
//! small matrix products are the whole separable convolution.
//!
//! The tests compare the kept covariance with that of the full convolution, entry by entry, here; and that of drawn
//! fields with that of fields drawn by plain convolution, within a statistical bound, in `tests/it/statistics.rs`.

use crate::Smoothing;

/// Share of an elastic field's total variance that may be left out by keeping only the strongest basis vectors.
///
/// 10⁻⁴ of the variance is 1 % of the standard deviation: 0.01 pixels where displacements are about one pixel.
/// For σ = 8 and 29 pixels 5 vectors of 29 are then enough.
pub(crate) const NEGLECTED_VARIANCE: f64 = 1e-4;

/// The strongest columns of `U S` of one axis.
#[derive(Debug, Clone)]
pub(crate) struct Basis {
    /// Strongest first; each has the axis's length.
    pub(crate) vectors: Vec<Vec<f64>>,
}

impl Basis {
    /// The basis of an axis of `len` pixels, with at most half of [`NEGLECTED_VARIANCE`] left out: the other half is
    /// the other axis's.
    pub(crate) fn new(smoothing: Smoothing, sigma: f64, len: usize) -> Self {
        let mut vectors = smoothing_matrix(smoothing, sigma, len);
        orthogonalize_rows(&mut vectors);
        let mut weighted: Vec<(f64, Vec<f64>)> =
            vectors.into_iter().map(|row| (dot(&row, &row), row)).collect();
        weighted.sort_by(|a, b| b.0.total_cmp(&a.0));
        // Summed from the weakest up: small terms first lose nothing to rounding.
        let total: f64 = weighted.iter().rev().map(|(variance, _)| variance).sum();
        let mut neglected = 0.0;
        let mut rank = weighted.len();
        while rank > 1 {
            neglected += weighted[rank - 1].0;
            if neglected > total * NEGLECTED_VARIANCE / 2.0 {
                break;
            }
            rank -= 1;
        }
        weighted.truncate(rank);
        Self { vectors: weighted.into_iter().map(|(_, row)| row).collect() }
    }

    /// Number of basis vectors.
    pub(crate) fn rank(&self) -> usize {
        self.vectors.len()
    }
}

/// One axis's factor of the Gaussian: weights of the taps at distance 0, 1, 2, … up to the cut.
///
/// The two-dimensional kernel is the product of two such factors, cut to a square.
fn taps(smoothing: Smoothing, sigma: f64) -> Vec<f64> {
    let gaussian = |i: u32| (-0.5 * (f64::from(i) / sigma).powi(2)).exp();
    match smoothing {
        Smoothing::Gaussian => {
            let half: Vec<f64> = (0..=floor_px(3.0 * sigma)).map(gaussian).collect();
            let sum = half[0] + 2.0 * half[1..].iter().rev().sum::<f64>();
            half.into_iter().map(|weight| weight / sum).collect()
        }
        Smoothing::Theano => {
            let norm = (2.0 * std::f64::consts::PI).sqrt() * sigma;
            (0..=floor_px(sigma)).map(|i| gaussian(i) / norm).collect()
        }
    }
}

/// `sigma` is at most [`Distortion::MAX_SIGMA`](crate::Distortion::MAX_SIGMA): no tap is out of `u32`'s reach.
fn floor_px(length_px: f64) -> u32 {
    length_px as u32
}

/// `G`, row by row: `G[i][j]` is the weight of the noise at `j` in the field at `i`.
fn smoothing_matrix(smoothing: Smoothing, sigma: f64, len: usize) -> Vec<Vec<f64>> {
    let taps = taps(smoothing, sigma);
    let weight = |i: usize, j: usize| taps.get(i.abs_diff(j)).copied().unwrap_or(0.0);
    (0..len).map(|i| (0..len).map(|j| weight(i, j)).collect()).collect()
}

/// One-sided Jacobi method (Hestenes 1958): turns pairs of rows until all are orthogonal.
///
/// Turning keeps `Σ row rowᵀ`, which is all that the field's distribution depends on, whether or not the last
/// digits have converged. For a symmetric `G` the rows end as the columns of `U S`.
fn orthogonalize_rows(rows: &mut [Vec<f64>]) {
    // Quadratic convergence: 29 pixels take 6 to 9 sweeps.
    const MAX_SWEEPS: usize = 40;
    let total: f64 = rows.iter().map(|row| dot(row, row)).sum();
    // Products below rounding of the largest row are noise.
    let threshold = f64::EPSILON * total;
    for _ in 0..MAX_SWEEPS {
        let mut turned = false;
        for q in 1..rows.len() {
            let (before, from_q) = rows.split_at_mut(q);
            let row_q = &mut from_q[0];
            for row_p in before {
                let product = dot(row_p, row_q);
                if product.abs() > threshold {
                    turn(row_p, row_q, product);
                    turned = true;
                }
            }
        }
        if !turned {
            return;
        }
    }
}

/// Turns two rows in their plane so that their product, now `product`, becomes zero.
fn turn(p: &mut [f64], q: &mut [f64], product: f64) {
    // The smaller root of t² + 2 cot(2φ) t − 1 = 0, so that |φ| ≤ π/4: the stable one (Golub, Van Loan, §8.5).
    let cot = (dot(q, q) - dot(p, p)) / (2.0 * product);
    let tan = cot.signum() / (cot.abs() + (1.0 + cot * cot).sqrt());
    let cos = 1.0 / (1.0 + tan * tan).sqrt();
    let sin = cos * tan;
    for (p, q) in p.iter_mut().zip(q) {
        (*p, *q) = (cos * *p - sin * *q, sin * *p + cos * *q);
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Four sums side by side, which the compiler can put into lanes.
    let (a4, a_rest) = a.as_chunks::<4>();
    let (b4, b_rest) = b.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (a, b) in a4.iter().zip(b4) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, ArrayView2};

    use super::*;
    use crate::reference;

    /// `Σ v vᵀ` over the kept vectors: the axis's share of the field's covariance.
    fn covariance(vectors: &[Vec<f64>], len: usize) -> Array2<f64> {
        Array2::from_shape_fn((len, len), |(i, j)| vectors.iter().map(|v| v[i] * v[j]).sum())
    }

    fn trace(matrix: ArrayView2<'_, f64>) -> f64 {
        matrix.diag().sum()
    }

    #[test]
    fn few_vectors_carry_the_field() {
        let rank = |smoothing, sigma| Basis::new(smoothing, sigma, 29).rank();
        assert_eq!([8.0, 6.0, 5.0, 4.0].map(|sigma| rank(Smoothing::Gaussian, sigma)), [5, 6, 7, 8]);
        // The hard cut at σ leaves the field rough, so it takes most of the vectors.
        assert_eq!(rank(Smoothing::Theano, 8.0), 24);
        // Noise that is not smoothed has no weak vectors.
        assert_eq!(rank(Smoothing::Gaussian, 0.1), 29);
        assert_eq!(rank(Smoothing::Gaussian, 10_000.0), 1);
    }

    #[track_caller]
    fn check_axis(smoothing: Smoothing, sigma: f64, len: usize) {
        let matrix = smoothing_matrix(smoothing, sigma, len);
        let full = covariance(&matrix, len);
        let kept = covariance(&Basis::new(smoothing, sigma, len).vectors, len);
        let total = trace(full.view());
        let neglected = total - trace(kept.view());
        // Turning pairs of rows rounds each of len entries in each of at most 40 sweeps of len turns; the errors are
        // relative to the largest row, at most the whole.
        let rounding = total * f64::EPSILON * (40 * len) as f64;
        assert!(
            neglected <= total * NEGLECTED_VARIANCE / 2.0 + rounding,
            "{smoothing:?} {sigma} {len}: {neglected:e}"
        );
        // What is missing is a covariance itself, so no entry exceeds its trace.
        for (full, kept) in full.iter().zip(&kept) {
            assert!(
                (full - kept).abs() <= neglected.max(0.0) + rounding,
                "{smoothing:?} {sigma} {len}: {full} {kept}"
            );
        }
    }

    #[test]
    fn an_axis_keeps_its_covariance_within_the_bound() {
        for smoothing in [Smoothing::Gaussian, Smoothing::Theano] {
            for sigma in [0.05, 0.4, 1.0, 1.7, 2.0, 3.3, 4.0, 5.0, 6.0, 8.0, 9.0, 20.0, 300.0, 10_000.0] {
                for len in [1, 2, 3, 8, 29, 30, 64] {
                    check_axis(smoothing, sigma, len);
                }
            }
        }
    }

    /// The covariance of the whole field from the reference: the answer to each single impulse of noise.
    fn reference_covariance(smoothing: Smoothing, sigma: f64, size: [usize; 2]) -> Array2<f64> {
        let kernel = reference::kernel(smoothing, sigma);
        let n_pixels = size[0] * size[1];
        let mut answers = Array2::zeros((n_pixels, n_pixels));
        for (pixel, mut answer) in answers.columns_mut().into_iter().enumerate() {
            let mut noise = Array2::zeros(size);
            noise[[pixel / size[1], pixel % size[1]]] = 1.0;
            answer.assign(&reference::smooth(noise.view(), kernel.view()).flatten());
        }
        answers.dot(&answers.t())
    }

    #[test]
    fn a_non_square_field_keeps_the_covariance_of_the_full_convolution() {
        let size = [7, 12];
        for smoothing in [Smoothing::Gaussian, Smoothing::Theano] {
            for sigma in [0.5, 1.0, 2.5, 4.0, 8.0] {
                let full = reference_covariance(smoothing, sigma, size);
                let [rows, columns] =
                    size.map(|len| covariance(&Basis::new(smoothing, sigma, len).vectors, len));
                let n_pixels = size[0] * size[1];
                let kept = Array2::from_shape_fn((n_pixels, n_pixels), |(p, q)| {
                    rows[[p / size[1], q / size[1]]] * columns[[p % size[1], q % size[1]]]
                });
                let total = trace(full.view());
                let neglected = total - trace(kept.view());
                // f64 sums of at most 84 · 49² products.
                let rounding = total * 1e-12;
                assert!(
                    neglected <= total * NEGLECTED_VARIANCE + rounding,
                    "{smoothing:?} {sigma}: {neglected:e}"
                );
                for (full, kept) in full.iter().zip(&kept) {
                    assert!((full - kept).abs() <= neglected.max(0.0) + rounding, "{smoothing:?} {sigma}");
                }
            }
        }
    }
}
