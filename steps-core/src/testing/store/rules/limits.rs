//! Flows that are paused or limited: what is kept of them, and what claims give.

use super::prelude::*;
use crate::store::{FlowLimited, FlowLimits, LimitFlow, LimitedFlow, NewLimits};

/// Pauses or limits the flow, whatever it was before. Returns the revision.
async fn set(fixture: &Fixture, flow: &str, is_paused: bool, limits: FlowLimits) -> Outcome<i64> {
    let value = json("{\"b\": 1}");
    let there = read(fixture, flow).await?;
    let limit = LimitFlow {
        flow: flow.to_owned(),
        revision: there.map(|there| there.revision),
        to: NewLimits {
            is_paused,
            limits,
            value,
        },
    };
    match fixture.store.limit_flow(limit).await? {
        FlowLimited::Set(revision) => Ok(revision),
        other @ FlowLimited::Changed(_) => {
            Err(Fault::new("limits that are set as they are", "Set", other))
        }
    }
}

async fn limit(fixture: &Fixture, limits: FlowLimits) -> Outcome {
    set(fixture, FLOW, false, limits).await.map(drop)
}

async fn read(fixture: &Fixture, flow: &str) -> Outcome<Option<LimitedFlow>> {
    let all = fixture.store.limited_flows().await?;
    Ok(all.into_iter().find(|it| it.flow == flow))
}

/// Claims, and expects these, in any order.
async fn claim_these(fixture: &Fixture, what: &str, expected: &[&str]) -> Outcome<Vec<Lease>> {
    let mut taken = fixture.claim("worker").await?;
    taken.sort_by(|a, b| a.info.id.cmp(&b.info.id));
    same(what, &ids(&taken), &expected.to_vec())?;
    Ok(taken.into_iter().map(|held| held.lease).collect())
}

/// Lets an execution begin, or end.
async fn put(fixture: &Fixture, lease: Lease, status: Status) -> Outcome {
    fixture.keep(lease, vec![root(status)]).await
}

async fn end(fixture: &Fixture, lease: Lease) -> Outcome {
    put(fixture, lease, Status::Done).await?;
    fixture.rest(lease, Due::Never).await
}

fn tenant(id: &str, tenant: &str) -> Creation {
    Creation::new(id).label("tenant", tenant)
}

pub(in super::super) async fn limits_come_back(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let minute = Duration::from_mins(1);
    let all = [
        ("a", true, FlowLimits::new()),
        ("b\n'ü\u{1f980}", false, FlowLimits::new().at_once(u32::MAX)),
        ("c", false, FlowLimits::new().per("l'ü", 3).at_once(9)),
        ("d", true, FlowLimits::new().rate_with_burst(7, minute, 3)),
        ("e", false, FlowLimits::new()),
    ];
    let mut kept = Vec::new();
    let mut last = i64::MIN;
    for (flow, is_paused, limits) in all {
        let revision = set(&fixture, flow, is_paused, limits.clone()).await?;
        holds("a revision", "a larger one", revision, revision > last)?;
        last = revision;
        kept.push(LimitedFlow {
            flow: flow.to_owned(),
            revision,
            is_paused,
            limits,
            value: json("{\"b\": 1}"),
        });
    }
    same("what is kept", &rival.store.limited_flows().await?, &kept)?;
    let first = kept[0].clone();
    for (flow, revision) in [
        ("a", None),
        ("a", Some(first.revision - 1)),
        ("x", Some(last)),
    ] {
        let to = NewLimits {
            is_paused: false,
            limits: FlowLimits::new().at_once(1),
            value: json("2"),
        };
        let flow = flow.to_owned();
        let there = read(&fixture, &flow).await?;
        let limit = LimitFlow { flow, revision, to };
        let told = rival.store.limit_flow(limit).await?;
        let changed = FlowLimited::Changed(there);
        same("a change from a revision that is not", &told, &changed)?;
    }
    let revision = set(&rival, "a", false, FlowLimits::new().at_once(2)).await?;
    holds(
        "the next revision",
        "a larger one",
        revision,
        revision > last,
    )?;
    let now = read(&fixture, "a").await?;
    let now = now.map(|it| (it.revision, it.is_paused, it.limits.at_once));
    same("after a change", &now, &Some((revision, false, Some(2))))
}

