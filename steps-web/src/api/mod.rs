//! The JSON API, below `/api`. The document `openapi.json` tells what there is, and `tests` holds it true.
//!
//! | file | job |
//! |---|---|
//! | `executions` | lists, counts, one execution, what is done with one or many, its log, its report |
//! | `flows` | statistics of a flow, pausing and limiting flows, schedules |
//! | `tasks` | reports on external tasks |
//! | `openapi` | the document |
//! | `answer` | what a request has, and what is answered |

mod answer;
mod executions;
mod flows;
mod openapi;
mod tasks;

use std::sync::Arc;

use axum::{
    Router,
    http::StatusCode,
    routing::{MethodRouter, get, post},
};

pub(crate) use tasks::is_report;

use crate::{app::App, error::Refused};

/// The paths, each with what its methods do. The test compares them with the document.
fn endpoints() -> [(
    &'static str,
    &'static [&'static str],
    MethodRouter<Arc<App>>,
); 17] {
    const GET: &[&str] = &["get"];
    const POST: &[&str] = &["post"];
    [
        ("/openapi.json", GET, get(openapi::document)),
        ("/executions", GET, get(executions::list)),
        ("/count", GET, get(executions::count)),
        ("/acts", POST, post(executions::act_on_all)),
        ("/executions/{id}", GET, get(executions::one)),
        ("/executions/{id}/acts", POST, post(executions::act)),
        ("/executions/{id}/log", GET, get(executions::log)),
        ("/executions/{id}/report", GET, get(executions::report)),
        ("/tasks/{task}/report", POST, post(tasks::report)),
        ("/statistics", GET, get(flows::statistics)),
        ("/flows", GET, get(flows::flows)),
        ("/flows/{name}", GET, get(flows::flow)),
        ("/flows/{name}/acts", POST, post(flows::act_on_flow)),
        ("/schedules", GET, get(flows::schedules)),
        ("/schedules/{name}", GET, get(flows::schedule)),
        ("/schedules/{name}/next", GET, get(flows::next)),
        ("/schedules/{name}/acts", POST, post(flows::act)),
    ]
}

pub(crate) fn routes() -> Router<Arc<App>> {
    let mut router = Router::new();
    for (path, _, does) in endpoints() {
        router = router.route(path, does);
    }
    router
        .fallback(async || Refused::new(StatusCode::NOT_FOUND, "there is no such path").as_json())
        .method_not_allowed_fallback(async || {
            let why = "this path takes another method";
            Refused::new(StatusCode::METHOD_NOT_ALLOWED, why).as_json()
        })
}

#[cfg(test)]
mod tests;
