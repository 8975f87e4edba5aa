//! What a shop relies on, small enough to reckon by hand; then everything against the verifier.

use super::samples::*;
use super::*;

const ONCE: Budget = Budget { decodes: 4 };

fn solved(problem: &Problem) -> Plan {
    let made = plan(problem, 1, ONCE).unwrap();
    assert_eq!(verify(problem, &made), []);
    made
}

#[test]
fn a_shop_of_200_pieces_is_planned_whole() {
    let problem = shop(200, 2, 3);
    let made = solved(&problem);
    let unplaced: Vec<_> = (0..problem.tasks.len()).filter(|&t| made.placement(t).is_none()).collect();
    println!(
        "{} tasks, unplaced {unplaced:?}, tardiness {} makespan {}",
        problem.tasks.len(),
        made.weighted_tardiness,
        made.makespan
    );
    assert_eq!(made.unplaced(), 0);
}
