//! The list of steps in the documentation of a flow's function.

use quote::quote;

use crate::{
    flow::model::{Body, Flow, Line},
    item::type_text,
};

/// Returns the list of steps in Markdown.
pub(super) fn tree(flow: &Flow) -> String {
    fn write(lines: &[Line], depth: usize, text: &mut String) {
        use std::fmt::Write as _;
        for line in lines.iter().filter(|line| !line.is_lost()) {
            let name = &line.name;
            let what = match &line.body {
                Body::Step(call) | Body::Flow(call) => {
                    let path = &call.path;
                    let path = quote!(#path).to_string().replace(' ', "");
                    if line.unnamed {
                        String::new()
                    } else {
                        format!(": `{path}`")
                    }
                }
                Body::Let { ty, .. } => format!(": a `{}`, evaluated once", type_text::of(ty)),
                Body::Group(_) | Body::Broken(_) => String::new(),
                Body::Parallel(_) => ", in parallel".to_owned(),
                Body::If { .. } => ", if a condition holds".to_owned(),
                Body::For { .. } => ", for each item".to_owned(),
                Body::Loop { .. } => ", in a loop".to_owned(),
            };
            let mut marks = String::new();
            for (mark, set) in [
                ("optional", line.optional),
                ("pivot", line.pivot),
                ("atomic", line.atomic),
            ] {
                if set {
                    let _ = write!(marks, " ({mark})");
                }
            }
            let _ = writeln!(text, "{}* `{name}`{what}{marks}", "  ".repeat(depth));
            let groups = line.groups();
            for (index, group) in groups.iter().enumerate() {
                if groups.len() > 1 {
                    let word = if index == 0 { "then" } else { "else" };
                    let _ = writeln!(text, "{}* {word}", "  ".repeat(depth + 1));
                    write(group, depth + 2, text);
                } else {
                    write(group, depth + 1, text);
                }
            }
        }
    }
    let mut text = "# Steps\n\n".to_owned();
    write(&flow.lines, 0, &mut text);
    text
}
