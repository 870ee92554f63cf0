//! Starts the children and kills them, and looks at the file.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use steps::{State, Status};

use crate::child::{CHANGES, CHILD, EFFECTS, count, effects, file};

/// Fewer kills than these, and nothing was tested.
const KILLS: usize = 8;
/// How many runs are made at most, to come to so many.
const RUNS: usize = 100;

/// A child that has begun.
struct Begun {
    child: Child,
    says: BufReader<ChildStdout>,
}

fn start(role: &str, folder: &Path) -> Begun {
    let program = std::env::current_exe().expect("this program's own path");
    let mut command = Command::new(program);
    command
        .args([CHILD, role])
        .arg(folder)
        .stdout(Stdio::piped());
    let mut child = command.spawn().expect("a child can be started");
    let mut says = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut first = String::new();
    says.read_line(&mut first).expect("it is text");
    assert_eq!(first, "begins\n");
    Begun { child, says }
}

impl Begun {
    /// Kills it after a while. Returns whether that was before its end, and what it has said.
    fn kill_after(mut self, pause: Duration) -> (bool, Vec<String>) {
        sleep(pause);
        self.child.kill().expect("it can be killed");
        self.end()
    }

    /// Waits for its end. Returns whether it was killed, and what it has said, without a line that it had begun.
    fn end(mut self) -> (bool, Vec<String>) {
        let mut text = String::new();
        self.says.read_to_string(&mut text).expect("it is text");
        text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
        let status = self.child.wait().expect("it ends");
        let killed = status.signal() == Some(9);
        assert!(killed || status.success(), "{status}: {text}");
        (killed, text.lines().map(str::to_owned).collect())
    }
}

fn read(folder: &Path) -> Option<State> {
    let text = fs::read_to_string(file(folder).path()).ok()?;
    Some(State::from_json(&text).expect("a crash leaves a whole state"))
}

/// Numbers without a pattern.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

pub(crate) fn run() {
    let seed = std::process::id().into();
    println!("seed {seed}");
    runs_are_killed_again_and_again(&mut Random(seed));
    processes_change_one_file_at_once(&mut Random(seed));
}

/// Runs are killed until enough kills have struck, one of them a step: how many a run takes is a matter of the machine.
fn runs_are_killed_again_and_again(random: &mut Random) {
    let (mut kills, mut verified) = (0, 0);
    for _ in 0..RUNS {
        if kills >= KILLS && verified > 0 {
            break;
        }
        let (more, steps) = a_run_is_killed_again_and_again(random);
        (kills, verified) = (kills + more, verified + steps);
    }
    assert!(
        kills >= KILLS && verified > 0,
        "{kills} kills struck {verified} steps"
    );
    println!("{kills} kills, after which {verified} steps were verified");
}

/// Each effect is there once: a step whose end is not in the file is verified. Returns how many kills there were, and how
/// many steps were verified.
fn a_run_is_killed_again_and_again(random: &mut Random) -> (usize, usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let (mut kills, mut verified) = (0, 0);
    loop {
        let pause = Duration::from_millis(random.below(60));
        let (killed, said) = start("runs", folder).kill_after(pause);
        verified += said
            .iter()
            .filter(|line| line.starts_with("verified "))
            .count();
        let state = read(folder);
        // What a step did on the strength of a save is behind that save.
        let last = said.iter().rev().find_map(|line| line.strip_prefix("did "));
        if let Some(last) = last {
            let last: u32 = last.parse().expect("a number");
            let state = state.as_ref().expect("an effect comes after its record");
            for number in 0..last {
                assert!(
                    state.succeeded(&format!("all.{number}.did")),
                    "{number} before {last}"
                );
            }
            assert!(state.started(&format!("all.{last}.did")), "{last}");
        }
        if !killed {
            assert_eq!(said.last().map(String::as_str), Some("done"));
            assert_eq!(state.expect("it was saved").status, Status::Done);
            break;
        }
        kills += 1;
        assert!(kills < 2_000, "it does not get on");
    }
    let done = fs::read_to_string(effects(folder)).expect("there are effects");
    let all: Vec<String> = (0..EFFECTS).map(|number| number.to_string()).collect();
    assert_eq!(
        done.lines().collect::<Vec<_>>(),
        all,
        "each effect once, in order"
    );
    (kills, verified)
}

/// No change that was acknowledged is lost, and none is there twice.
fn processes_change_one_file_at_once(random: &mut Random) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    fs::write(file(folder).path(), r#"{"name":"counts"}"#).expect("it can be written");
    let lasting: Vec<Begun> = (0..3).map(|_| start("counts", folder)).collect();
    let mut kills = 0;
    let mut counts = Vec::new();
    while kills < KILLS {
        let pause = Duration::from_millis(20 + random.below(60));
        let (killed, said) = start("counts on", folder).kill_after(pause);
        assert!(killed, "{said:?}");
        kills += 1;
        counts.extend(said);
        read(folder).expect("the file is always there");
    }
    for child in lasting {
        let (_, said) = child.end();
        assert_eq!(said.len(), CHANGES as usize);
        counts.extend(said);
    }
    let acknowledged = counts.len();
    counts.sort();
    counts.dedup();
    assert_eq!(
        counts.len(),
        acknowledged,
        "two processes have saved over the same text"
    );
    let counted = count(&read(folder).expect("it is there")).expect("a number") as usize;
    // A process that was killed may have saved once more than it could say.
    assert!(
        (acknowledged..=acknowledged + kills).contains(&counted),
        "{acknowledged}, {kills}: {counted}"
    );
    assert!(
        acknowledged > 3 * CHANGES as usize,
        "those that were killed have saved nothing"
    );
    println!(
        "{acknowledged} changes acknowledged by processes of which {kills} were killed, {counted} counted"
    );
}
