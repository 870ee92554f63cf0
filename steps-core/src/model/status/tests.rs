use proptest::{prelude::*, sample::select};

use super::{IllegalTransition, Status, Transition};

const EVENTS: [Transition; 11] = [
    Transition::Begin,
    Transition::Wait,
    Transition::Finish,
    Transition::Fail,
    Transition::Skip,
    Transition::Undo,
    Transition::UndoFinish,
    Transition::UndoFail,
    Transition::Recover,
    Transition::Stick,
    Transition::Stop,
];

/// The reference: a row for each status, and a column for each event in the order of [`EVENTS`]. A
/// cell has the initials of the next status, or a dot if the event is not allowed.
const TABLE: &str = "
             begin wait finish fail skip undo undofin undofail recover stick stop
pending      ru    .    .      .    sk   .    .       .        .       .     sp
running      ru    wa   do     fa   .    ug   .       .        .       .     sp
waiting      ru    wa   do     fa   .    ug   .       .        .       .     sp
done         .     .    .      .    .    ug   .       .        pe      .     .
failed       .     .    .      .    .    ug   .       .        pe      .     .
skipped      .     .    .      .    .    .    .       .        pe      .     .
undoing      .     .    .      .    .    ug   un      uf       .       st    .
undone       .     .    .      .    .    .    .       .        pe      .     .
undo_failed  .     .    .      .    .    ug   un      .        pe      .     .
stuck        .     .    .      .    .    ug   .       .        pe      .     .
stopped      ru    .    .      .    .    ug   .       .        pe      .     .
";

fn reference(from: Status, event: Transition) -> Option<Status> {
    let column = EVENTS.iter().position(|e| *e == event).unwrap() + 1;
    let row = TABLE
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|row| row.first() == Some(&from.as_str()))
        .unwrap();
    Some(match row[column] {
        "." => return None,
        "pe" => Status::Pending,
        "ru" => Status::Running,
        "wa" => Status::Waiting,
        "do" => Status::Done,
        "fa" => Status::Failed,
        "sk" => Status::Skipped,
        "ug" => Status::Undoing,
        "un" => Status::Undone,
        "uf" => Status::UndoFailed,
        "st" => Status::Stuck,
        "sp" => Status::Stopped,
        other => panic!("{other}"),
    })
}

#[test]
fn every_transition_is_the_one_of_the_table() {
    for from in Status::ALL {
        for event in EVENTS {
            let expected = reference(from, event).ok_or(IllegalTransition {
                from,
                transition: event,
            });
            assert_eq!(from.on(event), expected);
        }
    }
}

#[test]
fn names_are_read_back() {
    for status in Status::ALL {
        assert_eq!(Status::from_name(status.as_str()), Some(status));
    }
    assert_eq!(Status::from_name("Done"), None);
}

/// An operator can leave two final statuses in other ways too: a stopped execution can begin, and a
/// failed undo can be marked as undone.
#[test]
fn what_is_final_is_left_by_recovery_or_undo_only() {
    for from in Status::ALL.into_iter().filter(|status| status.is_final()) {
        for event in EVENTS {
            let operator = matches!(
                (from, event),
                (Status::Stopped, Transition::Begin) | (Status::UndoFailed, Transition::UndoFinish)
            );
            let allowed = operator || matches!(event, Transition::Recover | Transition::Undo);
            assert!(allowed || from.on(event).is_err(), "{from} {event:?}");
        }
        assert!(
            from.on(Transition::Recover).is_ok(),
            "{from} can't be recovered"
        );
    }
}

proptest! {
    #[test]
    fn a_run_of_events_agrees_and_keeps_the_laws(
        events in prop::collection::vec(select(&EVENTS[..]), 0..40),
    ) {
        let mut status = Status::default();
        // Whether the step may have had its effect.
        let mut begun = false;
        for event in events {
            let next = status.on(event);
            prop_assert_eq!(next.ok(), reference(status, event));
            let Ok(next) = next else { continue };
            begun = match next {
                Status::Running => true,
                Status::Pending | Status::Skipped | Status::Undone => false,
                _ => begun,
            };
            if matches!(next, Status::Done | Status::Failed | Status::Waiting) {
                prop_assert!(begun, "{} without having begun", next);
            }
            status = next;
        }
    }
}
