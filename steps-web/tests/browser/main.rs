//! The page in Chromium: an operator finds what has failed and what is stuck, and repairs both. It makes
//! the pictures of the README, in `target/steps-web`.
//!
//! `cargo xtask test web` runs it; `cargo test` alone does not, as it needs a browser.

mod driver;
#[path = "../support/mod.rs"]
mod support;

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::{Mutex, atomic::Ordering},
};

use serde_json::json;
use steps::prelude::*;
use tokio::{net::TcpListener, runtime::Runtime};

use driver::Browser;
use support::{STRONG, fill_all, served};

const TOKEN: &str = "anns-token-of-32-letters-0123456";
const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';

/// One browser at a time, as they take all of a small machine.
static ALONE: Mutex<()> = Mutex::new(());

/// A service with executions in each status.
struct Service {
    runtime: Runtime,
    engine: Engine,
    url: String,
}

impl Service {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let (engine, url) = runtime.block_on(async {
            STRONG.store(false, Ordering::Relaxed);
            let engine = served(Engine::open("memory:").await.unwrap())
                .start()
                .await
                .unwrap();
            fill_all(&engine).await;
            let page = steps_web::router(engine.clone())
                .title("Garden centre")
                .token("ann", TOKEN);
            let page = page.build().unwrap();
            let app: axum::Router = axum::Router::new().nest("/steps", page);
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let service = app.into_make_service_with_connect_info::<SocketAddr>();
            tokio::spawn(async { axum::serve(listener, service).await });
            (engine, url)
        });
        Self {
            runtime,
            engine,
            url,
        }
    }

    fn login(&self, browser: &Browser) {
        browser.open(&format!("{}/steps/execution?id=held", self.url));
        browser.wait_for("h1", "Log in");
        browser.write("#token", TOKEN);
        browser.click("main button");
        browser.wait_for("h1", "held");
    }

    fn status(&self, id: &str) -> Status {
        let handle = self.runtime.block_on(self.engine.get(id)).unwrap();
        self.runtime.block_on(handle.status()).unwrap()
    }

    /// Checks that nothing was asked for elsewhere, and that the browser complains of nothing.
    fn is_calm(&self, browser: &Browser) {
        let script = "return performance.getEntriesByType('resource').map(it => it.name)";
        let asked = browser.run(script, &json!([]));
        for address in asked.as_array().unwrap() {
            assert!(
                address.as_str().unwrap().starts_with(&self.url),
                "{address}"
            );
        }
        assert_eq!(browser.complaints(), Vec::<String>::new());
    }
}

/// Where pictures are written.
fn pictures() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .unwrap()
        .join("steps-web");
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
#[ignore = "in Chromium: `cargo xtask test web`"]
fn an_operator_repairs_what_failed_and_what_is_stuck() {
    let _alone = ALONE.lock();
    let service = Service::start();
    let browser = Browser::start();
    service.login(&browser);

    // What has failed goes on, and the page tells without being loaded again.
    browser.run("window.same = true", &json!([]));
    browser.wait_for("h1", "failed");
    browser.click("#act-recover summary");
    browser.wait_for("#act-recover", "What is done stays done");
    browser.write("#reason-recover", "the crane is here");
    STRONG.store(true, Ordering::Relaxed);
    browser.click("#act-recover button");
    browser.wait_for("h1", "done");
    browser.wait_for(".notice", "It is due");
    browser.wait_for("#facts", "recover by ann: the crane is here");
    assert_eq!(service.status("held"), Status::Done);

    // The rollback that is stuck is found on the overview, and the undo was made by hand.
    browser.click("nav a");
    browser.wait_for("#overview", "Stuck");
    browser.click(".needs a[href*=stuck]");
    browser.wait_for("h1", "stuck");
    browser.wait_for("#tree", "no earth");
    browser.click("#act-mark-undone summary");
    browser.write("#reason-mark-undone", "filled it with a spade");
    browser.click("#act-mark-undone button");
    browser.wait_for("h1", "undone");
    browser.click("[id='node-hole'] summary");
    browser.wait_for("#tree", "has marked it as undone by hand");
    assert_eq!(service.status("stuck"), Status::Undone);

    // A page that is open follows what happens elsewhere; what is open on it stays open.
    browser.open(&format!("{}/steps/execution?id=waiting", service.url));
    browser.run("window.same = true", &json!([]));
    browser.wait_for("#live-state", "Kept up to date");
    browser.click("[id='node-charged'] summary");
    browser.click("#act-signal summary");
    browser.write("#value-signal", "tru");
    let waiting = service
        .runtime
        .block_on(service.engine.get("waiting"))
        .unwrap();
    service
        .runtime
        .block_on(waiting.set_status_message("almost"))
        .unwrap();
    browser.wait_for("#head", "almost");
    assert!(browser.has("[id='node-charged'] details[open], [id='node-charged'][open]"));
    browser.write("#value-signal", "e");
    browser.write("#reason-signal", "Bob says yes");
    service.is_calm(&browser);
    assert_eq!(
        browser.run("return window.same", &json!([])),
        json!(true),
        "it was loaded again"
    );
    browser.click("#act-signal button[value=signal]");
    browser.wait_for("h1", "done");
    assert_eq!(service.status("waiting"), Status::Done);

    // With all that a filter finds, it asks first.
    browser.open(&format!(
        "{}/steps/executions?q=status%3Dundone",
        service.url
    ));
    browser.click("#all summary");
    browser.click("#all button[value=delete]");
    browser.wait_for("h1", "Delete: 2 executions");
    browser.write("#reason", "nobody looks at them");
    browser.click("#all button");
    browser.wait_for(".notice", "Done with 2 executions");
    browser.click(".crumbs a");
    browser.wait_for("#list", "0 executions");

    // What goes wrong is told.
    browser.open(&format!("{}/steps/executions?q=stauts%3Dx", service.url));
    browser.wait_for(".error", "there is no key `stauts`");
    drop(browser.complaints());
    browser.open(&format!("{}/steps", service.url));
    browser.click(".who button");
    browser.wait_for("h1", "Log in");
    browser.open(&format!("{}/steps/schedules", service.url));
    browser.wait_for("h1", "Log in");
}

