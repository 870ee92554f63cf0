//! All forms of the language in one flow, with the service and the server killed at random moments: what the steps did is
//! held against the rules. At length with `STEPS_RESTATE_KILLS=200 cargo test -p steps-restate-tests --test matrix`; another
//! `STEPS_RESTATE_SEED` has other moments.

mod common;

use std::{sync::Arc, time::Duration};

use common::setting::{Setting, failed};
use steps::{Status, TaskReport};
use steps_restate::{Client, Execution};
use steps_restate_tests::{World, forms::forms};

/// How many kills are made: more with `STEPS_RESTATE_KILLS`.
const KILLS: u64 = 9;
/// How many of them while the same executions go on.
const AT_ONCE: u64 = 3;
/// About how many lines two executions add to the log, of which one is undone.
const LINES: u64 = 170;

/// The steps in the order in which they run: those of one stage in any order.
const STAGES: [&[&str]; 14] = [
    &["first"],
    &["item 0"],
    &["item 1"],
    &["x0", "y0", "x1", "y1", "x2", "y2"],
    &["round 0"],
    &["round 1"],
    &["odd"],
    &["round 2"],
    &["two"],
    &["quick"],
    &["look", "inner x", "inner y", "order"],
    &["child x"],
    &["child y"],
    &["last"],
];

/// Those of one stage, or of a child, that run in order all the same.
const PAIRS: [(&str, &str); 5] = [
    ("x0", "y0"),
    ("x1", "y1"),
    ("x2", "y2"),
    ("inner x", "inner y"),
    ("child x", "child y"),
];

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |value| value.parse().expect("a number"))
}

/// Numbers that look random, the same for a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// What the log says of one execution.
struct Seen<'a> {
    id: &'a str,
    lines: Vec<String>,
}

impl<'a> Seen<'a> {
    fn of(world: &World, id: &'a str) -> Self {
        let own = format!(" {id} ");
        let mut lines = world.lines();
        lines.retain(|line| line.contains(&own));
        Self { id, lines }
    }

    fn all(&self, what: &str, name: &str) -> Vec<usize> {
        let line = format!("{what} {} {name}", self.id);
        let numbered = self.lines.iter().enumerate();
        numbered
            .filter(|(_, other)| **other == line)
            .map(|(at, _)| at)
            .collect()
    }

    /// What is first and last of this kind.
    fn span(&self, what: &str, name: &str) -> (usize, usize) {
        let all = self.all(what, name);
        match (all.first(), all.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => panic!("no `{what} {} {name}`: {:?}", self.id, self.lines),
        }
    }

    /// One was over before the other began.
    fn in_order(&self, begin: &str, end: &str, before: &str, after: &str) {
        let (first, _) = self.span(begin, after);
        let (_, again) = self.span(begin, before);
        let (ended, _) = self.span(end, before);
        assert!(
            ended < first && again < first,
            "`{before}` and `{after}` of {}: {:?}",
            self.id,
            self.lines
        );
    }
}

/// Which steps run before which, of those of the flow itself.
fn orders() -> impl Iterator<Item = (&'static str, &'static str)> {
    let own = |name: &&str| !name.starts_with("child");
    let stages: Vec<Vec<&str>> = STAGES
        .iter()
        .map(|stage| stage.iter().copied().filter(own).collect())
        .filter(|stage: &Vec<&str>| !stage.is_empty())
        .collect();
    let mut pairs = PAIRS.to_vec();
    for two in stages.windows(2) {
        for before in &two[0] {
            pairs.extend(two[1].iter().map(|after| (*before, *after)));
        }
    }
    pairs.push(("child y", "last"));
    pairs.into_iter()
}

