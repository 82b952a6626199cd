//! A small study worked out by hand, and one of the paper's size.

use std::time::{Duration, Instant};

use committee::{Committee, Figures, Member, Rule, Score, Spread, by_size, combine, predictions};
use ndarray::{Array2, array};

fn score(errors: u32) -> Score {
    Score { errors, n: 3 }
}

#[test]
fn every_figure_of_a_small_study() {
    let committee = Committee::new(
        vec![
            Member::new("14", "w14-1", array![[0.5, 0.375, 0.125], [0.25, 0.75, 0.0], [0.25, 0.25, 0.5]]),
            Member::new("20", "w20-1", array![[0.0, 1.0, 0.0], [0.625, 0.25, 0.125], [0.5, 0.25, 0.25]]),
            Member::new(
                "14",
                "w14-2",
                array![[0.625, 0.25, 0.125], [0.5, 0.375, 0.125], [0.125, 0.125, 0.75]],
            ),
        ],
        &[0, 1, 2],
    )
    .unwrap();
    assert_eq!(committee.groups().collect::<Vec<_>>(), ["14", "20"]);

    let Figures { members, groups, all, .. } = committee.figures();
    let members: Vec<(&str, Score)> =
        members.iter().map(|member| (member.name.as_str(), member.score)).collect();
    assert_eq!(members, [("w14-1", score(0)), ("w20-1", score(3)), ("w14-2", score(1))]);

    assert_eq!((groups[0].n_members, groups[0].score), (2, score(0)));
    assert_eq!((groups[1].n_members, groups[1].score), (1, score(3)));
    assert_eq!(groups[1].members, Spread { mean_percent: 100.0, sd_percent: None });
    // 0 and 1 of 3: mean 16.67 %, deviations ±16.67 %, sample variance 2 · 16.67² / 1.
    let Spread { mean_percent, sd_percent } = groups[0].members;
    assert!((mean_percent - 50.0 / 3.0).abs() < 1e-13);
    assert!((sd_percent.unwrap() - 2f64.sqrt() * 50.0 / 3.0).abs() < 1e-13);

    // Sums: image 0: 1.125, 1.625, 0.25; image 1: 1.375, 1.375, 0.25 (a tie: the lower class); image 2:
    // 0.875, 0.625, 1.5.
    assert_eq!((all.n_members, all.score), (3, score(2)));
    let guesses: Vec<[u8; 3]> = all
        .mistakes
        .iter()
        .map(|mistake| [mistake.label, mistake.first_guess, mistake.second_guess])
        .collect();
    assert_eq!((guesses.as_slice(), all.second_guess_right), ([[0, 1, 0], [1, 0, 1]].as_slice(), 2));
    let first = &all.mistakes[0];
    assert_eq!((first.image_idx, first.votes.as_slice()), (0, [2, 1, 0].as_slice()));
    assert_eq!((first.confidence, first.second_confidence), (1.625 / 3.0, 1.125 / 3.0));

    let errors: Vec<(Rule, u32)> = all.rules.iter().map(|score| (score.rule, score.score.errors)).collect();
    let want = [
        (Rule::Mean, 2),
        // The zeros of the second column veto the labels 0 and (for class 0 of image 1, whose least is 0.25) nothing:
        // image 0: 0 has a zero, 1 has 0.375 · 1 · 0.25, wrong; image 1: 0.078 against 0.07, wrong; image 2: right.
        (Rule::Product, 2),
        // Image 0: 0.5, 0.375, 0.125; image 1: 0.5, 0.375, 0.125, wrong; image 2: 0.25, 0.25, 0.5.
        (Rule::Median, 1),
        // Image 0: 0, 1, 0; image 1: 1, 0, 0, wrong; image 2: 2, 0, 2.
        (Rule::Majority, 1),
        // Image 0: 2 + 0.5 + 2, 1 + 2 + 1, 0 + 0.5 + 0; image 1: 1 + 2 + 2, 2 + 1 + 1, wrong; image 2: 0.5 + 2 + 0.5, 0.5 +
        // 0.5 + 0.5, 2 + 0.5 + 2.
        (Rule::Borda, 1),
    ];
    assert_eq!(errors, want);
}

