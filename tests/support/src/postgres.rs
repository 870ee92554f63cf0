//! A `PostgreSQL` server of a test program's own, which is installed where it is missing and can be.

mod programs;
mod server;
mod small_disk;

pub use server::{Server, Sync, schema};
pub use small_disk::SmallDisk;
