//! The form of a flow: the lines that it has, as they are kept beside the executions that were begun
//! by it, so that another program can say which of them it lacks.

use super::table::{Line, Table, Work};

/// A line of a form: for each level of its path the names that the level may have, its own first. An
/// item or a round is a level called `*`, and an `else` one called `else`.
pub(crate) type FormLine = Vec<Vec<String>>;

const EACH: &str = "*";
const ELSE: &str = "else";

/// Returns the lines of a flow, each before those below it.
pub(crate) fn lines_of(table: &Table) -> Vec<FormLine> {
    let mut form = Vec::new();
    add(table.nodes, &Vec::new(), &mut form);
    form
}

fn add(lines: &[Line], above: &FormLine, form: &mut Vec<FormLine>) {
    for line in lines {
        let names = std::iter::once(&line.name).chain(line.aliases);
        let mut path = above.clone();
        path.push(names.map(|&name| name.to_owned()).collect());
        form.push(path.clone());
        for (level, lines) in below(&line.work) {
            let level = level.map(|level| vec![level.to_owned()]);
            let path = path.iter().cloned().chain(level).collect();
            add(lines, &path, form);
        }
    }
}

/// Returns the lines below a line, and the level between, if there is one.
fn below(work: &Work) -> [(Option<&'static str>, &'static [Line]); 2] {
    match work {
        Work::Step(_) => [(None, &[]); 2],
        Work::Group(lines) | Work::Parallel(lines) => [(None, lines), (None, &[])],
        Work::For { body, .. } | Work::Loop { body, .. } => [(Some(EACH), body), (None, &[])],
        Work::If {
            then, otherwise, ..
        } => [(None, then), (Some(ELSE), otherwise)],
        Work::Flow(table) => [(None, table.nodes), (None, &[])],
    }
}

/// Returns the paths of the lines that a flow lacks, of those of a form: those that it has under no
/// name of theirs. What is below such a line is not told.
pub(crate) fn lacking(form: &[FormLine], table: &Table) -> Vec<String> {
    let mut lacking: Vec<&FormLine> = Vec::new();
    for line in form {
        if !lacking.iter().any(|above| line.starts_with(above)) && !has(table.nodes, line) {
            lacking.push(line);
        }
    }
    lacking.into_iter().map(path_of).collect()
}

fn has(lines: &[Line], path: &[Vec<String>]) -> bool {
    let Some((names, rest)) = path.split_first() else {
        return true;
    };
    let mut same = lines
        .iter()
        .filter(|line| names.iter().any(|name| line.answers_to(name)));
    let Some(line) = same.next() else {
        return false;
    };
    let Some((level, further)) = rest.split_first() else {
        return true;
    };
    below(&line.work)
        .iter()
        .any(|(between, lines)| match between {
            Some(between) => level == &[*between] && has(lines, further),
            None => has(lines, rest),
        })
}

fn path_of(line: &FormLine) -> String {
    let levels = line.iter().filter_map(|names| names.first());
    let levels = levels.filter(|name| *name != ELSE);
    levels.map(String::as_str).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::table::{AnyRecording, Marks, OnFailure};

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
                pivot: false,
                atomic: false,
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
            nodes,
            on_failure: OnFailure::Undo,
        }
    }

    fn one(line: Line) -> &'static [Line] {
        vec![line].leak()
    }

    /// What the second lacks of the first, after the form was saved and read.
    fn told(newer: &'static [Line], older: &'static [Line]) -> Vec<String> {
        let saved = serde_json::to_string(&lines_of(&table(newer))).unwrap();
        lacking(
            &serde_json::from_str::<Vec<FormLine>>(&saved).unwrap(),
            &table(older),
        )
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
            nodes: ONE,
            on_failure: OnFailure::Undo,
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
        assert_eq!(both(|body| Work::Loop { body, max: 0 }), ["x.*.b"]);
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
}
