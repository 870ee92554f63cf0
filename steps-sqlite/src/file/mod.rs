//! The file: how it is named, opened and watched, and the tables in it.
//!
//! `options` holds the settings and `url` reads them from text; `connect` opens a connection with
//! them; `schema` creates the tables or brings them up to date, and `tables`
//! tells which version they have; `identity` notices that the file
//! was deleted or replaced; `backup` copies it; `functions` has the one that statements call; `room` tells whether the log leaves room on the disk; `clock` is what the store compares times with. What the rows mean is
//! left to `row`, and what is done with them to `ops`.

pub(crate) mod backup;
pub(crate) mod clock;
pub(crate) mod connect;
pub(crate) mod functions;
pub(crate) mod identity;
pub(crate) mod options;
pub(crate) mod room;
pub(crate) mod schema;
pub(crate) mod tables;
mod url;
