//! What a request for a page has: its query, or the form that was sent. What is wrong with it is told on a page.

use std::sync::Arc;

use axum::{
    Form,
    extract::{FromRequest, FromRequestParts, Query, Request},
    http::{Extensions, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;

use super::layout::refusal;
use crate::{app::App, error::Refused, visit::Visit};

/// The query of a request.
pub(crate) struct PageQuery<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<App>> for PageQuery<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        match Query::from_request_parts(parts, app).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(error) => {
                let why = Refused::wrong(error.body_text());
                Err(refused(app, visit(&parts.extensions).as_ref(), &why))
            }
        }
    }
}

/// The form that a request has sent.
pub(crate) struct PageForm<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for PageForm<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let visit = visit(request.extensions());
        match Form::from_request(request, app).await {
            Ok(Form(form)) => Ok(Self(form)),
            Err(error) => {
                let why = Refused::new(error.status(), error.body_text());
                Err(refused(app, visit.as_ref(), &why))
            }
        }
    }
}

/// Who asks: the guard in front of all pages has said so.
fn visit(extensions: &Extensions) -> Option<Visit> {
    extensions.get::<Visit>().cloned()
}

fn refused(app: &App, visit: Option<&Visit>, why: &Refused) -> Response {
    match visit {
        Some(visit) => refusal(app, visit, why),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
