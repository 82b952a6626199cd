//! Every rule against its definition, written plainly.

use committee::{Combiner, Committee, Member, Rule, combine};
use ndarray::{Array2, ArrayView2, array};
use proptest::prelude::*;

/// The points of one class of one image, from the members' probabilities of it, by the table of [`Rule`].
fn plain_points(rule: Rule, rows: &[Vec<f64>], weights: &[f64], class: usize) -> f64 {
    let mut own: Vec<f64> = rows.iter().map(|row| row[class]).collect();
    match rule {
        Rule::Mean => own.iter().sum(),
        Rule::Product => own.iter().map(|value| value.max(f64::from(f32::MIN_POSITIVE)).ln()).sum(),
        Rule::Median => {
            own.sort_by(f64::total_cmp);
            f64::midpoint(own[(own.len() - 1) / 2], own[own.len() / 2])
        }
        Rule::Majority => {
            let prefers = |row: &&Vec<f64>| {
                let better =
                    |other: usize| row[other] > row[class] || (row[other] == row[class] && other < class);
                !(0..row.len()).any(better)
            };
            rows.iter().filter(prefers).count() as f64
        }
        Rule::Borda => {
            let points = |row: &Vec<f64>| -> f64 {
                let others = (0..row.len()).filter(|&other| other != class);
                others
                    .map(|other| {
                        if row[other] < row[class] {
                            1.0
                        } else if row[other] == row[class] {
                            0.5
                        } else {
                            0.0
                        }
                    })
                    .sum()
            };
            rows.iter().map(points).sum()
        }
        Rule::Weighted => own.iter().zip(weights).map(|(value, weight)| value * weight).sum(),
    }
}

fn plain(rule: Rule, members: &[Array2<f32>], weights: &[f64]) -> Vec<u8> {
    let (n_images, n_classes) = members[0].dim();
    let answer = |image: usize| {
        let rows: Vec<Vec<f64>> = members
            .iter()
            .map(|member| member.row(image).iter().map(|&value| f64::from(value)).collect())
            .collect();
        let points = |class| {
            (plain_points(rule, &rows, weights, class), plain_points(Rule::Mean, &rows, weights, class))
        };
        let better = |best: usize, class: usize| if points(class) > points(best) { class } else { best };
        (0..n_classes).fold(0, better) as u8
    };
    (0..n_images).map(answer).collect()
}

/// Members with few different values, so that ties and zeros are common: weights 0, 1, 2 or 4 of their sum. Sums of
/// up to 5 such values are exact or decided by far more than a rounding, because a row's sum is at most 16.
fn members() -> impl Strategy<Value = Vec<Array2<f32>>> {
    (1usize..6, 1usize..12, 2usize..5).prop_flat_map(|(n_members, n_images, n_classes)| {
        let value = prop::sample::select(vec![0u8, 1, 1, 2, 4]);
        let member = prop::collection::vec(value, n_images * n_classes).prop_map(move |weights| {
            let mut rows = Array2::from_shape_vec((n_images, n_classes), weights).unwrap().mapv(f32::from);
            for mut row in rows.outer_iter_mut() {
                if row.sum() == 0.0 {
                    row[0] = 1.0;
                }
                let sum = row.sum();
                row /= sum;
            }
            rows
        });
        prop::collection::vec(member, n_members)
    })
}

fn views(members: &[Array2<f32>]) -> Vec<ArrayView2<'_, f32>> {
    members.iter().map(|member| member.view()).collect()
}

proptest! {
    #[test]
    fn every_rule_answers_as_its_definition(members in members()) {
        let weights = vec![1.0; members.len()];
        for rule in Rule::ALL {
            let got = combine(rule, &views(&members)).unwrap();
            prop_assert_eq!(&got.predictions, &plain(rule, &members, &weights), "{}", rule);
            for (row, &class) in got.probabilities.outer_iter().zip(&got.predictions) {
                prop_assert!((row.sum() - 1.0).abs() < 1e-6, "{rule}: {row}");
                // The answer is nowhere less probable than another class.
                prop_assert!(row.iter().all(|&value| (0.0..=row[usize::from(class)] + 1e-12).contains(&value)), "{rule}: {row}");
            }
        }
    }

    #[test]
    fn the_contested_images_are_enough_for_every_rule_and_subset(members in members(), mask in 1usize..32) {
        let (n_images, n_classes) = members[0].dim();
        let labels: Vec<u8> = (0..n_images).map(|image| (image % n_classes) as u8).collect();
        let chosen: Vec<usize> = (0..members.len()).filter(|index| mask >> index & 1 == 1).collect();
        prop_assume!(!chosen.is_empty());
        let of_chosen: Vec<Array2<f32>> = chosen.iter().map(|&index| members[index].clone()).collect();
        let member = |(index, probabilities): (usize, &Array2<f32>)| {
            Member::new((index % 2).to_string(), index.to_string(), probabilities.clone())
        };
        for rule in Rule::ALL {
            let committee = Committee::by(rule, members.iter().enumerate().map(member).collect(), &labels).unwrap();
            let want = plain(rule, &of_chosen, &vec![1.0; of_chosen.len()]);
            prop_assert_eq!(committee.predictions(rule, &chosen).unwrap(), want, "{}", rule);
            prop_assert_eq!(committee.answers(), plain(rule, &members, &vec![1.0; members.len()]));
        }
    }

    #[test]
    fn weights_weigh(members in members(), weights in prop::collection::vec(prop::sample::select(vec![0.0, 0.5, 1.0, 8.0]), 5)) {
        let weights = &weights[..members.len()];
        let mut combiner = Combiner::new(Rule::Weighted);
        for (member, &weight) in members.iter().zip(weights) {
            combiner.add_weighted(member.view(), weight).unwrap();
        }
        let got = combiner.finish().unwrap();
        prop_assert_eq!(&got.predictions, &plain(Rule::Weighted, &members, weights));
        prop_assert!(got.probabilities.outer_iter().all(|row| (row.sum() - 1.0).abs() < 1e-6));
    }
}

