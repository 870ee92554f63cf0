//! The log of an execution: its newest lines, of all steps or of one.

use maud::{Markup, html};
use steps::log::LogLine;

use super::parts::{execution, time};
use crate::{error::Refused, text::counted, visit::Visit};

/// The lines, or why there are none; `step` is the one that they are of, if it is one.
pub(super) fn show(
    visit: &Visit,
    id: &str,
    step: Option<&str>,
    lines: &Result<Vec<LogLine>, Refused>,
) -> Markup {
    let now = jiff::Timestamp::now();
    html! {
        @if let Some(step) = step {
            p { "Of " code { (step) } ": " a href={ (execution(visit, id)) "#log" } { "show all" } }
        }
        @match lines {
            Err(why) => p .error { (why.why) },
            Ok(lines) if lines.is_empty() => p .help { "Nothing is logged." },
            Ok(lines) => {
                p .help { "The newest " (counted(lines.len() as u64, "line", "lines")) ", the oldest of them first." }
                (table(visit, id, lines, now))
            },
        }
    }
}

fn table(visit: &Visit, id: &str, lines: &[LogLine], now: jiff::Timestamp) -> Markup {
    html! {
        div .wide {
            table .list {
                thead {
                    tr {
                        th scope="col" { "Time" }
                        th scope="col" { "Level" }
                        th scope="col" { "Step" }
                        th scope="col" { "Attempt" }
                        th scope="col" { "Text" }
                    }
                }
                tbody {
                    @for line in lines {
                        tr {
                            td { (time(Some(line.at), now)) }
                            td { (line.level) }
                            td {
                                @let of_step = visit.to("/execution", &[("id", id), ("step", &line.path)]);
                                a href={ (of_step) "#log" } { (line.path) }
                            }
                            td .num { (line.attempt) @if line.is_undo { " undo" } }
                            td { pre { (line.message) } }
                        }
                    }
                }
            }
        }
    }
}
