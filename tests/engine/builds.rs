//! What one build of a program has refused is offered to another one; what fits is told before anybody
//! waits for it; and a start is the same in each version.

use std::time::Duration;

use steps::{
    Flow, Status,
    engine::{Builder, EngineError, Filter},
};

use crate::{
    support::{Db, is, on_each_store, wait_for},
    told::Log,
};

const LEASE: Duration = Duration::from_millis(400);

async fn open(db: &Db) -> Builder {
    db.engine()
        .await
        .lease(LEASE)
        .poll(Duration::from_millis(20))
}

on_each_store! {
    /// Two programs with one fingerprint: what the first refused is offered to the second, whoever
    /// started first, and to none of them for ever.
    async fn what_one_build_refused_is_offered_to_another_with_the_same_number(db) {
        assert_eq!(bad::make::FINGERPRINT, good::make::FINGERPRINT);
        let first = open(&db).await.serve(written::make::with()).start().await.expect("it starts");
        for n in 0..10 {
            let run = first.start(written::make::input()).id(format!("x{n}")).await.expect("it starts");
            is(&run, Status::Waiting).await;
        }
        first.shutdown(LEASE).await.expect("it ends");
        let bad = open(&db).await.serve(bad::make::with()).start().await.expect("it starts");
        let good = open(&db).await.serve(good::make::with()).start().await.expect("it starts");
        for n in 0..10 {
            let by = if n % 2 == 0 { &bad } else { &good };
            let run = by.get(format!("x{n}")).await.expect("it is there");
            run.signal_path("ok", &true).await.expect("it is kept");
        }
        wait_for("the good one has ended all", async || {
            good.count(Filter::new().unfinished()).await.expect("a count") == 0
        })
        .await;
        assert_eq!(good.count(Filter::new().incompatible()).await.expect("a count"), 0);
    }

    /// The same start once more, after the flow got an `Option`, as the guide says; both ways.
    async fn the_same_start_with_an_option_more_is_the_same(db) {
        let one = open(&db).await.serve(asked::f::with()).start().await.expect("it starts");
        one.start(asked::f::input(1)).id("a").await.expect("it starts").outcome().await.expect("done");
        one.shutdown(LEASE).await.expect("it ends");
        let two = open(&db).await.serve(noted::f::with()).start().await.expect("it starts");
        two.start(noted::f::input(1, None)).id("a").await.expect("it is the same");
        let note = || Some("a note".to_owned());
        let other = two.start(noted::f::input(1, note())).id("a").await.expect_err("it is another");
        assert!(matches!(other, EngineError::OtherInput { .. }), "{other}");
        for (id, note) in [("b", None), ("c", note())] {
            let run = two.start(noted::f::input(2, note)).id(id).await.expect("it starts");
            run.outcome().await.expect("done");
        }
        two.shutdown(LEASE).await.expect("it ends");
        let one = open(&db).await.serve(asked::f::with()).start().await.expect("it starts");
        one.start(asked::f::input(2)).id("b").await.expect("it is the same");
        for (id, n) in [("b", 3), ("c", 2)] {
            let other = one.start(asked::f::input(n)).id(id).await.expect_err("it is another");
            assert!(matches!(other, EngineError::OtherInput { .. }), "{other}");
        }
    }

    async fn a_build_with_a_name_of_its_own_is_another_build(db) {
        let first = open(&db).await.serve(written::make::with()).start().await.expect("it starts");
        let run = first.start(written::make::input()).id("x").await.expect("it starts");
        is(&run, Status::Waiting).await;
        drop(run);
        first.shutdown(LEASE).await.expect("it ends");
        let build = async |name: &str| {
            open(&db).await.build(name).serve(bad::make::with()).start().await.expect("it starts")
        };
        let [one, two] = [build("1").await, build("2").await];
        one.get("x").await.expect("it is there").signal_path("ok", &true).await.expect("it is kept");
        let by = async || {
            let refused = one.get("x").await.expect("it is there").info().await.expect("it is there").refused;
            refused.map(|refused| refused.by).unwrap_or_default()
        };
        wait_for("both have refused it", async || by().await.len() == 2).await;
        let both = by().await;
        assert_ne!(both[0].build, both[1].build);
        // The same build once more is no third.
        let again = build("2").await;
        wait_for("it was tried again", async || by().await.len() == 2).await;
        drop((one, two, again));
    }
    /// They wait for a signal: without a word nobody would know before it comes.
    async fn what_waits_is_compared_before_its_signal_comes(db) {
        let first = open(&db).await.serve(written::make::with()).start().await.expect("it starts");
        for n in 0..6 {
            let run = first.start(written::make::input()).id(format!("x{n}")).await.expect("it starts");
            is(&run, Status::Waiting).await;
        }
        let [all] = &first.compatibility().await.expect("it is told")[..] else { panic!("one flow") };
        assert_eq!((all.flow, all.fit, all.unfit), ("make", 6, 0));
        first.shutdown(LEASE).await.expect("it ends");
        let bad = open(&db).await.serve(bad::make::with()).start().await.expect("it starts");
        bad.start(bad::make::input()).id("fits").after(LEASE * 1000).await.expect("it starts");
        let [all] = &bad.compatibility().await.expect("it is told")[..] else { panic!("one flow") };
        assert_eq!((all.fit, all.unfit, all.causes.len()), (1, 6, 1));
        let cause = &all.causes[0];
        assert_eq!(cause.executions, 6);
        assert!(cause.example.starts_with('x'), "{cause:?}");
        assert!(cause.why.contains("`a`") && cause.why.contains("missing field"), "{cause:?}");
        assert_eq!(bad.count(Filter::new().incompatible()).await.expect("a count"), 0);
    }

    /// Nobody has asked: an engine tells of them when it starts, in one line, before anybody waits for
    /// one.
    async fn an_engine_that_starts_tells_what_waits_and_does_not_fit(db) {
        let first = open(&db).await.serve(written::make::with()).start().await.expect("it starts");
        for n in 0..6 {
            let run = first.start(written::make::input()).id(format!("x{n}")).await.expect("it starts");
            is(&run, Status::Waiting).await;
        }
        first.shutdown(LEASE).await.expect("it ends");
        let (log, _guard) = Log::keep();
        for which in ["bad", "good"] {
            let engine = match which {
                "bad" => open(&db).await.serve(bad::make::with()).serve(asked::f::with()),
                _ => open(&db).await.serve(good::make::with()).serve(asked::f::with()),
            };
            let engine = engine.start().await.expect("it starts");
            wait_for("it tells", async || !log.with("executions that have not ended").is_empty()).await;
            engine.shutdown(LEASE).await.expect("it ends");
            let told = log.take("executions that have not ended");
            let [told] = &told[..] else { panic!("one line a flow that has any: {told:?}") };
            if which == "bad" {
                assert!(told.contains("flow=\"make\" fit=0 unfit=6"), "{told}");
                assert!(told.contains("6 do not fit this program: 6 such as x"), "{told}");
                assert!(told.contains("`a` does not fit: its saved output can't be read: missing field `y`"), "{told}");
            } else {
                assert!(told.contains("all fit this program") && told.contains("fit=6"), "{told}");
            }
        }
    }

    /// An execution of a newer form does not fit an older one.
    async fn a_newer_form_is_told_of_as_well(db) {
        let old = open(&db).await.serve(asked::f::with()).start().await.expect("it starts");
        let new = open(&db).await.serve(longer::f::with()).start().await.expect("it starts");
        new.start(longer::f::input(1)).id("x").await.expect("it starts");
        let [all] = &old.compatibility().await.expect("it is told")[..] else { panic!("one flow") };
        assert_eq!((all.fit, all.unfit), (0, 1));
        assert!(all.causes.iter().any(|cause| cause.why.contains("newer form")), "{all:?}");
        let old = open(&db).await.serve(asked::f::with().take_newer()).start().await.expect("it starts");
        let [all] = &old.compatibility().await.expect("it is told")[..] else { panic!("one flow") };
        assert!(!all.causes.iter().any(|cause| cause.why.contains("newer form")), "{all:?}");
    }
}

