//! What others have reported on MNIST's 10,000 test digits, to stand beside a study's own figures.

use preprocess::Width;

/// The paper: Cireşan, Meier, Schmidhuber, *Multi-column Deep Neural Networks for Image Classification*, CVPR
/// 2012 (arXiv 1202.2745), MNIST section. Errors in percent.
pub mod paper {
    /// Its columns: 5 for each of 7 widths.
    pub const N_COLUMNS: u32 = 35;
    /// Mean of its columns' errors.
    pub const COLUMNS_MEAN_PERCENT: f64 = 0.44;
    /// Spread of its columns' errors.
    pub const COLUMNS_SD_PERCENT: f64 = 0.06;
    /// Best of its committees of the 5 columns of one width.
    pub const WIDTH_BEST_PERCENT: f64 = 0.26;
    /// Worst of its committees of the 5 columns of one width.
    pub const WIDTH_WORST_PERCENT: f64 = 0.46;
    /// Its committee of all columns.
    pub const COMMITTEE_PERCENT: f64 = 0.23;
    /// Errors of that committee.
    pub const COMMITTEE_ERRORS: u32 = 23;
    /// Those of them whose second guess is right.
    pub const SECOND_GUESS_RIGHT: u32 = 20;
    /// Its widths in pixels; [`None`] is the original one.
    pub const WIDTHS_PX: [Option<u8>; 7] = [None, Some(10), Some(12), Some(14), Some(16), Some(18), Some(20)];
}

/// The Theano project: a public reproduction of the paper's MNIST section with one column for each of four
/// widths. It read the labels while preprocessing, of test digits too, so its figures are not quite
/// comparable.
pub mod theano {
    /// Its committees: widths in pixels, and the error in basis points (hundredths of a percent).
    pub const SUBSETS_BP: [(&[u8], u32); 15] = [
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
    pub const BEST_BP: u32 = 29;
    /// Columns of its best result.
    pub const BEST_N_COLUMNS: u32 = 4;
}

/// Whether the paper trained columns of this width.
#[must_use]
pub fn is_of_the_paper(width: Width) -> bool {
    paper::WIDTHS_PX.contains(&width.pixels())
}

/// The Theano project's error in basis points with one column for each of these widths, whatever their order;
/// `None` for widths it did not combine.
#[must_use]
pub fn theano_bp(widths: &[Width]) -> Option<u32> {
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
