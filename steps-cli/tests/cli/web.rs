//! `web`: a page for the file, and when it is not served.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use steps::{External, Status, prelude::*};

use crate::support::{Db, run};

/// The program, serving; ended when it is dropped.
pub(crate) struct Served {
    child: Child,
    host: String,
}

impl Served {
    pub(crate) fn start(db: &Db, args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_steps"))
            .args(["--db", &db.url(), "web", "--listen", "127.0.0.1:0"])
            .args(args)
            .env_remove("STEPS_WEB_TOKEN")
            .env_remove("STEPS_WEB_REPORTER_TOKEN")
            .env_remove("STEPS_BY")
            .env_remove("STEPS_KEY_FILE")
            .env("USER", "ann")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let told = child.stdout.take().unwrap();
        BufReader::new(told).read_line(&mut line).unwrap();
        let host = line.trim().strip_prefix("listening on http://");
        let host = host.and_then(|host| host.strip_suffix('/')).expect(&line);
        Self {
            host: host.to_owned(),
            child,
        }
    }

    fn ask(&self, method: &str, path: &str, host: &str, more: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: \
             {length}\r\n{more}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn get(&self, path: &str, more: &str) -> String {
        self.ask("GET", path, &self.host, more, "")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_for_a_file_is_for_this_machine_alone() {
    let db = Db::with_all().await;
    let served = Served::start(&db, &["--hide", "what"]);
    let page = served.get("/", "");
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    assert!(page.contains("id=stuck") && page.contains("ann"), "{page}");
    let one = served.get("/api/executions/held", "");
    assert!(
        one.contains("(hidden)") && !one.contains("anvil\"}"),
        "{one}"
    );
    let other = served.ask("GET", "/", "evil.example", "", "");
    assert!(other.starts_with("HTTP/1.1 403 "), "{other}");
    let body = r#"{"act":"recover","reason":"by hand"}"#;
    let json = "Content-Type: application/json\r\n";
    let done = served.ask(
        "POST",
        "/api/executions/held/acts",
        &served.host,
        json,
        body,
    );
    assert!(done.contains("\"count\":2"), "{done}");
    let shown = db.steps(&["show", "held", "--json"]).well().one();
    assert_eq!(shown["acts"][0]["by"], "ann");
    assert_eq!(shown["acts"][0]["reason"], "by hand");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_token_only_who_has_it_comes_in() {
    let db = Db::with_all().await;
    let token = "0123456789abcdef0123";
    let served = Served::start(&db, &["--token", token, "--read-only", "--by", "bo"]);
    let to = served.get("/", "");
    assert!(
        to.starts_with("HTTP/1.1 303 ") && to.contains("location: /login"),
        "{to}"
    );
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let page = served.get("/", &bearer);
    assert!(page.contains("bo (reads)"), "{page}");
    let json = format!("{bearer}Content-Type: application/json\r\n");
    let refused = served.ask(
        "POST",
        "/api/executions/held/acts",
        "x",
        &json,
        r#"{"act":"recover"}"#,
    );
    assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_be_reached_from_elsewhere_is_not_served_without_a_token() {
    let db = Db::with_all().await;
    db.steps(&["web", "--listen", "0.0.0.0:0"])
        .refused(2, "can be reached from elsewhere");
    db.steps(&["web", "--listen", "127.0.0.1:0", "--token", "short"])
        .refused(2, "must have at least 16");
    db.steps(&["web", "--listen", "127.0.0.1:0", "--token", ""])
        .refused(2, "must have at least 16");
    db.steps(&["web", "--listen", "nowhere"])
        .refused(2, "--listen");
    db.steps(&["web", "--read-only"]).refused(2, "--token");
    let served = Served::start(&db, &[]);
    db.steps(&["web", "--listen", &served.host])
        .refused(1, &served.host);
    run(&["web"], "", &[]).refused(2, "STEPS_DB");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_it_is_told_to() {
    let db = Db::with_all().await;
    let mut served = Served::start(&db, &[]);
    // A page that is open does not hold it up.
    let mut stream = TcpStream::connect(&served.host).unwrap();
    let request = format!("GET /live HTTP/1.1\r\nHost: {}\r\n\r\n", served.host);
    stream.write_all(request.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while !line.contains("hello") {
        line.clear();
        assert!(reader.read_line(&mut line).unwrap() > 0);
    }
    let id = served.child.id().to_string();
    let killed = Command::new("kill").args(["-TERM", &id]).status().unwrap();
    assert!(killed.success());
    assert!(served.child.wait().unwrap().success());
}

#[step(external)]
async fn probe() -> Result<External<u32>, String> {
    Ok(External::submitted())
}

/// Waits for a report.
#[flow]
async fn probing() -> Result<u32, String> {
    steps! { flaws = probe(); }
    Ok(flaws)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_on_a_task_reaches_a_service_in_another_process() {
    let db = Db::new();
    let engine = Engine::open(&db.url()).await.unwrap();
    let engine = engine
        .serve(probing::with())
        .poll(Duration::from_millis(20));
    let engine = engine.start().await.unwrap();
    let run = engine.start(probing::input()).await.unwrap();
    while run.status().await.unwrap() != Status::Waiting {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let task = run.state().await.unwrap().flaws.task().unwrap().id.clone();
    let (page, scanner) = ("a-token-of-the-page-0", "a-token-of-scanners-0");
    let served = Served::start(&db, &["--token", page, "--reporter-token", scanner]);
    let report = |token: &str| {
        let more = format!("Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n");
        let body = r#"{"revision":1,"status":"done","output":3}"#;
        let path = format!("/api/tasks/{task}/report");
        served.ask("POST", &path, &served.host, &more, body)
    };
    let refused = report("a-token-that-is-none-0");
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    let taken = report(scanner);
    assert!(taken.contains("\"result\":\"taken\""), "{taken}");
    assert_eq!(run.outcome().await.unwrap(), 3);
    assert!(report(scanner).starts_with("HTTP/1.1 410 "));
    let list = served.get(
        "/api/executions",
        &format!("Authorization: Bearer {scanner}\r\n"),
    );
    assert!(list.starts_with("HTTP/1.1 401 "), "{list}");
    drop(served);
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
}
