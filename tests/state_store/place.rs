//! A place in memory that a test can look into, and in which it lets things go wrong.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use steps::{
    State,
    state_store::{NewState, SaveError, Saved, StateStore},
};
use tokio::sync::Notify;

/// What happens at a save, counted from 1 over all clones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// The process dies before it is saved.
    DiesBefore(usize),
    /// The process dies after it is saved, and before it hears of it.
    DiesAfter(usize),
    /// Somebody else saves the same text first.
    Intruder(usize),
    /// The place can't be reached.
    Away(usize),
}

#[derive(Debug, thiserror::Error)]
#[error("the place is away")]
pub(crate) struct IsAway;

/// Clones are other views of the same place.
#[derive(Clone, Default)]
pub(crate) struct Place(Arc<Inner>);

#[derive(Default)]
struct Inner {
    saved: Mutex<Option<(String, u64)>>,
    saves: AtomicUsize,
    at: Mutex<Option<At>>,
    died: Notify,
    max: Mutex<Option<usize>>,
}

impl Place {
    pub(crate) fn at(self, at: At) -> Self {
        *self.0.at.lock().unwrap() = Some(at);
        self
    }

    pub(crate) fn nothing_happens(&self) {
        *self.0.at.lock().unwrap() = None;
    }

    pub(crate) fn max(self, bytes: usize) -> Self {
        *self.0.max.lock().unwrap() = Some(bytes);
        self
    }

    /// How often something was to be saved.
    pub(crate) fn saves(&self) -> usize {
        self.0.saves.load(Ordering::SeqCst)
    }

    pub(crate) fn text(&self) -> Option<String> {
        self.0
            .saved
            .lock()
            .unwrap()
            .as_ref()
            .map(|saved| saved.0.clone())
    }

    pub(crate) fn put(&self, text: &str) {
        let mut saved = self.0.saved.lock().unwrap();
        let version = saved.as_ref().map_or(0, |saved| saved.1);
        *saved = Some((text.to_owned(), version + 1));
    }

    pub(crate) fn state(&self) -> State {
        let text = self.text().expect("something was saved");
        State::from_json(&text).expect("what was saved is a state")
    }

    /// Runs until the process dies at a save.
    pub(crate) async fn until_death<T>(&self, run: impl Future<Output = T>) {
        tokio::select! {
            _ = run => panic!("it should have died at a save"),
            () = self.0.died.notified() => {}
        }
        self.nothing_happens();
    }

    async fn die(&self) {
        self.0.died.notify_one();
        pending::<()>().await;
    }
}

impl StateStore for Place {
    type Version = u64;
    type Error = IsAway;

    async fn load(&self) -> Result<Option<Saved<u64>>, IsAway> {
        if *self.0.at.lock().unwrap() == Some(At::Away(0)) {
            return Err(IsAway);
        }
        let saved = self.0.saved.lock().unwrap().clone();
        Ok(saved.map(|(text, version)| Saved::new(text, version)))
    }

    async fn save(&self, new: NewState<'_>, over: Option<&u64>) -> Result<u64, SaveError<IsAway>> {
        // So that others can come in between.
        tokio::task::yield_now().await;
        let number = self.0.saves.fetch_add(1, Ordering::SeqCst) + 1;
        let at = *self.0.at.lock().unwrap();
        match at {
            Some(At::DiesBefore(n)) if n == number => self.die().await,
            Some(At::Intruder(n)) if n == number => {
                let text = self.text().unwrap_or_else(|| new.json.to_owned());
                self.put(&text);
            }
            Some(At::Away(n)) if n == number => Err(IsAway)?,
            _ => {}
        }
        let version = {
            let mut saved = self.0.saved.lock().unwrap();
            if saved.as_ref().map(|saved| &saved.1) != over {
                return Err(SaveError::Conflict);
            }
            let version = over.map_or(1, |version| version + 1);
            *saved = Some((new.json.to_owned(), version));
            version
        };
        assert_eq!(State::from_json(new.json).as_ref().ok(), Some(new.state));
        if at == Some(At::DiesAfter(number)) {
            self.die().await;
        }
        Ok(version)
    }

    fn max_bytes(&self) -> usize {
        self.0.max.lock().unwrap().unwrap_or(usize::MAX)
    }
}
