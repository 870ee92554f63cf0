//! What a claim returns: what is due, in order, to one worker only.

use jiff::Timestamp;

use super::prelude::*;
use crate::{
    base::json::Json,
    store::{Share, bytes_of},
};

pub(in super::super) async fn claim_gives_all(fixture: Fixture) -> Outcome {
    let lease = fixture
        .create(Creation::new("id").label("a", "b").held("maker", HOUR))
        .await?;
    let nodes = vec![root(Status::Waiting), step(1, "a"), step(2, "b")];
    fixture.keep(lease, nodes.clone()).await?;
    let stop = fixture.send("id", Message::Stop).await?;
    let go = fixture.send("id", signal("wait", "go")).await?;
    fixture.rest(lease, Due::Now).await?;
    let before = fixture.load("id").await?;

    let now = fixture.now().await?;
    let claimed = fixture.claimed(claim("worker")).await?;
    holds(
        "the claim's `now`",
        "no time before",
        claimed.now,
        claimed.now >= now,
    )?;
    same("what was taken", &ids(&claimed.taken), &vec!["id"])?;
    let taken = &claimed.taken[0];
    same("the input", &taken.input, &before.input)?;
    same_nodes("the nodes", &taken.nodes, &nodes)?;
    let messages = vec![(stop, Message::Stop), (go, signal("wait", "go"))];
    same("the messages", &taken.messages, &messages)?;
    same("from whom it was taken", &taken.previous_worker, &None)?;
    let due = taken.info.due;
    let right = due.is_some_and(|due| is_in_an_hour(due, now));
    holds("the end of the lease", "an hour from now", due, right)?;
    let mut expected = before.info;
    expected.worker = Some("worker".to_owned());
    expected.due = due;
    same("what is known of it", &taken.info, &expected)?;
    same("and by load", &fixture.load("id").await?.info, &expected)
}

pub(in super::super) async fn claim_order(fixture: Fixture) -> Outcome {
    let now = fixture.now().await?;
    let ago = |minutes: u64| Due::At(now - Duration::from_mins(minutes));
    let all = [
        ("sixth", -3, ago(600)),
        ("third", 5, ago(30)),
        ("fifth", 0, ago(60)),
        ("first", 7, ago(1)),
        ("fourth", 0, ago(120)),
        ("second", 5, ago(60)),
    ];
    for (n, (id, priority, due)) in all.into_iter().enumerate() {
        let flow = if n % 2 == 0 { FLOW } else { "other" };
        let creation = Creation::new(id).flow(flow).priority(priority).due(due);
        fixture.create(creation).await?;
    }
    let mut claim = claim("worker");
    claim.flows.push(flow_claim(&["other"], 2));
    claim.limit = 2;
    let taken = fixture.claimed(claim.clone()).await?.taken;
    same("the first two", &ids(&taken), &vec!["first", "second"])?;
    let was_due: Vec<_> = taken.iter().map(|taken| taken.was_due).collect();
    let expected = [1, 60].map(|minutes| Some(now - Duration::from_mins(minutes)));
    same("when they were due", &was_due, &expected.to_vec())?;
    claim.limit = 100;
    let taken = fixture.claimed(claim).await?.taken;
    let expected = vec!["third", "fourth", "fifth", "sixth"];
    same("those after them", &ids(&taken), &expected)
}

pub(in super::super) async fn claim_ageing(fixture: Fixture) -> Outcome {
    let now = fixture.now().await?;
    let ago = |minutes: u64| Due::At(now - Duration::from_mins(minutes));
    // By their priority and how often they have been due for half an hour: 7, 6, 4 and 3.
    let all = [
        ("third", 3, ago(50)),
        ("first", -3, ago(310)),
        ("fourth", 3, ago(10)),
        ("second", 5, ago(40)),
    ];
    for (id, priority, due) in all {
        fixture
            .create(Creation::new(id).priority(priority).due(due))
            .await?;
    }
    let mut claim = claim("worker");
    claim.ageing = Some(Duration::from_mins(30));
    claim.limit = 1;
    let taken = fixture.claimed(claim.clone()).await?.taken;
    same("the first one", &ids(&taken), &vec!["first"])?;
    claim.limit = 100;
    let taken = fixture.claimed(claim).await?.taken;
    let expected = vec!["second", "third", "fourth"];
    same("those after it", &ids(&taken), &expected)
}