pub(in super::super) async fn nobody_is_given_what_is_paused(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    fixture.due("a").await?;
    fixture.held("begun").await?;
    let held = fixture.take("a", "worker", HOUR).await?;
    put(&fixture, held.lease, Status::Running).await?;
    set(&rival, FLOW, true, FlowLimits::new()).await?;
    put(&fixture, held.lease, Status::Waiting).await?;
    let soon = fixture.later(SHORT).await?;
    fixture.rest(held.lease, Due::At(soon)).await?;
    fixture.due("b").await?;
    fixture.create(Creation::new("other").flow("other")).await?;
    let key = held.lease.key;
    fixture.lapse(SHORT * 2).await?;
    for fixture in [&fixture, &rival] {
        let mut claim = claim("worker");
        claim.flows.push(flow_claim(&["other"], 1));
        claim.limit = 0;
        let asked = fixture.claimed(claim.clone()).await?;
        same("which are paused", &asked.limited, &vec![FLOW.to_owned()])?;
        claim.flows.truncate(1);
        claim.limit = 9;
        claim.waited = vec![Wait { key, until: soon }];
        let claimed = fixture.claimed(claim).await?;
        same("a claim of what is paused", &ids(&claimed.taken), &vec![])?;
        same("what is due next", &claimed.next_due, &None)?;
        same("what waits next", &claimed.next_wait, &None)?;
    }
    let new = Creation::new("c").held("worker", HOUR);
    match fixture.store.write(new.clone().write()).await? {
        Written::Limited(back) => same("what is given back", &back.id, &"c".to_owned())?,
        other => return Err(Fault::new("one held from the start", "Limited", other)),
    }
    let gone = fixture.store.load("c".to_owned()).await?;
    same("one that was not made", &gone.is_none(), &true)?;
    let mut others = claim("worker");
    others.flows = vec![flow_claim(&["other"], 1)];
    fixture.claim_one_with(others, "other").await?;
    fixture.take("b", "operator", SHORT).await?;
    fixture.lapse(SHORT).await?;
    set(&fixture, FLOW, false, FlowLimits::new()).await?;
    claim_these(&rival, "after the pause", &["a", "b"]).await?;
    rival.create(new).await.map(drop)
}

pub(in super::super) async fn no_more_begin_than_may_at_once(fixture: Fixture) -> Outcome {
    for id in ["a", "b"] {
        fixture.due(id).await?;
    }
    limit(&fixture, FlowLimits::new().at_once(2)).await?;
    let rival = fixture.rival().await;
    for id in ["c", "d", "e"] {
        rival.due(id).await?;
    }
    let held = claim_these(&fixture, "the first two", &["a", "b"]).await?;
    let [a, b] = held[..] else { return Ok(()) };
    claim_these(&rival, "while two are held", &[]).await?;
    put(&fixture, a, Status::Running).await?;
    put(&fixture, a, Status::Waiting).await?;
    // Longer than a slow store takes for the calls until then.
    let wait = Duration::from_millis(500);
    let later = fixture.later(wait).await?;
    fixture.rest(a, Due::At(later)).await?;
    claim_these(&rival, "while one waits", &[]).await?;
    end(&fixture, b).await?;
    let [c] = claim_these(&rival, "after one has ended", &["c"]).await?[..] else {
        return Ok(());
    };
    fixture.lapse(wait).await?;
    let a = claim_these(&rival, "one that has begun", &["a"]).await?[0];
    put(&fixture, a, Status::Undoing).await?;
    fixture.rest(a, Due::Now).await?;
    let a = claim_these(&rival, "one that is undone", &["a"]).await?[0];
    // Given back without having begun.
    fixture.rest(c, Due::Now).await?;
    let d = claim_these(&rival, "another one, in its turn", &["d"]).await?[0];
    end(&fixture, a).await?;
    end(&rival, d).await?;
    claim_these(&fixture, "what is left", &["c", "e"]).await?;
    for (id, request) in [("g", Message::Stop), ("h", Message::Undo)] {
        fixture.due(id).await?;
        claim_these(&fixture, "while two are held", &[]).await?;
        fixture.send(id, request).await?;
        // Other limits are no reason to keep it.
        limit(&fixture, FlowLimits::new().at_once(2).per(id, 9)).await?;
        claim_these(&rival, "one that is to end", &[id]).await?;
    }
    limit(&fixture, FlowLimits::new()).await?;
    fixture.due("f").await?;
    claim_these(&fixture, "without limits", &["f"])
        .await
        .map(drop)
}

