//! What is in a site's database, and databases that can't be gone on from.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use steps::{Engine, Open as _, State, Status, engine::Filter, state::Kind};

use crate::site::{Site, assert_code, assert_done, stderr};

/// The newest execution in a database, as it stands, and the ids of all.
pub(crate) struct Look {
    ids: Vec<String>,
    state: State,
}

impl Look {
    #[track_caller]
    pub(crate) fn at(site: &Site) -> Self {
        Self::newest(site).expect("there is an execution")
    }

    /// What is there as soon as it is as wanted.
    #[track_caller]
    pub(crate) fn until(site: &Site, wanted: impl Fn(&Self) -> bool) -> Self {
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            match Self::newest(site) {
                Some(look) if wanted(&look) => return look,
                _ => assert!(Instant::now() < end, "it never came to that"),
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn newest(site: &Site) -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let url = format!("sqlite:{}", site.path("deploy.db").display());
            let engine = Engine::open(&url).await.expect("a database");
            let engine = engine.start().await.expect("an engine");
            let found = engine.list(Filter::new()).await.expect("a list");
            let ids: Vec<_> = found.into_iter().map(|info| info.id).collect();
            let newest = engine.get(ids.first()?).await.expect("it is there");
            let state = newest.tree().await.expect("a tree");
            engine.shutdown(Duration::ZERO).await.expect("an end");
            Some(Self { ids, state })
        })
    }

    /// The newest first.
    pub(crate) fn ids(&self) -> &[String] {
        &self.ids
    }

    pub(crate) fn status(&self) -> Status {
        self.state.status
    }

    pub(crate) fn tree(&self) -> String {
        self.state.tree().to_string()
    }

    pub(crate) fn step(&self, name: &str) -> &State {
        self.state.get(name).expect(name)
    }

    pub(crate) fn step_status(&self, name: &str) -> Option<Status> {
        self.state.get(name).map(|step| step.status)
    }

    /// The steps that had begun, or were being taken back, and had not ended.
    pub(crate) fn at_work(&self) -> Vec<String> {
        let steps = self
            .state
            .walk()
            .filter(|(_, node)| node.kind == Kind::Step);
        let open = steps.filter(|(_, node)| {
            matches!(
                node.status,
                Status::Running | Status::Waiting | Status::Undoing
            )
        });
        open.map(|(path, _)| path).collect()
    }
}

#[test]
fn a_rollback_that_got_stuck_is_tried_again_or_skipped() {
    for skip in [false, true] {
        let site = Site::with_releases(1);
        let (program, aside) = (site.path("releases/1/server"), site.path("aside"));
        fs::rename(&program, &aside).expect("the old program can be moved");
        let output = site.deploy(&["--fail-at", "switch_link"]);
        assert_code(&output, 3);
        let message = "rollback failed at `stop_old`";
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
        assert_eq!(Look::at(&site).status(), Status::Stuck);
        assert_eq!(site.get("/"), None);
        // Nothing has changed, so it gets stuck again.
        assert_code(&site.deploy(&[]), 3);
        let other = site.deploy(&["--version", "7"]);
        assert_code(&other, 2);
        assert!(
            stderr(&other).contains("release 2 has not ended"),
            "{}",
            stderr(&other)
        );

        if skip {
            assert_code(&site.deploy(&["--skip-undo", "stop_old"]), 1);
            assert_eq!(site.get("/"), None, "its server was started all the same");
            fs::rename(&aside, &program).expect("the old program can be put back");
        } else {
            fs::rename(&aside, &program).expect("the old program can be put back");
            let output = site.deploy(&[]);
            assert_code(&output, 1);
            assert!(
                stderr(&output).contains("was undone"),
                "{}",
                stderr(&output)
            );
            site.assert_serves(1);
        }
        site.assert_no_trace_of(2);
        let nothing = site.deploy(&["--skip-undo", "stop_old"]);
        assert_code(&nothing, 2);
        assert!(stderr(&nothing).contains("no rollback that got stuck"));
    }
}

#[test]
fn a_deployment_that_has_ended_makes_room_for_the_next() {
    let site = Site::new();
    assert_done(&site.deploy(&[]));
    assert_code(&site.deploy(&["--fail-at", "healthy"]), 1);
    assert_done(&site.deploy(&[]));
    site.assert_serves(2);
    assert_eq!(
        Look::at(&site).ids(),
        ["deploy-2-2", "deploy-2-1", "deploy-1-1"]
    );
}

#[test]
fn another_release_than_the_unfinished_one_is_refused() {
    let site = Site::with_releases(1);
    assert_eq!(site.deploy(&["--kill-at", "unpack"]).status.code(), None);
    let before = Look::at(&site).tree();
    for args in [&["--version", "5"][..], &["--broken"]] {
        let output = site.deploy(args);
        assert_code(&output, 2);
        let message = "the deployment of release 2 has not ended";
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
        assert_eq!(Look::at(&site).tree(), before);
    }
    assert_done(&site.deploy(&["--version", "2"]));
    site.assert_serves(2);
}

/// Its steps would be taken here, with the folder of this site.
#[test]
fn the_database_of_another_site_is_refused() {
    let other = Site::with_releases(1);
    assert_eq!(other.deploy(&["--kill-at", "unpack"]).status.code(), None);
    let database = other.path("deploy.db");
    let database = database.to_str().expect("a path of plain text");
    let site = Site::new();
    let output = site.deploy(&["--db", database]);
    assert_code(&output, 2);
    assert!(
        stderr(&output).contains("another site"),
        "{}",
        stderr(&output)
    );
    assert!(!site.path("tarballs/2.tar.gz").exists());
    assert_done(&other.deploy(&[]));
    other.assert_serves(2);
}
