//! What views change on digits that were held out from training: how many of them, how much distorted, by which part of the
//! distortion, for committees of how many columns, and whether canvases of other widths do as well.
//!
//! ```text
//! cargo run --release -p classifier --example views -- MNIST STUDY … >results/tuning/views.json
//! ```
//!
//! MNIST is a folder with its files, each STUDY the results folder of a study that holds training digits out. The first is asked with
//! every number of views at every strength; all of them answer the other questions. Prints JSON: errors of held-out digits.
#![allow(clippy::print_stdout, reason = "an example prints its answer")]

use std::error::Error;

use ciresan_cpu::CpuEngine;
use ciresan_net::{Engine, EngineSpec, Parameters};
use classifier::view_maker;
use committee::{Score, mean, predictions};
use mnist_data::{Data, DigitsView};
use ndarray::{Array2, Array3, ArrayView3, Axis};
use preprocess::{Views, Width};
use rayon::prelude::*;
use serde_json::{Value, json};
use study::{ColumnId, ResultsFolder, Study};

const COUNTS: [u16; 6] = [1, 4, 8, 16, 32, 64];
const STRENGTHS: [f32; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
/// What all studies are asked with.
const SOME: Views = Views { count: 16, strength: 0.5 };
const WEAKER: Views = Views { count: 16, strength: 0.3 };
/// Sizes of committees. Each is made of columns that follow one another, and no column is in two of a size.
const SIZES: [usize; 4] = [2, 4, 8, 16];
/// Digits that an engine is asked about at once.
const BLOCK: usize = 16;

type Failure = Box<dyn Error + Send + Sync>;

struct Column {
    study: Study,
    id: ColumnId,
    weights: [Parameters; 1],
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let data = Data::read(arguments.next().ok_or("MNIST's folder is missing")?)?;
    let mut columns = Vec::new();
    let mut n_first = 0;
    for folder in arguments {
        columns.extend(read_columns(&folder)?);
        if n_first == 0 {
            n_first = columns.len();
        }
    }
    let study = &columns.first().ok_or("the folder of a study is missing")?.study;
    let (_, held_out) = data.train.hold_out(study.validation as usize)?;
    if columns.iter().any(|column| column.study.validation != study.validation) || held_out.is_empty() {
        return Err("the studies must hold the same training digits out".into());
    }

    let mut rows = Vec::new();
    let mut measure = |of: &str, columns: &[Column], views: Option<Views>, counts: &[u16], shifts: &[i8]| {
        let asked = ask(columns, held_out, views, counts, shifts)?;
        for (index, count) in counts.iter().enumerate() {
            let answers: Vec<&Array2<f32>> = asked.iter().map(|of_column| &of_column[index]).collect();
            let (columns, committees) = errors(&answers, held_out.labels())?;
            // As it is written: 0.3, not the nearest f32.
            let strength = views.map_or(0.0, |views| f64::from((views.strength * 10.0).round()) / 10.0);
            rows.push(json!({"of": of, "views": count, "strength": strength, "columns": columns, "committees": committees}));
        }
        Ok::<(), Failure>(())
    };
    measure("digit", &columns[..n_first], None, &[1], &[0])?;
    for strength in STRENGTHS {
        let views = Views { count: COUNTS[COUNTS.len() - 1], strength };
        measure("grid", &columns[..n_first], Some(views), &COUNTS, &[0])?;
    }
    measure("digit, all", &columns, None, &[1], &[0])?;
    for views in [WEAKER, SOME] {
        measure("both parts", &columns, Some(views), &[views.count], &[0])?;
    }
    for views in [WEAKER, SOME, Views { strength: 1.0, ..SOME }] {
        let elastic = changed(&columns, |d| {
            (d.translation_px, d.rotation_deg, d.scaling, d.shear) = Default::default()
        });
        measure("elastic part", &elastic, Some(views), &[views.count], &[0])?;
        measure("affine part", &changed(&columns, |d| d.alpha = 0.0), Some(views), &[views.count], &[0])?;
    }
    let narrowed: Vec<Column> =
        columns.into_iter().filter(|column| column.id.width != Width::ORIGINAL).collect();
    measure("its width", &narrowed, None, &[1], &[0])?;
    measure("widths -1 to +1", &narrowed, None, &[1], &[0, -1, 1])?;
    measure("widths -2 to +2", &narrowed, None, &[1], &[0, -1, 1, -2, 2])?;
    measure("its width, views", &narrowed, Some(SOME), &[SOME.count], &[0])?;
    measure("widths -1 to +1, views", &narrowed, Some(SOME), &[SOME.count], &[0, -1, 1])?;
    println!("{}", serde_json::to_string_pretty(&Value::from(rows))?);
    Ok(())
}

fn read_columns(folder: &str) -> Result<Vec<Column>, Failure> {
    let folder = ResultsFolder::open(folder);
    let manifest = folder.manifest()?.ok_or_else(|| format!("{}: no study", folder.root().display()))?;
    let study = &manifest.config;
    // Committees are of several widths: all first columns, then all second ones.
    let mut ids = folder.finished(study)?;
    ids.sort_by_key(|id| id.number);
    let column = |id| {
        let weights = [folder.finished_column(&manifest, id)?.weights()?];
        Ok(Column { study: study.clone(), id, weights })
    };
    ids.into_iter().map(column).collect()
}

/// The same columns, whose views are made by some part of their distortion.
fn changed(columns: &[Column], change: impl Fn(&mut preprocess::Distortion)) -> Vec<Column> {
    let of_column = |column: &Column| {
        let mut study = column.study.clone();
        if let Some(distortion) = &mut study.distortion {
            change(&mut distortion.distortion);
        }
        Column { study, id: column.id, weights: column.weights.clone() }
    };
    columns.iter().map(of_column).collect()
}

/// What each column says of the digits with its first `counts` views, at its width and at widths by so many pixels larger.
fn ask(
    columns: &[Column],
    digits: DigitsView<'_>,
    views: Option<Views>,
    counts: &[u16],
    shifts: &[i8],
) -> Result<Vec<Vec<Array2<f32>>>, Failure> {
    let of_column = |column: &Column| {
        let spec = EngineSpec { max_batch: 128, ..column.study.engine_spec() };
        let mut engine = CpuEngine::new(&spec, &column.weights)?;
        let input = spec.network.input();
        let mut sums = Array3::zeros((counts.len(), digits.len(), spec.network.classes()));
        for shift in shifts {
            let width = match column.id.width.pixels() {
                Some(px) if *shift != 0 => Width::try_from(px.saturating_add_signed(*shift))?,
                _ => column.id.width,
            };
            let canvases = preprocess::normalize_all(digits.images(), width, [input.height, input.width])?;
            let said = of_views(&mut engine, column, canvases.view(), views, counts)?;
            sums.zip_mut_with(&said, |sum, said| *sum += said / shifts.len() as f32);
        }
        Ok(sums.outer_iter().map(|of_count| of_count.to_owned()).collect())
    };
    columns.par_iter().map(of_column).collect()
}

/// `[counts, digits, classes]`: the mean over the first views, for each count.
fn of_views(
    engine: &mut CpuEngine,
    column: &Column,
    canvases: ArrayView3<'_, u8>,
    views: Option<Views>,
    counts: &[u16],
) -> Result<Array3<f32>, Failure> {
    let classes = column.study.network.classes();
    let maker = view_maker(&column.study, column.id, views)?;
    let n_views = maker.as_ref().map_or(1, |maker| maker.count());
    let mut means = Array3::zeros((counts.len(), canvases.len_of(Axis(0)), classes));
    let (n_digits, height, width) = canvases.dim();
    for first in (0..n_digits).step_by(BLOCK) {
        let block = canvases.slice_axis(Axis(0), (first..n_digits.min(first + BLOCK)).into());
        let mut input = vec![0.0; block.len() * n_views];
        match &maker {
            Some(maker) => maker.fill(block, &mut input)?,
            None => preprocess::scale_to_input(block.to_slice().expect("rows of a new array"), &mut input)?,
        }
        let mut said = vec![0.0; input.len() / (height * width) * classes];
        engine.predict(0, &input, &mut said)?;
        for (digit, said) in said.chunks_exact(n_views * classes).enumerate() {
            for (index, &count) in counts.iter().enumerate() {
                for (class, mean) in
                    means.slice_mut(ndarray::s![index, first + digit, ..]).iter_mut().enumerate()
                {
                    let first_views = said.iter().skip(class).step_by(classes).take(count.into());
                    *mean = first_views.sum::<f32>() / f32::from(count);
                }
            }
        }
    }
    Ok(means)
}

/// The errors of each column, and by size those of the committees that are made of them.
fn errors(answers: &[&Array2<f32>], labels: &[u8]) -> Result<(Vec<u32>, Value), Failure> {
    let of_some = |some: &[&Array2<f32>]| {
        let views: Vec<_> = some.iter().map(|answers| answers.view()).collect();
        Ok::<u32, Failure>(Score::of(&predictions(mean(&views)?.view()), labels)?.errors)
    };
    let of_size =
        |size: usize| answers.chunks_exact(size).map(of_some).collect::<Result<Vec<u32>, Failure>>();
    let mut committees = serde_json::Map::new();
    for size in SIZES {
        committees.insert(size.to_string(), of_size(size)?.into());
    }
    Ok((of_size(1)?, committees.into()))
}
