//! The rules of a place: sound ones keep them, and of those that break one, it is noticed.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use steps::{
    state_store::{NewState, SaveError, Saved, StateFile, StateStore},
    testing,
};

use crate::place::Place;

#[tokio::test]
async fn sound_places_keep_the_rules() {
    let place = Place::default();
    testing::state_store(|| place.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_keeps_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    testing::state_store(|| StateFile::new(folder.path().join("state.json"))).await;
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Saves over any version.
    LastWins,
    /// Compares, and writes later.
    Between,
    /// Saves over nothing whatever is there.
    OverAnything,
    /// Says that it has saved, and has not.
    Forgets,
    /// Keeps what it has read as JSON.
    Rewrites,
    /// Cuts what is long.
    Cuts,
    /// Writes before it compares.
    WritesAnyway,
    /// Gives a version that is not the one it loads.
    OtherVersion,
}

#[derive(Clone)]
struct Broken(Fault, Arc<Mutex<Option<(String, u64)>>>);

impl StateStore for Broken {
    type Version = u64;
    type Error = Infallible;

    async fn load(&self) -> Result<Option<Saved<u64>>, Infallible> {
        let saved = self.1.lock().unwrap().clone();
        Ok(saved.map(|(text, version)| Saved::new(text, version)))
    }

    async fn save(
        &self,
        new: NewState<'_>,
        over: Option<&u64>,
    ) -> Result<u64, SaveError<Infallible>> {
        let fits = || self.1.lock().unwrap().as_ref().map(|saved| &saved.1) == over;
        let fits = match self.0 {
            Fault::LastWins => true,
            Fault::OverAnything => over.is_none() || fits(),
            _ => fits(),
        };
        if let Fault::Between = self.0 {
            tokio::task::yield_now().await;
        }
        let text = match self.0 {
            Fault::Rewrites => {
                let value: serde_json::Value = serde_json::from_str(new.json).unwrap();
                value.to_string()
            }
            Fault::Cuts => new.json.chars().take(65_535).collect(),
            _ => new.json.to_owned(),
        };
        if let Fault::WritesAnyway = self.0
            && let Some(saved) = &mut *self.1.lock().unwrap()
        {
            saved.0.clone_from(&text);
        }
        if !fits {
            return Err(SaveError::Conflict);
        }
        let mut saved = self.1.lock().unwrap();
        let version = saved.as_ref().map_or(1, |saved| saved.1 + 1);
        if let (Fault::Forgets, Some(saved)) = (self.0, &mut *saved) {
            saved.1 = version;
            return Ok(version);
        }
        *saved = Some((text, version));
        Ok(match self.0 {
            Fault::OtherVersion => version + 7,
            _ => version,
        })
    }
}

#[tokio::test]
async fn broken_places_are_noticed() {
    for (fault, expected) in [
        (Fault::LastWins, "exactly one succeeds"),
        (Fault::Between, "exactly one succeeds"),
        (Fault::OverAnything, "exactly one succeeds"),
        (Fault::Forgets, "a text is given back as it was"),
        (Fault::Rewrites, "what is loaded is what was saved"),
        (Fault::Cuts, "a text is given back as it was"),
        (Fault::WritesAnyway, "what is loaded is what was saved"),
        (
            Fault::OtherVersion,
            "a save over the version of the save before it succeeds",
        ),
    ] {
        let store = Broken(fault, Arc::default());
        let tried = tokio::spawn(async move {
            testing::state_store(|| store.clone()).await;
        });
        let panic = tried.await.expect_err("it keeps all rules").into_panic();
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
        let text = text.expect("a panic with a text");
        assert!(text.contains(expected), "{fault:?}: {text}");
    }
}
