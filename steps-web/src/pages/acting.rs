//! The forms for what an operator may do with an execution, and doing it.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{extract::PageForm, layout::refusal};
use crate::{
    acts::{Act, Kind},
    app::App,
    error::Refused,
    look::Look,
    visit::Visit,
};

/// How many steps can be chosen from.
const CHOICE: usize = 500;

/// A form that was sent.
#[derive(Debug, Deserialize)]
pub(crate) struct Sent {
    id: String,
    act: Kind,
    step: Option<String>,
    value: Option<String>,
    reason: Option<String>,
}

/// Does what a form says.
pub(crate) async fn act(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    PageForm(sent): PageForm<Sent>,
) -> Response {
    match done(&app, &visit, &sent).await {
        Ok(()) => {
            let is_gone = matches!(sent.act, Kind::Delete | Kind::ForceDelete);
            let to = if is_gone {
                visit.path("/executions")
            } else {
                visit.to("/execution", &[("id", &sent.id), ("done", sent.act.name())])
            };
            Redirect::to(&to).into_response()
        }
        Err(why) => refusal(&app, &visit, &why),
    }
}

async fn done(app: &App, visit: &Visit, sent: &Sent) -> Result<(), Refused> {
    let reason = sent.reason.as_deref().unwrap_or_default();
    if reason.trim().is_empty() {
        return Err(Refused::wrong(
            "say why: it is recorded, for whoever asks later",
        ));
    }
    let act = Act::new(
        sent.act,
        sent.step.clone(),
        sent.value.as_deref(),
        Some(reason),
    )?;
    act.make(app, visit, &sent.id).await.map(drop)
}

/// The act of this name, if it leaves something to be told on the execution's page.
pub(crate) fn of_name(name: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.name() == name)
}

/// What is told after it was done.
pub(crate) fn said(kind: Kind) -> &'static str {
    match kind {
        Kind::Recover | Kind::TryNow | Kind::RetryFrom => {
            "It is due: a program that serves the flow goes on with it."
        }
        Kind::RetryUndo | Kind::SkipUndo | Kind::MarkUndone => "The rollback goes on.",
        Kind::Signal | Kind::ReplaceSignal => "The signal is sent.",
        Kind::Stop => {
            "It is asked to stop: it does when its step ends, or when a program takes it up."
        }
        Kind::Undo => "It is asked to be undone, by a program that serves its flow.",
        Kind::ForceStop => "It is stopped.",
        Kind::Delete | Kind::ForceDelete => "It is deleted.",
    }
}

/// The forms for what may be done now.
pub(crate) fn forms(visit: &Visit, look: &Look) -> Markup {
    let fitting = Kind::ALL
        .into_iter()
        .filter(|kind| kind.fits(&look.info, &look.tree));
    let fitting: Vec<Kind> = fitting.collect();
    html! {
        section {
            h2 #acts { "What you can do" }
            div #acting data-part="" {
                @if !visit.may_act() {
                    p { "You may look, and change nothing." }
                } @else {
                    div .acting {
                        @for kind in fitting { (form(visit, look, kind)) }
                    }
                }
            }
        }
    }
}

fn form(visit: &Visit, look: &Look, kind: Kind) -> Markup {
    let id = |part: &str| format!("{part}-{}", kind.name());
    html! {
        details .act .danger[kind.is_dangerous()] id=(id("act")) {
            summary { (kind.title()) }
            form method="post" action=(visit.path("/execution/act")) {
                p { (kind.consequence()) }
                input type="hidden" name="id" value=(look.info.id);
                @if kind != Kind::Signal { input type="hidden" name="act" value=(kind.name()); }
                @if kind.needs_step() {
                    label for=(id("step")) { "Step" }
                    select id=(id("step")) name="step" required {
                        @for path in steps_of(look, kind) { option value=(path) { (path) } }
                    }
                }
                @if kind.needs_value() {
                    label for=(id("value")) { "Value, as JSON" }
                    textarea id=(id("value")) name="value" rows="3" required spellcheck="false"
                        placeholder="true, 5, \"a text\", {\"by\":\"ann\"}" {}
                }
                label for=(id("reason")) { "Why? It is recorded with your name." }
                input id=(id("reason")) type="text" name="reason" required maxlength="2000" autocomplete="off";
                @if kind == Kind::Signal {
                    div .line {
                        button type="submit" name="act" value="signal" { "Send" }
                        button .quiet type="submit" name="act" value="replace-signal"
                            title=(Kind::ReplaceSignal.consequence()) { "Send in place of those not yet taken" }
                    }
                } @else {
                    button type="submit" { (kind.title()) }
                }
            }
        }
    }
}

/// The steps that an act can concern, by their paths.
fn steps_of(look: &Look, kind: Kind) -> Vec<String> {
    let all = look.tree.walk();
    let fitting = all.filter(|(path, node)| !path.is_empty() && kind.takes(node));
    fitting.map(|(path, _)| path).take(CHOICE).collect()
}
