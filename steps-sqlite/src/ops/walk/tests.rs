//! Queries read what they return and little more, whatever the file holds: counted in the steps of
//! SQLite's virtual machine, of a small file and of one forty times as large.

use jiff::Timestamp;
use rusqlite::StatementStatus;
use steps_core::store::{Cursor, Direction, Sort};

use super::*;
use crate::file::{functions, schema};
use crate::ops::plans;

const SMALL: i64 = 1_000;
const LARGE: i64 = 40_000;

/// A file with as many executions that are done, a tenth as many that wait, and three that are stuck.
/// They have labels: a common one, one of a hundred each, and one of three.
fn filled(many: i64) -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    schema::upgrade(&conn, "boot").unwrap();
    functions::add(&conn).unwrap();
    let wait = many / 10;
    conn.execute_batch(&format!(
        "CREATE TEMP TABLE n AS WITH RECURSIVE n(n) AS
             (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {many} + {wait}) SELECT n FROM n;
         INSERT INTO executions (id, flow, status, priority, created_at, done_at, fence, attempts,
             input, refused)
         SELECT n, iif(n <= {many}, 'five', 'asks'),
             iif(n <= {many}, iif(n IN (7, 8, 9), 'stuck', 'done'), 'waiting'), 0, n * 1000,
             iif(n <= {many}, n * 1000 + 5, NULL), 1, 1, '{{}}', iif(n IN (70, 71), 'x', NULL)
             FROM n;
         INSERT INTO labels (execution, name, value, created_at)
             SELECT n, 'region', 'eu', n * 1000 FROM n;
         INSERT INTO labels (execution, name, value, created_at)
             SELECT n, 'customer', n / 100, n * 1000 FROM n;
         INSERT INTO labels (execution, name, value, created_at)
             SELECT n, 'rare', 'yes', n * 1000 FROM n WHERE n IN (5, 50, 500);
         UPDATE executions SET trigger_name = 'hook' WHERE key IN (11, 22);
         UPDATE executions SET attrs = json_object('n', key), message = 'no ' || key;"
    ))
    .unwrap();
    conn
}

fn time(number: i64) -> Timestamp {
    Timestamp::from_nanosecond((number * 1000).into()).unwrap()
}

/// What an operator asks for, and how many there are of it on a page of 20 in each of the files.
fn queries() -> Vec<(&'static str, ExecutionQuery, usize)> {
    let ended = || Status::ALL.into_iter().filter(|it| it.is_final()).collect();
    let mut all = Vec::new();
    let mut add = |what, found, change: &dyn Fn(&mut ExecutionQuery)| {
        let mut query = ExecutionQuery::default();
        query.limit = Some(20);
        change(&mut query);
        all.push((what, query, found));
    };
    add("all", 20, &|_| {});
    add("one", 1, &|query| query.id = Some("77".to_owned()));
    add("a flow", 20, &|query| query.flows = vec!["five".into()]);
    add("flows", 20, &|query| {
        query.flows = vec!["five".into(), "asks".into()];
    });
    add("no flow", 0, &|query| query.flows = vec!["none".into()]);
    add("stuck", 3, &|query| query.status = vec![Status::Stuck]);
    add("waiting", 20, &|query| query.status = vec![Status::Waiting]);
    add("ended", 20, &|query| query.status = ended());
    add("a flow's stuck", 3, &|query| {
        query.flows = vec!["five".into()];
        query.status = vec![Status::Stuck];
    });
    add("a flow's waiting, of which there is none", 0, &|query| {
        query.flows = vec!["five".into()];
        query.status = vec![Status::Waiting];
    });
    add("incompatible", 2, &|query| query.refused = Some(true));
    add("a common label", 20, &|query| label(query, "region", "eu"));
    add("a rare label", 3, &|query| label(query, "rare", "yes"));
    add("a common and a rare label", 3, &|query| {
        label(query, "region", "eu");
        label(query, "rare", "yes");
    });
    add("a common label of what waits", 20, &|query| {
        label(query, "region", "eu");
        query.status = vec![Status::Waiting];
    });
    add("a common label of what is stuck", 3, &|query| {
        label(query, "region", "eu");
        query.status = vec![Status::Stuck];
    });
    add("a customer's, of a flow", 20, &|query| {
        label(query, "customer", "3");
        query.flows = vec!["five".into()];
    });
    add("created in a time", 9, &|query| {
        query.created = Some(time(100)..time(109));
    });
    add("ended in a time", 9, &|query| {
        query.ended = Some(time(100)..time(109));
    });
    add("ended in no time", 0, &|query| {
        query.ended = Some(time(-9)..time(-8));
    });
    add(
        "ended in a time, with their statuses and flow",
        9,
        &|query| {
            query.ended = Some(time(100)..time(109));
            query.status = ended();
            query.flows = vec!["five".into()];
        },
    );
    add("a later page", 20, &|query| query.after = Some(cursor(900)));
    add("a later page of a flow", 20, &|query| {
        query.flows = vec!["five".into()];
        query.after = Some(cursor(900));
    });
    add("a later page of a label", 20, &|query| {
        label(query, "region", "eu");
        query.after = Some(cursor(900));
    });
    by_conditions(&mut add);
    all
}

