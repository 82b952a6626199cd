//! What a rule counts: a ballot a member, added up in a tally.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis, Zip};

use crate::Rule;

/// The least probability in a product.
const LEAST_FACTOR: f64 = f32::MIN_POSITIVE as f64;

/// What one member says of some images, made ready for a rule.
#[derive(Debug, Clone)]
pub(crate) struct Ballot {
    /// `[images, classes]`.
    probabilities: Array2<f64>,
    /// `[images, classes]`; none for the rules that count the probabilities themselves.
    points: Option<Array2<f64>>,
    weight: f64,
}

impl Ballot {
    /// `probabilities`: `[images, classes]`, checked. `weight` counts in the weighted mean alone.
    pub(crate) fn new(rule: Rule, probabilities: ArrayView2<'_, f32>, weight: f64) -> Self {
        let probabilities = probabilities.as_standard_layout().mapv(f64::from);
        let points = match rule {
            Rule::Mean | Rule::Median => None,
            Rule::Product => Some(probabilities.mapv(|value| value.max(LEAST_FACTOR).ln())),
            Rule::Majority => Some(by_row(&probabilities, vote)),
            Rule::Borda => Some(by_row(&probabilities, ranks)),
            Rule::Weighted => Some(&probabilities * weight),
        };
        Self { probabilities, points, weight }
    }
}

fn by_row(probabilities: &Array2<f64>, points: impl Fn(ArrayView1<'_, f64>, &mut [f64])) -> Array2<f64> {
    let mut all = Array2::zeros(probabilities.raw_dim());
    for (row, mut out) in probabilities.outer_iter().zip(all.outer_iter_mut()) {
        points(row, out.as_slice_mut().expect("a row of an array in standard layout"));
    }
    all
}

fn vote(row: ArrayView1<'_, f64>, out: &mut [f64]) {
    out[usize::from(first_max(row))] = 1.0;
}

/// A point for each less probable class, half for each other that is as probable.
fn ranks(row: ArrayView1<'_, f64>, out: &mut [f64]) {
    let values = row.as_slice().expect("a row of an array in standard layout");
    for (own, out) in values.iter().zip(out) {
        let halves = |value: &f64| u32::from(value < own) + u32::from(value <= own);
        // Every less probable class counts two halves, an equal one a half, and so does the class itself.
        *out = f64::from(values.iter().map(halves).sum::<u32>() - 1) / 2.0;
    }
}

/// The ballots of some members, counted. Sums are in f64, in the order of adding.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    rule: Rule,
    n_ballots: u32,
    weight: f64,
    /// Sums of probabilities, `[images, classes]`: the points of the mean, and every other rule's judge of ties.
    sum: Array2<f64>,
    points: Option<Array2<f64>>,
    /// For the median: of each image and class the members' values, the least ones in the first array, and so on.
    sorted: Vec<Array2<f64>>,
}

impl Tally {
    pub(crate) fn new(rule: Rule, shape: [usize; 2]) -> Self {
        let points =
            (!matches!(rule, Rule::Mean | Rule::Median)).then(|| Array2::zeros((shape[0], shape[1])));
        Self { rule, n_ballots: 0, weight: 0.0, sum: Array2::zeros(shape), points, sorted: Vec::new() }
    }

    pub(crate) fn add(&mut self, ballot: &Ballot) {
        self.n_ballots += 1;
        self.weight += ballot.weight;
        self.sum += &ballot.probabilities;
        if let (Some(points), Some(more)) = (&mut self.points, &ballot.points) {
            *points += more;
        }
        if self.rule == Rule::Median {
            self.sort_in(ballot.probabilities.clone());
        }
    }

    /// The ballots of both.
    pub(crate) fn merged(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.n_ballots += other.n_ballots;
        both.weight += other.weight;
        both.sum += &other.sum;
        if let (Some(points), Some(more)) = (&mut both.points, &other.points) {
            *points += more;
        }
        // Each array holds some value of every cell, and together they hold all.
        other.sorted.iter().for_each(|values| both.sort_in(values.clone()));
        both
    }

