//! What steps tell `tracing`, kept in their logs; and what is left of a log after `kill -9`. A program of its
//! own, as a process has one subscriber.

#[cfg(unix)]
mod killed;
mod layer;