fn label(query: &mut ExecutionQuery, name: &str, value: &str) {
    query.labels.insert(name.to_owned(), value.to_owned());
}

type Add<'a> = dyn FnMut(&'static str, usize, &dyn Fn(&mut ExecutionQuery)) + 'a;

/// The same with conditions, and in other orders.
fn by_conditions(add: &mut Add<'_>) {
    add("a rare trigger", 2, &|query| {
        query.conditions = vec!["trigger=hook".parse().unwrap()];
    });
    add("some ids", 2, &|query| {
        query.conditions = vec!["id={7 77 x}".parse().unwrap()];
    });
    add("an attribute of a rare label's", 1, &|query| {
        label(query, "rare", "yes");
        query.conditions = vec!["attrs.n=50".parse().unwrap()];
    });
    add("a part of a message, of what is stuck", 2, &|query| {
        query.status = vec![Status::Stuck];
        query.conditions = vec![
            "status_message=~NO".parse().unwrap(),
            "attrs.n={7 9}".parse().unwrap(),
        ];
    });
    add("the oldest", 20, &|query| {
        query.sort = vec![by(Column::Created, Direction::Ascending)];
    });
    add("a flow's oldest", 20, &|query| {
        query.flows = vec!["five".into()];
        query.sort = vec![by(Column::Created, Direction::Ascending)];
    });
    add("a rare label's, sorted", 3, &|query| {
        label(query, "rare", "yes");
        query.sort = vec![by(Column::Ended, Direction::Descending)];
    });
}

fn by(column: Column, direction: Direction) -> Sort {
    Sort { column, direction }
}

/// By which index each condition is answered, and which are by none: those read what the others leave.
#[test]
fn conditions_are_answered_by_an_index_where_there_is_one() {
    let conn = filled(SMALL);
    let query = |conditions: &[&str], sort: &[Sort]| {
        let mut query = ExecutionQuery::default();
        query.conditions = conditions
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        query.sort = sort.to_vec();
        query
    };
    let plan = |query: &ExecutionQuery| {
        let sql = Walk::choose(&conn, query, true)
            .unwrap()
            .keys(query, Order::NewestFirst);
        plans::plan(&conn, &sql.sql).join("; ")
    };
    let started = by(Column::Started, Direction::Descending);
    let mut stuck = query(&["attrs.n=7", "error=~x"], &[started]);
    stuck.status = vec![Status::Stuck];
    let mut ended = query(&["attrs.n=7"], &[by(Column::Ended, Direction::Descending)]);
    ended.ended = Some(time(100)..time(109));
    let mut created = query(&["status_message=~x"], &[]);
    created.created = Some(time(100)..time(109));
    for (query, index) in [
        (
            query(&["trigger=hook"], &[]),
            "INDEX executions_trigger (trigger_name=?)",
        ),
        (
            query(&["id={1 2}"], &[]),
            "INDEX sqlite_autoindex_executions_1 (id=?)",
        ),
        (stuck, "INDEX executions_flow (flow=? AND status=?)"),
        (ended, "INDEX executions_done (done_at>? AND done_at<?)"),
        (
            created,
            "INDEX executions_created (created_at>? AND created_at<?)",
        ),
    ] {
        let plan = plan(&query);
        assert!(plan.contains(index), "{query:?}: {plan}");
        assert!(!plan.contains("SCAN e"), "{query:?}: {plan}");
    }
    // Alone, these look at all executions, the newest first.
    for text in [
        "attrs.n=7",
        "error=~x",
        "started=[2026-01-01~]",
        "priority=5",
        "trigger=manual",
    ] {
        let plan = plan(&query(&[text], &[]));
        assert!(
            plan.contains("SCAN e USING INDEX executions_created"),
            "{text}: {plan}"
        );
        assert!(!plan.contains("TEMP B-TREE"), "{text}: {plan}");
    }
}