    /// A pass of an insertion sort, all cells at once.
    fn sort_in(&mut self, mut carried: Array2<f64>) {
        for kept in &mut self.sorted {
            Zip::from(kept).and(&mut carried).for_each(|kept, carried| {
                (*kept, *carried) = (kept.min(*carried), kept.max(*carried));
            });
        }
        self.sorted.push(carried);
    }

    /// Each image's class.
    pub(crate) fn predictions(&self) -> Vec<u8> {
        let elect = |points: &Array2<f64>| {
            points.outer_iter().zip(self.sum.outer_iter()).map(|(row, sums)| elected(row, sums)).collect()
        };
        match (self.rule, &self.points) {
            (Rule::Median, _) => elect(&self.medians()),
            (_, Some(points)) => elect(points),
            (_, None) => self.sum.outer_iter().map(first_max).collect(),
        }
    }

    /// Each image's probability of each class, as [`Rule`] says; of at least one ballot.
    pub(crate) fn probabilities(&self) -> Array2<f64> {
        let n_ballots = f64::from(self.n_ballots);
        let mean = || &self.sum / n_ballots;
        let mut combined = match (self.rule, &self.points) {
            (Rule::Median, _) => self.medians(),
            (Rule::Weighted, _) if self.weight == 0.0 => return mean(),
            (Rule::Weighted, Some(points)) => return points / self.weight,
            (Rule::Product, Some(points)) => by_row(&(points / n_ballots), exponentials),
            (_, Some(points)) => points.clone(),
            (_, None) => return mean(),
        };
        for (mut row, sums) in combined.outer_iter_mut().zip(self.sum.outer_iter()) {
            match row.sum() {
                0.0 => row.assign(&(&sums / n_ballots)),
                sum => row /= sum,
            }
        }
        combined
    }

    /// Of each cell; of an even number the mean of the middle two. Zeros of no ballot.
    fn medians(&self) -> Array2<f64> {
        match self.sorted.len() {
            0 => self.sum.clone(),
            n if n % 2 == 1 => self.sorted[n / 2].clone(),
            n => (&self.sorted[n / 2 - 1] + &self.sorted[n / 2]) / 2.0,
        }
    }
}

/// e to each, after the largest has been taken off.
fn exponentials(row: ArrayView1<'_, f64>, out: &mut [f64]) {
    let most = row.fold(f64::NEG_INFINITY, |most, &value| most.max(value));
    out.iter_mut().zip(row).for_each(|(out, value)| *out = (value - most).exp());
}

/// Index of the first of the largest values.
pub(crate) fn first_max<T: PartialOrd + Copy>(values: ArrayView1<'_, T>) -> u8 {
    let mut classes = (0..=u8::MAX).zip(values.iter().copied());
    let Some((mut best_class, mut best)) = classes.next() else { return 0 };
    for (class, value) in classes {
        if value > best {
            (best_class, best) = (class, value);
        }
    }
    best_class
}

/// The class with the most points; of equals the one with the larger sum of probabilities, then the lowest.
fn elected(points: ArrayView1<'_, f64>, sums: ArrayView1<'_, f64>) -> u8 {
    let mut best = 0;
    for class in 1..points.len() {
        if (points[class], sums[class]) > (points[best], sums[best]) {
            best = class;
        }
    }
    u8::try_from(best).expect("at most 256 classes are let in")
}

/// The second choice of each image besides the first: the largest of the others, of equals the lowest class.
pub(crate) fn second_max(row: ArrayView1<'_, f64>, first: u8) -> u8 {
    let mut others = row.to_owned();
    others[usize::from(first)] = f64::NEG_INFINITY;
    first_max(others.view())
}

/// Some rows of an array.
pub(crate) fn rows_of(array: ArrayView2<'_, f32>, images: &[u32]) -> Array2<f32> {
    let images: Vec<usize> = images.iter().map(|&image| image as usize).collect();
    array.select(Axis(0), &images)
}
