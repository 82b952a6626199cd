//! Every way in which members and labels may not fit, each with its whole message.

use committee::{Committee, CommitteeError, MAX_GROUPS, Member, Rule, combine, mean};
use ndarray::{Array2, array};

fn member(name: &str, probabilities: Array2<f32>) -> Member {
    Member::new("14", name, probabilities)
}

fn half() -> Array2<f32> {
    Array2::from_elem((3, 2), 0.5)
}

#[track_caller]
fn check(second: Array2<f32>, labels: &[u8], want: &str) {
    let error = Committee::new(vec![member("w14-1", half()), member("w14-2", second)], labels).unwrap_err();
    assert_eq!(error.to_string(), want);
}

#[track_caller]
fn check_with(row: usize, class: usize, value: f32, want: &str) {
    let mut second = half();
    second[[row, class]] = value;
    check(second.clone(), &[0, 1, 0], want);
    let by_index = want.replace("w14-2", "1");
    assert_eq!(mean(&[half().view(), second.view()]).unwrap_err().to_string(), by_index);
    assert_eq!(combine(Rule::Median, &[half().view(), second.view()]).unwrap_err().to_string(), by_index);
}

#[test]
fn what_is_no_distribution_is_named_by_member_and_row() {
    check_with(2, 1, f32::NAN, "member w14-2: row 2 has the probability NaN for class 1, expected 0 to 1");
    check_with(
        0,
        0,
        f32::INFINITY,
        "member w14-2: row 0 has the probability inf for class 0, expected 0 to 1",
    );
    check_with(1, 0, -0.25, "member w14-2: row 1 has the probability -0.25 for class 0, expected 0 to 1");
    check_with(0, 1, 1.5, "member w14-2: row 0 has the probability 1.5 for class 1, expected 0 to 1");
    check_with(1, 0, 0.75, "member w14-2: row 1 sums to 1.25, expected 1 within 0.001");
}

#[test]
fn a_sure_class_may_be_a_rounding_above_one() {
    let sure = array![[1.0 + f32::EPSILON, 0.0]];
    assert!(mean(&[sure.view(), sure.view()]).is_ok());
}

#[test]
fn members_that_do_not_fit_are_named_with_both_shapes() {
    let labels = [0, 1, 0];
    check(
        Array2::from_elem((4, 2), 0.5),
        &labels,
        "member w14-2: shape [4, 2], expected [3, 2] like the first member",
    );
    check(
        Array2::from_elem((3, 4), 0.25),
        &labels,
        "member w14-2: shape [3, 4], expected [3, 2] like the first member",
    );
    let want = "expected at least one image, and 2 to 256 classes";
    check(Array2::zeros((0, 2)), &labels, &format!("member w14-2: shape [0, 2], {want}"));
    check(Array2::ones((3, 1)), &labels, &format!("member w14-2: shape [3, 1], {want}"));
    check(Array2::zeros((3, 257)), &labels, &format!("member w14-2: shape [3, 257], {want}"));
    assert_eq!(Committee::new(Vec::new(), &labels).unwrap_err(), CommitteeError::NoMembers);
    assert_eq!(mean(&[]).unwrap_err().to_string(), "a committee needs at least one member");
}

#[test]
fn labels_must_be_classes_and_one_an_image() {
    check(half(), &[0, 1], "2 labels, expected 3: one for each image");
    check(half(), &[0, 2, 1], "label 2 of image 1, expected a class below 2");
}

#[test]
fn groups_must_be_there_once_and_not_too_many() {
    let committee = Committee::new(vec![member("w14-1", array![[0.5, 0.5]])], &[0]).unwrap();
    let message = |groups: &[&str]| committee.subsets(groups).unwrap_err().to_string();
    assert_eq!(message(&["14", "99"]), "no group \"99\"; the groups are 14");
    assert_eq!(message(&["14", "14"]), "group \"14\" is asked for twice");
    let many = vec!["14"; MAX_GROUPS + 1];
    assert_eq!(message(&many), "17 groups, expected at most 16: they have 2^17 subsets");
    assert_eq!(committee.subsets(&[]).unwrap(), []);
}

#[test]
fn weights_must_be_numbers_of_at_least_zero() {
    for weight in [-1.0, f64::NAN, f64::INFINITY] {
        let second = Member { weight, ..member("w14-2", half()) };
        let error = Committee::new(vec![member("w14-1", half()), second], &[0, 1, 0]).unwrap_err();
        let want = format!("member w14-2: weight {weight}, expected a number of at least 0");
        assert_eq!(error.to_string(), want);
    }
}
