//! The fingerprint: one number for everything in a table that decides whether a saved execution
//! fits.

use super::{InputField, Line, Table, Work};

/// Returns a number that changes with the table: FNV-1a, 64 bits. It covers names, aliases, kinds,
/// inputs, marks and types. So a change to a flow that makes executions fit again also changes the
/// number. Policies and handlers are not included.
pub const fn fingerprint(table: &Table) -> u64 {
    table_print(table, OFFSET)
}

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

const fn table_print(table: &Table, hash: u64) -> u64 {
    let hash = names_print(table.name, table.aliases, hash);
    let hash = text_print(table.output, inputs_print(table.input, hash));
    let hash = byte_print(table.on_failure as u8, hash);
    nodes_print(table.nodes, hash)
}

const fn byte_print(byte: u8, hash: u64) -> u64 {
    (hash ^ byte as u64).wrapping_mul(PRIME)
}

const fn text_print(text: &str, mut hash: u64) -> u64 {
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        hash = byte_print(bytes[index], hash);
        index += 1;
    }
    byte_print(0xff, hash)
}

const fn names_print(name: &str, aliases: &[&str], hash: u64) -> u64 {
    let mut hash = text_print(name, hash);
    let mut index = 0;
    while index < aliases.len() {
        hash = text_print(aliases[index], hash);
        index += 1;
    }
    byte_print(b'.', hash)
}

const fn inputs_print(inputs: &[InputField], mut hash: u64) -> u64 {
    let mut index = 0;
    while index < inputs.len() {
        let names = names_print(inputs[index].name, inputs[index].aliases, hash);
        hash = text_print(inputs[index].ty, names);
        index += 1;
    }
    byte_print(b'.', hash)
}

const fn nodes_print(nodes: &[Line], mut hash: u64) -> u64 {
    let mut index = 0;
    while index < nodes.len() {
        let node = &nodes[index];
        hash = names_print(node.name, node.aliases, hash);
        hash = byte_print(node.kind() as u8, hash);
        let marks = &node.marks;
        let marks = marks.optional as u8
            | (marks.pivot as u8) << 1
            | (marks.atomic as u8) << 2
            | (marks.caught as u8) << 3;
        hash = byte_print(marks, hash);
        hash = match &node.work {
            Work::Step(meta) => {
                let kind = match meta.kind {
                    Some(kind) => 1 + kind as u8,
                    None => 0,
                };
                text_print(meta.output, byte_print(kind, hash))
            }
            Work::If {
                then, otherwise, ..
            } => nodes_print(otherwise, byte_print(b'e', nodes_print(then, hash))),
            Work::Parallel(lines) => needs_print(lines, nodes_print(lines, hash)),
            Work::Loop { body, keep, .. } => {
                let hash = nodes_print(body, hash);
                // Which rounds may be missing.
                if *keep > 0 {
                    byte_print(b'k', hash)
                } else {
                    hash
                }
            }
            Work::Group(lines)
            | Work::Race(lines)
            | Work::Match { arms: lines, .. }
            | Work::For { body: lines, .. } => nodes_print(lines, hash),
            Work::Flow(table) => table_print(table, hash),
        };
        hash = byte_print(b'.', hash);
        index += 1;
    }
    hash
}

