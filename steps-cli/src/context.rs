//! What a command works with.

use steps::Engine;

use crate::{args::Global, error::Error, out::Out, store};

pub(crate) struct Context<'a> {
    pub(crate) engine: Engine,
    /// How the store is called in questions.
    pub(crate) store: &'a str,
    pub(crate) out: &'a Out,
}

impl<'a> Context<'a> {
    /// Opens the store that the command line names.
    pub(crate) async fn open(
        global: &'a Global,
        may_create: bool,
        out: &'a Out,
    ) -> Result<Self, Error> {
        Ok(Self {
            engine: store::open(global, may_create).await?,
            store: global.db.as_deref().unwrap_or_default(),
            out,
        })
    }
}
