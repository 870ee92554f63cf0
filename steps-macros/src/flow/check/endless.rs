//! Reports the lines after a `loop` without end, which are never reached.

use crate::{
    errors::Errors,
    flow::model::{Body, Line},
};

/// Checks the lines of a group, and of those in it.
pub(super) fn check(lines: &[Line], errors: &mut Errors) {
    let endless = lines.iter().position(|line| loop_in(line).is_some());
    if let Some(at) = endless
        && let (Some(found), Some(next)) = (loop_in(&lines[at]), lines.get(at + 1))
        && !next.is_lost()
    {
        let (found, next_name) = (&found.name, &next.name);
        errors.on(
            next_name,
            format!(
                "`{next_name}` is never reached: `{found}` above it is a `loop` without end. Give that an end, \
                 `loop keep n {{ … }} until condition;`, or let both run at once, in a `parallel`"
            ),
        );
    }
    for line in lines {
        match &line.body {
            // These begin at once, or only one of them does.
            Body::Parallel(lines) | Body::Race(lines) | Body::Match { arms: lines, .. } => {
                for line in lines {
                    check(std::slice::from_ref(line), errors);
                }
            }
            _ => {
                for lines in line.groups() {
                    check(lines, errors);
                }
            }
        }
    }
}

/// Returns the `loop` for which a line never ends, if it does not.
fn loop_in(line: &Line) -> Option<&Line> {
    // Its failure ends such a line.
    if line.optional || line.caught {
        return None;
    }
    match &line.body {
        Body::Loop {
            max: None, until, ..
        } if until.to_string() == "false" => Some(line),
        Body::Group(lines) | Body::Parallel(lines) | Body::Loop { lines, .. } => {
            lines.iter().find_map(loop_in)
        }
        Body::If {
            then,
            otherwise: Some(otherwise),
            ..
        } => {
            let found = then.iter().find_map(loop_in);
            otherwise.iter().find_map(loop_in).and(found)
        }
        Body::Race(lines) | Body::Match { arms: lines, .. } => {
            let all = lines.iter().all(|line| loop_in(line).is_some());
            lines.iter().find_map(loop_in).filter(|_| all)
        }
        Body::Step(_)
        | Body::Flow(_)
        | Body::Let { .. }
        | Body::Broken(_)
        | Body::If { .. }
        | Body::For { .. } => None,
    }
}
