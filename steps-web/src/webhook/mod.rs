//! Outgoing webhooks: a function that is told of changes, and posts each to a URL.
//!
//! | file | job |
//! |---|---|
//! | `build` | what a webhook needs, and what can't be |
//! | `sign` | secrets and signatures |
//! | `body` | a change as JSON |
//! | `send` | the request, and what its answer means |

mod body;
mod build;
mod send;
mod sign;

pub use build::{NewWebhook, Webhook, WebhookError};
