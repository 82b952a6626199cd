//! What others have reported on MNIST's 10,000 test digits, to stand beside a study's own figures.

use preprocess::Width;

/// The paper: Cireşan, Meier, Schmidhuber, *Multi-column Deep Neural Networks for Image Classification*, CVPR
/// 2012 (arXiv 1202.2745), MNIST section. Errors in percent.
pub(crate) mod paper {
    /// Its columns: 5 for each of 7 widths.
    pub(crate) const N_COLUMNS: u32 = 35;
    /// Mean of its columns' errors.
    pub(crate) const COLUMNS_MEAN_PERCENT: f64 = 0.44;
    /// Spread of its columns' errors.
    pub(crate) const COLUMNS_SD_PERCENT: f64 = 0.06;
    /// Best of its committees of the 5 columns of one width.
    pub(crate) const WIDTH_BEST_PERCENT: f64 = 0.26;
    /// Worst of its committees of the 5 columns of one width.
    pub(crate) const WIDTH_WORST_PERCENT: f64 = 0.46;
    /// Its committee of all columns.
    pub(crate) const COMMITTEE_PERCENT: f64 = 0.23;
    /// Errors of that committee.
    pub(crate) const COMMITTEE_ERRORS: u32 = 23;
    /// Those of them whose second guess is right.
    pub(crate) const SECOND_GUESS_RIGHT: u32 = 20;
    /// Its further widths in pixels, 5 columns each.
    pub(crate) const ODD_WIDTHS_PX: [u8; 5] = [11, 13, 15, 17, 19];
    /// Columns of all its widths together.
    pub(crate) const N_WITH_ODD_WIDTHS: u32 = 60;
    /// Error of their committee: no gain.
    pub(crate) const WITH_ODD_WIDTHS_PERCENT: f64 = 0.24;
    /// Its widths in pixels; [`None`] is the original one.
    pub(crate) const WIDTHS_PX: [Option<u8>; 7] =
        [None, Some(10), Some(12), Some(14), Some(16), Some(18), Some(20)];
}

/// The Theano project: a public reproduction of the paper's MNIST section with one column for each of four
/// widths. It read the labels while preprocessing, of test digits too, so its figures are not quite
/// comparable.
pub(crate) mod theano {
    /// Its committees: widths in pixels, and the error in basis points (hundredths of a percent).
    pub(crate) const SUBSETS_BP: [(&[u8], u32); 15] = [
        (&[14], 48),
        (&[16], 38),
        (&[18], 40),
        (&[20], 33),
        (&[14, 16], 38),
        (&[14, 18], 32),
        (&[14, 20], 30),
        (&[16, 18], 33),
        (&[16, 20], 32),
        (&[18, 20], 29),
        (&[14, 16, 18], 30),
        (&[14, 16, 20], 29),
        (&[14, 18, 20], 29),
        (&[16, 18, 20], 30),
        (&[14, 16, 18, 20], 29),
    ];
    /// Its best result, in basis points.
    pub(crate) const BEST_BP: u32 = 29;
    /// Columns of its best result.
    pub(crate) const BEST_N_COLUMNS: u32 = 4;

