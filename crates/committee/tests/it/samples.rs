//! What is drawn, counted over subsets, or found among members that agree.

use committee::{Committee, Member, Rejection, Reliability, Score};
use ndarray::Array2;

/// Members that are sure of their class: `answers[member][image]`, of three classes, in groups of two.
fn committee(answers: &[&[u8]], labels: &[u8]) -> Committee {
    let member = |(index, answers): (usize, &&[u8])| {
        let mut probabilities = Array2::from_elem((answers.len(), 3), 0.125);
        for (image, &class) in answers.iter().enumerate() {
            probabilities[[image, usize::from(class)]] = 0.75;
        }
        Member::new((index / 2).to_string(), index.to_string(), probabilities)
    };
    Committee::new(answers.iter().enumerate().map(member).collect(), labels).unwrap()
}

/// Of four images: all right, one member of five wrong, two wrong, all wrong and of one mind, all wrong.
fn five() -> Committee {
    committee(
        &[&[0, 0, 0, 1, 1], &[0, 0, 0, 1, 1], &[0, 0, 0, 1, 1], &[0, 0, 1, 1, 2], &[0, 1, 1, 1, 2]],
        &[0; 5],
    )
}

#[test]
fn a_curve_of_few_members_has_every_committee() {
    let curve = five().size_curve(10, 1);
    let counts: Vec<(u32, u32, bool)> =
        curve.iter().map(|point| (point.n_members, point.n_committees, point.exhaustive)).collect();
    assert_eq!(counts, [(1, 5, true), (2, 10, true), (3, 10, true), (4, 5, true), (5, 1, true)]);
    // One member: 2, 2, 2, 3, 4 errors of 5.
    let first = &curve[0];
    assert_eq!(first.errors.mean_percent, 52.0);
    assert_eq!((first.quantiles.min, first.quantiles.median, first.quantiles.max), (40.0, 40.0, 80.0));
    // Three: of the ten triples the three with both of the last two members miss image 2 too.
    assert!((curve[2].errors.mean_percent - 46.0).abs() < 1e-12, "{:?}", curve[2]);
    assert_eq!((curve[4].errors.mean_percent, curve[4].errors.sd_percent), (40.0, None));
}

#[test]
fn a_sampled_curve_is_a_function_of_its_seed_and_near_the_exhaustive_one() {
    let committee = five();
    let sampled = committee.size_curve(9, 1);
    assert_eq!(sampled, committee.size_curve(9, 1));
    let exhaustive: Vec<bool> = sampled.iter().map(|point| point.exhaustive).collect();
    assert_eq!(exhaustive, [true, false, false, true, true]);

    // Ten members, so that there are 252 committees of five: sampled 251 times.
    let answers: Vec<Vec<u8>> = (0..10u32)
        .map(|member| {
            (0..200u32).map(|image| u8::from((image * 7 + member * 13) % 10 < 3 + image % 5)).collect()
        })
        .collect();
    let answers: Vec<&[u8]> = answers.iter().map(Vec::as_slice).collect();
    let committee = self::committee(&answers, &[0; 200]);
    let (all, some) = (&committee.size_curve(252, 3)[4], &committee.size_curve(251, 3)[4]);
    assert!(all.exhaustive && !some.exhaustive);
    let sd = all.errors.sd_percent.unwrap();
    assert!(sd > 0.1, "{all:?}");
    // Five deviations of a mean of 251.
    let (want, got) = (all.errors.mean_percent, some.errors.mean_percent);
    assert!((got - want).abs() < 5.0 * sd / 251f64.sqrt(), "{got} {want} {sd}");
}

#[test]
fn a_bootstrap_of_members_keeps_to_their_groups() {
    let committee = five();
    let got = committee.bootstrap_members(400, 1);
    assert_eq!(got, committee.bootstrap_members(400, 1));
    assert_ne!(got, committee.bootstrap_members(400, 2));
    // Groups 0 and 1, 2 and 3, 4 alone: the last is always there once and wrong on image 1, which the other four are
    // right on. Image 2 is missed when 3 is drawn twice: one in four.
    let want = 100.0 * (2.0 + 0.25) / 5.0;
    // Deviation of one resample 20 % · √(¼ · ¾) = 8.66 %; of 400 0.43 %; five of them.
    assert!((got.mean_percent - want).abs() < 2.2, "{got:?}");
    // Members that do not differ do not vary.
    let same = self::committee(&[&[0, 1], &[0, 1]], &[0, 0]).bootstrap_members(50, 1);
    assert_eq!((same.mean_percent, same.sd_percent), (50.0, 0.0));
}

#[test]
fn what_no_member_gets_right_is_found_and_whether_all_agree() {
    let committee = five();
    let missed = committee.missed_by_all();
    let found: Vec<(u32, u8, bool)> =
        missed.iter().map(|missed| (missed.image_idx, missed.answer, missed.unanimous)).collect();
    assert_eq!(found, [(3, 1, true), (4, 1, false)]);
    assert_eq!((missed[1].votes.as_slice(), missed[0].confidence), ([0, 3, 2].as_slice(), 0.75));
    assert_eq!(committee.confusion().counts, [[3, 2, 0], [0, 0, 0], [0, 0, 0]]);
}

#[test]
fn disagreement_is_counted_between_members_and_between_groups() {
    let committee = five();
    let members = committee.member_disagreement();
    assert_eq!(members.names, ["0", "1", "2", "3", "4"]);
    assert_eq!(members.counts[0], [0, 0, 0, 2, 3]);
    assert_eq!(members.counts[4], [3, 3, 3, 1, 0]);
    let groups = committee.group_disagreement();
    assert_eq!(groups.names, ["0", "1", "2"]);
    // Group 1, of which one is for 0 and one for 1 on image 2, says 0 (equal sums), as on image 4 it says 1.
    assert_eq!(groups.counts, [[0, 0, 3], [0, 0, 3], [3, 3, 0]]);
}

#[test]
fn overlaps_are_the_regions_of_a_venn_diagram() {
    let overlaps = five().overlaps(&["2", "0"]).unwrap();
    let regions: Vec<(String, Vec<u32>)> =
        overlaps.into_iter().map(|overlap| (overlap.groups.join("+"), overlap.images)).collect();
    let region = |name: &str, images: &[u32]| (name.to_owned(), images.to_vec());
    assert_eq!(regions, [region("2", &[1, 2]), region("0", &[]), region("2+0", &[3, 4])]);
}

#[test]
fn answers_and_probabilities_go_into_the_other_statistics() {
    let committee = five();
    let rejection = Rejection::of(committee.probabilities(), committee.labels()).unwrap();
    assert_eq!(rejection.after(0), committee.figures().all.score);
    let reliability = Reliability::of(committee.probabilities(), committee.labels(), 15).unwrap();
    assert_eq!(reliability.bins.iter().map(|bin| bin.n).sum::<u32>(), 5);
    assert_eq!(committee.score(committee.rule(), &[3, 4]).unwrap(), Score { errors: 3, n: 5 });
    assert_eq!(
        committee.score(committee.rule(), &[9]).unwrap_err().to_string(),
        "no member 9: there are 5 members, counted from 0"
    );
    assert!(committee.score(committee.rule(), &[]).is_err());
}
