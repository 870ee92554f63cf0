//! Lists and deletions of many.

mod common;

use common::*;
use steps_core::{
    Status,
    store::{ExecutionQuery, Store},
};

/// More than are deleted at once.
const MANY: usize = 30_000;

#[tokio::test]
async fn pages_and_deletions_of_many() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    raw(
        &folder,
        &format!(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {MANY})
             INSERT INTO executions
                 (id, flow, status, priority, created_at, done_at, fence, attempts, input, output)
             SELECT n, 'flow', iif(n % 10, 'done', 'failed'), 0, n, n, 1, 1, '{{}}',
                 json_quote(hex(zeroblob(500))) FROM n"
        ),
    );
    let mut query = ExecutionQuery::default();
    query.status = vec![Status::Done, Status::Failed];
    query.limit = Some(50);
    for page in 0..20 {
        let found = store.list(query.clone()).await.unwrap();
        assert_eq!(found.len(), 50);
        assert_eq!(found[0].id, (MANY - 50 * page).to_string());
        query.after = Some(found[49].cursor());
    }

    let mut query = ExecutionQuery::default();
    query.status = vec![Status::Done];
    query.limit = Some(1000);
    assert_eq!(store.delete(query.clone()).await.unwrap(), 1000);
    query.limit = None;
    let rest = MANY as u64 / 10 * 9 - 1000;
    assert_eq!(store.count(query.clone()).await.unwrap(), rest);
    assert_eq!(store.delete(query).await.unwrap(), rest);
    let left = store.count(ExecutionQuery::default()).await.unwrap();
    assert_eq!(left, MANY as u64 / 10);
}

/// What is not asked for is not read: an input may be large, and here it can't be read at all.
#[tokio::test]
async fn scale_big_input_lists_do_not_read_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store.write(held("x")).await.unwrap();
    raw(&folder, "UPDATE executions SET input = 'no JSON'");
    let mut query = ExecutionQuery::default();
    assert_eq!(store.list(query.clone()).await.unwrap().len(), 1);
    query.id = Some("x".to_owned());
    assert_eq!(store.list(query).await.unwrap()[0].id, "x");
    let loaded = store.load("x".to_owned()).await.unwrap_err();
    assert!(loaded.to_string().contains("column `input`"), "{loaded}");
}
