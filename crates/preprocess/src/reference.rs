//! The distortion once more, plainly: the oracle of the fast one.
//!
//! Everything here is written from the definition in `f64`, pixel by pixel: the full two-dimensional convolution of
//! a noise field, the affine movement undone step by step, bilinear sampling. It shares no arithmetic with
//! [`Distorter`](crate::Distorter), is hundreds of times slower and is there to test it, or another implementation.
//!
//! Fields and images are `[height, width]`, row-major; x counts columns, y rows, both from 0 at the first pixel's
//! centre. Functions panic where arrays do not match, as tests should.
//!
//! ```
//! use ndarray::{Array2, array};
//! use preprocess::{Smoothing, reference};
//!
//! let kernel = reference::kernel(Smoothing::Gaussian, 1.0);
//! let noise = array![[0.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0]];
//! let dx = reference::smooth(noise.view(), kernel.view());
//! let dy = Array2::zeros((2, 4));
//! let image = array![[0, 0, 255, 0], [0, 0, 255, 0]];
//! let warped = reference::warp(image.view(), &reference::Affine::IDENTITY, dx.view(), dy.view());
//! assert!(warped[[1, 1]] > -0.5); // fetched from the right, where the ink is
//! ```

use ndarray::{Array2, ArrayView2};

use crate::Smoothing;
pub use crate::affine::Affine;

/// The smoothing kernel: a Gaussian cut to a square of 3σ ([`Smoothing::Gaussian`], sum 1) or σ
/// ([`Smoothing::Theano`], weights exp(−(i² + j²) / 2σ²) / (2πσ²)) around its centre.
///
/// # Shapes
/// `[2 r + 1, 2 r + 1]` with r = ⌊3σ⌋ or ⌊σ⌋.
/// # Units
/// `sigma` in pixels, above 0.
#[must_use]
pub fn kernel(smoothing: Smoothing, sigma: f64) -> Array2<f64> {
    let radius = match smoothing {
        Smoothing::Gaussian => (3.0 * sigma).floor() as usize,
        Smoothing::Theano => sigma.floor() as usize,
    };
    let side = 2 * radius + 1;
    let weights = Array2::from_shape_fn((side, side), |(row, column)| {
        let (i, j) = (row as f64 - radius as f64, column as f64 - radius as f64);
        (-(i * i + j * j) / (2.0 * sigma * sigma)).exp()
    });
    let norm = match smoothing {
        Smoothing::Gaussian => weights.sum(),
        Smoothing::Theano => 2.0 * std::f64::consts::PI * sigma * sigma,
    };
    weights / norm
}

/// Convolves noise with a kernel; noise outside the grid counts as zero.
///
/// # Shapes
/// `noise`: `[height, width]`, the result too. `kernel`: both sides odd.
#[must_use]
pub fn smooth(noise: ArrayView2<'_, f64>, kernel: ArrayView2<'_, f64>) -> Array2<f64> {
    let (radius_y, radius_x) = (kernel.nrows() / 2, kernel.ncols() / 2);
    Array2::from_shape_fn(noise.dim(), |(row, column)| {
        let mut sum = 0.0;
        for ((y, x), value) in noise.indexed_iter() {
            // Below zero there is no index, beyond the kernel no weight.
            let (i, j) = ((row + radius_y).checked_sub(y), (column + radius_x).checked_sub(x));
            let weight = i.zip(j).and_then(|(i, j)| kernel.get([i, j]));
            sum += weight.unwrap_or(&0.0) * value;
        }
        sum
    })
}

/// Where the colour of output pixel (`x`, `y`) comes from when only `affine` acts.
///
/// # Units
/// Pixels; `size` is `[height, width]`. Returns `[x, y]`.
fn source_point(affine: &Affine, size: [usize; 2], x: f64, y: f64) -> [f64; 2] {
    let centre_x = (size[1] as f64 - 1.0) / 2.0;
    let centre_y = (size[0] as f64 - 1.0) / 2.0;
    // Ink went through scaling, shear, rotation, shift: undone in reverse.
    let x = x - centre_x - f64::from(affine.translation_px[0]);
    let y = y - centre_y - f64::from(affine.translation_px[1]);
    let angle = f64::from(affine.rotation_deg).to_radians();
    let (x, y) = (x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin());
    let x = x + f64::from(affine.shear) * y;
    [x / f64::from(affine.scale[0]) + centre_x, y / f64::from(affine.scale[1]) + centre_y]
}

