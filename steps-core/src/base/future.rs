//! The future that crosses the boundary between code that knows a type and code that does not.

use std::{future::Future, pin::Pin};

/// A boxed future that may be sent.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
