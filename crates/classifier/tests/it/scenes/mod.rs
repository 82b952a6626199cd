//! Scenes made of real digits: what people photograph, scan and convert. Shared by the tests and the bench of scenes.

mod letters;
mod sheet;

use chacha20::ChaCha8Rng;
use classifier::Image;
use mnist_data::DigitsView;
use ndarray::{Array2, ArrayView2, Axis};
use rand::{RngExt, SeedableRng};

use self::sheet::{Light, Pen, Sheet};

/// A picture, and the digit that it shows; `None` where it shows no digit, or more than one.
pub(crate) struct Scene {
    pub(crate) image: Array2<u8>,
    pub(crate) digit: Option<u8>,
}

/// Pictures of one kind.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Whether they are in MNIST's form.
    pub(crate) is_mnist: bool,
    make: fn(&mut Maker<'_>) -> Scene,
}

impl Kind {
    /// A picture as it is classified: those of a file in MNIST's form as they are, all others are brought to it.
    pub(crate) fn image<'a>(&self, scene: &'a Scene) -> Image<'a> {
        if self.is_mnist { Image::Mnist(scene.image.view()) } else { Image::Grey(scene.image.view()) }
    }

    /// The first `n` pictures of this kind: those of the same digits are the same, whatever else is made.
    pub(crate) fn scenes(&self, digits: DigitsView<'_>, n: usize) -> Vec<Scene> {
        let mut maker = Maker { digits, next: 0, rng: ChaCha8Rng::seed_from_u64(16) };
        (0..n).map(|_| (self.make)(&mut maker)).collect()
    }
}

const fn kind(name: &'static str, make: fn(&mut Maker<'_>) -> Scene) -> Kind {
    Kind { name, is_mnist: false, make }
}

const fn mnist(name: &'static str, make: fn(&mut Maker<'_>) -> Scene) -> Kind {
    Kind { name, is_mnist: true, make }
}

/// Single digits first, then those with something beside them, then what is no single digit.
pub(crate) const KINDS: &[Kind] = &[
    mnist("MNIST's form", |maker| {
        let (digit, label) = maker.digit();
        Scene { image: digit.to_owned(), digit: Some(label) }
    }),
    kind("dark on light", |maker| maker.single(Pen::Plain, 8.0, |light| light)),
    kind("light on dark", |maker| {
        let Scene { image, digit } = maker.single(Pen::Plain, 8.0, |light| light);
        Scene { image: image.mapv(|grey| 255 - grey), digit }
    }),
    kind("rotated to 15°", |maker| maker.single(Pen::Plain, 15.0, |light| light)),
    kind("thick pen", |maker| maker.single(Pen::Thick, 8.0, |light| light)),
    kind("thin pen", |maker| maker.single(Pen::Thin, 8.0, |light| light)),
    kind("uneven light", |maker| maker.single(Pen::Plain, 8.0, |light| Light { falloff: 0.5, ..light })),
    kind("noise", |maker| maker.single(Pen::Plain, 8.0, |light| Light { grain: 12.0, ..light })),
    kind("no margin", tight),
    kind("faint pencil", |maker| {
        maker.single(Pen::Thin, 8.0, |light| Light { ink: 0.55, grain: 3.0, ..light })
    }),
    kind("28×28, resized only", converted),
    kind("in a frame", framed),
    kind("a form's lines", form),
    kind("a sudoku cell", cell),
    kind("ruled paper", |maker| maker.ruled(false)),
    kind("squared paper", |maker| maker.ruled(true)),
    kind("chalk dust", dust),
    kind("a sheet on a desk", desk),
    kind("desk at one side", desk_edge),
    kind("several digits", several),
    kind("several, touching", touching),
    mnist("transposed", |maker| {
        let (digit, label) = maker.digit();
        Scene { image: digit.reversed_axes().to_owned(), digit: Some(label) }
    }),
    kind("letters", letter),
    kind("noise, 200×200", |maker| Scene { image: maker.static_noise(200), digit: None }),
    kind("noise, 28×28", |maker| Scene { image: maker.static_noise(28), digit: None }),
    kind("blots and scribbles", blot),
];

