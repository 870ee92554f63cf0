//! Where the lines of a flow stand, and what is said of the use of one where it is not visible.

use crate::flow::model::{Body, Line};

/// The place of a line, from the outermost level in: for each level, the number of the group within
/// the line above, and the number of the line in the group.
pub(super) type Place = Vec<(usize, usize)>;

/// A line whose name can be used somewhere.
pub(super) struct Known {
    pub(super) name: String,
    pub(super) place: Place,
    /// Its name with those of the groups around it: `create.vm`.
    path: String,
    among: Among,
}

/// What a line stands in, as far as it decides who sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Among {
    Lines,
    Race,
    Match,
}

impl Among {
    /// Returns that of the lines in a line.
    fn of(line: &Line) -> Self {
        match line.body {
            Body::Race(_) => Self::Race,
            Body::Match { .. } => Self::Match,
            _ => Self::Lines,
        }
    }
}

/// Collects these lines, and those below them.
pub(super) fn collect(
    lines: &[Line],
    (group, among): (usize, Among),
    place: &mut Place,
    above: &str,
    known: &mut Vec<Known>,
) {
    for (index, line) in lines.iter().enumerate() {
        place.push(match among {
            Among::Lines => (group, index),
            Among::Race | Among::Match => (index, index),
        });
        let name = line.name.to_string();
        let path = match above {
            "" => name.clone(),
            above => format!("{above}.{name}"),
        };
        for (group, lines) in line.groups().into_iter().enumerate() {
            collect(lines, (group, Among::of(line)), place, &path, known);
        }
        // The name of the line is that of its function: an expression may mean the function.
        let function = match &line.body {
            Body::Step(call) | Body::Flow(call) => call.path.is_ident(&name),
            _ => false,
        };
        if !function {
            known.push(Known {
                name,
                place: place.clone(),
                path,
                among,
            });
        }
        place.pop();
    }
}

/// Returns how many levels two places have in common.
pub(super) fn shared(one: &[(usize, usize)], other: &[(usize, usize)]) -> usize {
    one.iter()
        .zip(other)
        .take_while(|(one, other)| one == other)
        .count()
}

/// Returns the message about the use of a name at a place where it is not visible.
pub(super) fn explain(known: &Known, place: &[(usize, usize)]) -> String {
    let Known {
        name,
        place: theirs,
        path,
        among,
    } = known;
    let common = shared(theirs, place);
    if common == theirs.len() {
        return format!("`{name}` has no value here: this is part of the line `{name}` itself");
    }
    let there = theirs[common];
    match place.get(common) {
        Some(_) if *among == Among::Race && common + 1 == theirs.len() => format!(
            "`{name}` is a line of the same `race`: all begin at once, and only one of them has a value"
        ),
        Some(_) if *among == Among::Match && common + 1 == theirs.len() => {
            format!("`{name}` is another arm of the same `match`: only one of them runs")
        }
        Some(here) if here.0 != there.0 => {
            format!("`{name}` is a step of the other branch: only one of the two runs")
        }
        Some(here) if there.1 > here.1 => format!(
            "`{name}` is a later step: move this line below it, or that line above this one"
        ),
        _ if *among != Among::Lines => {
            let (what, chosen, of) = match among {
                Among::Match => ("an arm", "taken", "match"),
                _ => ("a line", "done first", "race"),
            };
            let value = path.rsplit_once('.').map_or("", |(value, _)| value);
            format!(
                "`{name}` is {what} of a `{of}`: whether it was {chosen}, the value of the {of} tells, \
                 the enum `{value}`"
            )
        }
        _ => format!(
            "`{name}` is a step inside of a group: after the group, it is part of the group's value, \
             `{path}`"
        ),
    }
}
