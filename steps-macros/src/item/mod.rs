//! The user's function, which every macro reads and emits again: its parameters (`function`), its
//! return type (`return_type`), how generated code calls it (`call`), types as strings
//! (`type_text`), its attributes about lints (`lints`), and what is compiled under a condition only
//! (`conditions`).

pub(crate) mod call;
pub(crate) mod conditions;
pub(crate) mod function;
pub(crate) mod lints;
pub(crate) mod return_type;
pub(crate) mod type_text;
