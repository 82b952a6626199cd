//! A small study worked out by hand, and one of the paper's size.

use std::time::{Duration, Instant};

use committee::{Committee, Figures, Member, Mistake, Score, Spread, majority_vote, predictions};
use ndarray::{Array2, array};

fn member(group: &str, name: &str, probabilities: Array2<f32>) -> Member {
    Member { group: group.to_owned(), name: name.to_owned(), probabilities }
}

fn score(errors: u32) -> Score {
    Score { errors, n: 3 }
}

#[test]
fn every_figure_of_a_small_study() {
    let committee = Committee::new(
        vec![
            member("14", "w14-1", array![[0.5, 0.375, 0.125], [0.25, 0.75, 0.0], [0.25, 0.25, 0.5]]),
            member("20", "w20-1", array![[0.0, 1.0, 0.0], [0.625, 0.25, 0.125], [0.5, 0.25, 0.25]]),
            member("14", "w14-2", array![[0.625, 0.25, 0.125], [0.5, 0.375, 0.125], [0.125, 0.125, 0.75]]),
        ],
        &[0, 1, 2],
    )
    .unwrap();
    assert_eq!(committee.groups().collect::<Vec<_>>(), ["14", "20"]);

    let Figures { members, groups, all } = committee.figures();
    let members: Vec<(&str, Score)> =
        members.iter().map(|member| (member.name.as_str(), member.score)).collect();
    assert_eq!(members, [("w14-1", score(0)), ("w20-1", score(3)), ("w14-2", score(1))]);

    assert_eq!((groups[0].n_members, groups[0].mean), (2, score(0)));
    assert_eq!((groups[1].n_members, groups[1].mean), (1, score(3)));
    assert_eq!(groups[1].members, Spread { mean_percent: 100.0, sd_percent: None });
    // 0 and 1 of 3: mean 16.67 %, deviations ±16.67 %, sample variance 2 · 16.67² / 1.
    let Spread { mean_percent, sd_percent } = groups[0].members;
    assert!((mean_percent - 50.0 / 3.0).abs() < 1e-13);
    assert!((sd_percent.unwrap() - 2f64.sqrt() * 50.0 / 3.0).abs() < 1e-13);

    // Sums: image 0: 1.125, 1.625, 0.25; image 1: 1.375, 1.375, 0.25 (a tie: the lower class); image 2:
    // 0.875, 0.625, 1.5.
    assert_eq!((all.n_members, all.mean), (3, score(2)));
    let mistakes = [
        Mistake { image_idx: 0, label: 0, first_guess: 1, second_guess: 0 },
        Mistake { image_idx: 1, label: 1, first_guess: 0, second_guess: 1 },
    ];
    assert_eq!((all.mistakes.as_slice(), all.second_guess_right), (mistakes.as_slice(), 2));
    // Votes: image 0: 0, 1, 0; image 1: 1, 0, 0; image 2: 2, 0, 2.
    assert_eq!(all.vote, score(1));
}

#[test]
fn ties_go_to_the_lower_class_and_votes_to_the_larger_mean() {
    assert_eq!(predictions(array![[0.25, 0.375, 0.375], [0.5, 0.25, 0.25]].view()), [1, 0]);
    assert_eq!(predictions(array![[1, 3, 3, 2]].view()), [1]);
    // One vote each for 0 and 1: the means are 0.4375 and 0.5625.
    let (first, second) = (array![[0.75, 0.25]], array![[0.125, 0.875]]);
    assert_eq!(majority_vote(&[first.view(), second.view()]).unwrap(), [1]);
    // One vote each and equal means.
    let second = array![[0.25, 0.75]];
    assert_eq!(majority_vote(&[second.view(), first.view()]).unwrap(), [0]);
}

#[test]
fn more_members_weigh_more() {
    let for_zero = || array![[0.625, 0.375]];
    let for_one = || array![[0.25, 0.75]];
    let members = vec![
        member("14", "w14-1", for_zero()),
        member("14", "w14-2", for_zero()),
        member("14", "w14-3", for_zero()),
        member("20", "w20-1", for_one()),
    ];
    // Of the four members' mean 0.53 for class 0; the mean of the groups' means would be 0.44.
    let subsets = Committee::new(members, &[0]).unwrap().subsets(&["20", "14"]).unwrap();
    let errors: Vec<(String, u32)> =
        subsets.iter().map(|subset| (subset.groups.join("+"), subset.score.errors)).collect();
    assert_eq!(errors, [("20".to_owned(), 1), ("14".to_owned(), 0), ("20+14".to_owned(), 0)]);
}

#[test]
fn percents_and_basis_points_are_exact() {
    let score = Score { errors: 23, n: 10_000 };
    assert_eq!(score.error_percent(), 0.23);
    assert_eq!(score.error_bp(), 23.0);
    assert_eq!(Spread::of(&[]), None);
}

#[test]
fn subsets_come_by_size_then_in_the_order_asked_for() {
    let members = ["14", "16", "18", "20"].map(|group| member(group, group, array![[0.5, 0.5]]));
    let committee = Committee::new(members.to_vec(), &[0]).unwrap();
    let names = |groups: &[&str]| -> Vec<String> {
        committee.subsets(groups).unwrap().iter().map(|subset| subset.groups.join("+")).collect()
    };
    assert_eq!(names(&["16", "14"]), ["16", "14", "16+14"]);
    let want = [
        "14",
        "16",
        "18",
        "20",
        "14+16",
        "14+18",
        "14+20",
        "16+18",
        "16+20",
        "18+20",
        "14+16+18",
        "14+16+20",
        "14+18+20",
        "16+18+20",
        "14+16+18+20",
    ];
    assert_eq!(names(&["14", "16", "18", "20"]), want);
}

#[test]
fn the_papers_study_with_its_127_subsets_takes_well_under_a_second() {
    let n_images = 10_000;
    let mut members = Vec::new();
    for group in 0..7usize {
        for number in 0..5usize {
            let mut state = (group * 5 + number + 1) as u32;
            let mut probabilities = Array2::from_shape_simple_fn((n_images, 10), || {
                // Any numbers do; xorshift32 (Marsaglia 2003) gives them without a dependency.
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                (state >> 8) as f32
            });
            for mut row in probabilities.outer_iter_mut() {
                let sum = row.sum();
                row /= sum;
            }
            members.push(member(&group.to_string(), &format!("{group}-{number}"), probabilities));
        }
    }
    let labels: Vec<u8> = (0..n_images).map(|image| (image % 10) as u8).collect();
    let started = Instant::now();
    let committee = Committee::new(members, &labels).unwrap();
    let figures = committee.figures();
    let subsets = committee.subsets(&["0", "1", "2", "3", "4", "5", "6"]).unwrap();
    let elapsed = started.elapsed();
    assert_eq!((figures.members.len(), subsets.len()), (35, 127));
    println!("35 columns, 127 subsets of 7 widths, 10,000 digits: {elapsed:?}");
    // Generous for a busy machine; an idle core of 2024 takes a tenth of it.
    assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
}