fn cursor(number: i64) -> Cursor {
    format!("{}_{number}", number * 1000).parse().unwrap()
}

/// Returns the keys that a query finds, and how many steps the virtual machine made.
fn found(conn: &Connection, query: &ExecutionQuery, order: Order) -> (Vec<i64>, i32) {
    let walk = Walk::choose(conn, query, query.limit.is_some()).unwrap();
    let sql = walk.keys(query, order);
    let mut statement = conn.prepare(&sql.sql).unwrap();
    let keys = statement.query_map(params_from_iter(sql.values), |row| row.get(0));
    let keys = keys.unwrap().collect::<Result<_, _>>().unwrap();
    (keys, statement.get_status(StatementStatus::VmStep))
}

#[test]
fn scale_lists_a_page_costs_the_same_in_a_large_file() {
    let (small, large) = (filled(SMALL), filled(LARGE));
    for (what, query, count) in queries() {
        for order in [Order::NewestFirst, Order::OldestFirst] {
            let (few, least) = found(&small, &query, order);
            let (many, most) = found(&large, &query, order);
            assert_eq!((few.len(), many.len()), (count, count), "{what}");
            assert!(
                most <= least + least / 2,
                "{what}: {least} steps of {SMALL}, {most} of {LARGE}"
            );
        }
    }
}

/// A deletion of what ended long ago, of which there is nothing, or little.
#[test]
fn scale_lists_a_deletion_costs_what_it_finds() {
    let (small, large) = (filled(SMALL), filled(LARGE));
    for (range, count) in [(time(-9)..time(-8), 0), (time(0)..time(600), 599)] {
        let mut query = ExecutionQuery::default();
        query.status = Status::ALL.into_iter().filter(|it| it.is_final()).collect();
        query.ended = Some(range);
        let (few, least) = found(&small, &query, Order::OldestFirst);
        let (many, most) = found(&large, &query, Order::OldestFirst);
        assert_eq!((few.len(), many.len()), (count, count));
        assert!(most <= least + least / 2, "{least} steps, then {most}");
    }
}

/// Whatever is chosen, the same is found, in the same order.
#[test]
fn every_walk_finds_the_same() {
    let conn = filled(SMALL);
    for (what, query, _) in queries() {
        let of = |walk: Walk| {
            let sql = walk.keys(&query, Order::NewestFirst);
            let count = walk.count(&query);
            let mut statement = conn.prepare(&sql.sql).unwrap();
            let keys = statement.query_map(params_from_iter(sql.values), |row| row.get(0));
            let keys: Vec<i64> = keys.unwrap().collect::<Result<_, _>>().unwrap();
            let count =
                conn.query_row(&count.sql, params_from_iter(count.values), |row| row.get(0));
            (keys, count.unwrap())
        };
        let whole: (Vec<i64>, i64) = of(Walk::Created);
        let mut walks: Vec<Walk> = query
            .labels
            .iter()
            .map(|(name, value)| Walk::Label(name.clone(), value.clone()))
            .collect();
        walks.extend(pairs(&conn, &query).unwrap().map(Walk::FlowAndStatus));
        walks.extend(query.ended.is_some().then_some(Walk::Ended));
        walks.extend((query.refused == Some(true)).then_some(Walk::Refused));
        for walk in walks {
            let name = format!("{what}: {walk:?}");
            assert_eq!(of(walk), whole, "{name}");
        }
    }
}

#[test]
fn too_many_pairs_are_no_walks() {
    let conn = filled(10);
    let mut query = ExecutionQuery::default();
    query.limit = Some(20);
    query.flows = (0..100).map(|n| n.to_string()).collect();
    query.flows.push("five".to_owned());
    assert!(pairs(&conn, &query).unwrap().is_none());
    assert_eq!(found(&conn, &query, Order::NewestFirst).0.len(), 10);
}
