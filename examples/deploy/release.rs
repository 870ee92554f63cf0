//! What is deployed: a tarball with this very program and a manifest, and the folder made of it.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize};
use steps::prelude::*;

use crate::{
    error::{DeployError, Trying as _},
    process,
    site::{Site, Step, gone},
};

/// The two files of a release.
pub(crate) const PROGRAM: &str = "server";
pub(crate) const MANIFEST: &str = "manifest.json";

/// What is to be deployed: the flow's input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Release {
    pub(crate) version: u32,
    /// A tarball that was packed before; without it, this program packs itself.
    pub(crate) tarball: Option<PathBuf>,
    /// Whether its health check turns good.
    pub(crate) health: HealthCheck,
}

/// Whether the health check of a release turns good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HealthCheck {
    Good,
    NeverGood,
}

/// What a release says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) version: u32,
    pub(crate) health: HealthCheck,
}

impl Manifest {
    /// The manifest beside a program, in the folder of an unpacked release.
    pub(crate) fn of_folder(folder: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(folder.join(MANIFEST))?)?)
    }

    /// The manifest in a tarball.
    pub(crate) fn of_tarball(tarball: &Path) -> Result<Self, DeployError> {
        let read = || -> io::Result<Option<Self>> {
            let mut archive = open(tarball)?;
            for entry in archive.entries()? {
                let entry = entry?;
                if entry.path()? == Path::new(MANIFEST) {
                    return Ok(Some(serde_json::from_reader(entry.take(64 * 1024))?));
                }
            }
            Ok(None)
        };
        read()
            .map_err(|error| not_a_release(tarball, &error))?
            .ok_or_else(|| not_a_release(tarball, &format_args!("it holds no {MANIFEST}")))
    }
}

pub(crate) fn not_a_release(path: &Path, reason: &dyn std::fmt::Display) -> DeployError {
    DeployError::NotARelease {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

fn open(tarball: &Path) -> io::Result<tar::Archive<GzDecoder<File>>> {
    Ok(tar::Archive::new(GzDecoder::new(File::open(tarball)?)))
}

/// What `pack` gives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Packed {
    pub(crate) tarball: PathBuf,
    /// Packed here, rather than given or there from before.
    pub(crate) ours: bool,
    /// This version was unpacked by an earlier deployment, which may want to go back to it.
    pub(crate) released_before: bool,
}

/// Makes the tarball, or takes the one that is given or there.
#[step(blocking)]
pub(crate) fn pack(site: &Site, release: &Release) -> Result<Packed, DeployError> {
    let version = release.version;
    let is_current = site.current()? == Some(version);
    if is_current && process::live(&site.pid_file(version))?.is_some() {
        return Err(DeployError::AlreadyCurrent(version));
    }
    let released_before = site.release(version).exists();
    let own = site.tarball(version);
    let packed = match &release.tarball {
        Some(given) => Packed {
            tarball: given.clone(),
            ours: false,
            released_before,
        },
        None => Packed {
            ours: !(released_before && own.exists()),
            tarball: own,
            released_before,
        },
    };
    if packed.ours {
        let manifest = Manifest {
            version,
            health: release.health,
        };
        write_tarball(&packed.tarball, &manifest)
            .trying_to(|| format!("write {}", packed.tarball.display()))?;
    }
    if let Err(error) = site.after(Step::Pack) {
        discard_tarball(site, release, &packed)?;
        return Err(error);
    }
    Ok(packed)
}

#[undo(pack, blocking)]
pub(crate) fn discard_tarball(
    site: &Site,
    _release: &Release,
    packed: &Packed,
) -> Result<(), DeployError> {
    if packed.ours {
        gone(fs::remove_file(&packed.tarball))
            .trying_to(|| format!("remove {}", packed.tarball.display()))?;
    }
    site.after_undo(Step::Pack);
    Ok(())
}

fn write_tarball(path: &Path, manifest: &Manifest) -> io::Result<()> {
    let new = path.with_added_extension("new");
    let mut tarball = tar::Builder::new(GzEncoder::new(File::create(&new)?, Compression::fast()));
    let json = serde_json::to_vec(manifest)?;
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(json.len() as u64);
    tarball.append_data(&mut header, MANIFEST, json.as_slice())?;
    tarball.append_path_with_name(std::env::current_exe()?, PROGRAM)?;
    tarball.into_inner()?.finish()?.sync_all()?;
    fs::rename(new, path)
}

/// What `unpack` gives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Unpacked {
    pub(crate) folder: PathBuf,
    /// Unpacked here, rather than there from before.
    pub(crate) ours: bool,
}

