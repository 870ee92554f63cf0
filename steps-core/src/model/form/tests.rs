//! In what two forms of a flow differ.

use super::*;
use crate::model::table::{AnyRecording, FlowHandlers, Marks, OnFailure};

const fn group(name: &'static str, lines: &'static [Line]) -> Line {
    line(name, Work::Group(lines))
}

const fn line(name: &'static str, work: Work) -> Line {
    Line {
        name,
        aliases: &[],
        calls: "",
        uses: &[],
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

fn table(nodes: &'static [Line]) -> Table {
    Table {
        name: "f",
        aliases: &[],
        input: &[],
        output: "()",
        check: |_| Ok(()),
        schema: None,
        nodes,
        on_failure: OnFailure::Undo,
        deadline: None,
        handlers: FlowHandlers::NONE,
    }
}

fn one(line: Line) -> &'static [Line] {
    vec![line].leak()
}

/// In what the second differs from the first, after the form was saved and read.
fn compared(newer: &'static [Line], older: &'static [Line]) -> Differing {
    let saved = serde_json::to_string(&lines_of(&table(newer))).unwrap();
    differing(
        &serde_json::from_str::<Vec<FormLine>>(&saved).unwrap(),
        &lines_of(&table(older)),
    )
}

/// What the second lacks of the first. The first has it too much for the second.
fn told(newer: &'static [Line], older: &'static [Line]) -> Vec<String> {
    let lacking = compared(newer, older).lacking;
    assert_eq!(compared(older, newer).gone, lacking);
    lacking
}

#[test]
fn a_line_that_is_lacking_is_told_by_its_path_at_any_depth() {
    const ONE: &[Line] = &[group("a", &[])];
    const TWO: &[Line] = &[group("a", &[]), group("b", &[])];
    const OLD: &Table = &Table {
        name: "g",
        aliases: &[],
        input: &[],
        output: "()",
        check: |_| Ok(()),
        schema: None,
        nodes: ONE,
        on_failure: OnFailure::Undo,
        deadline: None,
        handlers: FlowHandlers::NONE,
    };
    const NEW: &Table = &Table { nodes: TWO, ..*OLD };
    assert_eq!(told(TWO, ONE), ["b"]);
    assert_eq!(told(ONE, TWO), [""; 0]);
    let both = |work: fn(&'static [Line]) -> Work| {
        told(one(line("x", work(TWO))), one(line("x", work(ONE))))
    };
    assert_eq!(both(Work::Group), ["x.b"]);
    assert_eq!(both(Work::Parallel), ["x.b"]);
    assert_eq!(
        both(|body| Work::For {
            body,
            at_once: 1,
            items: &AnyRecording
        }),
        ["x.*.b"]
    );
    assert_eq!(
        both(|body| Work::Loop {
            body,
            max: 0,
            keep: 0,
            prev: &[]
        }),
        ["x.*.b"]
    );
    let branches = |then, otherwise| {
        one(line(
            "x",
            Work::If {
                then,
                otherwise,
                value: None,
            },
        ))
    };
    assert_eq!(told(branches(TWO, &[]), branches(ONE, TWO)), ["x.b"]);
    assert_eq!(told(branches(ONE, TWO), branches(TWO, ONE)), ["x.b"]);
    let nested = |table| one(line("x", Work::Flow(table)));
    assert_eq!(told(nested(NEW), nested(OLD)), ["x.b"]);
}

#[test]
fn a_renamed_line_is_there_where_one_of_the_two_has_an_alias() {
    let old = || one(group("a", &[]));
    let new = |aliases| {
        one(Line {
            aliases,
            ..group("b", &[])
        })
    };
    assert_eq!(told(new(&["a"]), old()), [""; 0]);
    assert_eq!(told(old(), new(&["a"])), [""; 0]);
    assert_eq!(told(new(&["z"]), new(&["z", "y"])), [""; 0]);
    assert_eq!(told(new(&[]), old()), ["b"]);
}

#[test]
fn a_line_that_stands_elsewhere_is_told_unless_all_run_at_once() {
    const AB: &[Line] = &[group("a", &[]), group("b", &[])];
    const BA: &[Line] = &[group("b", &[]), group("a", &[])];
    assert_eq!(compared(AB, BA).moved, ["b"]);
    assert_eq!(compared(BA, AB).moved, ["a"]);
    let within = |work: fn(&'static [Line]) -> Work, lines| one(line("x", work(lines)));
    let each = |body| Work::Loop {
        body,
        max: 0,
        keep: 0,
        prev: &[],
    };
    assert_eq!(
        compared(within(each, AB), within(each, BA)).moved,
        ["x.*.b"]
    );
    let at_once = |lines| within(Work::Parallel, lines);
    assert!(compared(at_once(AB), at_once(BA)).is_empty());
    assert!(compared(AB, AB).is_empty());
}

#[test]
fn a_line_that_is_something_else_is_told_once() {
    const ONE: &[Line] = &[group("a", &[])];
    let group_of = |lines| one(group("x", lines));
    let newer = one(line(
        "x",
        Work::Loop {
            body: ONE,
            max: 0,
            keep: 0,
            prev: &[],
        },
    ));
    let other = |is: [&str; 2]| Differing {
        other: vec![("x".to_owned(), is.map(ToOwned::to_owned))],
        ..Differing::default()
    };
    assert_eq!(compared(newer, group_of(ONE)), other(["loop", "group"]));
    assert_eq!(compared(group_of(ONE), newer), other(["group", "loop"]));
    let at_once = one(line("x", Work::Parallel(ONE)));
    assert!(compared(at_once, group_of(ONE)).is_empty());
}