    /// A row of its table of trials. Its errors are high where there is a distortion, because that was applied to
    /// validation and test digits too.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub(crate) struct Trial {
        /// Digits a step.
        pub(crate) batch: u32,
        /// Learning rate of the first epoch.
        pub(crate) learning_rate: f64,
        /// Width in pixels.
        pub(crate) width_px: u8,
        /// σ of the elastic distortion, whose α is 36; without one [`None`].
        pub(crate) sigma: Option<u8>,
        /// Steps.
        pub(crate) iterations: Option<u32>,
        /// Error on the validation digits in percent.
        pub(crate) validation_percent: Option<f64>,
        /// Error on the test digits in percent.
        pub(crate) test_percent: f64,
        /// Minutes of training.
        pub(crate) minutes: u32,
        /// Epochs.
        pub(crate) epochs: Option<u32>,
    }

    /// α of every distorted trial.
    pub(crate) const TRIAL_ALPHA: u8 = 36;

    /// Its trials, on a Tesla c2075.
    pub(crate) const TRIALS: [Trial; 12] = [
        trial(300, 0.001, 20, None, Some(274_000), Some(2.34), 2.64, 118, Some(547)),
        trial(1000, 0.001, 20, None, None, None, 11.0, 60, None),
        trial(50, 0.001, 20, Some(6), Some(800_000), Some(2.85), 3.46, 366, Some(800)),
        trial(100, 0.001, 20, Some(8), Some(400_000), Some(4.01), 4.79, 243, Some(800)),
        trial(50, 0.001, 20, Some(8), Some(752_000), Some(2.57), 3.44, 231, Some(751)),
        trial(25, 0.001, 20, Some(8), Some(1_600_000), Some(1.82), 2.04, 310, Some(800)),
        trial(12, 0.001, 20, Some(8), Some(3_500_000), Some(1.25), 1.59, 553, Some(800)),
        trial(12, 0.001, 18, Some(8), Some(3_500_000), Some(1.33), 1.59, 554, Some(800)),
        trial(12, 0.001, 16, Some(8), Some(3_500_000), Some(1.38), 1.79, 553, Some(800)),
        trial(12, 0.001, 14, Some(8), Some(3_500_000), Some(1.47), 1.93, 553, Some(800)),
        trial(128, 0.01, 20, Some(8), None, Some(4.04), 5.22, 140, Some(800)),
        trial(128, 0.2, 20, Some(8), Some(186_000), Some(0.31), 0.79, 77, Some(431)),
    ];

    #[expect(clippy::too_many_arguments, reason = "a row of the table, in its order")]
    const fn trial(
        batch: u32,
        learning_rate: f64,
        width_px: u8,
        sigma: Option<u8>,
        iterations: Option<u32>,
        validation_percent: Option<f64>,
        test_percent: f64,
        minutes: u32,
        epochs: Option<u32>,
    ) -> Trial {
        Trial {
            batch,
            learning_rate,
            width_px,
            sigma,
            iterations,
            validation_percent,
            test_percent,
            minutes,
            epochs,
        }
    }
}

/// Whether the paper trained further columns of this width, to see whether more widths help.
pub(crate) fn is_odd_width_of_the_paper(width: Width) -> bool {
    width.pixels().is_some_and(|px| paper::ODD_WIDTHS_PX.contains(&px))
}

/// Whether the paper trained columns of this width.
pub(crate) fn is_of_the_paper(width: Width) -> bool {
    paper::WIDTHS_PX.contains(&width.pixels())
}

/// The Theano project's error in basis points with one column for each of these widths, whatever their order;
/// `None` for widths it did not combine.
pub(crate) fn theano_bp(widths: &[Width]) -> Option<u32> {
    let mut widths_px: Vec<u8> = widths.iter().map(|width| width.pixels()).collect::<Option<_>>()?;
    widths_px.sort_unstable();
    theano::SUBSETS_BP.iter().find(|(subset, _)| *subset == widths_px).map(|&(_, bp)| bp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widths(px: &[u8]) -> Vec<Width> {
        px.iter().map(|&px| Width::try_from(px).unwrap()).collect()
    }

    #[test]
    fn every_subset_of_the_theano_project_is_there_once() {
        let px = [14u8, 16, 18, 20];
        for mask in 1u32..16 {
            let subset: Vec<u8> = (0..4).filter(|i| mask >> i & 1 == 1).map(|i| px[i]).collect();
            assert!(theano_bp(&widths(&subset)).is_some(), "{subset:?}");
        }
        let best = theano::SUBSETS_BP.iter().map(|&(_, bp)| bp).min().unwrap();
        assert_eq!(best, theano::BEST_BP);
        assert_eq!(theano_bp(&widths(&[20, 14])), Some(30));
        assert_eq!(theano_bp(&widths(&[10])), None);
        assert_eq!(theano_bp(&[]), None);
        assert_eq!(theano_bp(&[Width::ORIGINAL]), None);
    }

    #[test]
    fn the_papers_widths_are_its_seven() {
        let mut all: Vec<Width> = (4..=28).map(|px| Width::try_from(px).unwrap()).collect();
        all.push(Width::ORIGINAL);
        assert_eq!(all.into_iter().filter(|&width| is_of_the_paper(width)).count(), 7);
        assert!(is_of_the_paper(Width::ORIGINAL));
    }
}
