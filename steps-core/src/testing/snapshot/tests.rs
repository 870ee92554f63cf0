//! One answer: what `assert_compatible!` says of a change is what the comparison, which a resume and an
//! engine go by, makes of the states that the older version may have saved. Random pairs of flows and
//! states are asked.

mod data_flow;
mod flows;
mod states;

use super::{
    possible_states,
    report::{Finding, What},
    tree::FlowSnapshot,
};
use crate::{
    interpreter::records::{ROOT, Records},
    model::{compat, state::State, status::Status},
};
use flows::{Dice, Ty, table};
use states::saved;

/// The same in a rollback, in which nothing was undone yet.
fn going_back(mut state: State) -> State {
    state.status = Status::Undoing;
    state.done_at = None;
    state
}

#[test]
fn there_is_one_answer_for_every_pair_of_flows_and_every_state() {
    let (mut fitted, mut stranded) = (0, 0);
    for seed in 0..400 {
        let dice = &mut Dice(seed);
        let mut names = 0;
        let old = dice.lines(2, &mut names);
        let mut new = old.clone();
        for _ in 0..=dice.below(2) {
            dice.change(&mut new, &mut names);
        }
        let (before, after) = (table(&old, None, Ty::Number), table(&new, None, Ty::Number));
        let found = possible_states::compare(&FlowSnapshot::of(before), after);
        let strands = !found.iter().all(Finding::is_note);
        let mut refused = 0;
        for _ in 0..200 {
            let state = saved(dice, &old);
            let itself = compat::compare(&state, before);
            assert!(itself.is_compatible(), "{seed}: {state:#?}\n{itself:#?}");
            let comparison = compat::compare(&state, after);
            if !comparison.is_compatible() {
                refused += 1;
                assert!(
                    strands,
                    "{seed}: {old:#?}\n{new:#?}\n{state:#?}\n{comparison:#?}"
                );
                continue;
            }
            // A rollback asks for no more than what goes on.
            let back = compat::compare(&going_back(state.clone()), after);
            assert!(back.is_compatible(), "{seed}: {state:#?}\n{back:#?}");
            // What a run makes of it fits again, and it keeps the order in which lines began.
            let records = Records::from_state(&state, after.name, after.nodes);
            let mut again = records.state(ROOT);
            again.id.clone_from(&state.id);
            let again = compat::compare(&again, after);
            assert!(again.is_compatible(), "{seed}: {state:#?}\n{again:#?}");
        }
        if strands {
            stranded += 1;
            // Of a failure behind which nothing has begun, nobody can tell whether it was passed over.
            let may_be_seen = found.iter().any(|found| found.what != What::NotOptional);
            assert!(
                refused > 0 || !may_be_seen,
                "{seed}: {old:#?}\n{new:#?}\n{found:#?}"
            );
        } else {
            fitted += 1;
        }
    }
    assert!(
        fitted > 80 && stranded > 80,
        "{fitted} fit, {stranded} do not"
    );
}
