//! What must hold for any members.

use committee::{Committee, Member, Rule, Score, Spread, combine, mean, predictions};
use ndarray::{Array2, ArrayView2};
use proptest::prelude::*;

/// A member's rows of softmax-like probabilities, from weights that are not all zero.
fn distributions(n_images: usize, n_classes: usize) -> impl Strategy<Value = Array2<f32>> {
    prop::collection::vec(1u16..1000, n_images * n_classes).prop_map(move |weights| {
        let mut rows = Array2::from_shape_vec((n_images, n_classes), weights).unwrap().mapv(f32::from);
        for mut row in rows.outer_iter_mut() {
            let sum = row.sum();
            row /= sum;
        }
        rows
    })
}

fn some_members() -> impl Strategy<Value = Vec<Array2<f32>>> {
    (1usize..6, 1usize..8, 2usize..6).prop_flat_map(|(n_members, n_images, n_classes)| {
        prop::collection::vec(distributions(n_images, n_classes), n_members)
    })
}

fn views(members: &[Array2<f32>]) -> Vec<ArrayView2<'_, f32>> {
    members.iter().map(|member| member.view()).collect()
}

/// Errors of the mean of some members, from the definition. The sums are exact in any order: f32 values of at
/// least 2⁻¹², as here, need at most 24 + 12 + 3 bits for the sum of five.
fn plain_errors(members: &[&Array2<f32>], labels: &[u8]) -> u32 {
    let sum = |image: usize, class: usize| -> f64 {
        members.iter().map(|member| f64::from(member[[image, class]])).sum()
    };
    let mut errors = 0;
    for (image, &label) in labels.iter().enumerate() {
        let sums: Vec<f64> = (0..members[0].ncols()).map(|class| sum(image, class)).collect();
        // The last of the largest, backwards: the lowest class.
        let best = (0..sums.len()).rev().max_by(|&a, &b| sums[a].total_cmp(&sums[b])).unwrap();
        errors += u32::from(best != usize::from(label));
    }
    errors
}

fn grouped(members: &[Array2<f32>]) -> Vec<Member> {
    let names = ["10", "14", "20"];
    let member = |(index, probabilities): (usize, &Array2<f32>)| {
        Member::new(names[index % 3], index.to_string(), probabilities.clone())
    };
    members.iter().enumerate().map(member).collect()
}

fn labels(n_images: usize, n_classes: usize) -> Vec<u8> {
    (0..n_images).map(|image| (image * 7 % n_classes) as u8).collect()
}

proptest! {
    #[test]
    fn a_mean_is_a_distribution_and_ignores_the_order_of_members(members in some_members(), turn in 0usize..6) {
        let together = mean(&views(&members)).unwrap();
        for row in together.outer_iter() {
            // Each f32 row is within n_classes roundings of 1, and so is their mean.
            prop_assert!((row.sum() - 1.0).abs() < 8.0 * f64::from(f32::EPSILON));
            prop_assert!(row.iter().all(|&value| (0.0..=1.0).contains(&value)));
        }
        let mut turned = members.clone();
        turned.rotate_left(turn % members.len());
        turned.reverse();
        let again = mean(&views(&turned)).unwrap();
        for (a, b) in together.iter().zip(&again) {
            // Sums of up to 5 values of at most 1, in f64: at most 5 roundings of 5 · 2⁻⁵³, divided by 5.
            prop_assert!((a - b).abs() <= 5.0 * f64::EPSILON, "{a:e} {b:e}");
        }
    }

    #[test]
    fn a_committee_of_one_column_is_that_column(members in some_members()) {
        let member = &members[0];
        prop_assert_eq!(mean(&[member.view()]).unwrap(), member.mapv(f64::from));
        let own = predictions(member.view());
        // And so is one of the same column several times, whatever the rule.
        let copies = vec![member.view(); 4];
        for rule in Rule::ALL {
            prop_assert_eq!(&combine(rule, &[member.view()]).unwrap().predictions, &own);
            prop_assert_eq!(&combine(rule, &copies).unwrap().predictions, &own);
        }
    }

    #[test]
    fn a_class_that_all_members_prefer_is_chosen(members in some_members()) {
        let votes: Vec<Vec<u8>> = members.iter().map(|member| predictions(member.view())).collect();
        let vote = combine(Rule::Majority, &views(&members)).unwrap().predictions;
        for (image, &class) in vote.iter().enumerate() {
            let count = |class: u8| votes.iter().filter(|votes| votes[image] == class).count();
            let most = (0..=u8::MAX).map(count).max().unwrap();
            prop_assert_eq!(count(class), most);
        }
    }

    #[test]
    fn figures_and_subsets_are_those_of_the_definition(members in some_members()) {
        let (n_images, n_classes) = members[0].dim();
        let labels = labels(n_images, n_classes);
        let committee = Committee::new(grouped(&members), &labels).unwrap();
        let figures = committee.figures();
        let all: Vec<&Array2<f32>> = members.iter().collect();
        for (index, figures) in figures.members.iter().enumerate() {
            prop_assert_eq!(figures.score.errors, plain_errors(&all[index..=index], &labels));
        }
        prop_assert_eq!(figures.all.score.errors, plain_errors(&all, &labels));
        prop_assert_eq!(figures.all.score.errors as usize, figures.all.mistakes.len());
        for of_rule in &figures.all.rules {
            let answers = combine(of_rule.rule, &views(&members)).unwrap().predictions;
            prop_assert_eq!(of_rule.score, Score::of(&answers, &labels).unwrap());
        }

        let groups: Vec<&str> = committee.groups().collect();
        let subsets = committee.subsets(&groups).unwrap();
        prop_assert_eq!(subsets.len(), (1 << groups.len()) - 1);
        for subset in &subsets {
            let of_subset = figures.members.iter().map(|member| subset.groups.contains(&member.group));
            let chosen: Vec<&Array2<f32>> =
                all.iter().zip(of_subset).filter(|(_, chosen)| *chosen).map(|(member, _)| *member).collect();
            prop_assert_eq!(subset.n_members as usize, chosen.len());
            prop_assert_eq!(subset.score.errors, plain_errors(&chosen, &labels));
        }
        for group in &figures.groups {
            let alone = subsets.iter().find(|subset| subset.groups == [group.group.as_str()]).unwrap();
            prop_assert_eq!((alone.score, alone.n_members), (group.score, group.n_members));
        }
        prop_assert_eq!(subsets.last().unwrap().score, figures.all.score);
    }

    #[test]
    fn percents_lie_within_their_members(errors in prop::collection::vec(0u32..=100, 1..9)) {
        let scores: Vec<Score> = errors.iter().map(|&errors| Score { errors, n: 100 }).collect();
        let spread = Spread::of(&scores).unwrap();
        let (least, most) = (*errors.iter().min().unwrap(), *errors.iter().max().unwrap());
        // Eight roundings of values of at most 800.
        let range = f64::from(least) - 1e-11..=f64::from(most) + 1e-11;
        prop_assert!(range.contains(&spread.mean_percent));
        prop_assert_eq!(spread.sd_percent.is_some(), errors.len() > 1);
    }
}