/// Holds what an execution did against the rules.
fn check(world: &World, id: &str, undone: bool, kills: u64, of_server: u64) {
    let seen = Seen::of(world, id);
    for name in STAGES.iter().copied().flatten() {
        let begun = seen.all("begin", name).len() as u64;
        assert!(
            (1..=1 + kills).contains(&begun),
            "`{name}` of {id}, {begun} times"
        );
        let back = seen.all("undone", name).len();
        assert_eq!(back > 0, undone, "`{name}` of {id}");
        if *name == "order" {
            continue;
        }
        let ended = seen.all("end", name);
        assert!(!ended.is_empty(), "`{name}` of {id} has no end");
        if name.starts_with('y') || *name == "inner y" {
            // Its `#[verify]` finds it, unless one of before goes on while the server is not there.
            assert!(ended.len() as u64 <= 1 + of_server, "`{name}` of {id}");
        }
        if undone {
            let (_, last) = seen.span("undone", name);
            assert!(ended.iter().all(|end| *end < last), "`{name}` of {id}");
        }
    }
    assert!(seen.all("begin", "never").is_empty(), "{:?}", seen.lines);
    for (before, after) in orders() {
        let end = if before == "order" { "begin" } else { "end" };
        seen.in_order("begin", end, before, after);
        if undone && !(before.starts_with("child") && after == "last") {
            seen.in_order("undo", "undone", after, before);
        }
    }
    if undone {
        // Its `start` line is the first.
        seen.in_order("undo", "undone", "first", "child y");
    }
}

/// Runs the tasks of these executions: reports that they are done, each time twice.
async fn run_tasks(client: Client, world: Arc<World>, ids: [String; 2]) {
    loop {
        for id in &ids {
            if let Some(task) = world.task(&format!("{id} order")) {
                for _ in 0..2 {
                    let report = TaskReport::done(1, &"ordered").expect("it can be saved");
                    // The server may be down: it is reported again.
                    let _ = client.report::<forms>(&task, report).await;
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

async fn start(setting: &Setting, id: &str, fails: bool) -> Execution<forms> {
    let run = setting.start(forms::input(id.to_owned(), fails), id).await;
    let word = "word".to_owned();
    let sent = run.signal(forms::STEPS.word, &word).await;
    sent.expect("it is sent");
    run
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_forms_survive_kills_at_random_moments() {
    let kills = number("STEPS_RESTATE_KILLS", KILLS);
    let seed = number("STEPS_RESTATE_SEED", 20_261_130);
    let mut random = Random(seed.max(1));
    let mut setting = Setting::new();
    let mut struck = 0;
    for round in 0..kills.div_ceil(AT_ONCE) {
        let before = setting.world.lines().len() as u64;
        let ids = [format!("{round}-done"), format!("{round}-undone")];
        let runs = [
            start(&setting, &ids[0], false).await,
            start(&setting, &ids[1], true).await,
        ];
        let (client, world) = (setting.client.clone(), Arc::clone(&setting.world));
        let tasks = tokio::spawn(run_tasks(client, world, ids.clone()));
        let mut moments: Vec<_> = (0..AT_ONCE).map(|_| random.below(LINES)).collect();
        moments.sort_unstable();
        let (mut made, mut of_server) = (0, 0);
        for moment in moments {
            let lines = || setting.world.lines().len() as u64 - before;
            let mut at = lines();
            let mut idle = 0;
            // Or nothing more comes: all is over.
            while at <= moment && idle < 300 {
                tokio::time::sleep(Duration::from_millis(10)).await;
                let now = lines();
                idle = if now == at { idle + 1 } else { 0 };
                at = now;
            }
            if at <= moment {
                continue;
            }
            made += 1;
            match random.below(4) {
                0 => {
                    setting.restart_server();
                    of_server += 1;
                }
                1 => {
                    setting.restart_both();
                    of_server += 1;
                }
                _ => setting.restart_service(),
            }
        }
        struck += made;
        let [done, undone] = runs;
        let outcome = done.outcome().await;
        assert_eq!(
            outcome.unwrap(),
            "ordered, word, child x, child y",
            "seed {seed}"
        );
        let failure = failed(undone.outcome().await);
        assert_eq!(
            (failure.status(), failure.step()),
            (Status::Undone, Some("end")),
            "seed {seed}: {failure}"
        );
        tasks.abort();
        check(&setting.world, &ids[0], false, made, of_server);
        check(&setting.world, &ids[1], true, made, of_server);
    }
    assert!(2 * struck >= kills, "{struck} of {kills} kills struck");
    setting.until_all_has_ended();
}