pub(crate) struct Maker<'a> {
    digits: DigitsView<'a>,
    next: usize,
    rng: ChaCha8Rng,
}

impl<'a> Maker<'a> {
    /// The next digit and what it is.
    fn digit(&mut self) -> (ArrayView2<'a, u8>, u8) {
        let index = self.next % self.digits.len();
        self.next += 1;
        (self.digits.images().index_axis_move(Axis(0), index), self.digits.labels()[index])
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        self.rng.random_range(low..=high)
    }

    /// Up to so much to either side.
    fn about(&mut self, most: f32) -> f32 {
        self.between(-most, most)
    }

    fn light(&mut self) -> Light {
        Light { paper: self.between(190.0, 245.0), ink: self.between(0.1, 0.35), falloff: 0.05, grain: 1.5 }
    }

    /// A digit somewhere on a sheet.
    fn on_sheet(&mut self, pen: Pen, angle_deg: f32) -> (Sheet, u8) {
        let (digit, label) = self.digit();
        let mut sheet = Sheet::new(self.between(120.0, 220.0) as usize, self.between(120.0, 220.0) as usize);
        let [height, width] = sheet.size();
        let zoom = height.min(width) * self.between(0.022, 0.033);
        let centre = [height / 2.0 + self.about(height * 0.06), width / 2.0 + self.about(width * 0.06)];
        let angle_deg = self.about(angle_deg);
        sheet.digit(digit, centre, zoom, angle_deg, pen);
        (sheet, label)
    }

    fn single(&mut self, pen: Pen, angle_deg: f32, change: fn(Light) -> Light) -> Scene {
        let (sheet, digit) = self.on_sheet(pen, angle_deg);
        let light = change(self.light());
        Scene { image: sheet.photograph(light, &mut self.rng), digit: Some(digit) }
    }

    fn shot(&mut self, sheet: &Sheet, digit: Option<u8>) -> Scene {
        let light = self.light();
        Scene { image: sheet.photograph(light, &mut self.rng), digit }
    }

    /// A digit over the lines of an exercise book, which run from border to border.
    fn ruled(&mut self, squared: bool) -> Scene {
        let (mut sheet, digit) = self.on_sheet(Pen::Plain, 5.0);
        let [height, width] = sheet.size();
        let spacing =
            height.min(width) * if squared { self.between(0.12, 0.25) } else { self.between(0.25, 0.5) };
        let (strength, thickness) = (self.between(0.2, 0.5), self.between(1.0, 2.0));
        let tilt = self.about(0.04);
        let mut at = self.between(0.1, 1.0) * spacing - 0.05 * width;
        while at < height.max(width) * 1.1 {
            sheet.line([at, 0.0], [at + tilt * width, width], thickness, strength);
            if squared {
                sheet.line([0.0, at], [height, at - tilt * height], thickness, strength);
            }
            at += spacing;
        }
        self.shot(&sheet, Some(digit))
    }

    /// Uniform noise, every pixel for itself.
    fn static_noise(&mut self, side: usize) -> Array2<u8> {
        Array2::from_shape_simple_fn((side, side), || self.rng.random())
    }
}

/// Cut out along the ink.
fn tight(maker: &mut Maker<'_>) -> Scene {
    let (sheet, digit) = maker.on_sheet(Pen::Plain, 8.0);
    let sheet = sheet.cropped_to_ink();
    maker.shot(&sheet, Some(digit))
}

/// What a converter makes that scales pictures to 28 × 28 and knows nothing of MNIST: light ink on dark ground.
fn converted(maker: &mut Maker<'_>) -> Scene {
    let (digit, label) = maker.digit();
    let mut sheet = Sheet::new(28, 28);
    let zoom = maker.between(0.55, 1.3);
    let room = (14.0 - 10.0 * zoom).max(0.0);
    let centre = [14.0 + maker.about(room), 14.0 + maker.about(room)];
    let angle_deg = maker.about(8.0);
    sheet.digit(digit, centre, zoom, angle_deg, Pen::Plain);
    let light = Light { paper: 255.0, ink: 0.0, falloff: 0.0, grain: 0.0 };
    Scene { image: sheet.photograph(light, &mut maker.rng).mapv(|grey| 255 - grey), digit: Some(label) }
}