#[test]
fn ties_go_to_the_lower_class_and_votes_to_the_larger_mean() {
    assert_eq!(predictions(array![[0.25, 0.375, 0.375], [0.5, 0.25, 0.25]].view()), [1, 0]);
    assert_eq!(predictions(array![[1, 3, 3, 2]].view()), [1]);
    // One vote each for 0 and 1: the means are 0.4375 and 0.5625.
    let vote = |members: [&Array2<f32>; 2]| {
        combine(Rule::Majority, &members.map(|member| member.view())).unwrap().predictions
    };
    let (first, second) = (array![[0.75, 0.25]], array![[0.125, 0.875]]);
    assert_eq!(vote([&first, &second]), [1]);
    // One vote each and equal means.
    let second = array![[0.25, 0.75]];
    assert_eq!(vote([&second, &first]), [0]);
}

#[test]
fn more_members_weigh_more() {
    let for_zero = || array![[0.625, 0.375]];
    let for_one = || array![[0.25, 0.75]];
    let members = vec![
        Member::new("14", "w14-1", for_zero()),
        Member::new("14", "w14-2", for_zero()),
        Member::new("14", "w14-3", for_zero()),
        Member::new("20", "w20-1", for_one()),
    ];
    // Of the four members' mean 0.53 for class 0; the mean of the groups' means would be 0.44.
    let subsets = Committee::new(members, &[0]).unwrap().subsets(&["20", "14"]).unwrap();
    let errors: Vec<(String, u32)> =
        subsets.iter().map(|subset| (subset.groups.join("+"), subset.score.errors)).collect();
    assert_eq!(errors, [("20".to_owned(), 1), ("14".to_owned(), 0), ("20+14".to_owned(), 0)]);
}

#[test]
fn percents_are_exact() {
    let score = Score { errors: 23, n: 10_000 };
    assert_eq!(score.error_percent(), 0.23);
    assert_eq!(Spread::of(&[]), None);
}

#[test]
fn subsets_come_by_size_then_in_the_order_asked_for() {
    let members = ["14", "16", "18", "20"].map(|group| Member::new(group, group, array![[0.5, 0.5]]));
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

/// Any numbers do: members of the paper's number, that agree on nearly nothing.
fn the_papers_members() -> Vec<Member> {
    let mut members = Vec::new();
    for group in 0..7usize {
        for number in 0..5usize {
            let mut state = (group * 5 + number + 1) as u32;
            let mut probabilities = Array2::from_shape_simple_fn((10_000, 10), || {
                // xorshift32 (Marsaglia 2003) gives them without a dependency.
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                (state >> 8) as f32
            });
            for mut row in probabilities.outer_iter_mut() {
                let sum = row.sum();
                row /= sum;
            }
            members.push(Member::new(group.to_string(), format!("{group}-{number}"), probabilities));
        }
    }
    members
}

#[test]
fn the_papers_study_with_its_127_subsets_takes_well_under_a_second() {
    let members = the_papers_members();
    let labels: Vec<u8> = (0..10_000).map(|image| (image % 10) as u8).collect();
    let started = Instant::now();
    let committee = Committee::new(members, &labels).unwrap();
    let figures = committee.figures();
    let subsets = committee.subsets(&["0", "1", "2", "3", "4", "5", "6"]).unwrap();
    let elapsed = started.elapsed();
    assert_eq!((figures.members.len(), subsets.len()), (35, 127));
    let n_subsets: Vec<u32> = by_size(&subsets).iter().map(|size| size.n_subsets).collect();
    assert_eq!(n_subsets, [7, 21, 35, 35, 21, 7, 1]);
    println!("35 columns, 127 subsets of 7 widths, 10,000 digits, nearly all contested: {elapsed:?}");
    // Generous for a busy machine; an idle core of 2024 takes a tenth of it.
    assert!(elapsed < Duration::from_secs(4), "{elapsed:?}");
}
