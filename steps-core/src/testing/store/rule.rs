//! One rule of a store, and the error for a store that breaks it.

use std::{fmt, sync::Arc};

use super::{check::Outcome, fixture::Fixture, subject::Subject};
use crate::base::future::BoxFuture;

/// One rule of a store, with its test.
#[derive(Clone, Copy)]
pub struct Rule {
    pub(super) name: &'static str,
    pub(super) says: &'static str,
    pub(super) test: fn(Fixture) -> BoxFuture<'static, Outcome>,
}

impl Rule {
    /// Returns its name, which is also that of its test.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns what a store has to do.
    pub fn says(&self) -> &'static str {
        self.says
    }

    /// Tries it on a fresh database, on a tokio runtime.
    ///
    /// # Errors
    ///
    /// If the store breaks it.
    pub async fn check<S: Subject>(&self) -> Result<(), Broken> {
        let subject = Arc::new(S::fresh().await);
        let fixture = Fixture::new(subject).await;
        let outcome = (self.test)(fixture).await;
        outcome.map_err(|fault| Broken {
            rule: *self,
            what: fault.0,
        })
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The error for a store that breaks a rule.
#[derive(Clone)]
pub struct Broken {
    pub(super) rule: Rule,
    pub(super) what: String,
}

impl Broken {
    /// Returns the rule.
    pub fn rule(&self) -> Rule {
        self.rule
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rule { name, says, .. } = self.rule;
        let what = &self.what;
        write!(f, "the store breaks the rule `{name}`: {says}\n{what}")
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Broken {}