/// In a printed box, which sometimes touches the digit and sometimes the border.
fn framed(maker: &mut Maker<'_>) -> Scene {
    let (mut sheet, digit) = maker.on_sheet(Pen::Plain, 5.0);
    let [height, width] = sheet.size();
    let margin = maker.between(-0.01, 0.12) * height.min(width);
    let (strength, thickness) = (maker.between(0.7, 1.0), maker.between(1.5, 4.0));
    let tilt = maker.about(0.02);
    let corners = [
        [margin, margin - tilt * height],
        [margin + tilt * width, width - margin - tilt * height],
        [height - margin + tilt * width, width - margin],
        [height - margin, margin],
    ];
    for side in 0..4 {
        sheet.line(corners[side], corners[(side + 1) % 4], thickness, strength);
    }
    maker.shot(&sheet, Some(digit))
}

/// The rest of a form: a line below that runs from border to border, and sometimes one at a side.
fn form(maker: &mut Maker<'_>) -> Scene {
    let (mut sheet, digit) = maker.on_sheet(Pen::Plain, 5.0);
    let [height, width] = sheet.size();
    let (strength, thickness) = (maker.between(0.6, 1.0), maker.between(1.0, 3.5));
    let row = height * maker.between(0.78, 0.99);
    let tilt = maker.about(0.03) * width;
    sheet.line([row, 0.0], [row + tilt, width], thickness, strength);
    if maker.rng.random() {
        let column = width * maker.between(0.02, 0.1);
        sheet.line([0.0, column], [height, column - tilt], thickness, strength);
    }
    maker.shot(&sheet, Some(digit))
}

/// Cut out of a printed grid, not quite exactly: the grid's lines lie along one to four borders, in part.
fn cell(maker: &mut Maker<'_>) -> Scene {
    let (mut sheet, digit) = maker.on_sheet(Pen::Plain, 5.0);
    let [height, width] = sheet.size();
    let n_sides = maker.rng.random_range(1..=4_usize);
    for side in 0..n_sides {
        let (thickness, strength) = (maker.between(2.0, 7.0), maker.between(0.7, 1.0));
        let [from, to] = [maker.between(0.0, 0.04), maker.between(0.0, 0.04)];
        let [start, end] = [maker.between(-0.1, 0.3), maker.between(0.7, 1.1)];
        let (a, b) = match side {
            0 => ([height * from, width * start], [height * to, width * end]),
            1 => ([height * start, width * from], [height * end, width * to]),
            2 => ([height * (1.0 - from), width * start], [height * (1.0 - to), width * end]),
            _ => ([height * start, width * (1.0 - from)], [height * end, width * (1.0 - to)]),
        };
        sheet.line(a, b, thickness, strength);
    }
    maker.shot(&sheet, Some(digit))
}

/// White on a board with specks of chalk and traces of a sponge.
fn dust(maker: &mut Maker<'_>) -> Scene {
    let (mut sheet, digit) = maker.on_sheet(Pen::Plain, 8.0);
    let [height, width] = sheet.size();
    for _ in 0..maker.rng.random_range(10..60) {
        let at = [maker.between(0.0, height), maker.between(0.0, width)];
        let (radius, strength) = (maker.between(0.4, 2.2), maker.between(0.3, 1.0));
        sheet.spot(at, radius, strength);
    }
    let light = Light { paper: 200.0, ink: 0.2, falloff: 0.2, grain: 5.0 };
    Scene { image: sheet.photograph(light, &mut maker.rng).mapv(|grey| 255 - grey), digit: Some(digit) }
}