#[test]
#[ignore = "in Chromium: `cargo xtask test web`"]
fn a_flow_is_paused_limited_and_resumed() {
    let _alone = ALONE.lock();
    let service = Service::start();
    let browser = Browser::start();
    service.login(&browser);
    let info = || {
        let info = service.engine.flow("order");
        service.runtime.block_on(info.info()).unwrap()
    };
    browser.open(&format!("{}/steps/flows", service.url));
    browser.wait_for("h1", "Flows");
    browser.click("#act-pause-order summary");
    browser.wait_for("#act-pause-order", "none of its executions begins");
    browser.write("#reason-pause-order", "the bank is closed");
    browser.click("#act-pause-order button");
    browser.wait_for(".notice", "is paused");
    browser.wait_for("main", "by ann: the bank is closed");
    assert!(info().is_paused);
    browser.click("#act-limit-order summary");
    browser.write("#at_once-limit-order", "3");
    browser.write("#reason-limit-order", "one clerk is ill");
    browser.click("#act-limit-order button");
    browser.wait_for("main", "3 at once, set by an operator");
    browser.click("#act-resume-order summary");
    browser.write("#reason-resume-order", "it is open");
    browser.click("#act-resume-order button");
    browser.wait_for(".notice", "goes on");
    assert!(!info().is_paused);
    assert_eq!(info().limits.at_once, Some(3));
    service.is_calm(&browser);
}

#[test]
#[ignore = "in Chromium: `cargo xtask test web`"]
fn it_is_used_by_keyboard_and_read_without_a_script() {
    let _alone = ALONE.lock();
    let service = Service::start();
    let browser = Browser::start();
    service.login(&browser);
    browser.press(&[TAB]);
    let focus = || browser.run("return document.activeElement.className", &json!([]));
    assert_eq!(focus(), "skip");
    browser.press(&[ENTER, TAB]);
    let inside = "return document.querySelector('main').contains(document.activeElement)";
    assert_eq!(browser.run(inside, &json!([])), json!(true));
    let outline = "return getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(browser.run(outline, &json!([])), "solid");
    // Each field has a name, and each heading is one level below another at most.
    let nameless =
        "return [...document.querySelectorAll('input:not([type=hidden]), select, textarea')]
        .filter(it => !it.labels.length).map(it => it.outerHTML)";
    assert_eq!(browser.run(nameless, &json!([])), json!([]));
    let jumps =
        "const all = [...document.querySelectorAll('h1, h2, h3')].map(it => +it.tagName[1]);
        return all.filter((it, at) => it > (at ? all[at - 1] : 0) + 1)";
    assert_eq!(browser.run(jumps, &json!([])), json!([]));

    browser.devtools(
        "Emulation.setScriptExecutionDisabled",
        &json!({"value": true}),
    );
    browser.open(&format!("{}/steps/execution?id=held", service.url));
    let page = browser.text("body");
    for part in [
        "held",
        "failed",
        "too heavy",
        "ship",
        "Timeline",
        "anvil",
        "Recover",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert_eq!(browser.text("#live-state"), "");
    browser.click("[id='node-packed'] summary");
    browser.wait_for("#tree", "packed anvil");
    browser.click("#act-undo summary");
    browser.write("#reason-undo", "nobody wants it");
    browser.click("#act-undo button");
    browser.wait_for(".notice", "asked to be undone");
    assert!(browser.url().contains("done=undo"));
    browser.wait_for("#facts", "undo by ann: nobody wants it");
}

#[test]
#[ignore = "in Chromium: `cargo xtask test web`"]
fn pictures_are_made_in_two_sizes_and_both_schemes() {
    let _alone = ALONE.lock();
    let service = Service::start();
    let browser = Browser::start();
    service.login(&browser);
    let folder = pictures();
    for (name, path) in [
        ("overview", ""),
        (
            "executions",
            "/executions?q=status%3D%7Bdone%20failed%20stuck%7D",
        ),
        ("failed", "/execution?id=held"),
        ("stuck", "/execution?id=stuck"),
        ("timeline", "/execution?id=seen"),
        ("statistics", "/statistics?flow=survey&last=1d"),
        ("flows", "/flows"),
        ("schedules", "/schedules"),
    ] {
        browser.open(&format!("{}/steps{path}", service.url));
        if name == "stuck" {
            browser.click("#act-skip-undo summary");
            browser.click("[id='node-hole'] summary");
        }
        for (width, scheme) in [
            (1400, "light"),
            (1400, "dark"),
            (400, "light"),
            (400, "dark"),
        ] {
            let file = folder.join(format!("{name}-{width}-{scheme}.png"));
            browser.picture(&file, width, scheme);
        }
        service.is_calm(&browser);
    }
    println!("the pictures are in {}", folder.display());
}
