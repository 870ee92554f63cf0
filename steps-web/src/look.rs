//! An execution as it is found at one moment, without what is hidden.

use jiff::Timestamp;
use steps::{State, engine::Handle, report::Report, store::ExecutionInfo};

use crate::{app::App, encoded, error::Refused};

pub(crate) struct Look {
    pub(crate) handle: Handle,
    pub(crate) info: ExecutionInfo,
    pub(crate) tree: State,
    pub(crate) at: Timestamp,
}

impl Look {
    pub(crate) async fn at(app: &App, id: &str) -> Result<Self, Refused> {
        let handle = app.engine.get(id).await?;
        let (mut info, mut tree) = both(&handle).await?;
        encoded::of_info(&mut info);
        encoded::of_tree(&mut tree);
        app.secrets.of_info(&mut info);
        app.secrets.of_tree(&info.flow, &mut tree);
        let at = Timestamp::now();
        Ok(Self {
            handle,
            info,
            tree,
            at,
        })
    }

    pub(crate) fn report(&self) -> Report {
        let report = self.tree.report_at(self.at);
        report.created(self.info.created_at)
    }
}

async fn both(handle: &Handle) -> Result<(ExecutionInfo, State), Refused> {
    let mut tries = 0..5;
    loop {
        let tree = handle.tree().await?;
        let info = handle.info().await?;
        // Read after the tree: if it went on in between, both are read again.
        if info.status == tree.status || tries.next().is_none() {
            return Ok((info, tree));
        }
    }
}
