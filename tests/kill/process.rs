//! A child as its parent sees it: a process that is started, listened to, stopped and killed.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::Sender,
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    child::Orders,
    log::{Log, NONE, What},
};

/// The argument by which this program knows that it is a child.
pub(crate) const CHILD: &str = "--as-child";

/// A line that a child wrote.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) pid: u32,
    pub(crate) line: String,
}

/// A child that was started. Dropped, it is killed.
pub(crate) struct Process {
    child: Child,
    log: Log,
    /// Where in the log its records begin.
    pub(crate) start: u64,
    gone: bool,
}

impl Process {
    /// Starts a child; what it says goes to `said`.
    pub(crate) fn start(orders: &Orders, log: &Log, said: &Sender<Said>) -> Self {
        let program = std::env::current_exe().expect("this program's own path");
        let mut command = Command::new(program);
        command.arg(CHILD).args(orders.to_args());
        Self::of(&mut command, log, said)
    }

    /// The same, of any command that leads to a child.
    pub(crate) fn of(command: &mut Command, log: &Log, said: &Sender<Said>) -> Self {
        let start = log.len();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child can be started");
        let pid = child.id();
        let out = child.stdout.take().expect("its output is piped");
        let said = said.clone();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if said.send(Said { pid, line }).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            log: log.clone(),
            start,
            gone: false,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).expect("a process number");
        // It is this process's own child, and was not waited for, so the number is its own.
        kill(Pid::from_raw(pid), signal).expect("a child can be signalled");
    }

    /// Kills it, with no chance to do anything more, and waits until it is gone.
    ///
    /// # Panics
    ///
    /// Where it had ended by itself.
    pub(crate) fn kill(&mut self) {
        if let Some(status) = self.ended() {
            panic!("a child ended by itself: {status}; its message is above");
        }
        self.signal(Signal::SIGKILL);
        self.child.wait().expect("a child can be waited for");
        self.gone = true;
        self.log.of(self.pid(), What::Killed, NONE, "");
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        let ended = self.child.try_wait().expect("a child can be waited for");
        self.gone |= ended.is_some();
        ended
    }

    /// Waits until it has ended by itself; no longer than that.
    pub(crate) fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let begin = Instant::now();
        loop {
            let ended = self.ended();
            if ended.is_some() || begin.elapsed() > limit {
                return ended;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops it where it is.
    pub(crate) fn stop(&self) {
        self.log.of(self.pid(), What::Stopped, NONE, "");
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) {
        self.log.of(self.pid(), What::Continued, NONE, "");
        self.signal(Signal::SIGCONT);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.gone {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