pub(in super::super) async fn a_place_is_free_when_its_lease_has_ended(
    fixture: Fixture,
) -> Outcome {
    limit(&fixture, FlowLimits::new().at_once(1)).await?;
    fixture.due("a").await?;
    fixture.due("b").await?;
    let mut short = claim("dead");
    short.lease = Duration::from_secs(2);
    short.limit = 1;
    let claimed = fixture.claimed(short).await?;
    same("the first", &ids(&claimed.taken), &vec!["a"])?;
    let asked = fixture.claimed(claim("worker")).await?;
    same("while it is held", &ids(&asked.taken), &vec![])?;
    let ends = asked.next_due.is_some_and(|due| due > asked.now);
    holds("what is due next", "the lease's end", asked.next_due, ends)?;
    fixture.lapse(Duration::from_secs(2)).await?;
    let taken = fixture.claim("worker").await?;
    same("after its end", &taken.len(), &1)?;
    // One that has begun keeps its place.
    put(&fixture, taken[0].lease, Status::Running).await?;
    let begun = taken[0].info.id.clone();
    let lease = Duration::from_millis(1);
    fixture.renew(taken[0].lease, 0, lease).await?;
    fixture.lapse(SHORT).await?;
    fixture.claim_one("another", &begun).await.map(drop)
}

pub(in super::super) async fn no_more_begin_of_a_label(fixture: Fixture) -> Outcome {
    fixture.create(tenant("a1", "a")).await?;
    limit(&fixture, FlowLimits::new().at_once(4).per("tenant", 1)).await?;
    for (id, of) in [("a2", "a"), ("a3", "a"), ("b1", "b"), ("e1", "")] {
        fixture.create(tenant(id, of)).await?;
    }
    fixture.create(tenant("e2", "")).await?;
    for id in ["n1", "n2"] {
        fixture.due(id).await?;
    }
    let first = claim_these(&fixture, "one of each", &["a1", "b1", "e1", "n1"]).await?;
    end(&fixture, first[3]).await?;
    let n2 = claim_these(&fixture, "those without label", &["n2"]).await?;
    put(&fixture, first[0], Status::Running).await?;
    fixture.rest(first[0], Due::Never).await?;
    end(&fixture, n2[0]).await?;
    claim_these(&fixture, "while all have one", &[]).await?;
    let a1 = fixture.take("a1", "operator", HOUR).await?;
    end(&fixture, a1.lease).await?;
    end(&fixture, first[2]).await?;
    let next = claim_these(&fixture, "after their ends", &["a2", "e2"]).await?;
    // One that is taken up again counts as it did.
    let a1 = fixture.take("a1", "operator", HOUR).await?;
    put(&fixture, a1.lease, Status::Running).await?;
    end(&fixture, next[0]).await?;
    claim_these(&fixture, "while one goes on again", &[]).await?;
    // Another label: all are counted anew.
    limit(&fixture, FlowLimits::new().per("zone", 1)).await?;
    claim_these(&fixture, "of another label", &["a3"])
        .await
        .map(drop)
}

