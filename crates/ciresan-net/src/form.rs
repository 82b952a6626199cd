//! The paper's form of a network: stages of a convolution and its pooling, then dense layers.

use crate::{EngineError, Layer, Network, Shape};

/// A convolution, its max-pooling and the activation, which engines compute in one pass: the activation is
/// monotone, so it may follow the maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stage {
    /// What the convolution takes.
    pub input: Shape,
    /// Output maps.
    pub maps: usize,
    /// Side of the square kernel, in pixels; at most the input's smaller side.
    pub kernel: usize,
    /// Side of the pooling window, in pixels; 1 where there is no pooling.
    pub pool: usize,
    /// What the pooling gives: side `(input − kernel + 1) / pool`, rounded down, at least 1.
    pub output: Shape,
}

/// A network as stages and dense layers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PaperForm {
    /// First to last; may be empty.
    pub stages: Vec<Stage>,
    /// Neurons of the dense layers, the output layer last; never empty.
    pub dense: Vec<usize>,
}

impl Network {
    /// The network as stages, each a convolution with the one max-pooling that follows it or none, and dense
    /// layers.
    ///
    /// # Errors
    /// [`EngineError::NotSupported`] when a max-pooling does not directly follow a convolution.
    pub fn paper_form(&self) -> Result<PaperForm, EngineError> {
        let mut form = PaperForm { stages: Vec::new(), dense: Vec::new() };
        let mut pooled = true;
        for (layer, input, output) in self.steps() {
            match layer {
                Layer::Convolution { maps, kernel } => {
                    form.stages.push(Stage { input, maps, kernel, pool: 1, output });
                    pooled = false;
                }
                Layer::MaxPooling { size } => match form.stages.last_mut() {
                    Some(stage) if !pooled => {
                        (stage.pool, stage.output) = (size, output);
                        pooled = true;
                    }
                    _ => {
                        let reason = format!(
                            "the max-pooling {layer} of {input} does not directly follow a convolution"
                        );
                        return Err(EngineError::NotSupported { notation: self.to_string(), reason });
                    }
                },
                Layer::Dense { neurons } => form.dense.push(neurons),
            }
        }
        Ok(form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Result<PaperForm, EngineError> {
        text.parse::<Network>().unwrap().paper_form()
    }

    #[test]
    fn the_papers_network_is_two_stages_and_two_dense_layers() {
        let form = form("1x29x29-20C4-MP2-40C5-MP3-150N-10N").unwrap();
        let square = |maps, side| Shape { maps, height: side, width: side };
        assert_eq!(
            form.stages,
            [
                Stage { input: square(1, 29), maps: 20, kernel: 4, pool: 2, output: square(20, 13) },
                Stage { input: square(20, 13), maps: 40, kernel: 5, pool: 3, output: square(40, 3) },
            ]
        );
        assert_eq!(form.dense, [150, 10]);
    }

    #[test]
    fn a_convolution_without_pooling_is_a_stage_of_pool_1() {
        let form = form("2x9x9-3C2-4C3-MP1-10N").unwrap();
        assert_eq!(form.stages.iter().map(|stage| stage.pool).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(form.stages[1].output, Shape { maps: 4, height: 6, width: 6 });
    }

    #[test]
    fn dense_layers_alone_are_a_form_without_stages() {
        let form = form("1x4x4-10N").unwrap();
        assert!(form.stages.is_empty());
        assert_eq!(form.dense, [10]);
    }

    #[test]
    fn other_poolings_are_refused() {
        for (text, reason) in [
            ("1x9x9-MP2-10N", "the max-pooling MP2 of 1x9x9 does not directly follow a convolution"),
            ("1x9x9-MP2-3C2-10N", "the max-pooling MP2 of 1x9x9 does not directly follow a convolution"),
            ("1x9x9-3C2-MP2-MP3-10N", "the max-pooling MP3 of 3x4x4 does not directly follow a convolution"),
        ] {
            let want = EngineError::NotSupported { notation: text.to_owned(), reason: reason.to_owned() };
            assert_eq!(form(text), Err(want));
        }
    }
}
