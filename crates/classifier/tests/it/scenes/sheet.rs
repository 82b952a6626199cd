//! A sheet of paper: how much ink is where, and how a camera sees it.

use chacha20::ChaCha8Rng;
use ndarray::{Array2, ArrayView2, s};
use rand::RngExt;

/// What a digit is drawn with: which share of its own ink, 0 to 1, is where ink begins and where it is full.
#[derive(Clone, Copy)]
pub(crate) enum Pen {
    Plain,
    Thick,
    Thin,
}

impl Pen {
    fn ink(self, ink: f32) -> f32 {
        let (none, full) = match self {
            Self::Plain => (0.2, 0.7),
            Self::Thick => (0.02, 0.12),
            Self::Thin => (0.65, 0.9),
        };
        ((ink - none) / (full - none)).clamp(0.0, 1.0)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Light {
    /// Grey level of the paper.
    pub(crate) paper: f32,
    /// What full ink leaves of it, 0 to 1.
    pub(crate) ink: f32,
    /// The share of the light that is missing at one end.
    pub(crate) falloff: f32,
    /// Standard deviation of the camera's noise, in grey levels.
    pub(crate) grain: f32,
}

pub(crate) struct Sheet {
    /// `[height, width]`, 0 to 1.
    ink: Array2<f32>,
}

impl Sheet {
    pub(crate) fn new(height: usize, width: usize) -> Self {
        Self { ink: Array2::zeros((height, width)) }
    }

    /// Height and width.
    pub(crate) fn size(&self) -> [f32; 2] {
        [self.ink.nrows() as f32, self.ink.ncols() as f32]
    }

    /// A digit of MNIST with its centre there, so many pixels for each of its own.
    pub(crate) fn digit(
        &mut self,
        digit: ArrayView2<'_, u8>,
        centre: [f32; 2],
        zoom: f32,
        angle_deg: f32,
        pen: Pen,
    ) {
        let (sin, cos) = angle_deg.to_radians().sin_cos();
        // Shrunk, a pixel is the mean of what it covers.
        let n_parts = (1.0 / zoom).ceil().max(1.0) as usize;
        for ((row, column), ink) in self.ink.indexed_iter_mut() {
            let mut sum = 0.0;
            for part in 0..n_parts * n_parts {
                let within = |part: usize| (part as f32 + 0.5) / n_parts as f32;
                let y = row as f32 + within(part / n_parts) - centre[0];
                let x = column as f32 + within(part % n_parts) - centre[1];
                let place = [(y * cos - x * sin) / zoom + 14.0, (y * sin + x * cos) / zoom + 14.0];
                sum += pen.ink(sampled(digit, place));
            }
            *ink = ink.max(sum / (n_parts * n_parts) as f32);
        }
    }

    /// A straight stroke.
    pub(crate) fn line(&mut self, from: [f32; 2], to: [f32; 2], thickness: f32, strength: f32) {
        let along = [to[0] - from[0], to[1] - from[1]];
        let length = along[0].hypot(along[1]).max(1e-3);
        for ((row, column), ink) in self.ink.indexed_iter_mut() {
            let at = [row as f32 + 0.5 - from[0], column as f32 + 0.5 - from[1]];
            let share = ((at[0] * along[0] + at[1] * along[1]) / (length * length)).clamp(0.0, 1.0);
            let distance = (at[0] - share * along[0]).hypot(at[1] - share * along[1]);
            *ink = ink.max(strength * (thickness / 2.0 + 0.5 - distance).clamp(0.0, 1.0));
        }
    }

    pub(crate) fn spot(&mut self, centre: [f32; 2], radius: f32, strength: f32) {
        self.line(centre, centre, 2.0 * radius, strength);
    }

    /// Cut out along the ink.
    pub(crate) fn cropped_to_ink(&self) -> Self {
        let mut rows = [self.ink.nrows(), 0];
        let mut columns = [self.ink.ncols(), 0];
        for ((row, column), _) in self.ink.indexed_iter().filter(|(_, ink)| **ink > 0.5) {
            rows = [rows[0].min(row), rows[1].max(row)];
            columns = [columns[0].min(column), columns[1].max(column)];
        }
        Self { ink: self.ink.slice(s![rows[0]..=rows[1], columns[0]..=columns[1]]).to_owned() }
    }

    pub(crate) fn photograph(&self, light: Light, rng: &mut ChaCha8Rng) -> Array2<u8> {
        let [height, width] = self.size();
        // The light comes from a side or a corner.
        let [down, right] = [rng.random_range(-1.0..=1.0_f32), rng.random_range(-1.0..=1.0)];
        Array2::from_shape_fn(self.ink.raw_dim(), |(row, column)| {
            let at = down * (row as f32 / height - 0.5) + right * (column as f32 / width - 0.5) + 0.5;
            let shine = light.paper * (1.0 - light.falloff * at.clamp(0.0, 1.0));
            let grey = shine * (1.0 - (1.0 - light.ink) * self.ink[[row, column]]);
            (grey + light.grain * normal(rng)).round().clamp(0.0, 255.0) as u8
        })
    }

    /// The sheet on a desk, which shows by these shares of the sheet's size at top, right, bottom and left.
    pub(crate) fn on_desk(
        &self,
        light: Light,
        margins: [f32; 4],
        angle_deg: f32,
        desk: f32,
        rng: &mut ChaCha8Rng,
    ) -> Array2<u8> {
        let sheet = self.photograph(light, rng);
        let [height, width] = self.size();
        let size = [height * (1.0 + margins[0] + margins[2]), width * (1.0 + margins[1] + margins[3])];
        let (sin, cos) = angle_deg.to_radians().sin_cos();
        Array2::from_shape_fn((size[0] as usize, size[1] as usize), |(row, column)| {
            let y = row as f32 - margins[0] * height - height / 2.0;
            let x = column as f32 - margins[3] * width - width / 2.0;
            let place = [y * cos - x * sin + height / 2.0, y * sin + x * cos + width / 2.0];
            let inside = place[0] >= 0.0 && place[1] >= 0.0 && place[0] < height && place[1] < width;
            if inside {
                sheet[place.map(|at| at as usize)]
            } else {
                (desk + 3.0 * normal(rng)).clamp(0.0, 255.0) as u8
            }
        })
    }
}

/// The ink, 0 to 1, between the centres of a digit's pixels.
fn sampled(digit: ArrayView2<'_, u8>, place: [f32; 2]) -> f32 {
    let at = |row: f32, column: f32| {
        let inside = row >= 0.0 && column >= 0.0 && row < 28.0 && column < 28.0;
        if inside { f32::from(digit[[row as usize, column as usize]]) / 255.0 } else { 0.0 }
    };
    let [y, x] = place.map(|at| at - 0.5);
    let [top, left] = [y.floor(), x.floor()];
    let [down, right] = [y - top, x - left];
    let upper = at(top, left) * (1.0 - right) + at(top, left + 1.0) * right;
    let lower = at(top + 1.0, left) * (1.0 - right) + at(top + 1.0, left + 1.0) * right;
    upper * (1.0 - down) + lower * down
}

/// Mean 0, standard deviation 1, as the sum of twelve uniform numbers has it.
fn normal(rng: &mut ChaCha8Rng) -> f32 {
    (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0
}
