//! Who may come in: a request is admitted, or answered here.
//!
//! | file | job |
//! |---|---|
//! | `gate` | whom to ask: tokens, the service's own function, or whether the request is from this machine |
//! | `token` | tokens, and the cookies that stand for them |
//! | `loopback` | whether a request is from this machine |
//! | `origin` | whether a request that changes something is from one of the page's own forms |

pub(crate) mod gate;
pub(crate) mod loopback;
pub(crate) mod origin;
pub(crate) mod token;

use std::fmt;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::visit::Role;

/// What somebody may do: the answer of an [`auth`](crate::Web::auth) function.
#[must_use]
pub struct Access(pub(crate) Inner);

pub(crate) enum Inner {
    Granted { name: String, role: Role },
    Answered(Box<Response>),
}

impl Access {
    /// They may look at everything, and do what an operator does. It is recorded under this name.
    pub fn operator(name: impl Into<String>) -> Self {
        let name = name.into();
        let role = Role::Operator;
        Self(Inner::Granted { name, role })
    }

    /// They may look at everything, and change nothing.
    pub fn reader(name: impl Into<String>) -> Self {
        let name = name.into();
        let role = Role::Reader;
        Self(Inner::Granted { name, role })
    }

    /// They may report on external tasks, whose ids they know, and do nothing else: for who runs the tasks.
    pub fn reporter(name: impl Into<String>) -> Self {
        let name = name.into();
        let role = Role::Reporter;
        Self(Inner::Granted { name, role })
    }

    /// They may not come in, and are told so, by a status 403.
    pub fn denied() -> Self {
        Self::answer((StatusCode::FORBIDDEN, "you may not see this page"))
    }

    /// They are answered this, such as a redirect to the service's login.
    pub fn answer(response: impl IntoResponse) -> Self {
        Self(Inner::Answered(Box::new(response.into_response())))
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Granted { name, role } => write!(f, "Access::{role:?}({name:?})"),
            Inner::Answered(response) => write!(f, "Access::Answered({})", response.status()),
        }
    }
}
