//! A [`StateStore`] in a file.

use std::{
    ffi::OsString,
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{runtime::Handle, task::spawn_blocking};

use super::{
    error::SaveError,
    place::{NewState, Saved, StateStore},
};

/// A [`StateStore`] in a file, which holds the JSON of the state and nothing else.
///
/// * A crash leaves the old text or the new one, never a part: the text is written to a file beside it, synced,
///   renamed, and the folder is synced. That file, `NAME.new`, may be left behind; the next save replaces it.
/// * Of any number of processes that save over the same text, one succeeds: the text is compared and replaced under
///   a lock of the operating system on the file `NAME.lock`, which ends with its process. It stays there; don't
///   delete it while a process may save. The file system must have such locks, which some network file systems lack.
/// * The text itself is the version, so a change by hand counts, too, and so does deleting the file, which is how an
///   execution begins anew.
/// * A symbolic link is followed. The permissions of the file stay as they are.
#[derive(Clone, Debug)]
pub struct StateFile {
    path: Arc<Path>,
    max: usize,
}

/// The version of a [`StateFile`]: its text.
#[derive(Clone, PartialEq, Eq)]
pub struct FileVersion(Arc<str>);

impl fmt::Debug for FileVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileVersion({} bytes)", self.0.len())
    }
}

/// Why a [`StateFile`] could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("can't {what} {}: {error}", path.display())]
#[non_exhaustive]
pub struct StateFileError {
    /// What was done to it: a verb.
    pub what: &'static str,
    /// The file.
    pub path: PathBuf,
    /// The error of the operating system.
    pub error: io::Error,
}

impl StateFile {
    /// The state is kept in the file at `path`, which is made by the first save. Its folder must be there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into().into(),
            max: usize::MAX,
        }
    }

    /// Sets the most bytes that are written; by default there is no bound.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max = bytes;
        self
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Does something with the file on a thread for that, if there are any.
    async fn on_thread<T: Send + 'static>(
        &self,
        what: &'static str,
        job: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StateFileError> {
        let path = Arc::clone(&self.path);
        let done = if Handle::try_current().is_ok() {
            let ended = spawn_blocking(move || job(&path)).await;
            ended.unwrap_or_else(|gone| Err(io::Error::other(gone)))
        } else {
            job(&path)
        };
        done.map_err(|error| StateFileError {
            what,
            path: self.path.to_path_buf(),
            error,
        })
    }
}

impl StateStore for StateFile {
    type Version = FileVersion;
    type Error = StateFileError;

    async fn load(&self) -> Result<Option<Saved<FileVersion>>, StateFileError> {
        let text = self.on_thread("read", read).await?;
        Ok(text.map(|text| {
            let version = FileVersion(text.as_str().into());
            Saved::new(text, version)
        }))
    }

    async fn save(
        &self,
        new: NewState<'_>,
        over: Option<&FileVersion>,
    ) -> Result<FileVersion, SaveError<StateFileError>> {
        let version = FileVersion(new.json.into());
        let (text, over) = (Arc::clone(&version.0), over.cloned());
        let write = move |path: &Path| replace(path, &text, over.as_ref().map(|over| &*over.0));
        if self.on_thread("write", write).await? {
            Ok(version)
        } else {
            Err(SaveError::Conflict)
        }
    }

    fn max_bytes(&self) -> usize {
        self.max
    }
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces the text if it is still `over`. Returns whether it was.
fn replace(path: &Path, text: &str, over: Option<&str>) -> io::Result<bool> {
    // What a link leads to is replaced, not the link.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(beside(path, ".lock"))?;
    // It is given back when the file is closed, also by the end of the process.
    lock.lock()?;
    if read(path)?.as_deref() != over {
        return Ok(false);
    }
    let new = &beside(path, ".new");
    write(new, text, path)?;
    fs::rename(new, path)?;
    sync_folder(path)?;
    Ok(true)
}

/// The path of the file with something added to its name.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// Writes a new file, with the permissions of the one that it is to replace.
fn write(new: &Path, text: &str, old: &Path) -> io::Result<()> {
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().create_new(true).write(true).open(new)?;
    if let Ok(old) = fs::metadata(old) {
        file.set_permissions(old.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A renamed file is safe when its folder is.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Elsewhere a folder can't be opened; renaming is as safe as the file system makes it.
#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}
