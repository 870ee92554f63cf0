//! The user's function, which every macro reads and emits again: its parameters (`function`), its
//! return type (`return_type`), how generated code calls it (`call`), and types as strings
//! (`type_text`).

pub(crate) mod call;
pub(crate) mod function;
pub(crate) mod return_type;
pub(crate) mod type_text;
