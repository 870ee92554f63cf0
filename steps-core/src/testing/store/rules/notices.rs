//! What a store tells of what others leave in it.

use std::pin::pin;

use futures_util::{
    StreamExt,
    future::{Either, select},
};

use super::prelude::*;
use crate::store::{Notice, Notices};

/// How long a notice may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits for a notice. Returns those that came if it did not.
async fn came(notices: &mut Notices, expected: &Notice) -> Result<(), Vec<Notice>> {
    let mut others = Vec::new();
    let mut patience = pin!(tokio::time::sleep(PATIENCE));
    loop {
        match select(notices.next(), &mut patience).await {
            Either::Left((Some(notice), _)) if notice == *expected => return Ok(()),
            Either::Left((Some(other), _)) => others.push(other),
            Either::Left((None, _)) | Either::Right(_) => return Err(others),
        }
    }
}

async fn tells(what: &str, notices: &mut Notices, expected: Notice) -> Outcome {
    let others = came(notices, &expected).await;
    others.map_err(|others| Fault::new(what, format!("{expected:?}"), others))
}

pub(in super::super) async fn notices_tell_what_others_leave(fixture: Fixture) -> Outcome {
    let mut notices = fixture.store.notices();
    if came(&mut notices, &Notice::Listening).await.is_err() {
        // It tells nothing, and says so.
        return Ok(());
    }
    let rival = fixture.rival().await;
    let due = |flow: &str| Notice::Due {
        flow: flow.to_owned(),
    };
    rival.create(Creation::new("due").flow("one")).await?;
    let what = "the notices after an execution was made that is due";
    tells(what, &mut notices, due("one")).await?;

    let held = Creation::new("id").flow("two").held("maker", HOUR);
    let lease = rival.create(held).await?;
    rival.send("id", Message::Stop).await?;
    let message = Notice::Message {
        id: "id".to_owned(),
    };
    let what = "the notices after a message to an execution that is held";
    tells(what, &mut notices, message).await?;

    rival.rest(lease, Due::Never).await?;
    rival.send("id", Message::Undo).await?;
    let what = "the notices after a message to an execution that nobody holds";
    tells(what, &mut notices, due("two")).await
}