pub(in super::super) async fn claim_limits(fixture: Fixture) -> Outcome {
    for n in 0..6 {
        let urgent = Creation::new(&format!("urgent {n}"))
            .flow("urgent")
            .priority(9);
        fixture.create(urgent).await?;
        fixture.due(&format!("other {n}")).await?;
    }
    let mut both = claim("worker");
    both.flows.push(flow_claim(&["urgent"], 2));
    let mut claimed = async |limit: usize, of: [usize; 2]| {
        both.limit = limit;
        both.flows[0].limit = of[0];
        both.flows[1].limit = of[1];
        let taken = fixture.claimed(both.clone()).await?.taken;
        let of = |flow: &str| taken.iter().filter(|taken| taken.info.flow == flow).count();
        Outcome::Ok([of(FLOW), of("urgent")])
    };
    let what = "how many were taken of two flows, ";
    let none = claimed(0, [9, 9]).await?;
    same(&format!("{what}with a limit of 0 in all"), &none, &[0, 0])?;
    let none = claimed(9, [0, 0]).await?;
    same(&format!("{what}with limits of 0"), &none, &[0, 0])?;
    let some = claimed(5, [9, 2]).await?;
    same(
        &format!("{what}5 in all, 2 of the urgent one"),
        &some,
        &[3, 2],
    )?;
    let some = claimed(9, [1, 9]).await?;
    same(&format!("{what}1 of the other one"), &some, &[1, 4])?;
    let some = claimed(9, [9, 9]).await?;
    same(&format!("{what}the rest"), &some, &[2, 0])
}

pub(in super::super) async fn claim_shares(fixture: Fixture) -> Outcome {
    let large = text(&"x".repeat(Share::BYTES / 7));
    let some = |nodes: usize, value: Option<&Json>| {
        let ids = 1..=u32::try_from(nodes).unwrap_or(u32::MAX);
        let steps = ids.map(|id| {
            let mut row = step(id, "step");
            row.node.output = value.cloned();
            row
        });
        Creation::new("").nodes(steps.collect())
    };
    let all = [
        ("half 1", some(Share::ROWS / 2 + 1, None)),
        ("more", some(Share::ROWS + 1, None)),
        ("half 2", some(Share::ROWS / 2 + 1, None)),
        ("half 3", some(Share::ROWS / 2 - 1, None)),
        ("large 1", some(4, Some(&large))),
        ("large 2", some(4, Some(&large))),
        ("largest", some(8, Some(&large))),
    ];
    let expected: Vec<&str> = all.iter().map(|(id, _)| *id).collect();
    for (n, (id, mut creation)) in (1..).zip(all.clone()) {
        id.clone_into(&mut creation.new.id);
        fixture.create(creation.priority(-n)).await?;
    }
    let mut came: Vec<String> = Vec::new();
    while came.len() < expected.len() {
        let claimed = fixture.claimed(claim("worker")).await?;
        let taken = claimed.taken;
        let rows = taken.iter().flat_map(|taken| &taken.nodes);
        let (count, bytes) = rows.fold((0, 0), |(count, bytes), row| {
            (count + 1, bytes + bytes_of(&row.node))
        });
        let fits = count <= Share::ROWS && bytes <= Share::BYTES;
        let right = !taken.is_empty() && (fits || taken.len() == 1);
        let what = format!("the rows and bytes of {:?} in one claim", ids(&taken));
        holds(&what, "a share, or one execution", (count, bytes), right)?;
        came.extend(taken.iter().map(|taken| taken.info.id.clone()));
        for taken in &taken {
            let saved = fixture.load(&taken.info.id).await?;
            same_nodes("the nodes", &taken.nodes, &saved.nodes)?;
        }
        let right = claimed.left || came.len() == expected.len();
        holds("whether any are left", "true", claimed.left, right)?;
    }
    let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
    same("what was taken, in its order", &came, &expected)
}

pub(in super::super) async fn claim_names(fixture: Fixture) -> Outcome {
    let mut due = fixture.now().await?;
    for flow in ["no", "FLOW", "once", "before", "now"] {
        due -= HOUR;
        fixture
            .create(Creation::new(flow).flow(flow).due(Due::At(due)))
            .await?;
    }
    fixture.claim_nothing("there is none of that flow").await?;
    let mut named = claim("worker");
    named.flows = vec![
        flow_claim(&["now", "before", "never"], 1),
        flow_claim(&["once"], 2),
    ];
    named.flows[0].limit = 1;
    let taken = fixture.claimed(named.clone()).await?.taken;
    let expected = vec!["now", "once"];
    same("a limit of 1 for two names", &ids(&taken), &expected)?;
    let taken = fixture.claimed(named.clone()).await?.taken;
    same("the next one", &ids(&taken), &vec!["before"])?;
    same("its flow", &taken[0].info.flow.as_str(), &"before")?;
    named.flows.clear();
    let taken = fixture.claimed(named).await?.taken;
    same("a claim of no flow", &ids(&taken), &Vec::new())
}