/// Adds which lines of a `parallel` use the values of which.
const fn needs_print(nodes: &[Line], mut hash: u64) -> u64 {
    let mut index = 0;
    while index < nodes.len() {
        let uses = nodes[index].uses;
        let mut at = 0;
        while at < uses.len() {
            let arrow = index as u64 * nodes.len() as u64 + uses[at] as u64;
            hash = byte_print(b'>', hash ^ arrow.wrapping_mul(PRIME));
            at += 1;
        }
        index += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::table::{AnyRecording, FlowHandlers, Marks, OnFailure};

    const LINE: Line = Line {
        name: "a",
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
        work: Work::Group(&[]),
    };
    const USER: Line = Line { uses: &[0], ..LINE };
    const fn parallel(lines: &'static [Line]) -> Work {
        Work::Parallel(lines)
    }
    const ONE: &[Line] = &[LINE];
    const fn rounds(keep: u32) -> Work {
        Work::Loop {
            body: ONE,
            max: 0,
            keep,
            prev: &[],
        }
    }
    const FLOW: Table = Table {
        name: "f",
        aliases: &[],
        input: &[],
        output: "u8",
        check: |_| Ok(()),
        schema: None,
        nodes: ONE,
        on_failure: OnFailure::Undo,
        deadline: None,
        handlers: FlowHandlers::NONE,
    };

    const FIELD: InputField = InputField {
        name: "a",
        aliases: &[],
        ty: "u8",
        check: |_| Ok(()),
        schema: None,
    };
    const OTHER: &Table = &Table { name: "g", ..FLOW };
    const MENDED: &Table = &Table {
        aliases: &["h"],
        ..FLOW
    };

    fn with(line: Line) -> u64 {
        let nodes: &'static [Line] = Box::leak(Box::new([line]));
        fingerprint(&Table { nodes, ..FLOW })
    }

    #[test]
    fn each_change_of_what_a_saved_execution_must_fit_is_another_number() {
        let flows: [fn(&mut Table); 11] = [
            |_| {},
            |flow| flow.name = "g",
            |flow| flow.aliases = &["h"],
            |flow| flow.aliases = &["h", "i"],
            |flow| flow.output = "u16",
            |flow| flow.on_failure = OnFailure::Hold,
            |flow| flow.input = &[FIELD],
            |flow| flow.input = &[InputField { ty: "u16", ..FIELD }],
            |flow| flow.input = &[InputField { name: "b", ..FIELD }],
            |flow| {
                flow.input = &[InputField {
                    aliases: &["b"],
                    ..FIELD
                }];
            },
            |flow| flow.nodes = &[],
        ];
        let lines: [fn(&mut Line); 22] = [
            |line| line.name = "b",
            |line| line.aliases = &["b"],
            |line| line.aliases = &["b", "c"],
            |line| line.marks.optional = true,
            |line| line.marks.caught = true,
            |line| line.marks.pivot = true,
            |line| line.marks.atomic = true,
            |line| line.work = Work::Parallel(&[]),
            |line| line.work = Work::Group(ONE),
            |line| line.work = parallel(&[LINE, LINE, LINE]),
            |line| line.work = parallel(&[LINE, USER, LINE]),
            |line| line.work = parallel(&[LINE, LINE, USER]),
            |line| line.work = parallel(&[LINE, USER, USER]),
            |line| {
                line.work = Work::If {
                    then: ONE,
                    otherwise: &[],
                    value: None,
                }
            },
            |line| {
                line.work = Work::If {
                    then: &[],
                    otherwise: ONE,
                    value: None,
                }
            },
            |line| {
                line.work = Work::Match {
                    arms: &[],
                    value: &AnyRecording,
                }
            },
            |line| {
                line.work = Work::Match {
                    arms: ONE,
                    value: &AnyRecording,
                }
            },
            |line| line.work = rounds(0),
            |line| line.work = rounds(1),
            |line| line.work = Work::Flow(&FLOW),
            |line| line.work = Work::Flow(OTHER),
            |line| line.work = Work::Flow(MENDED),
        ];
        let flows = flows.iter().map(|change| {
            let mut flow = FLOW;
            change(&mut flow);
            fingerprint(&flow)
        });
        let lines = lines.iter().map(|change| {
            let mut line = LINE;
            change(&mut line);
            with(line)
        });
        let mut prints: Vec<u64> = flows.chain(lines).collect();
        let count = prints.len();
        prints.sort_unstable();
        prints.dedup();
        assert_eq!(prints.len(), count);
    }

    #[test]
    fn what_does_not_decide_it_leaves_it_alone() {
        let at_once = |at_once| {
            with(Line {
                work: Work::For {
                    body: &[],
                    at_once,
                    items: &AnyRecording,
                },
                ..LINE
            })
        };
        assert_eq!(at_once(1), at_once(usize::MAX));
        let keep = |keep| {
            with(Line {
                work: rounds(keep),
                ..LINE
            })
        };
        assert_eq!(keep(1), keep(100));
    }
}
