//! The program `steps` on a database, while a service runs there.

mod common;

use common::{
    cli::{json, refused, steps},
    server::{Server, schema},
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use steps::{Engine, Status, prelude::*};

#[step]
async fn charge(cents: u32) -> Result<u32, String> {
    Ok(cents)
}

#[undo(charge)]
async fn refund(_cents: u32, _charged: &u32) -> Result<(), String> {
    Ok(())
}

#[flow]
async fn order(cents: u32) -> Result<u32, String> {
    steps! {
        charged  = charge(cents);
        approval = steps::signal::<bool>();
    }
    if approval {
        Ok(charged)
    } else {
        Err("not approved".to_owned())
    }
}

fn url(schema: &str) -> String {
    format!("{}&schema={schema}", Server::shared().url())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_listed_shown_and_answered_by_the_program() {
    let url = url(&schema());
    let engine = Engine::open(&url).await.unwrap();
    let engine = engine.serve(order::with()).start().await.unwrap();
    let run = engine.start(order::input(5)).id("order-1").await.unwrap();
    while run.status().await.unwrap() != Status::Waiting {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let listed = json(&url, &["list", "status=waiting"]);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["id"], "order-1");
    let shown = json(&url, &["show", "order-1"]);
    assert_eq!(shown[0]["tree"]["states"][0]["output"], 5);
    json(
        &url,
        &[
            "signal",
            "order-1",
            "approval",
            "true",
            "--reason",
            "ticket 71",
        ],
    );
    assert_eq!(run.outcome().await.unwrap(), 5);
    let acts = run.info().await.unwrap().acts;
    assert_eq!(acts[0].reason.as_deref(), Some("ticket 71"));
    let checked = json(&url, &["check"]);
    assert!(!checked.is_empty());
    engine.shutdown(std::time::Duration::ZERO).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_a_store_is_an_error_and_gets_none() {
    let schema = schema();
    let ran = steps(&url(&schema), &["list"]);
    refused(&ran, 3, "there is no store in it");
    refused(&ran, 3, "postgres://");
    let mut conn = PgConnection::connect(&Server::shared().url())
        .await
        .unwrap();
    let sql = "SELECT count(*) FROM pg_namespace WHERE nspname = $1";
    let made: i64 = sqlx::query_scalar(sql)
        .bind(&schema)
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(made, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_a_newer_version_and_a_server_that_is_not_there_are_told() {
    let schema = schema();
    let url = url(&schema);
    let engine = Engine::open(&url).await.unwrap().start().await.unwrap();
    engine.shutdown(std::time::Duration::ZERO).await.unwrap();
    let mut conn = PgConnection::connect(&Server::shared().url())
        .await
        .unwrap();
    let newer = format!("UPDATE {schema}.version SET version = version + 1");
    sqlx::raw_sql(AssertSqlSafe(newer))
        .execute(&mut conn)
        .await
        .unwrap();
    let ran = steps(&url, &["list"]);
    refused(&ran, 1, "a newer one made them");

    let ran = steps("postgres://nobody@127.0.0.1:1/shop", &["list"]);
    refused(&ran, 1, "postgres://127.0.0.1:1/shop");
    let ran = steps("postgres://[/", &["list"]);
    refused(&ran, 2, "no URL of a PostgreSQL database");
}
