//! The cloud that instances are moved in, played by the command line: which work fails, and which
//! addresses don't answer yet.

use std::{net::IpAddr, time::Duration};

use clap::ValueEnum;

/// How long each piece of work takes.
const WORK: Duration = Duration::from_millis(5);

/// What there is to do, by the name of the step that does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    #[value(name = "initialize CVM")]
    InitializeCvm,
    #[value(name = "initialize ENIs")]
    InitializeEnis,
    #[value(name = "chkAccount")]
    CheckAccount,
    #[value(name = "chkNetwork")]
    CheckNetwork,
    #[value(name = "migrateInstances")]
    MigrateInstances,
    #[value(name = "cloneENIs")]
    CloneEnis,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MoveError {
    /// `--fail`
    #[error("Can't {}", .0.describe())]
    Work(Work),
    /// What the step keeps for its next pass is no JSON.
    #[error("can't keep what was found: {0}")]
    Keep(#[from] serde_json::Error),
}

/// The cloud.
pub(crate) struct Env {
    fails: Option<Work>,
    dead: Vec<IpAddr>,
}

impl Env {
    pub(crate) fn new(fails: Option<Work>, dead: Vec<IpAddr>) -> Self {
        Self { fails, dead }
    }

    /// Does the work for an account.
    pub(crate) async fn perform(&self, work: Work, _account: &str) -> Result<(), MoveError> {
        tokio::time::sleep(WORK).await;
        if self.fails == Some(work) {
            Err(MoveError::Work(work))
        } else {
            Ok(())
        }
    }

    /// The account's addresses that don't answer yet.
    pub(crate) async fn dead_addresses(&self, account: &str) -> Result<&[IpAddr], MoveError> {
        self.perform(Work::CheckNetwork, account).await?;
        Ok(&self.dead)
    }
}

impl Work {
    fn describe(self) -> &'static str {
        match self {
            Self::InitializeCvm => "initialize CVM",
            Self::InitializeEnis => "initialize ENIs",
            Self::CheckAccount => "check account",
            Self::CheckNetwork => "check network",
            Self::MigrateInstances => "migrate instances",
            Self::CloneEnis => "clone ENIs",
        }
    }
}
