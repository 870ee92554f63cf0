#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod access;
mod acts;
mod api;
mod app;
mod assets;
mod bulk;
pub mod encoded;
mod error;
mod flows;
pub mod form;
mod guard;
mod headers;
mod log;
mod look;
mod pages;
mod payload;
mod secrets;
mod text;
mod visit;
mod web;
#[cfg(feature = "webhook")]
mod webhook;

pub use access::Access;
pub use error::WebError;
pub use web::{Web, router};
#[cfg(feature = "webhook")]
#[cfg_attr(docsrs, doc(cfg(feature = "webhook")))]
pub use webhook::{NewWebhook, Webhook, WebhookError};
