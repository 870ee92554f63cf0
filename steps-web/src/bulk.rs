//! What an operator does with all executions that a filter finds.

use axum::http::StatusCode;

use crate::{
    acts::{Act, Kind},
    app::App,
    error::Refused,
    visit::Visit,
};

/// With how many something is done at once, at most.
pub(crate) const MOST: u64 = 500;

/// What can be done with many: no act that concerns one step, and nothing by force.
pub(crate) const KINDS: [Kind; 6] = [
    Kind::Recover,
    Kind::RetryUndo,
    Kind::TryNow,
    Kind::Stop,
    Kind::Undo,
    Kind::Delete,
];

/// With how many it was done.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) count: u64,
    /// With which it was not possible, and why.
    pub(crate) passed: Vec<(String, String)>,
    /// Why it came to no end.
    pub(crate) ended: Option<String>,
}

/// Returns how many a filter finds.
pub(crate) async fn count(app: &App, q: &str, act: Kind) -> Result<u64, Refused> {
    if !KINDS.contains(&act) {
        let why = format!("`{}` is not done with many at once", act.name());
        return Err(Refused::wrong(why));
    }
    let filter = app.filter(q)?;
    let most = filter.most().map_or(u64::MAX, |most| most as u64);
    Ok(app.engine.count(filter).await?.min(most))
}

/// Does it with each of those that a filter finds, unless they are more than were `counted` when it was
/// decided.
pub(crate) async fn act(
    app: &App,
    visit: &Visit,
    q: &str,
    kind: Kind,
    counted: u64,
    reason: &str,
) -> Result<Done, Refused> {
    if reason.trim().is_empty() {
        return Err(Refused::wrong(
            "say why: it is recorded, for whoever asks later",
        ));
    }
    let count = count(app, q, kind).await?;
    if count > MOST {
        let why = format!("it is done with {MOST} at once at most, and there are {count}");
        return Err(Refused::wrong(why));
    }
    if count > counted {
        let why = format!(
            "there are {count} now, and {counted} when it was asked: nothing was done. Go back, and look again",
        );
        return Err(Refused::new(StatusCode::CONFLICT, why));
    }
    let act = Act::new(kind, None, None, Some(reason))?;
    let most = usize::try_from(count).unwrap_or_default();
    // All are found before anything is done, as what is done changes what is found.
    let all = app.engine.list(app.filter(q)?.limit(most.max(1))).await?;
    let mut done = Done::default();
    for info in all {
        match act.make(app, visit, &info.id).await {
            Ok(_) => done.count += 1,
            Err(why) if why.status.is_client_error() => done.passed.push((info.id, why.why)),
            Err(why) => {
                done.ended = Some(why.why);
                break;
            }
        }
    }
    Ok(done)
}
