//! Claims search their index, and read no rows of executions that are not due.

use rusqlite::StatementStatus;
use steps_core::store::FlowClaim;

use super::{
    super::plans::plan,
    lanes::{FREE, FREE_GATES, GATED_FREE, GATED_WAITS, Queries, WAITS, WAITS_GATES},
    *,
};
use crate::file::schema;

fn database() -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    schema::upgrade(&conn, "a start").unwrap();
    conn
}

#[test]
fn each_query_is_one_search_in_the_index() {
    let conn = database();
    let of = |queries: Queries| [queries.refused, queries.priority, queries.due, queries.next];
    let gates = |of: lanes::GateQueries| [of.gates, of.held, of.ends];
    let waits = of(WAITS).into_iter().chain([NEXT_WAIT, lease::READMIT[1]]);
    let free = of(FREE).into_iter().chain([lease::READMIT[0]]);
    let gated_waits = of(GATED_WAITS).into_iter().chain(gates(WAITS_GATES));
    let gated_waits = gated_waits.chain([GATED_NEXT_WAIT, lease::READMIT[3]]);
    let gated_free = of(GATED_FREE).into_iter().chain(gates(FREE_GATES));
    let gated_free = gated_free.chain([lease::READMIT[2]]);
    let waits = waits.map(|query| (query, "INDEX executions_due (flow=?"));
    let free = free.map(|query| (query, "INDEX executions_free (flow=?"));
    let gated_waits = gated_waits.map(|query| (query, "INDEX executions_due_gated (flow=?"));
    let gated_free = gated_free.map(|query| (query, "INDEX executions_free_gated (flow=?"));
    let all = waits.chain(free).chain(gated_waits).chain(gated_free);
    for (query, index) in all {
        let plan = plan(&conn, query);
        let [one] = &plan[..] else {
            panic!("{query}: {plan:#?}")
        };
        assert!(one.starts_with("SEARCH executions USING"), "{query}: {one}");
        assert!(one.contains(index), "{query}: {one}");
    }
}

#[test]
fn what_waits_costs_a_claim_nothing() {
    const CLAIMS: usize = 10;
    let conn = database();
    conn.execute_batch(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100000)
         INSERT INTO executions (id, flow, status, priority, created_at, due_at, fence, input)
         SELECT n, 'flow', 'waiting', n % 3, 0, iif(n % 2, 1000000 + n, NULL), 1, '{}' FROM n",
    )
    .unwrap();
    let ask = Claim {
        worker: "worker".to_owned(),
        lease: std::time::Duration::from_secs(1),
        flows: vec![FlowClaim {
            names: vec!["flow".into(), "an alias".into()],
            refuser: Refuser {
                fingerprint: 1,
                build: 1,
            },
            limit: 10,
        }],
        limit: 10,
        waited: Vec::new(),
        ageing: None,
    };
    for _ in 0..CLAIMS {
        let claimed = claim(&Txn::of(&conn), &ask, Now::of(5, 5)).unwrap().claimed;
        assert!(claimed.taken.is_empty());
        assert_eq!(claimed.next_due, Some(time(1_000_001)));
    }
    // The statements are those that the claims have used, with their counts.
    let queries = [FREE, WAITS].map(|of| [of.refused, of.priority, of.due, of.next]);
    let queries = queries.into_iter().flatten().chain([NEXT_WAIT]);
    let counts = queries.map(|query| {
        let statement = conn.prepare_cached(query).unwrap();
        statement.get_status(StatementStatus::VmStep)
    });
    let steps = usize::try_from(counts.sum::<i32>()).unwrap() / CLAIMS;
    assert!(
        (1..1_000).contains(&steps),
        "{steps} steps of SQLite's machine for each claim"
    );
    // Executions that are due are claimed in their order.
    let claimed = claim(&Txn::of(&conn), &ask, Now::of(1_000_100, 5))
        .unwrap()
        .claimed;
    let taken: Vec<i32> = claimed
        .taken
        .iter()
        .map(|taken| taken.info.priority)
        .collect();
    assert_eq!(taken, [2; 10]);
    assert_eq!(claimed.taken[0].info.id, "5");
    assert_eq!(claimed.next_due, Some(time(1_000_001)));
}
