//! A cloud that is a folder: each thing in it is a file.

use std::{fs, io, path::PathBuf};

use steps::Cx;

use crate::flow::Thing;

/// A folder with things.
pub(crate) struct Cloud {
    folder: PathBuf,
    /// The step that fails, by its path in the tree.
    fails: Option<String>,
    /// The step in which the program dies.
    dies: Option<String>,
}

impl Cloud {
    pub(crate) fn open(
        folder: PathBuf,
        fails: Option<String>,
        dies: Option<String>,
    ) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self {
            folder,
            fails,
            dies,
        })
    }

    /// Makes a thing. It has the name of its step in the plan, so that a step that runs once more after a
    /// death, of which nobody knows whether it was done, makes no second one.
    pub(crate) fn make(&self, cx: &Cx, kind: &str, what: &str) -> io::Result<Thing> {
        let path = cx.path();
        if self.fails.as_ref() == Some(&path) {
            return Err(io::Error::other("the cloud has no more of it"));
        }
        // The names of the groups and of the step, without what stands between them in the tree.
        let names = path
            .split('.')
            .filter(|name| !["plan", "runs", "group", "optional"].contains(name));
        let mut names: Vec<&str> = names.collect();
        names.pop();
        let id = format!("{kind}-{}", names.join("-"));
        println!("makes {id}: {what}");
        fs::write(self.folder.join(&id), what)?;
        if self.dies.as_ref() == Some(&path) {
            println!("dies");
            std::process::abort();
        }
        Ok(Thing::new(id))
    }

    /// Removes a thing, if it is there.
    pub(crate) fn remove(&self, id: &str) -> io::Result<()> {
        println!("removes {id}");
        match fs::remove_file(self.folder.join(id)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    /// Returns the ids of all things.
    pub(crate) fn things(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.folder)?;
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let mut names: Vec<String> = names.collect::<io::Result<_>>()?;
        names.sort();
        Ok(names)
    }
}
