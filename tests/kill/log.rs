//! The log that children and their parent write to: what happened to the world, and marks of where
//! each process was. It is both the world that steps change and what is checked at the end.
//!
//! A record is one line, appended with one write; the order of lines is the order of things, for all
//! processes. What a kill tears off in the middle of a line never happened: every reader passes over
//! it, those that look for an effect as well as those that check.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// A step was entered; `more` is its path.
    Begin,
    /// Its effect happened; `more` is its path and the value.
    Did,
    /// It failed, as it was to; or it was asked and not ready.
    Fail,
    /// It gives its answer.
    End,
    /// An undo was entered.
    Unbegin,
    /// The effect was taken back.
    Undid,
    /// The undo failed, as it was to.
    Unfail,
    /// The undo gives its answer.
    Unend,
    /// Whether a verify found the effect.
    Verify,
    /// A start is about to be asked for.
    Intent,
    /// It was acknowledged.
    Ack,
    /// A start was refused; `more` is why.
    Refused,
    /// A request to undo the execution was acknowledged.
    Cancelled,
    /// The child was told of the end; `more` is the status and the output.
    Outcome,
    /// A write is handed to the store; `more` is its number and the fence.
    Write,
    /// It was kept.
    Written,
    /// It was not, for this reason.
    Lost,
    /// A claim is handed to the store; `more` is its number.
    Claim,
    /// It gave this execution; `more` is the fence and from whom it was taken over, if from anybody.
    Got,
    /// It has come back.
    Claimed,
    /// The name of the process as a worker.
    Worker,
    /// The process is about to open the database.
    Opening,
    /// Its engine works.
    Ready,
    /// It was killed: by the parent, who has seen it end.
    Killed,
    /// It is being stopped.
    Stopped,
    /// It goes on.
    Continued,
}

const NAMES: &[(What, &str)] = &[
    (What::Begin, "begin"),
    (What::Did, "did"),
    (What::Fail, "fail"),
    (What::End, "end"),
    (What::Unbegin, "unbegin"),
    (What::Undid, "undid"),
    (What::Unfail, "unfail"),
    (What::Unend, "unend"),
    (What::Verify, "verify"),
    (What::Intent, "intent"),
    (What::Ack, "ack"),
    (What::Refused, "refused"),
    (What::Cancelled, "cancelled"),
    (What::Outcome, "outcome"),
    (What::Write, "write"),
    (What::Written, "written"),
    (What::Lost, "lost"),
    (What::Claim, "claim"),
    (What::Got, "got"),
    (What::Claimed, "claimed"),
    (What::Worker, "worker"),
    (What::Opening, "opening"),
    (What::Ready, "ready"),
    (What::Killed, "killed"),
    (What::Stopped, "stopped"),
    (What::Continued, "continued"),
];

/// The execution of a record that is about none.
pub(crate) const NONE: &str = "-";

/// One record: `what pid execution more .`
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'l> {
    pub(crate) what: What,
    /// The process that it is about.
    pub(crate) pid: u32,
    pub(crate) execution: &'l str,
    pub(crate) more: &'l str,
}

impl<'l> Record<'l> {
    /// The record of a line, if it is whole.
    fn parse(line: &'l str) -> Option<Self> {
        let mut fields = line.strip_suffix(" .")?.splitn(4, ' ');
        let name = fields.next()?;
        let (what, _) = NAMES.iter().find(|(_, known)| *known == name)?;
        Some(Self {
            what: *what,
            pid: fields.next()?.parse().ok()?,
            execution: fields.next()?,
            more: fields.next().unwrap_or_default(),
        })
    }

    /// The first word of `more`: a path, or a number.
    pub(crate) fn first(&self) -> &'l str {
        self.more.split(' ').next().unwrap_or_default()
    }

    /// The second word of `more`.
    pub(crate) fn second(&self) -> &'l str {
        self.more.split(' ').nth(1).unwrap_or_default()
    }
}

/// All whole records of a text, in order.
pub(crate) fn records(text: &str) -> impl Iterator<Item = Record<'_>> {
    text.split('\n').filter_map(Record::parse)
}

/// The log, open for appending and reading. Clones share the file.
#[derive(Clone)]
pub(crate) struct Log {
    file: Arc<File>,
    path: Arc<Path>,
    pid: u32,
}

impl Log {
    /// Opens the log of this folder, made if it is not there.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let path: PathBuf = folder.join("log");
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        Ok(Self {
            file: Arc::new(file),
            path: path.into(),
            pid: std::process::id(),
        })
    }

    /// Appends a mark. It is with the system, so a kill does not lose it.
    pub(crate) fn mark(&self, what: What, execution: &str, more: &str) {
        self.of(self.pid, what, execution, more);
    }

    /// Appends a mark about another process.
    pub(crate) fn of(&self, pid: u32, what: What, execution: &str, more: &str) {
        let name = NAMES
            .iter()
            .find(|(known, _)| *known == what)
            .map_or("?", |(_, name)| name);
        // One line, without what ends a record, and a byte for each character.
        let more: String = more
            .replace(" .", " ,")
            .chars()
            .map(|c| if c.is_ascii() && c != '\n' { c } else { '?' })
            .collect();
        // The line before may be torn, so each begins with its own end of line.
        let line = format!("\n{name} {pid} {execution} {more} .");
        (&*self.file)
            .write_all(line.as_bytes())
            .expect("the log can be written to");
    }

    /// Appends a record that is on disk when this returns: an effect, or an acknowledgement.
    pub(crate) fn safe(&self, what: What, execution: &str, more: &str) {
        self.mark(what, execution, more);
        self.file.sync_data().expect("the log can be synced");
    }

    /// How long it is.
    pub(crate) fn len(&self) -> u64 {
        self.file.metadata().expect("the log is there").len()
    }

    /// What stands from that place on.
    pub(crate) fn text_from(&self, start: u64) -> String {
        let mut text = Vec::new();
        let mut file = File::open(&*self.path).expect("the log can be read");
        file.seek(SeekFrom::Start(start))
            .and_then(|_| file.read_to_end(&mut text))
            .expect("the log can be read");
        String::from_utf8_lossy(&text).into_owned()
    }
}