pub(in super::super) async fn claim_only_what_is_due(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let now = fixture.now().await?;
    let soon = now + Duration::from_millis(50);
    fixture
        .create(Creation::new("in an hour").due(Due::At(now + HOUR)))
        .await?;
    fixture
        .create(Creation::new("at the end").due(Due::At(Timestamp::MAX)))
        .await?;
    fixture
        .create(Creation::new("never").due(Due::Never))
        .await?;
    fixture.held("held").await?;
    rival.claim_nothing("nothing is due").await?;

    fixture
        .create(Creation::new("soon").due(Due::At(soon)))
        .await?;
    fixture.lapse(Duration::from_millis(50)).await?;
    fixture.claim_one("worker", "soon").await?;
    fixture
        .create(Creation::new("past").due(Due::At(now - HOUR)))
        .await?;
    fixture.claim_one("worker", "past").await?;
    fixture
        .create(Creation::new("beginning").due(Due::At(Timestamp::MIN)))
        .await?;
    let taken = fixture.claim_one("worker", "beginning").await?;
    rival.claim_nothing("all that was due is held").await?;

    fixture.rest(taken.lease, Due::At(now + HOUR)).await?;
    rival.claim_nothing("it rests").await?;
    let due = fixture.load("beginning").await?.info.due;
    same("when it is due", &due, &Some(now + HOUR))?;
    let taken = rival.take("beginning", "worker", HOUR).await?;
    rival.rest(taken.lease, Due::Now).await?;
    fixture.claim_one("worker", "beginning").await.map(drop)
}

pub(in super::super) async fn claim_after_the_end_of_a_lease(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let mut first = claim("first");
    first.lease = SHORT;
    fixture.due("id").await?;
    let old = fixture.claim_one_with(first, "id").await?;
    fixture.lapse(SHORT).await?;
    let new = rival.claim_one("second", "id").await?;
    same(
        "from whom it was taken",
        &new.previous_worker.as_deref(),
        &Some("first"),
    )?;
    same("its worker", &new.info.worker.as_deref(), &Some("second"))?;
    let expected = format!("more than {}", old.lease.fence);
    let larger = new.lease.fence > old.lease.fence;
    holds(
        "the fence of the second lease",
        &expected,
        new.lease.fence,
        larger,
    )?;
    fixture.claim_nothing("the second one holds it").await?;

    rival.rest(new.lease, Due::Now).await?;
    let third = fixture.claim_one("third", "id").await?;
    same(
        "from whom, after it was given back",
        &third.previous_worker,
        &None,
    )
}

/// After the claim, and no later than `latest`.
fn by(what: &str, (came, now): (Option<Timestamp>, Timestamp), latest: Timestamp) -> Outcome {
    let right = came.is_some_and(|came| now < came && came <= latest);
    let expected = format!("after {now}, and no later than {latest}");
    holds(&format!("`next_due` {what}"), &expected, came, right)
}

pub(in super::super) async fn next_due(fixture: Fixture) -> Outcome {
    let next = async |claim: Claim| {
        let claimed = fixture.claimed(claim).await?;
        Outcome::Ok((claimed.next_due, claimed.now))
    };
    let now = fixture.now().await?;
    fixture
        .create(Creation::new("never").due(Due::Never))
        .await?;
    fixture.create(Creation::new("other").flow("other")).await?;
    let (came, _) = next(claim("worker")).await?;
    same("`next_due` where there is nothing", &came, &None)?;

    fixture
        .create(Creation::new("2 h").due(Due::At(now + 2 * HOUR)))
        .await?;
    fixture
        .create(Creation::new("1 h").due(Due::At(now + HOUR)).priority(-9))
        .await?;
    let (came, _) = next(claim("worker")).await?;
    same("`next_due` of two that wait", &came, &Some(now + HOUR))?;

    fixture
        .create(Creation::new("held").held("maker", HOUR / 2))
        .await?;
    let latest = now + HOUR / 2 + Duration::from_mins(1);
    by(
        "while another holds one",
        next(claim("worker")).await?,
        latest,
    )?;

    for id in ["left", "taken"] {
        fixture.due(id).await?;
    }
    let mut one = claim("worker");
    one.limit = 1;
    let (came, now) = next(one).await?;
    let right = came.is_some_and(|came| came <= now);
    holds(
        "`next_due` with one left by the limit",
        "now or past",
        came,
        right,
    )?;
    fixture
        .create(Creation::new("no room").due(Due::At(now - HOUR)))
        .await?;
    let mut full = claim("worker");
    full.flows[0].limit = 0;
    let (came, _) = next(full).await?;
    let right = came.is_some_and(|came| came <= now);
    holds(
        "`next_due` with one left as its flow has no room",
        "now or past",
        came,
        right,
    )?;
    // It holds all of them now.
    by(
        "while it holds two itself",
        next(claim("worker")).await?,
        latest,
    )
}
