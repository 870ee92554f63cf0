//! The trace context of whoever starts an execution.

use super::prelude::*;
use crate::{store::Child, telemetry::TraceContext};

const SPAN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const OTHER: &str = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-00";

fn traced(id: &str, trace: Option<&TraceContext>) -> Creation {
    let mut creation = Creation::new(id);
    creation.new.trace = trace.cloned();
    creation
}

pub(in super::super) async fn a_trace_comes_back(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let span = TraceContext::new(SPAN).ok();
    let full = span.clone().map(|span| span.with_tracestate("a=1,b=x y"));
    let full = full.and_then(Result::ok);
    for (id, trace) in [("a", &span), ("b", &full), ("c", &None)] {
        fixture.create(traced(id, trace.as_ref())).await?;
        same("by load", &rival.load(id).await?.info.trace, trace)?;
        let found = query(|it| it.id = Some(id.to_owned()));
        let found = fixture.store.list(found).await?;
        let found = found.first().map(|info| info.trace.clone());
        same("by a list", &found, &Some(trace.clone()))?;
        let other = TraceContext::new(OTHER).ok();
        match fixture
            .store
            .write(traced(id, other.as_ref()).write())
            .await?
        {
            Written::Exists(existing) => {
                same("of the existing one", &existing.info.trace, trace)?;
            }
            told => return Err(Fault::new("one of an id that is there", "Exists", told)),
        }
        let taken = fixture.claimed(claim("worker")).await?.taken;
        let taken: Vec<_> = taken.iter().map(|taken| taken.info.trace.clone()).collect();
        same("by a claim", &taken, &vec![trace.clone()])?;
    }
    let held = fixture.held("parent").await?;
    let mut child = write(held, Vec::new(), LeaseAfter::Keep);
    child.children.push(Child {
        new: traced("child", full.as_ref()).new,
        nodes: Vec::new(),
        due: Due::Never,
    });
    fixture.write(child).await?;
    let held = rival.take("child", "worker", HOUR).await?;
    same("of a child, by a hold", &held.info.trace, &full)
}