/// Makes the folder of the release; it is there whole or not at all.
#[step(blocking)]
pub(crate) fn unpack(
    site: &Site,
    release: &Release,
    packed: &Packed,
) -> Result<Unpacked, DeployError> {
    let folder = site.release(release.version);
    let new = folder.with_added_extension("new");
    let placed = read_tarball(&packed.tarball, &new)
        .and_then(|manifest| place(&manifest, &new, &folder, release, packed));
    remove_folder(&new).trying_to(|| format!("remove {}", new.display()))?;
    placed?;
    let unpacked = Unpacked {
        folder,
        ours: !packed.released_before,
    };
    if let Err(error) = site.after(Step::Unpack) {
        remove_release(site, release, packed, &unpacked)?;
        return Err(error);
    }
    Ok(unpacked)
}

/// Moves the folder `new` to its place, unless the same one is there from before.
fn place(
    manifest: &Manifest,
    new: &Path,
    folder: &Path,
    release: &Release,
    packed: &Packed,
) -> Result<(), DeployError> {
    let version = release.version;
    if manifest.version != version {
        let reason = format!("it holds version {}, not {version}", manifest.version);
        return Err(not_a_release(&packed.tarball, &reason));
    }
    if packed.released_before {
        let same =
            same_files(new, folder).trying_to(|| format!("compare with {}", folder.display()))?;
        return same.then_some(()).ok_or(DeployError::OtherContent(version));
    }
    // An attempt that was cut off may have left one.
    remove_folder(folder)
        .and_then(|()| fs::rename(new, folder))
        .trying_to(|| format!("create {}", folder.display()))
}

#[undo(unpack, blocking)]
pub(crate) fn remove_release(
    site: &Site,
    _release: &Release,
    _packed: &Packed,
    unpacked: &Unpacked,
) -> Result<(), DeployError> {
    if unpacked.ours {
        remove_folder(&unpacked.folder)
            .trying_to(|| format!("remove {}", unpacked.folder.display()))?;
    }
    site.after_undo(Step::Unpack);
    Ok(())
}

/// Takes the two files, and nothing else, out of the tarball.
fn read_tarball(tarball: &Path, folder: &Path) -> Result<Manifest, DeployError> {
    let unpack = || -> io::Result<()> {
        remove_folder(folder)?;
        fs::create_dir(folder)?;
        for entry in open(tarball)?.entries()? {
            let mut entry = entry?;
            let path = entry.path()?.into_owned();
            if path != Path::new(PROGRAM) && path != Path::new(MANIFEST) {
                let unexpected = format!("it holds {}", path.display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, unexpected));
            }
            io::copy(&mut entry, &mut File::create(folder.join(path))?)?;
        }
        let program = folder.join(PROGRAM);
        fs::set_permissions(program, fs::Permissions::from_mode(0o755))
    };
    unpack().map_err(|error| not_a_release(tarball, &error))?;
    Manifest::of_folder(folder).map_err(|error| not_a_release(tarball, &error))
}

fn same_files(left: &Path, right: &Path) -> io::Result<bool> {
    for name in [MANIFEST, PROGRAM] {
        if fs::read(left.join(name))? != fs::read(right.join(name))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn remove_folder(folder: &Path) -> io::Result<()> {
    gone(fs::remove_dir_all(folder))
}
