//! What the steps of the tests share: what was called, and what is to fail.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

#[derive(Debug, Default)]
pub(crate) struct World {
    /// The schema of the service's own table, where there are schemas.
    pub(crate) schema: String,
    /// Each call of a step or an undo, whatever has come of it.
    calls: Mutex<Vec<&'static str>>,
    /// How often a call fails, after it has changed the database.
    fails: Mutex<BTreeMap<&'static str, u32>>,
    /// Where calls are noted as well, for other processes, and how long each takes then.
    log: Option<(File, Duration)>,
}

impl World {
    pub(crate) fn new(schema: &str) -> Arc<Self> {
        Arc::new(Self {
            schema: schema.to_owned(),
            ..Self::default()
        })
    }

    /// One whose calls take their time, and are noted in a file.
    pub(crate) fn slow(schema: &str, log: &Path, takes: Duration) -> Arc<Self> {
        let log = File::options().create(true).append(true).open(log);
        Arc::new(Self {
            schema: schema.to_owned(),
            log: Some((log.expect("a log"), takes)),
            ..Self::default()
        })
    }

    pub(crate) fn fails(&self, what: &'static str, times: u32) {
        self.fails.lock().unwrap().insert(what, times);
    }

    pub(crate) fn calls(&self, what: &str) -> usize {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|call| **call == what).count()
    }

    /// Notes a call, and fails if it is to.
    pub(crate) fn called(&self, what: &'static str) -> Result<(), String> {
        self.calls.lock().unwrap().push(what);
        if let Some((mut log, takes)) = self.log.as_ref().map(|(log, takes)| (log, *takes)) {
            writeln!(log, "{what}").expect("the log can be written");
            thread::sleep(takes);
        }
        match self.fails.lock().unwrap().get_mut(what) {
            Some(left) if *left > 0 => {
                *left -= 1;
                Err(format!("{what} fails"))
            }
            _ => Ok(()),
        }
    }
}