#[test]
fn a_zero_outweighs_but_does_not_rule_out() {
    let product = |members: &[Array2<f32>]| combine(Rule::Product, &views(members)).unwrap();
    // Two that are sure of the first class, one that has a zero for it.
    let got = product(&[array![[0.99, 0.01]], array![[0.99, 0.01]], array![[0.0, 1.0]]]);
    assert_eq!(got.predictions, [1]);
    assert!(got.probabilities[[0, 0]] > 0.0);
    // Each class has a zero of somebody: of the two with one zero the larger product of the rest.
    let got = product(&[array![[0.0, 0.6, 0.4]], array![[0.6, 0.0, 0.4]], array![[0.5, 0.5, 0.0]]]);
    assert_eq!(got.predictions, [0]);
    let sum: f64 = got.probabilities.sum();
    assert!((sum - 1.0).abs() < 1e-12);
}

#[test]
fn probabilities_are_those_worked_out_by_hand() {
    let members = [array![[0.8f32, 0.2]], array![[0.5, 0.5]], array![[0.5, 0.5]]];
    let first = |rule| combine(rule, &views(&members)).unwrap().probabilities[[0, 0]];
    let check = |rule, want: f64| {
        let got: f64 = first(rule);
        // f32 values, within 3 · 10⁻⁸ of the decimal ones.
        assert!((got - want).abs() < 1e-7, "{rule}: {got}");
    };
    check(Rule::Mean, 0.6);
    // Cube roots of 0.2 and 0.05.
    check(Rule::Product, 0.2f64.cbrt() / (0.2f64.cbrt() + 0.05f64.cbrt()));
    check(Rule::Median, 0.5);
    check(Rule::Majority, 1.0);
    // 1 + ½ + ½ of three points.
    check(Rule::Borda, 2.0 / 3.0);
    check(Rule::Weighted, 0.6);
    // Every median 0: the mean.
    let members = [array![[1.0f32, 0.0, 0.0]], array![[0.0, 1.0, 0.0]], array![[0.0, 0.0, 1.0]]];
    let got = combine(Rule::Median, &views(&members)).unwrap();
    assert!((got.probabilities[[0, 2]] - 1.0 / 3.0).abs() < 1e-15 && got.predictions == [0]);
}

#[test]
fn rules_have_one_name_each() {
    for rule in Rule::ALL {
        assert_eq!(rule.to_string().parse(), Ok(rule));
    }
    let message = "sum".parse::<Rule>().unwrap_err().to_string();
    assert_eq!(message, "rule \"sum\", expected one of mean, product, median, majority, borda, weighted");
}

#[test]
fn a_committee_counts_its_members_weights() {
    let arrays: [Array2<f32>; 2] = [array![[0.6, 0.4]], array![[0.3, 0.7]]];
    let committee = |weights: [f64; 2]| {
        let member = |(probabilities, weight): (&Array2<f32>, f64)| Member {
            weight,
            ..Member::new("14", weight.to_string(), probabilities.clone())
        };
        Committee::by(Rule::Weighted, arrays.iter().zip(weights).map(member).collect(), &[0]).unwrap()
    };
    assert_eq!(committee([3.0, 1.0]).answers(), [0]);
    assert_eq!(committee([1.0, 1.0]).answers(), [1]);
    // Of weights that are all 0 the mean.
    assert_eq!(committee([0.0, 0.0]).answers(), [1]);
    let rules: Vec<Rule> = committee([3.0, 1.0]).figures().all.rules.iter().map(|score| score.rule).collect();
    assert_eq!(rules, Rule::ALL);
}

#[test]
fn the_order_of_memory_changes_no_answer() {
    let rows = array![[0.6f32, 0.3, 0.1], [0.2, 0.2, 0.6]];
    let columns = rows.t().as_standard_layout().into_owned().reversed_axes();
    assert!(!columns.is_standard_layout());
    for rule in Rule::ALL {
        assert_eq!(combine(rule, &[columns.view()]).unwrap(), combine(rule, &[rows.view()]).unwrap());
    }
}
