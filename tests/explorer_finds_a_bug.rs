//! A bug that ordinary tests do not see, found by the explorer.
//!
//! A site has two slots. A release is put into the green one, started, and then the slots are
//! swapped, so that visitors get it. If they see errors, all is taken back: the slots are swapped
//! again, and green is stopped.
//!
//! The bug: to swap is no undo of a swap. If the process dies after the undo has swapped and before
//! that is recorded, the undo runs once more, and swaps back: visitors are sent to a release that
//! is stopped a moment later.

use std::sync::Arc;

use steps::{
    Status,
    prelude::*,
    store::{MemoryStore, StoreError},
    testing::{Explorer, Fault, Injected, Lab},
};

const VISITORS: &str = "visitors on green";

/// The site's servers. What they do is an effect in a lab, which remembers it.
#[derive(Clone)]
struct Site {
    lab: Lab,
}

impl Site {
    /// Sends visitors to the other slot.
    fn swap(&self) -> Result<(), Injected> {
        if self.lab.is_there(VISITORS) {
            self.lab.undo(VISITORS)
        } else {
            self.lab.act(VISITORS)
        }
    }

    /// Sends visitors to blue, wherever they are sent now.
    fn choose_blue(&self) -> Result<(), Injected> {
        self.lab.undo(VISITORS)
    }
}

#[step]
async fn start_green(site: &Site, release: &str) -> Result<(), Injected> {
    site.lab.act(format!("green runs {release}"))
}

#[undo(start_green)]
async fn stop_green(site: &Site, release: &str, (): &()) -> Result<(), Injected> {
    site.lab.undo(format!("green runs {release}"))
}

#[step]
async fn swap(site: &Site) -> Result<(), Injected> {
    site.swap()
}

/// Without this, a crash would swap twice on the way forward.
#[verify(swap)]
async fn is_swapped(site: &Site) -> Option<()> {
    site.lab.is_there(VISITORS).then_some(())
}

/// Here it is.
#[undo(swap)]
async fn swap_back(site: &Site, (): &()) -> Result<(), Injected> {
    site.swap()
}

#[step]
async fn watch_errors(site: &Site) -> Result<(), Injected> {
    site.lab.act("errors watched")
}

#[flow]
async fn release(site: &Site, name: String) -> Result<(), Injected> {
    steps! {
        start_green(site, &name);
        swap(site);
        watch_errors(site);
    }
    Ok(())
}

/// The same, mended.
mod mended {
    use super::{Injected, Site, VISITORS, start_green, watch_errors};
    use steps::prelude::*;

    #[step]
    async fn swap(site: &Site) -> Result<(), Injected> {
        site.swap()
    }

    #[verify(swap)]
    async fn is_swapped(site: &Site) -> Option<()> {
        site.lab.is_there(VISITORS).then_some(())
    }

    /// Says where visitors are to be, and not that they are to be elsewhere: done twice, it does
    /// what it does once.
    #[undo(swap)]
    async fn choose_blue(site: &Site, (): &()) -> Result<(), Injected> {
        site.choose_blue()
    }

    #[flow]
    pub(super) async fn release(site: &Site, name: String) -> Result<(), Injected> {
        steps! {
            start_green(site, &name);
            swap(site);
            watch_errors(site);
        }
        Ok(())
    }
}

fn site(lab: &Lab) -> Site {
    Site { lab: lab.clone() }
}

fn memory(lab: &Lab) -> MemoryStore {
    MemoryStore::with_clock(Arc::new(lab.clock().clone()))
}

async fn reopen(store: &MemoryStore) -> Result<MemoryStore, StoreError> {
    Ok(store.reopen())
}

/// Nobody is to be sent to what does not run.
fn visitors_get_an_answer(lab: &Lab) -> Result<(), String> {
    let runs = lab
        .there()
        .iter()
        .any(|what| what.starts_with("green runs"));
    if lab.is_there(VISITORS) && !runs {
        return Err("visitors are sent to a slot in which nothing runs".to_owned());
    }
    Ok(())
}

#[tokio::test]
async fn an_ordinary_test_sees_nothing_wrong() {
    let lab = Lab::new();
    release(&site(&lab), "v2".to_owned()).await.unwrap();
    assert_eq!(lab.texts(), ["green runs v2", VISITORS, "errors watched"]);

    let lab = Lab::new();
    lab.fault("errors watched", Fault::FailBefore);
    let failure = release(&site(&lab), "v2".to_owned()).await.unwrap_err();
    assert_eq!(failure.status(), Status::Undone);
    assert!(lab.there().is_empty(), "all was taken back");
}

#[tokio::test]
async fn the_explorer_finds_it() {
    let input = || release::input("v2".to_owned());
    let violation = Explorer::engine(|lab| release::with(site(lab)), input)
        .without_undo_faults()
        .explore_on(memory, reopen)
        .await
        .expect_err("there is a bug");
    // It says what was done to the run, what was wrong then, and how it came to that.
    assert!(
        violation
            .trial
            .starts_with("the run, with FailBefore at `errors watched`, cut off before commit "),
        "{violation}"
    );
    assert_eq!(
        violation.what,
        r#"the world has {"visitors on green"} in it, and not {}"#
    );
    assert_eq!(
        violation.log,
        [
            "green runs v2",
            "visitors on green",
            "undo visitors on green", // the undo,
            "visitors on green",      // and once more
            "undo green runs v2",
        ]
    );
}

#[tokio::test]
async fn mended_it_passes() {
    let input = || mended::release::input("v2".to_owned());
    let report = Explorer::engine(|lab| mended::release::with(site(lab)), input)
        .once([VISITORS])
        .check(|lab, state| match state.status {
            // An undo that failed waits for somebody who looks after it.
            Status::Stuck => Ok(()),
            _ => visitors_get_an_answer(lab),
        })
        .explore_on(memory, reopen)
        .await
        .unwrap();
    assert!(report.ends.contains("undone"), "{report:?}");
    assert!(
        report.faults.contains("undo visitors on green"),
        "{report:?}"
    );
}

#[tokio::test]
async fn mended_it_passes_on_sqlite() {
    use steps::sqlite::{SqliteOptions, Synchronous};

    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("steps.db");
    let input = || mended::release::input("v2".to_owned());
    let report = Explorer::engine(|lab| mended::release::with(site(lab)), input)
        .once([VISITORS])
        .faults([Fault::FailBefore])
        .explore_on(
            // The file has no clock of its own: it goes by the lab's, as the engines do.
            |lab| {
                SqliteOptions::new(&file)
                    .synchronous(Synchronous::Normal)
                    .clock(Arc::new(lab.clock().clone()))
            },
            async |options| options.clone().open().await,
        )
        .await
        .unwrap();
    assert!(report.ends.contains("undone"), "{report:?}");
}
