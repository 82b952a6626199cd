//! The paper's notation, `1x29x29-20C4-MP2-40C5-MP3-150N-10N`, read strictly: every network has exactly one
//! text.

use crate::{Layer, Network, Shape};
use std::fmt;
use std::ops::Range;

/// Largest number in a notation: far beyond use, and small enough that products of three fit a `u64`.
const MAX_NUMBER: u64 = 65_535;

/// Most parameters of a network, and most values that its layers may give for one image: 1 GiB of f32 each.
const MAX_VALUES: u64 = 1 << 28;

/// Classes that labels of one byte can tell apart.
const CLASSES: std::ops::RangeInclusive<u64> = 2..=256;

/// Characters of an offending part that a message quotes.
const QUOTED_CHARS: usize = 24;

/// A text that is no network, and where.
///
/// The message is one sentence that gives the position and quotes the part:
/// `network, character 14: "40X5" is not a layer: expected …`
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("network, character {position}: {} {problem}", Quoted(.part))]
pub struct NotationError {
    part: String,
    span: Range<usize>,
    position: usize,
    /// What is wrong with the part.
    pub problem: NotationProblem,
}

impl NotationError {
    /// The bytes of the parsed text that are wrong; `&text[error.span()]` is [`part`](Self::part). Empty
    /// where something is missing.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The offending part of the text.
    #[must_use]
    pub fn part(&self) -> &str {
        &self.part
    }
}

/// What is wrong with a part of a notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotationProblem {
    /// The first part is not `maps x height x width`.
    #[error("is not an input: expected maps x height x width, like 1x29x29")]
    Input,
    /// A later part is no layer.
    #[error(
        "is not a layer: expected a convolution like 20C4, a max-pooling like MP2 or a dense layer like 150N"
    )]
    Layer,
    /// A count or size is zero.
    #[error("has a zero: every number must be 1 or more")]
    Zero,
    /// A number starts with a zero, so that two texts would mean one network.
    #[error("has a number with a leading zero")]
    LeadingZero,
    /// A number is too large.
    #[error("has a number above {MAX_NUMBER}")]
    Number,
    /// A kernel does not fit its input.
    #[error("has a kernel larger than its input, which is {height}x{width}")]
    Kernel {
        /// Rows of the layer's input.
        height: usize,
        /// Columns of the layer's input.
        width: usize,
    },
    /// A pooling window does not fit its input.
    #[error("has a window larger than its input, which is {height}x{width}")]
    Window {
        /// Rows of the layer's input.
        height: usize,
        /// Columns of the layer's input.
        width: usize,
    },
    /// A convolution or pooling comes after a dense layer.
    #[error("comes after a dense layer: convolutions and poolings come first")]
    AfterDense,
    /// The text ends without a dense layer.
    #[error("is last: an output layer like 10N must follow, with one neuron for each class")]
    NoOutput,
    /// The output layer has one neuron or more than 256.
    #[error("is the output layer: expected {} to {} classes, got {got}", CLASSES.start(), CLASSES.end())]
    Classes {
        /// Neurons of the last layer.
        got: usize,
    },
    /// The network has too many parameters with this layer.
    #[error("brings the network to {got} parameters: at most {MAX_VALUES} are possible")]
    Parameters {
        /// Parameters up to this layer.
        got: u64,
    },
    /// The layers give too many values for one image with this layer.
    #[error("brings the layers to {got} values an image: at most {MAX_VALUES} are possible")]
    Values {
        /// Values up to this layer.
        got: u64,
    },
}

/// A part in quotes, control characters escaped, cut when it is long.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(QUOTED_CHARS) {
            Some((end, _)) => write!(f, "{:?}…", &self.0[..end]),
            None => write!(f, "{:?}", self.0),
        }
    }
}

/// Reads a network.
pub(crate) fn parse(text: &str) -> Result<Network, NotationError> {
    let mut parts = parts(text);
    let (span, part) = parts.next().unwrap_or((0..0, ""));
    let fail = |span: Range<usize>, problem| NotationError {
        part: text[span.clone()].to_owned(),
        position: text[..span.start].chars().count() + 1,
        span,
        problem,
    };
    let input = input(part).map_err(|problem| fail(span.clone(), problem))?;
    let mut size = Size { shape: input, dense: false, n_params: 0, n_values: n_values(input) };
    if size.n_values > MAX_VALUES {
        return Err(fail(span, NotationProblem::Values { got: size.n_values }));
    }
    let (mut layers, mut shapes, mut last) = (Vec::new(), Vec::new(), span);
    for (span, part) in parts {
        let layer = layer(part).map_err(|problem| fail(span.clone(), problem))?;
        size = size.after(layer).map_err(|problem| fail(span.clone(), problem))?;
        layers.push(layer);
        shapes.push(size.shape);
        last = span;
    }
    if !size.dense {
        return Err(fail(last, NotationProblem::NoOutput));
    }
    if !CLASSES.contains(&(size.shape.maps as u64)) {
        return Err(fail(last, NotationProblem::Classes { got: size.shape.maps }));
    }
    Ok(Network::from_checked(input, layers, shapes))
}

