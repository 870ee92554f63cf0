#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod client;
mod handler;
mod offers;
mod pieces;
mod service;
mod text;

pub use client::{Client, ClientError, Execution, Start};
pub use restate_sdk as sdk;
pub use service::{Service, serve};