/// A sheet with a digit, and the darker desk all around it.
fn desk(maker: &mut Maker<'_>) -> Scene {
    let (sheet, digit) = maker.on_sheet(Pen::Plain, 5.0);
    let light = maker.light();
    let angle_deg = maker.about(12.0);
    let (margin, desk) = (maker.between(0.08, 0.4), maker.between(30.0, 140.0));
    Scene { image: sheet.on_desk(light, [margin; 4], angle_deg, desk, &mut maker.rng), digit: Some(digit) }
}

/// A sheet that does not fill the picture: the desk shows at one or two sides.
fn desk_edge(maker: &mut Maker<'_>) -> Scene {
    let (sheet, digit) = maker.on_sheet(Pen::Plain, 5.0);
    let light = maker.light();
    let mut margins = [-0.06; 4];
    let first = maker.rng.random_range(0..4_usize);
    margins[first] = maker.between(0.05, 0.2);
    if maker.rng.random() {
        margins[(first + 1) % 4] = maker.between(0.05, 0.2);
    }
    let (angle_deg, desk) = (maker.about(3.0), maker.between(30.0, 140.0));
    Scene { image: sheet.on_desk(light, margins, angle_deg, desk, &mut maker.rng), digit: Some(digit) }
}

fn several(maker: &mut Maker<'_>) -> Scene {
    let n_digits = maker.rng.random_range(2..=4_usize);
    let spacing = maker.between(0.85, 1.1);
    maker.string(n_digits, spacing)
}

fn touching(maker: &mut Maker<'_>) -> Scene {
    let n_digits = maker.rng.random_range(2..=3_usize);
    let spacing = maker.between(0.55, 0.7);
    maker.string(n_digits, spacing)
}

impl Maker<'_> {
    /// Digits side by side, so many of a digit's 20 pixels apart.
    fn string(&mut self, n_digits: usize, spacing: f32) -> Scene {
        let zoom = self.between(2.5, 5.0);
        let step = 20.0 * zoom * spacing;
        let width = step * (n_digits as f32 - 1.0) + 34.0 * zoom;
        let mut sheet = Sheet::new((34.0 * zoom) as usize, width as usize);
        for place in 0..n_digits {
            let (digit, _) = self.digit();
            let centre = [17.0 * zoom + self.about(zoom), 17.0 * zoom + step * place as f32];
            sheet.digit(digit, centre, zoom, 0.0, Pen::Plain);
        }
        self.shot(&sheet, None)
    }
}

/// A letter that looks like no digit, drawn with a pen.
fn letter(maker: &mut Maker<'_>) -> Scene {
    let strokes = letters::LETTERS[maker.next % letters::LETTERS.len()];
    maker.next += 1;
    let mut sheet = Sheet::new(160, 150);
    let (zoom, thickness) = (maker.between(7.0, 11.0), maker.between(4.0, 14.0));
    let slant = maker.about(0.25);
    for stroke in letters::points(strokes) {
        let points: Vec<[f32; 2]> = stroke
            .iter()
            .map(|[x, y]| {
                let y = 80.0 + (y - 5.0 + maker.about(0.4)) * zoom;
                [y, 75.0 + (x - 3.5 + maker.about(0.4)) * zoom - slant * (y - 80.0)]
            })
            .collect();
        for ends in points.windows(2) {
            sheet.line(ends[0], ends[1], thickness, 1.0);
        }
    }
    maker.shot(&sheet, None)
}

/// A scribble of some strokes, or a blot.
fn blot(maker: &mut Maker<'_>) -> Scene {
    let mut sheet = Sheet::new(150, 150);
    if maker.rng.random() {
        let mut from = [maker.between(30.0, 120.0), maker.between(30.0, 120.0)];
        let thickness = maker.between(3.0, 9.0);
        for _ in 0..maker.rng.random_range(7..14) {
            let to = [maker.between(30.0, 120.0), maker.between(30.0, 120.0)];
            sheet.line(from, to, thickness, 1.0);
            from = to;
        }
    } else {
        for _ in 0..maker.rng.random_range(3..8) {
            let at = [maker.between(50.0, 100.0), maker.between(50.0, 100.0)];
            let radius = maker.between(10.0, 30.0);
            sheet.spot(at, radius, 1.0);
        }
    }
    maker.shot(&sheet, None)
}