/// The parts between hyphens, each with its bytes in the text.
fn parts(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut start = 0;
    text.split('-').map(move |part| {
        let span = start..start + part.len();
        start = span.end + 1;
        (span, part)
    })
}

fn input(part: &str) -> Result<Shape, NotationProblem> {
    let mut numbers = part.split('x').map(|digits| number(digits, NotationProblem::Input));
    let mut next = || numbers.next().unwrap_or(Err(NotationProblem::Input));
    let shape = Shape { maps: next()?, height: next()?, width: next()? };
    if numbers.next().is_some() { Err(NotationProblem::Input) } else { Ok(shape) }
}

fn layer(part: &str) -> Result<Layer, NotationProblem> {
    let number = |digits| number(digits, NotationProblem::Layer);
    if let Some(size) = part.strip_prefix("MP") {
        Ok(Layer::MaxPooling { size: number(size)? })
    } else if let Some(neurons) = part.strip_suffix('N') {
        Ok(Layer::Dense { neurons: number(neurons)? })
    } else if let Some((maps, kernel)) = part.split_once('C') {
        Ok(Layer::Convolution { maps: number(maps)?, kernel: number(kernel)? })
    } else {
        Err(NotationProblem::Layer)
    }
}

/// Reads a positive number; `otherwise` is what is wrong with a text that is not all digits.
fn number(digits: &str, otherwise: NotationProblem) -> Result<usize, NotationProblem> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(otherwise);
    }
    if digits.bytes().all(|byte| byte == b'0') {
        return Err(NotationProblem::Zero);
    }
    if digits.starts_with('0') {
        return Err(NotationProblem::LeadingZero);
    }
    // All digits, so the only way to fail is to be too large.
    let value = digits.parse::<u64>().unwrap_or(u64::MAX);
    if value > MAX_NUMBER {
        return Err(NotationProblem::Number);
    }
    usize::try_from(value).map_err(|_| NotationProblem::Number)
}

/// [`Shape::len`] where a `usize` may be too small: each side is at most [`MAX_NUMBER`], so the product is
/// below 2⁴⁸.
fn n_values(shape: Shape) -> u64 {
    shape.maps as u64 * shape.height as u64 * shape.width as u64
}

/// How far a network has grown.
#[derive(Clone, Copy)]
struct Size {
    shape: Shape,
    dense: bool,
    n_params: u64,
    n_values: u64,
}

