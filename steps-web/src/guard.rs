//! In front of all pages: a request is admitted, or answered here.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};

use crate::{
    access::{gate::Admitted, origin},
    api::is_report,
    app::App,
    error::Refused,
    pages::refusal,
    visit::{Login, Role, Visit, base_of},
};

/// Admits a request, or answers it.
pub(crate) async fn guard(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let base = base_of(&request, &app.prefix);
    let is_api = request.uri().path().starts_with("/api/") || request.uri().path() == "/api";
    let mut visit = Visit {
        base,
        name: String::new(),
        role: Role::Reader,
        login: Login::Elsewhere,
    };
    let refuse = |visit: &Visit, why: &Refused| {
        if is_api {
            why.as_json()
        } else {
            refusal(&app, visit, why)
        }
    };
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && let Err(why) = origin::check(request.headers(), request.uri(), is_api) {
        return refuse(&visit, &why);
    }
    let reports = is_report(request.method(), request.uri().path());
    let reporter = reports.then(|| app.reporters.by_bearer(request.headers()));
    let admitted = match reporter.flatten() {
        Some((name, role)) => Admitted::Granted {
            name,
            role,
            login: Login::Elsewhere,
        },
        None => app.gate.admit(&mut request, &visit.base, is_api).await,
    };
    match admitted {
        Admitted::Granted { name, role, login } => {
            visit = Visit {
                name,
                role,
                login,
                ..visit
            };
        }
        Admitted::Public => {}
        Admitted::Refused(why) => return refuse(&visit, &why),
        Admitted::Answered(response) => return *response,
    }
    let is_session = matches!(request.uri().path(), "/login" | "/logout");
    if visit.role == Role::Reporter && !reports {
        let name = &visit.name;
        let why = format!("`{name}` may report on external tasks, and do nothing else");
        return refuse(&visit, &Refused::forbidden(why));
    }
    let is_reporter = visit.role == Role::Reporter;
    if changes && !is_session && !is_reporter && !visit.may_act() {
        let why = Refused::forbidden(format!("`{}` may look, and change nothing", visit.name));
        return refuse(&visit, &why);
    }
    request.extensions_mut().insert(visit);
    next.run(request).await
}
