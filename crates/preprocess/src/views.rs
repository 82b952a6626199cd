//! Distorted views of a digit, to ask a trained column about besides the digit as it is.

use ndarray::{ArrayView3, Axis};
use rayon::prelude::*;

use crate::distortion::check_parameter;
use crate::{Distorter, Draw, PreprocessError, scale_to_input};

/// How many views a column is asked about, and how much they are distorted. Its answer is the mean of what it says of them.
///
/// # Source
/// Kin to Sato, Nishimura, Yokoi 2015, *APAC* (arXiv 1505.03229). Not in the paper, which asks about the digit alone.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Views {
    /// Views of a digit: 1 to [`Views::MAX_COUNT`]. The first is the digit as it is.
    pub count: u16,
    /// Factor on the amplitudes of the training's distortion: 0 to 1.
    pub strength: f32,
}

impl Views {
    /// Most views of a digit.
    pub const MAX_COUNT: u16 = 1024;

    /// # Errors
    /// [`PreprocessError::Parameter`] for a value out of its range.
    pub fn check(&self) -> Result<(), PreprocessError> {
        check_parameter("count", self.count.into(), 1.0, Self::MAX_COUNT.into())?;
        check_parameter("strength", self.strength, 0.0, 1.0)
    }
}

/// Makes the views of one column. The view of a number is a function of study seed, column and the digit's pixels: the same
/// on every run, whatever other digits there are.
///
/// ```
/// use preprocess::{Distorter, Distortion, ViewMaker, Views};
/// let distorter = Distorter::new(&Distortion::default(), 29, 29)?;
/// let maker = ViewMaker::new(distorter, Views { count: 4, strength: 0.4 }, 2012, 1)?;
/// let digits = ndarray::Array3::<u8>::zeros((2, 29, 29));
/// let mut views = vec![0.0; 2 * 4 * 29 * 29];
/// maker.fill(digits.view(), &mut views)?;
/// # Ok::<(), preprocess::PreprocessError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ViewMaker {
    distorter: Distorter,
    views: Views,
    study_seed: u64,
    column: u32,
}

impl ViewMaker {
    /// Makes views by `distorter`, which distorts as training did.
    ///
    /// # Units
    /// `column`: the column's number in [`Epoch`](crate::Epoch).
    /// # Errors
    /// As [`Views::check`].
    pub fn new(
        distorter: Distorter,
        views: Views,
        study_seed: u64,
        column: u32,
    ) -> Result<Self, PreprocessError> {
        views.check()?;
        Ok(Self { distorter, views, study_seed, column })
    }

    /// Views of a digit.
    #[must_use]
    pub fn count(&self) -> usize {
        self.views.count.into()
    }

    /// Writes the views of some digits, on the threads of the rayon pool the caller runs in that are idle.
    ///
    /// # Shapes
    /// `digits`: `[n, height, width]` of the distorter. `out`: `[n, count, height, width]`, row-major.
    /// # Units
    /// `digits` 0 to 255. `out` -1 to 1, as [`scale_to_input`] has it.
    /// # Errors
    /// [`PreprocessError::ImageSize`] or [`PreprocessError::Length`] (out); nothing is written then.
    pub fn fill(&self, digits: ArrayView3<'_, u8>, out: &mut [f32]) -> Result<(), PreprocessError> {
        self.distorter.check_size(digits)?;
        let (n_digits, height, width) = digits.dim();
        let (n_pixels, want) = (height * width, n_digits * self.count() * height * width);
        if out.len() != want {
            return Err(PreprocessError::Length { what: "out", got: out.len(), want });
        }
        let digits = digits.as_standard_layout();
        let of_digit = out.par_chunks_exact_mut(n_pixels * self.count()).enumerate();
        of_digit.try_for_each_init(
            || self.distorter.scratch(),
            |scratch, (index, out)| {
                let digit = digits.index_axis(Axis(0), index);
                let pixels = digit.to_slice().expect("a row of a row-major array");
                let draws = Draw::of_views(self.study_seed, self.column, pixels);
                let (plain, views) = out.split_at_mut(n_pixels);
                scale_to_input(pixels, plain)?;
                for (number, view) in (1..).zip(views.chunks_exact_mut(n_pixels)) {
                    let draw = draws.view(number);
                    self.distorter.distort_with(pixels, draw, self.views.strength, scratch, view)?;
                }
                Ok(())
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;
    use crate::Distortion;

    const N_PIXELS: usize = 29 * 29;

    fn maker(views: Views) -> ViewMaker {
        ViewMaker::new(Distorter::new(&Distortion::default(), 29, 29).unwrap(), views, 2012, 7).unwrap()
    }

    fn digits() -> Array3<u8> {
        Array3::from_shape_fn((3, 29, 29), |(digit, y, x)| ((digit + 1) * y * 13 + x * 31) as u8)
    }

    fn filled(maker: &ViewMaker, digits: ArrayView3<'_, u8>) -> Vec<f32> {
        let mut out = vec![f32::NAN; digits.len() * maker.count()];
        maker.fill(digits, &mut out).unwrap();
        out
    }

    #[test]
    fn a_view_depends_on_the_digit_alone_and_the_first_is_the_digit() {
        let (maker, digits) = (maker(Views { count: 5, strength: 0.4 }), digits());
        let all = filled(&maker, digits.view());
        let last = filled(&maker, digits.slice_axis(Axis(0), (2..).into()));
        assert_eq!(all[2 * 5 * N_PIXELS..], last);
        let mut plain = vec![0.0; N_PIXELS];
        scale_to_input(digits.index_axis(Axis(0), 2).to_slice().unwrap(), &mut plain).unwrap();
        assert_eq!(last[..N_PIXELS], plain);
        // Five different pictures, and fewer views are the first of more.
        let views: Vec<&[f32]> = last.chunks(N_PIXELS).collect();
        for (number, view) in views.iter().enumerate() {
            assert!(views[..number].iter().all(|other| other != view));
        }
        let two = filled(&self::maker(Views { count: 2, strength: 0.4 }), digits.view());
        assert_eq!(two[2 * 2 * N_PIXELS..], last[..2 * N_PIXELS]);
        // Digits whose pixels do not lie in memory one after the other.
        let turned = digits.view().permuted_axes([0, 2, 1]);
        let copied = turned.as_standard_layout().into_owned();
        assert_eq!(filled(&maker, turned), filled(&maker, copied.view()));
    }

    #[test]
    fn no_strength_is_the_digit_every_time() {
        let all = filled(&maker(Views { count: 3, strength: 0.0 }), digits().view());
        assert!(all.chunks(3 * N_PIXELS).all(|of| of[..N_PIXELS] == of[2 * N_PIXELS..]));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refused = |views: Views| views.check().unwrap_err().to_string();
        assert!(refused(Views { count: 0, strength: 0.4 }).contains("count 0 is out of range: 1 to 1024"));
        assert!(refused(Views { count: 4, strength: 1.5 }).contains("strength 1.5 is out of range: 0 to 1"));
        let maker = maker(Views { count: 2, strength: 0.4 });
        let mut out = vec![0.0; 5];
        let error = maker.fill(digits().view(), &mut out).unwrap_err();
        assert_eq!(error, PreprocessError::Length { what: "out", got: 5, want: 6 * N_PIXELS });
        let error = maker.fill(Array3::zeros((1, 28, 28)).view(), &mut out).unwrap_err();
        assert!(matches!(error, PreprocessError::ImageSize { got: [28, 28], .. }));
    }
}