impl Size {
    /// With `layer` behind it.
    ///
    /// Nothing here can overflow: a kernel is no larger than its input, so `inputs · kernel²` is at most
    /// [`MAX_VALUES`], the output maps or neurons are at most [`MAX_NUMBER`], and all products stay below
    /// 2⁶².
    fn after(self, layer: Layer) -> Result<Self, NotationProblem> {
        let Shape { maps: inputs, height, width } = self.shape;
        let (shape, dense, n_params) = match layer {
            Layer::Convolution { .. } | Layer::MaxPooling { .. } if self.dense => {
                return Err(NotationProblem::AfterDense);
            }
            Layer::Convolution { maps, kernel } => {
                if kernel > height.min(width) {
                    return Err(NotationProblem::Kernel { height, width });
                }
                let shape = Shape { maps, height: height - kernel + 1, width: width - kernel + 1 };
                (shape, false, maps as u64 * ((inputs * kernel * kernel) as u64 + 1))
            }
            Layer::MaxPooling { size } => {
                if size > height.min(width) {
                    return Err(NotationProblem::Window { height, width });
                }
                (Shape { maps: inputs, height: height / size, width: width / size }, false, 0)
            }
            Layer::Dense { neurons } => {
                let shape = Shape { maps: neurons, height: 1, width: 1 };
                (shape, true, neurons as u64 * (self.shape.len() as u64 + 1))
            }
        };
        let n_params = self.n_params + n_params;
        if n_params > MAX_VALUES {
            return Err(NotationProblem::Parameters { got: n_params });
        }
        let n_values = self.n_values + n_values(shape);
        if n_values > MAX_VALUES {
            return Err(NotationProblem::Values { got: n_values });
        }
        Ok(Self { shape, dense, n_params, n_values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check_error(text: &str, part: &str, problem: NotationProblem) {
        let error = text.parse::<Network>().unwrap_err();
        assert_eq!(error.problem, problem, "{text}: {error}");
        assert_eq!(error.part(), part, "{text}: {error}");
        assert_eq!(&text[error.span()], part, "{text}: {error}");
    }

    #[test]
    fn errors_point_at_the_offending_part() {
        use NotationProblem as P;
        check_error("", "", P::Input);
        check_error("29x29-10N", "29x29", P::Input);
        check_error("1x29x29x1-10N", "1x29x29x1", P::Input);
        check_error("1x29x-10N", "1x29x", P::Input);
        check_error("+1x29x29-10N", "+1x29x29", P::Input);
        check_error("1x0x29-10N", "1x0x29", P::Zero);
        check_error("1x29x29-20X4-10N", "20X4", P::Layer);
        check_error("1x29x29--10N", "", P::Layer);
        check_error("1x29x29-10N-", "", P::Layer);
        check_error("1x29x29-20C-10N", "20C", P::Layer);
        check_error("1x29x29-C4-10N", "C4", P::Layer);
        check_error("1x29x29-20c4-10N", "20c4", P::Layer);
        check_error("1x29x29-MP-10N", "MP", P::Layer);
        check_error("1x29x29-20C4C5-10N", "20C4C5", P::Layer);
        check_error("1x29x29-20C4 -10N", "20C4 ", P::Layer);
        check_error("1x29x29-0C4-10N", "0C4", P::Zero);
        check_error("1x29x29-20C0-10N", "20C0", P::Zero);
        check_error("1x29x29-MP00-10N", "MP00", P::Zero);
        check_error("1x29x29-020C4-10N", "020C4", P::LeadingZero);
        check_error("1x29x29-20C65536-10N", "20C65536", P::Number);
        check_error("1x29x29-99999999999999999999999N", "99999999999999999999999N", P::Number);
        check_error("1x29x20-20C21-10N", "20C21", P::Kernel { height: 29, width: 20 });
        check_error("1x5x5-2C4-MP3-10N", "MP3", P::Window { height: 2, width: 2 });
        check_error("1x29x29-150N-20C4-10N", "20C4", P::AfterDense);
        check_error("1x29x29-150N-MP1-10N", "MP1", P::AfterDense);
        check_error("1x29x29", "1x29x29", P::NoOutput);
        check_error("1x29x29-20C4-MP2", "MP2", P::NoOutput);
        check_error("1x29x29-1N", "1N", P::Classes { got: 1 });
        check_error("1x29x29-257N", "257N", P::Classes { got: 257 });
        check_error(
            "65535x65535x65535-10N",
            "65535x65535x65535",
            P::Values { got: 65_535 * 65_535 * 65_535 },
        );
        let got = (1 << 28) + 16 * 16_382 * 16_382;
        check_error("1x16384x16384-16C3-10N", "16C3", P::Values { got });
        check_error("1x100x100-50000N-10N", "50000N", P::Parameters { got: 50_000 * 10_001 });
    }

    #[test]
    fn the_message_is_one_sentence_with_position_and_part() {
        let message = |text: &str| text.parse::<Network>().unwrap_err().to_string();
        assert_eq!(
            message("1x29x29-20C4-MP2-40X5-10N"),
            "network, character 18: \"40X5\" is not a layer: expected a convolution like 20C4, a max-pooling like \
             MP2 or a dense layer like 150N"
        );
        assert_eq!(
            message("1x3x3-5C4-10N"),
            "network, character 7: \"5C4\" has a kernel larger than its input, which is 3x3"
        );
        assert_eq!(
            message("1x3x3-300N"),
            "network, character 7: \"300N\" is the output layer: expected 2 to 256 classes, got 300"
        );
        assert_eq!(
            message("1x3x3"),
            "network, character 1: \"1x3x3\" is last: an output layer like 10N must follow, with one neuron \
             for each class"
        );
        // Characters are counted, not bytes; long parts are cut and control characters escaped.
        assert!(message("1x3x3-é-10N").starts_with("network, character 7: \"é\" is not a layer"));
        assert!(message(&"a\n".repeat(500)).starts_with("network, character 1: \"a\\na\\n"));
        assert!(message(&"a\n".repeat(500)).len() < 150);
    }

    #[test]
    fn the_largest_and_smallest_networks_are_read() {
        for text in ["1x1x1-2N", "1x1x1-1C1-MP1-256N", "1x16384x16383-MP16383-2N", "65535x1x1-2N"] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
    }

    fn layers() -> impl Strategy<Value = String> {
        let layer = prop_oneof![
            (0..40_usize, 0..9_usize).prop_map(|(maps, kernel)| format!("{maps}C{kernel}")),
            (0..4_usize).prop_map(|size| format!("MP{size}")),
            (0..300_usize).prop_map(|neurons| format!("{neurons}N")),
        ];
        (0..4_usize, 0..30_usize, 0..30_usize, prop::collection::vec(layer, 0..6))
            .prop_map(|(maps, height, width, layers)| format!("{maps}x{height}x{width}-{}", layers.join("-")))
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_back(text in layers()) {
            match text.parse::<Network>() {
                Ok(network) => {
                    prop_assert_eq!(network.to_string(), text);
                    prop_assert!(network.shapes().iter().all(|shape| shape.len() > 0));
                }
                Err(error) => prop_assert_eq!(&text[error.span()], error.part()),
            }
        }

        #[test]
        fn no_text_panics(
            text in "\\PC*",
            near in "[0-9xCMPN-]{0,60}",
            huge in "[0-9]{1,30}x[0-9]{1,9}x[0-9]{1,9}-[0-9]{1,9}C[0-9]-[0-9]{1,9}N",
        ) {
            for text in [text, near, huge] {
                if let Err(error) = text.parse::<Network>() {
                    prop_assert_eq!(&text[error.span()], error.part());
                    prop_assert!(error.to_string().contains("character"));
                }
            }
        }
    }
}
