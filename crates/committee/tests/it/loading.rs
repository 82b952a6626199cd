//! Members that are loaded one after the other.

use std::cell::RefCell;

use committee::{Committee, CommitteeError, Rule, Seat};
use ndarray::{Array2, CowArray, array};

fn seats(weights: &[f64]) -> Vec<Seat> {
    let seat = |(index, &weight): (usize, &f64)| Seat {
        group: "14".to_owned(),
        name: format!("w14-{}", index + 1),
        weight,
    };
    weights.iter().enumerate().map(seat).collect()
}

#[test]
fn each_member_is_loaded_twice_and_one_at_a_time() {
    let arrays: [Array2<f32>; 2] = [array![[0.9, 0.1], [0.6, 0.4]], array![[0.8, 0.2], [0.1, 0.9]]];
    let loads = RefCell::new(Vec::new());
    let committee = Committee::load(Rule::Mean, seats(&[1.0, 1.0]), &[0, 1], |index, seat| {
        loads.borrow_mut().push(seat.name.clone());
        Ok::<_, CommitteeError>(CowArray::from(arrays[index].clone()))
    });
    assert_eq!(committee.unwrap().figures().all.score.errors, 0);
    assert_eq!(*loads.borrow(), ["w14-1", "w14-2", "w14-1", "w14-2"]);

    // Once, if there is nothing to disagree about.
    loads.borrow_mut().clear();
    let committee = Committee::load(Rule::Mean, seats(&[1.0, 1.0]), &[0, 1], |_, seat| {
        loads.borrow_mut().push(seat.name.clone());
        Ok::<_, CommitteeError>(CowArray::from(&arrays[0]))
    });
    assert_eq!(committee.unwrap().figures().all.score.errors, 1);
    assert_eq!(*loads.borrow(), ["w14-1", "w14-2"]);
}

#[test]
fn an_array_that_changes_in_between_is_an_error() {
    let mut n_loads = 0;
    let error = Committee::load(Rule::Mean, seats(&[1.0, 1.0]), &[0], |_, _| {
        n_loads += 1;
        let probabilities = if n_loads == 1 { array![[0.9, 0.1]] } else { array![[0.2, 0.8]] };
        Ok::<_, CommitteeError>(CowArray::from(probabilities))
    });
    let message = error.unwrap_err().to_string();
    assert_eq!(message, "member w14-1: its probabilities changed while they were read");
}

#[test]
fn weights_are_checked_and_counted() {
    let arrays: [Array2<f32>; 2] = [array![[0.6, 0.4]], array![[0.3, 0.7]]];
    let load = |weights: [f64; 2]| {
        Committee::load(Rule::Weighted, seats(&weights), &[0], |index, _| {
            Ok::<_, CommitteeError>(CowArray::from(&arrays[index]))
        })
    };
    assert_eq!(load([3.0, 1.0]).unwrap().answers(), [0]);
    assert_eq!(load([1.0, 1.0]).unwrap().answers(), [1]);
    // Of weights that are all 0 the mean.
    assert_eq!(load([0.0, 0.0]).unwrap().answers(), [1]);
    let rules = |weights| -> Vec<Rule> {
        load(weights).unwrap().figures().all.rules.iter().map(|score| score.rule).collect()
    };
    assert_eq!(rules([3.0, 1.0]), Rule::ALL);
    for weight in [-1.0, f64::NAN, f64::INFINITY] {
        let message = load([1.0, weight]).unwrap_err().to_string();
        assert_eq!(message, format!("member w14-2: weight {weight}, expected a number of at least 0"));
    }
}
