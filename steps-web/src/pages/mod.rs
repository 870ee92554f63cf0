//! The pages, each in a file. They are whole without a script; what the script adds is that they stay up to
//! date.
//!
//! | file | page |
//! |---|---|
//! | `layout` | what stands around each page; refusals |
//! | `home` | what needs somebody, the counts, the newest |
//! | `list` | executions that a filter finds |
//! | `execution`, `tree`, `task`, `timeline`, `log`, `facts` | one execution |
//! | `acting` | the forms for what an operator does, and doing it |
//! | `bulk` | the same with all that a filter finds |
//! | `statistics`, `charts` | statistics of a flow |
//! | `schedules` | schedules |
//! | `flows` | flows: pausing and limiting them |
//! | `report` | the report of an execution as a file |
//! | `live` | the streams that tell a page to look again |
//! | `login` | the login, where there are tokens |
//! | `parts` | what several pages have |

pub(crate) mod acting;
mod bulk;
mod charts;
mod execution;
mod extract;
mod facts;
mod flows;
mod home;
mod layout;
pub(crate) mod list;
mod live;
mod log;
mod login;
mod parts;
pub(crate) mod report;
pub(crate) mod schedules;
mod statistics;
mod task;
mod timeline;
mod tree;

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::State,
    http::StatusCode,
    response::Response,
    routing::{get, post},
};

pub(crate) use layout::refusal;

use crate::{app::App, assets, error::Refused, visit::Visit};

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(home::page))
        .route("/executions", get(list::page))
        .route("/executions/all", get(bulk::page).post(bulk::act))
        .route("/execution", get(execution::page))
        .route("/execution/act", post(acting::act))
        .route("/execution/report", get(report::report))
        .route("/live", get(live::live))
        .route("/statistics", get(statistics::page))
        .route("/flows", get(flows::page))
        .route("/flows/act", post(flows::act))
        .route("/schedules", get(schedules::page))
        .route("/schedules/act", post(schedules::act))
        .route("/login", get(login::page).post(login::login))
        .route("/logout", post(login::logout))
        .merge(assets::routes())
}

pub(crate) async fn not_found(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
) -> Response {
    let why = Refused::new(StatusCode::NOT_FOUND, "there is no such page");
    refusal(&app, &visit, &why)
}

pub(crate) async fn wrong_method(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
) -> Response {
    let why = Refused::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this address takes another method",
    );
    refusal(&app, &visit, &why)
}
