//! The type of futures that cross the boundary between generic code and code that is not generic.

use std::{future::Future, pin::Pin};

/// A boxed future that is `Send`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
