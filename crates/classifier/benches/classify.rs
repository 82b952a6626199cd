//! Answers a second, with made-up weights: 4 and 35 columns, one digit and 1,000, on one thread and on all.
//!
//! ```text
//! cargo bench -p classifier                      everything
//! cargo bench -p classifier -- 35-columns/1-     one digit, 35 columns
//! cargo bench -p classifier -- views             35 columns with 32 views of each digit
//! ```
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![allow(clippy::unwrap_used, reason = "in a bench a panic is the message")]

#[path = "../tests/it/made_up.rs"]
mod made_up;

use std::hint::black_box;

use classifier::{Classifier, Image};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mnist_data::Data;
use preprocess::Views;

const PAPER: &str = "1x29x29-20C4-MP2-40C5-MP3-150N-10N";
/// Each with its name and the number of columns of each of its widths.
const STUDIES: [(&str, &str, u16); 2] =
    [("4-columns", r#"["original", 20]"#, 2), ("35-columns", r#"["original", 10, 12, 14, 16, 18, 20]"#, 5)];

fn classify(criterion: &mut Criterion) {
    for (name, widths, columns_per_width) in STUDIES {
        let root = tempfile::tempdir().unwrap();
        let (folder, _) = made_up::finished(root.path(), PAPER, widths, columns_per_width);
        measure(criterion, name, &Classifier::open(folder.root()).unwrap(), &[1, 1_000]);
        if columns_per_width == 5 {
            let views = Views { count: 32, strength: 0.4 };
            let with_views = Classifier::open(folder.root()).unwrap().with_views(views).unwrap();
            measure(criterion, &format!("{name}-32-views"), &with_views, &[1, 100]);
        }
    }
}

fn measure(criterion: &mut Criterion, name: &str, classifier: &Classifier, n_images: &[usize]) {
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let digits = Data::sample().train;
    for &n_images in n_images {
        let all = digits.images();
        let images: Vec<_> = all.outer_iter().cycle().take(n_images).collect();
        let images: Vec<Image<'_>> = images.into_iter().map(Image::Mnist).collect();
        let answer = || black_box(classifier.classify_all(black_box(&images)).unwrap());
        let mut group = criterion.benchmark_group(format!("{name}/{n_images}-digits"));
        group.throughput(Throughput::Elements(n_images as u64)).sample_size(10);
        group.bench_function("one-thread", |bencher| one_thread.install(|| bencher.iter(answer)));
        group.bench_function("all-threads", |bencher| bencher.iter(answer));
        group.finish();
    }
}

criterion_group!(benches, classify);
criterion_main!(benches);