pub(in super::super) async fn no_more_begin_than_a_rate(fixture: Fixture) -> Outcome {
    let hour = Duration::from_hours(1);
    limit(&fixture, FlowLimits::new().rate_with_burst(1, hour, 2)).await?;
    for id in ["a", "b", "c"] {
        fixture.due(id).await?;
    }
    let held = claim_these(&fixture, "the first two", &["a", "b"]).await?;
    let rival = fixture.rival().await;
    let asked = rival.claimed(claim("rival")).await?;
    same("too early", &ids(&asked.taken), &vec![])?;
    let near = |due| due > asked.now && due <= crate::base::clock::add(asked.now, hour);
    let is_told = asked.next_due.is_some_and(near);
    holds("what is due next", "in the hour", asked.next_due, is_told)?;
    put(&fixture, held[0], Status::Running).await?;
    fixture.rest(held[0], Due::Now).await?;
    claim_these(&rival, "one that has begun", &["a"]).await?;
    // A change of something else leaves the rate as it was used.
    let same_rate = FlowLimits::new().rate_with_burst(1, hour, 2);
    limit(&fixture, same_rate.at_once(9)).await?;
    claim_these(&fixture, "still too early", &[]).await?;
    let fast = FlowLimits::new().rate(1, Duration::from_millis(40));
    limit(&fixture, fast).await?;
    claim_these(&fixture, "by another rate", &["c"]).await?;
    fixture.due("d").await?;
    fixture.due("e").await?;
    let mut came = Vec::new();
    for _ in 0..200 {
        fixture.lapse(Duration::from_millis(5)).await?;
        let taken = rival.claim("rival").await?;
        holds(
            "one at a time",
            "one at most",
            taken.len(),
            taken.len() <= 1,
        )?;
        came.extend(taken.into_iter().map(|held| held.info.id));
    }
    same("all begin", &came, &vec!["d".to_owned(), "e".to_owned()])
}

pub(in super::super) async fn priorities_count_behind_limits(fixture: Fixture) -> Outcome {
    limit(&fixture, FlowLimits::new().at_once(1).per("tenant", 1)).await?;
    for (id, priority) in [("a", 0), ("b", 5), ("c", -5)] {
        fixture.create(tenant(id, id).priority(priority)).await?;
    }
    let later = fixture.later(HOUR).await?;
    let delayed = |id, due| tenant(id, id).priority(9).due(Due::At(due));
    fixture.create(delayed("e", later)).await?;
    let asked = fixture
        .claimed(Claim {
            limit: 0,
            ..claim("w")
        })
        .await?;
    let wait = asked.next_wait.map(|wait| wait.until);
    same("what waits next", &wait, &Some(later))?;
    let soon = fixture.later(SHORT).await?;
    fixture.create(delayed("d", soon)).await?;
    fixture.lapse(SHORT * 2).await?;
    for id in ["d", "b", "a", "c"] {
        let held = fixture.claim_one("worker", id).await?;
        end(&fixture, held.lease).await?;
    }
    Ok(())
}

pub(in super::super) async fn refusals_count_behind_limits(fixture: Fixture) -> Outcome {
    limit(&fixture, FlowLimits::new().at_once(1)).await?;
    fixture.due("a").await?;
    let held = fixture.claim_one("worker", "a").await?;
    let refused = Refused {
        by: vec![refuser(FINGERPRINT)],
        why: "why".to_owned(),
    };
    let refuse = write(held.lease, Vec::new(), LeaseAfter::Refuse(refused.clone()));
    fixture.write(refuse).await?;
    fixture.claim_nothing("it was refused").await?;
    // Held by another one, it takes up room for those who have refused it, too.
    let mut others = claim("other");
    others.flows = vec![flow_claim(&[FLOW], FINGERPRINT - 1)];
    let other = fixture.claim_one_with(others, "a").await?;
    fixture.due("b").await?;
    fixture
        .claim_nothing("another one holds the only place")
        .await?;
    // Taking it has ended the refusal.
    let refuse = write(other.lease, Vec::new(), LeaseAfter::Refuse(refused));
    fixture.write(refuse).await?;
    let b = fixture.claim_one("worker", "b").await?;
    end(&fixture, b.lease).await?;
    let flows = vec![flow_claim(&[FLOW], FINGERPRINT)];
    fixture.store.forget_refusals(flows).await?;
    fixture.claim_one("worker", "a").await.map(drop)
}
