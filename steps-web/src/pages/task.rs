//! The external task of a step: its id, and what was reported on it.

use maud::{Markup, html};
use steps::{State, Task};

use super::facts::value;
use crate::visit::Visit;

/// What a step waits for, in its line.
pub(super) fn note(task: Option<&Task>) -> String {
    match task.filter(|task| task.revision > 0) {
        Some(task) => format!("for a report, its task is {}", task.status),
        None => "for a report on its task".to_owned(),
    }
}

pub(super) fn show(visit: &Visit, node: &State, task: &Task) -> Markup {
    html! {
        h4 { "External task" }
        dl .facts {
            dt { "Id" } dd { code { (task.id) } }
            dt { "Status" }
            dd {
                (task.status)
                @if task.revision == 0 { ": nothing was reported yet" }
            }
            @if task.revision > 0 { dt { "Revision" } dd { (task.revision) } }
            @if !node.status.is_final() && !task.status.is_final() {
                dt { "Reports" }
                dd { code { "POST " (visit.path(&format!("/api/tasks/{}/report", task.id))) } }
            }
            @if task.stop_asked { dt { "Stop" } dd { "it was asked to stop" } }
        }
        @if let Some(json) = &task.check_in { h4 { "Last check-in" } (value(json.get())) }
        @if let Some(json) = &task.output { h4 { "Reported output" } (value(json.get())) }
        @if let Some(error) = &task.error { h4 { "Reported error" } pre .error { (error) } }
        @if let Some(error) = &task.stop_err { h4 { "Asking it to stop failed" } pre .error { (error) } }
    }
}
