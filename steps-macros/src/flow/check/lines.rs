//! The rules about lines: no two of one name in a group, no flow within itself, no marks that
//! contradict each other, no nesting that is too deep.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    errors::Errors,
    flow::{
        expand::choice::variant,
        model::{AtOnce, Body, Flow, Line},
    },
    idents,
};

/// How many levels a flow has at most: its own is the first. `Limits::DEFAULT` of the core has the same,
/// and `check_depth` there counts the levels of nested flows, too.
const MAX_LEVELS: usize = 48;

/// Checks all lines, and removes those whose name is taken, and those that are nested too deep.
pub(super) fn check(flow: &mut Flow, errors: &mut Errors) {
    let own = flow.function.sig.ident.to_string();
    let mut values: BTreeSet<String> = flow.params.iter().map(|it| it.name.to_string()).collect();
    walk(&flow.lines, &mut |line| {
        values.insert(line.name.to_string());
    });
    let mut lines = std::mem::take(&mut flow.lines);
    group(&mut lines, errors);
    levels(&mut lines, 2, errors);
    walk(&lines, &mut |line| {
        if let Body::Flow(call) = &line.body
            && call.path.is_ident(&own)
        {
            errors.on(
                &call.path,
                format!("`{own}` would run itself without end: a flow can't be part of itself"),
            );
        }
        constant(line, &values, errors);
        marks(line, errors);
    });
    choices(&own, &mut lines, errors);
    flow.lines = lines;
}

/// Checks each `race` and `match`, and takes away what would not compile in its value.
fn choices(flow: &str, lines: &mut [Line], errors: &mut Errors) {
    for line in lines {
        for group in line.groups_mut() {
            choices(flow, group, errors);
        }
        let (of, branches) = match &mut line.body {
            Body::Race(lines) => {
                for line in &*lines {
                    branch_of_race(line, errors);
                }
                ("race", lines)
            }
            Body::Match { arms, .. } => ("match", arms),
            _ => continue,
        };
        variants(of, branches, errors);
        let name = line.name.to_string();
        if ["state", "fields", "steps", "within"].contains(&&*name) {
            errors.on(
                &line.name,
                format!(
                    "a `{of}` can't be called `{name}`: its value would be an enum of the name of a \
                     type that `{flow}` has already; give it another name"
                ),
            );
            line.body = Body::Group(std::mem::take(branches));
        }
    }
}

/// Checks what a line of a `race` may be.
fn branch_of_race(line: &Line, errors: &mut Errors) {
    let name = line.name.to_string();
    if let Body::Let { .. } = line.body {
        errors.on(
            &line.name,
            format!("`{name}` would win each race: write the `let` line before the `race`"),
        );
    }
    if line.pivot {
        errors.on(
            &line.name,
            "a line of a `race` can't be a `pivot`: if it loses, it is undone; put the mark on the \
             race itself",
        );
    }
}

/// Removes the lines whose variant in the value is taken.
fn variants(of: &str, branches: &mut Vec<Line>, errors: &mut Errors) {
    let mut variants: BTreeMap<String, String> = BTreeMap::new();
    branches.retain(|line| {
        if line.is_lost() {
            return true;
        }
        let name = line.name.to_string();
        if let Some(other) = variants.get(&variant(line)) {
            errors.on(
                &line.name,
                format!(
                    "`{other}` and `{name}` are the same variant of the {of}'s value, `{}`: give one \
                     of them another name",
                    variant(line)
                ),
            );
            return false;
        }
        variants.insert(variant(line), name);
        true
    });
}

/// Checks that the marks of a line do not contradict each other.
fn marks(line: &Line, errors: &mut Errors) {
    if line.optional && line.caught {
        errors.on(
            &line.name,
            "a line can't be both `optional` and `caught`: `optional` gives an `Option`, without the \
             failure, and `caught` a `Result`, with it",
        );
    } else if line.pivot && (line.optional || line.caught) {
        let mark = if line.optional { "optional" } else { "caught" };
        errors.on(
            &line.name,
            format!(
                "a line can't be both `pivot` and `{mark}`: a point of no return must not be skipped"
            ),
        );
    }
}

/// Checks that the bound of a line is no value of the run: the table that it stands in is made when
/// the program is compiled.
fn constant(line: &Line, values: &BTreeSet<String>, errors: &mut Errors) {
    if let Some(deadline) = &line.deadline
        && let Some(name) = idents::first_of(deadline, values)
    {
        errors.on(
            &name,
            format!(
                "`#[deadline(…)]` takes text or a constant, and `{name}` is known only when the flow runs: \
                 give the longest time that the line may take"
            ),
        );
    }
    let (bound, what, instead) = match &line.body {
        Body::Loop { max: Some(max), .. } => (
            max,
            "max",
            "let the condition after `until` end the loop, or a step in it fail",
        ),
        Body::Loop {
            keep: Some(keep), ..
        } => (
            keep,
            "keep",
            "give the most rounds that are looked at later",
        ),
        Body::For {
            at_once: AtOnce::Most(most),
            ..
        } => (most, "parallel(…)", "give the most that may run at once"),
        _ => return,
    };
    if let Some(name) = idents::first_of(bound, values) {
        errors.on(
            &name,
            format!(
                "`{what}` takes a number or a constant, and `{name}` is known only when the flow runs: \
                 {instead}"
            ),
        );
    }
}

/// Removes the lines that are nested too deep. `level` is that of these lines.
fn levels(lines: &mut Vec<Line>, level: usize, errors: &mut Errors) {
    if level > MAX_LEVELS {
        if let Some(line) = lines.first() {
            errors.on(
                &line.name,
                format!(
                    "a flow has at most {MAX_LEVELS} levels, and this line would be on the \
                     {level}th: its own is the first, each group is one, a `for` and a `loop` are \
                     two. Move what is nested so deep into the function of a step, or into a flow \
                     that is started by itself"
                ),
            );
        }
        lines.clear();
        return;
    }
    for line in lines {
        let below = match &line.body {
            Body::For { .. } | Body::Loop { .. } => level + 2,
            _ => level + 1,
        };
        for group in line.groups_mut() {
            levels(group, below, errors);
        }
    }
}

/// Visits all lines, each before those in it.
fn walk(lines: &[Line], visit: &mut dyn FnMut(&Line)) {
    for line in lines {
        visit(line);
        for group in line.groups() {
            walk(group, visit);
        }
    }
}

/// Checks that no two lines of a group have the same name, in the code or in the saved tree.
fn group(lines: &mut Vec<Line>, errors: &mut Errors) {
    let mut names = BTreeSet::new();
    let mut saved: BTreeMap<String, String> = BTreeMap::new();
    lines.retain(|line| {
        if line.is_lost() {
            return true;
        }
        let name = line.name.to_string();
        if !names.insert(name.clone()) {
            errors.on(
                &line.name,
                format!("a second `{name}` in this group: give it a name of its own, `other = …`"),
            );
            return false;
        }
        let all = line.aliases.iter().map(syn::LitStr::value);
        for saved_name in std::iter::once(line.saved.clone()).chain(all) {
            if let Some(other) = saved.insert(saved_name.clone(), name.clone()) {
                errors.on(
                    &line.name,
                    format!("`{other}` and `{name}` are both saved as \"{saved_name}\""),
                );
            }
        }
        true
    });
    for line in lines {
        for lines in line.groups_mut() {
            group(lines, errors);
        }
    }
}
