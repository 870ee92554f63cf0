//! What goes wrong: when the page is built, and when a request is answered.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use steps::engine::{EngineError, InvalidFilter};

use crate::form::Kind;

/// A page can't be built as it was said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebError {
    /// A token can be guessed, or is an empty setting.
    #[error(
        "the token of `{name}` has {bytes} bytes, and must have at least {least}: make one with \
         `openssl rand -hex 20`"
    )]
    ShortToken {
        /// Whose it is.
        name: String,
        /// How long it is.
        bytes: usize,
        /// How long it must be.
        least: usize,
    },
    /// Nobody would be recorded with what is done.
    #[error("a token needs the name of the one who has it")]
    NoName,
    /// Two people have the same token, so that nobody can tell who it was.
    #[error("`{one}` and `{other}` have the same token: give each one of their own")]
    SameToken {
        /// One of them.
        one: String,
        /// The other.
        other: String,
    },
    /// It is not clear whom to ask.
    #[error("there are tokens and an `auth` function: only one of them can say who may come in")]
    Both,
}

/// Why a request was not done. Nothing was changed, unless it says so.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) why: String,
}

impl Refused {
    pub(crate) fn new(status: StatusCode, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { status, why }
    }

    pub(crate) fn wrong(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, why)
    }

    pub(crate) fn forbidden(why: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, why)
    }

    /// Its name in the API: the same names as those of `steps --json`.
    pub(crate) fn kind(&self) -> &'static str {
        match self.status {
            StatusCode::BAD_REQUEST => "usage",
            StatusCode::NOT_FOUND => "not_found",
            StatusCode::CONFLICT => "refused",
            StatusCode::GONE => "gone",
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "forbidden",
            status if status.is_client_error() => "usage",
            _ => "failed",
        }
    }
}

impl Refused {
    /// The API's answer.
    pub(crate) fn as_json(&self) -> Response {
        let body = serde_json::json!({"error": self.why, "kind": self.kind()});
        (self.status, Json(body)).into_response()
    }
}

impl From<EngineError> for Refused {
    fn from(error: EngineError) -> Self {
        Self::new(status_of(&error), error.to_string())
    }
}

impl From<InvalidFilter> for Refused {
    fn from(error: InvalidFilter) -> Self {
        Self::wrong(format!("the filter: {error}"))
    }
}

fn status_of(error: &EngineError) -> StatusCode {
    match Kind::of(error) {
        Kind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        Kind::Usage => StatusCode::BAD_REQUEST,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Refused => StatusCode::CONFLICT,
    }
}
