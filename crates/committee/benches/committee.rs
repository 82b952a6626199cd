//! The paper's study: 35 members in 7 groups on 10,000 images, about one in twenty of which the members disagree about.
//!
//! ```text
//! cargo bench -p committee                everything
//! cargo bench -p committee -- subsets     the 127 subsets, by every rule
//! ```
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::hint::black_box;

use chacha20::ChaCha8Rng;
use committee::{Combiner, Committee, Member, Rule, by_size};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array2;
use rand::{Rng, SeedableRng};

const N_IMAGES: usize = 10_000;
const N_CLASSES: usize = 10;
const GROUPS: [&str; 7] = ["original", "10", "12", "14", "16", "18", "20"];

fn labels() -> Vec<u8> {
    (0..N_IMAGES).map(|image| (image % N_CLASSES) as u8).collect()
}

/// Sure of the label, but for one image in twenty, where noise of its own decides.
fn member(seed: u64) -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut probabilities = Array2::zeros((N_IMAGES, N_CLASSES));
    for (image, mut row) in probabilities.outer_iter_mut().enumerate() {
        let sure = if image % 20 == 0 { 0.5 } else { 20.0 };
        row.map_inplace(|value| *value = (rng.next_u32() >> 8) as f32 / (1 << 24) as f32 + 1e-3);
        row[image % N_CLASSES] += sure;
        let sum = row.sum();
        row /= sum;
    }
    probabilities
}

fn members() -> Vec<Array2<f32>> {
    (0..35).map(member).collect()
}

fn named(arrays: &[Array2<f32>]) -> Vec<Member> {
    let member = |(index, probabilities): (usize, &Array2<f32>)| Member {
        weight: 1.0 + index as f64 / 35.0,
        ..Member::new(GROUPS[index / 5], index.to_string(), probabilities.clone())
    };
    arrays.iter().enumerate().map(member).collect()
}

fn committee(rule: Rule, members: Vec<Member>) -> Committee {
    Committee::by(rule, members, &labels()).expect("members and labels fit")
}

fn bench_combine(criterion: &mut Criterion) {
    let arrays = members();
    let mut group = criterion.benchmark_group("combine/35x10000x10");
    group.throughput(Throughput::Elements((arrays.len() * N_IMAGES) as u64)).sample_size(10);
    for rule in Rule::ALL {
        group.bench_function(rule.name(), |bencher| {
            bencher.iter(|| {
                let mut combiner = Combiner::new(rule);
                arrays.iter().for_each(|member| combiner.add(member.view()).expect("a member"));
                black_box(combiner.finish().expect("35 members").predictions)
            });
        });
    }
}

fn bench_subsets(criterion: &mut Criterion) {
    let arrays = members();
    let mut group = criterion.benchmark_group("subsets/127");
    group.throughput(Throughput::Elements(127)).sample_size(10);
    for rule in Rule::ALL {
        let committee = committee(rule, named(&arrays));
        group.bench_function(rule.name(), |bencher| {
            bencher.iter(|| black_box(by_size(&committee.subsets(&GROUPS).expect("the groups there are"))));
        });
    }
}

fn bench_study(criterion: &mut Criterion) {
    let members = named(&members());
    let mut group = criterion.benchmark_group("study/35x10000x10");
    group.sample_size(10);
    group.bench_function("check", |bencher| {
        let copies = || members.clone();
        bencher.iter_batched(copies, |members| committee(Rule::Mean, members), BatchSize::LargeInput);
    });
    let committee = committee(Rule::Mean, members);
    group.bench_function("figures", |bencher| bencher.iter(|| black_box(committee.figures())));
    group.bench_function("size_curve/1000", |bencher| {
        bencher.iter(|| black_box(committee.size_curve(1_000, 2012)))
    });
    group.bench_function("bootstrap_members/2000", |bencher| {
        bencher.iter(|| black_box(committee.bootstrap_members(2_000, 2012)));
    });
}

criterion_group!(benches, bench_combine, bench_subsets, bench_study);
criterion_main!(benches);
