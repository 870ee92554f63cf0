//! What a line of a `parallel` uses, in a snapshot.

use super::super::{possible_states::compare, read::read, tree::FlowSnapshot, write::write};
use crate::model::table::{FlowHandlers, Line, Marks, OnFailure, Table, Work};

const fn line(name: &'static str, uses: &'static [usize], work: Work) -> Line {
    Line {
        name,
        aliases: &[],
        calls: "",
        uses,
        marks: Marks {
            optional: false,
            caught: false,
            pivot: false,
            atomic: false,
            deadline: None,
        },
        work,
    }
}

const fn flow(nodes: &'static [Line]) -> Table {
    Table {
        name: "f",
        aliases: &[],
        input: &[],
        output: "u8",
        check: |_| Ok(()),
        schema: None,
        nodes,
        on_failure: OnFailure::Undo,
        deadline: None,
        handlers: FlowHandlers::NONE,
    }
}

const A: Line = line("a", &[], Work::Group(&[]));
static FREE: Table = flow(&[line(
    "p",
    &[],
    Work::Parallel(&[A, line("b", &[], Work::Group(&[]))]),
)]);
static BOUND: Table = flow(&[line(
    "p",
    &[],
    Work::Parallel(&[A, line("b", &[0], Work::Group(&[]))]),
)]);

fn told(old: &'static Table, new: &'static Table) -> Vec<String> {
    let found = compare(&FlowSnapshot::of(old), new);
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_new_use_of_a_line_that_may_not_be_done_is_found() {
    assert_eq!(
        told(&FREE, &BOUND),
        [
            "  * `p.a`: `b` uses its value now, and began without it\n    → keep `b` as it was; a \
          line of another name can use the value"
        ]
    );
    assert_eq!(told(&BOUND, &BOUND), [""; 0]);
    assert_eq!(told(&BOUND, &FREE), [""; 0]);
}

#[test]
fn the_file_says_what_a_line_uses() {
    let flow = FlowSnapshot::of(&BOUND);
    let text = write(&flow).unwrap();
    assert!(text.contains("\"needs\": [\n"), "{text}");
    assert!(read(&text).is_ok_and(|(read, _)| read == flow), "{text}");
    assert!(!write(&FlowSnapshot::of(&FREE)).unwrap().contains("needs"));
}