/// What a version has written that its successors read, or not.
macro_rules! output {
    ($version:ident, { $($fields:tt)* }, $made:expr) => {
        mod $version {
            use steps::prelude::*;

            #[derive(serde::Serialize, serde::Deserialize)]
            pub(super) struct Out { $($fields)* }

            #[step]
            async fn made() -> Result<Out, String> {
                Ok($made)
            }

            #[flow(name = "make")]
            pub(super) async fn make() -> Result<u32, String> {
                steps! {
                    a = made();
                    ok = steps::signal::<bool>();
                }
                Ok(a.x)
            }
        }
    };
}

output!(written, { x: u32 }, Out { x: 1 });
output!(bad, { x: u32, y: u32 }, Out { x: 1, y: 2 });
output!(good, { x: u32, #[serde(default)] y: u32 }, Out { x: 1, y: 2 });

mod asked {
    use steps::prelude::*;

    #[flow]
    pub(super) async fn f(n: u32) -> Result<u32, String> {
        steps! {}
        Ok(n)
    }
}

mod noted {
    use steps::prelude::*;

    #[flow]
    pub(super) async fn f(n: u32, note: Option<String>) -> Result<u32, String> {
        steps! {}
        let _ = note;
        Ok(n)
    }
}

mod longer {
    use steps::prelude::*;

    #[flow]
    pub(super) async fn f(n: u32) -> Result<u32, String> {
        steps! { yes = steps::signal::<bool>(); }
        let _ = yes;
        Ok(n)
    }
}
