//! The two versions of the program, and the world in which they have their effects: a file for each.

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use steps::{Engine, prelude::*};

/// Where effects are found again.
#[derive(Clone, Debug)]
pub(crate) struct Desk(Arc<PathBuf>);

impl Desk {
    pub(crate) fn of(folder: &Path) -> Self {
        let desk = folder.join("desk");
        fs::create_dir_all(&desk).expect("a folder");
        Self(Arc::new(desk))
    }

    pub(crate) fn has(&self, id: &str, what: &str) -> bool {
        self.0.join(format!("{id}.{what}")).exists()
    }

    /// The effects that happened more than once.
    pub(crate) fn twice(&self) -> BTreeSet<String> {
        let files = fs::read_dir(&*self.0).expect("a folder");
        let names = files.map(|file| file.expect("a file").file_name().into_string());
        let names = names.map(|name| name.expect("text"));
        let twice = names.filter(|name| name.rsplit('.').next() == Some("twice"));
        twice.collect()
    }

    /// Has an effect.
    fn put(&self, id: &str, what: &str) -> Result<(), String> {
        let file = |name: String| {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true).open(self.0.join(name))
        };
        match file(format!("{id}.{what}")) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                file(format!("{id}.{what}.twice"))
                    .map(drop)
                    .map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

#[step]
async fn act(desk: &Desk, id: &str, what: &str) -> Result<(), String> {
    desk.put(id, what)
}

/// The process may have died behind the effect.
#[verify(act)]
async fn happened(desk: &Desk, id: &str, what: &str) -> Option<()> {
    desk.has(id, what).then_some(())
}

/// An undo may happen again; it must succeed then.
#[undo(act)]
async fn take_back(desk: &Desk, id: &str, what: &str, (): &()) -> Result<(), String> {
    let back = match what {
        "ship" => "return",
        _ => "credit",
    };
    if desk.has(id, back) {
        return Ok(());
    }
    desk.put(id, back)
}

#[step]
async fn pay(fails: bool) -> Result<(), String> {
    if fails {
        return Err("not paid".to_owned());
    }
    Ok(())
}

mod old {
    use super::{Desk, Duration, act, flow, pay};

    #[flow]
    pub(crate) async fn bill(desk: &Desk, id: String, fails: bool) -> Result<(), String> {
        steps! {
            ship = act(desk, &id, "ship");
            pause = steps::sleep(Duration::from_millis(60));
            pay(fails);
        }
        Ok(())
    }
}

mod new {
    use super::{Desk, Duration, act, flow, pay};

    #[flow]
    pub(crate) async fn bill(desk: &Desk, id: String, fails: bool) -> Result<(), String> {
        steps! {
            ship = act(desk, &id, "ship");
            pause = steps::sleep(Duration::from_millis(60));
            pay(fails);
            invoice = act(desk, &id, "invoice");
        }
        Ok(())
    }
}

/// A version of the program.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Version {
    Old,
    New,
}

impl Version {
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "Old" => Self::Old,
            _ => Self::New,
        }
    }

    /// Starts an execution of this version.
    pub(crate) async fn start(self, engine: &Engine, id: &str, fails: bool) {
        let own = id.to_owned();
        let started = match self {
            Self::Old => engine
                .start(old::bill::input(own, fails))
                .id(id)
                .await
                .map(drop),
            Self::New => engine
                .start(new::bill::input(own, fails))
                .id(id)
                .await
                .map(drop),
        };
        started.expect("it starts");
    }
}

/// Opens an engine for each version on the file of this folder.
pub(crate) async fn open(folder: &Path, versions: &[Version]) -> Vec<Engine> {
    let desk = Desk::of(folder);
    let mut engines = Vec::new();
    for version in versions {
        let url = format!("sqlite:{}/steps.db", folder.display());
        let builder = Engine::open(&url).await.expect("it opens");
        let builder = builder
            .lease(Duration::from_secs(1))
            .poll(Duration::from_millis(20));
        let builder = match version {
            Version::Old => builder.serve(old::bill::with(desk.clone())),
            Version::New => builder.serve(new::bill::with(desk.clone())),
        };
        engines.push(builder.start().await.expect("it starts"));
    }
    engines
}
