//! The list of steps in the documentation of a flow's function.

use quote::quote;

use super::uses;
use crate::{
    flow::model::{Body, ChildCall, Flow, Line},
    item::type_text,
};

/// Returns the list of steps in Markdown.
pub(super) fn tree(flow: &Flow) -> String {
    fn write(lines: &[Line], parallel: bool, depth: usize, text: &mut String) {
        use std::fmt::Write as _;
        for (index, line) in lines.iter().enumerate() {
            if line.is_lost() {
                continue;
            }
            let name = &line.name;
            let what = match &line.body {
                Body::Step(call) | Body::Flow(call) => {
                    let path = &call.path;
                    let path = quote!(#path).to_string().replace(' ', "");
                    let path = match call.child {
                        Some(ChildCall::Start { .. }) => format!("start {path}"),
                        Some(ChildCall::Join { .. }) => {
                            format!("join {}", call.args.to_string().replace(' ', ""))
                        }
                        None => path,
                    };
                    if line.unnamed {
                        String::new()
                    } else {
                        format!(": `{path}`")
                    }
                }
                Body::Let { ty, .. } => format!(": a `{}`, evaluated once", type_text::of(ty)),
                Body::Group(_) | Body::Broken(_) => String::new(),
                Body::Parallel(_) => ", in parallel".to_owned(),
                Body::Race(_) => ", until one is done".to_owned(),
                Body::Match { .. } => ", one of them".to_owned(),
                Body::If { .. } => ", if a condition holds".to_owned(),
                Body::For { .. } => ", for each item".to_owned(),
                Body::Loop { .. } => ", in a loop".to_owned(),
            };
            let mut marks = String::new();
            for (mark, set) in [
                ("optional", line.optional),
                ("caught", line.caught),
                ("pivot", line.pivot),
                ("atomic", line.atomic),
                ("deadline", line.deadline.is_some()),
            ] {
                if set {
                    let _ = write!(marks, " ({mark})");
                }
            }
            if parallel {
                for (at, used) in uses::earlier(lines, index).into_iter().enumerate() {
                    let word = if at == 0 { ", after" } else { "," };
                    let _ = write!(marks, "{word} `{}`", lines[used].name);
                }
            }
            let _ = writeln!(text, "{}* `{name}`{what}{marks}", "  ".repeat(depth));
            let parallel = matches!(line.body, Body::Parallel(_));
            let groups = line.groups();
            for (index, group) in groups.iter().enumerate() {
                if groups.len() > 1 {
                    let word = if index == 0 { "then" } else { "else" };
                    let _ = writeln!(text, "{}* {word}", "  ".repeat(depth + 1));
                    write(group, parallel, depth + 2, text);
                } else {
                    write(group, parallel, depth + 1, text);
                }
            }
        }
    }
    let mut text = "# Steps\n\n".to_owned();
    write(&flow.lines, false, 0, &mut text);
    text
}