/// The image's value at a point, interpolated between the four pixels around it, on the network's scale.
///
/// # Units
/// `x` and `y` in pixels, clamped to the image. Returns -1 (background) to 1 (ink).
#[must_use]
pub fn sample(image: ArrayView2<'_, u8>, x: f64, y: f64) -> f64 {
    let (height, width) = image.dim();
    let x = x.clamp(0.0, (width - 1) as f64);
    let y = y.clamp(0.0, (height - 1) as f64);
    let (left, top) = (x.floor() as usize, y.floor() as usize);
    let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
    let (x_share, y_share) = (x - left as f64, y - top as f64);
    let pixel = |row: usize, column: usize| f64::from(image[[row, column]]);
    let value = (1.0 - y_share) * (1.0 - x_share) * pixel(top, left)
        + (1.0 - y_share) * x_share * pixel(top, right)
        + y_share * (1.0 - x_share) * pixel(bottom, left)
        + y_share * x_share * pixel(bottom, right);
    value / 127.5 - 1.0
}

/// Distorts one image by an affine movement and an elastic field on top: output pixel (x, y) is sampled `[dx, dy]` from
/// where the movement alone takes it from.
///
/// # Shapes
/// `image`, `dx`, `dy` and the result: `[height, width]`.
/// # Units
/// `image` 0 to 255, `dx` and `dy` in pixels, the result -1 to 1.
#[must_use]
pub fn warp(
    image: ArrayView2<'_, u8>,
    affine: &Affine,
    dx: ArrayView2<'_, f64>,
    dy: ArrayView2<'_, f64>,
) -> Array2<f64> {
    assert_eq!(dx.dim(), image.dim(), "dx and the image differ in shape");
    assert_eq!(dy.dim(), image.dim(), "dy and the image differ in shape");
    let size = [image.nrows(), image.ncols()];
    Array2::from_shape_fn(image.dim(), |(row, column)| {
        let [x, y] = source_point(affine, size, column as f64, row as f64);
        sample(image, x + dx[[row, column]], y + dy[[row, column]])
    })
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact results are part of the contract")]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn kernels_sum_to_what_they_should() {
        for sigma in [0.3, 1.0, 2.5, 8.0] {
            let sum = kernel(Smoothing::Gaussian, sigma).sum();
            // Some thousand additions of numbers below 1.
            assert!((sum - 1.0).abs() < 1e-12, "sigma {sigma}: {sum}");
            assert!(kernel(Smoothing::Theano, sigma.max(1.0)).sum() < 1.0);
        }
        assert_eq!(kernel(Smoothing::Gaussian, 8.0).dim(), (49, 49));
        assert_eq!(kernel(Smoothing::Theano, 8.0).dim(), (17, 17));
    }

    #[test]
    fn convolution_puts_the_kernel_where_the_impulse_is() {
        let kernel = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]];
        let noise = array![[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]];
        let want = array![[0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 4.0, 5.0], [0.0, 0.0, 7.0, 8.0]];
        assert_eq!(smooth(noise.view(), kernel.view()), want);
    }

    #[track_caller]
    fn check_source(affine: Affine, want: [f64; 2]) {
        // Output pixel two columns right of the centre of 7 rows and 9 columns, (4, 3).
        let got = source_point(&affine, [7, 9], 6.0, 3.0);
        for (got, want) in got.into_iter().zip(want) {
            assert!((got - want).abs() < 1e-12, "got {got}, want {want}");
        }
    }

    #[test]
    fn affine_parts_move_ink_as_documented() {
        let still = Affine::IDENTITY;
        check_source(still, [6.0, 3.0]);
        check_source(Affine { translation_px: [1.0, -2.0], ..still }, [5.0, 5.0]);
        // A quarter turn clockwise brings what was above the centre to its right.
        check_source(Affine { rotation_deg: 90.0, ..still }, [4.0, 1.0]);
        check_source(Affine { scale: [2.0, 1.0], ..still }, [5.0, 3.0]);
        // Sheared and then turned: two rows above, brought one column right by the shear.
        check_source(Affine { shear: 0.5, rotation_deg: 90.0, ..still }, [3.0, 1.0]);
    }

    #[test]
    fn sampling_interpolates_and_clamps() {
        let image = array![[0, 51, 255], [102, 0, 0]];
        assert_eq!(sample(image.view(), 1.0, 0.0), 51.0 / 127.5 - 1.0);
        assert_eq!(sample(image.view(), 9.0, -3.0), 1.0);
        assert_eq!(sample(image.view(), 0.0, 0.5), 51.0 / 127.5 - 1.0);
        assert_eq!(sample(image.view(), 0.5, 1.0), 51.0 / 127.5 - 1.0);
    }
}
