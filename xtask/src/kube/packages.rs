//! Debian's packages: fetched with `apt-get` by lists of this folder's own, so that those of the system stay as they
//! are, and unpacked beside it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Folder, tool};
use crate::{Result, cargo};

/// The Go that this Kubernetes can be built with, and what is built or run.
const PACKAGES: [&str; 4] = [
    "golang-1.19-go",
    "golang-1.19-src",
    "golang-github-modern-go-reflect2-dev",
    "etcd-server",
];

const SOURCE: &str = "kubernetes";

/// What to do on another system.
pub(super) const OTHERWISE: &str = "the build needs Debian 12 with apt-get, dpkg-deb and tar. \
     Elsewhere, put a kube-apiserver, an etcd and a `certificate` (Go's crypto/tls/generate_cert.go, built) \
     into target/kube/bin";

/// Fetches all packages into `apt/packages`.
pub(super) fn fetch(folder: &Folder) -> Result {
    let apt = folder.path("apt");
    let fetched = apt.join("packages");
    for of in [
        "sources",
        "lists/partial",
        "cache/archives/partial",
        "packages",
    ] {
        fs::create_dir_all(apt.join(of))?;
    }
    let sources = sources(Path::new("/etc/apt"))?;
    fs::write(apt.join("sources/debian.sources"), sources)?;
    cargo::run(get(&apt)?.args(["--quiet", "update"]))?;
    cargo::run(
        get(&apt)?
            .args(["--quiet", "download"])
            .args(PACKAGES)
            .current_dir(&fetched),
    )
    .map_err(|error| format!("{error}\n{OTHERWISE}"))?;
    cargo::run(
        get(&apt)?
            .args(["--quiet", "source", "--download-only", SOURCE])
            .current_dir(&fetched),
    )
}

fn get(apt: &Path) -> Result<Command> {
    let mut command = tool("apt-get")?;
    let path = |of: &str| apt.join(of).display().to_string();
    for option in [
        "Dir::Etc::sourcelist=/dev/null".to_owned(),
        format!("Dir::Etc::sourceparts={}", path("sources")),
        format!("Dir::State::lists={}", path("lists")),
        format!("Dir::Cache={}", path("cache")),
        // Root would else become a user that may not write here.
        "APT::Sandbox::User=root".to_owned(),
    ] {
        command.args(["--option", &option]);
    }
    Ok(command)
}

/// The system's sources of Debian's packages, with those of their source packages.
fn sources(etc: &Path) -> Result<String> {
    let mut files = vec![etc.join("sources.list")];
    if let Ok(parts) = fs::read_dir(etc.join("sources.list.d")) {
        files.extend(parts.flatten().map(|entry| entry.path()));
    }
    files.sort();
    let mut all = String::new();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("sources") => all.extend(stanzas(&text)),
            Some("list") => all.extend(text.lines().filter_map(stanza_of_line)),
            _ => {}
        }
    }
    if all.is_empty() {
        return Err(format!(
            "no source of Debian's packages in {}; {OTHERWISE}",
            etc.display()
        )
        .into());
    }
    Ok(all)
}

/// Those of the stanzas that are of Debian, for binaries and sources.
fn stanzas(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let text = lines.collect::<Vec<_>>().join("\n");
    let of_debian = text
        .split("\n\n")
        .filter(|stanza| stanza.contains("debian"));
    of_debian
        .map(|stanza| {
            let others = stanza.lines().filter(|line| !line.starts_with("Types:"));
            let others: Vec<_> = others.filter(|line| !line.is_empty()).collect();
            format!("Types: deb deb-src\n{}\n\n", others.join("\n"))
        })
        .collect()
}

/// The same from a line of the older form: `deb [options] URI suite component…`.
fn stanza_of_line(line: &str) -> Option<String> {
    let rest = line.trim().strip_prefix("deb ")?;
    let (options, rest) = match rest.trim().strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace();
    let uri = words.next().filter(|uri| uri.contains("debian"))?;
    let suite = words.next()?;
    let components: Vec<_> = words.collect();
    let mut options = options.split_whitespace();
    let key = options.find_map(|option| option.strip_prefix("signed-by="));
    let signed = key.map_or_else(String::new, |key| format!("Signed-By: {key}\n"));
    Some(format!(
        "Types: deb deb-src\nURIs: {uri}\nSuites: {suite}\nComponents: {}\n{signed}\n",
        components.join(" ")
    ))
}

/// Unpacks the packages into `root`, and the source to where Go looks for it.
pub(super) fn unpack(folder: &Folder) -> Result {
    let source = folder.path("go/src/k8s.io/kubernetes");
    fs::create_dir_all(&source)?;
    for package in fetched(folder, ".deb")? {
        cargo::run(
            tool("dpkg-deb")?
                .arg("--extract")
                .arg(package)
                .arg(folder.path("root")),
        )?;
    }
    // Without Debian's patches, which are of kubectl.
    let archives = fetched(folder, ".orig.tar.gz")?;
    let [archive] = &archives[..] else {
        return Err(format!("not one source of {SOURCE}: {archives:?}").into());
    };
    cargo::run(
        tool("tar")?
            .args(["--extract", "--gzip", "--strip-components=1", "--file"])
            .arg(archive)
            .arg("--directory")
            .arg(source),
    )
}

/// The fetched files whose names end like this.
fn fetched(folder: &Folder, end: &str) -> Result<Vec<PathBuf>> {
    let files = fs::read_dir(folder.path("apt/packages"))?;
    let files = files.flatten().map(|entry| entry.path());
    Ok(files
        .filter(|path| path.to_string_lossy().ends_with(end))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_sources_become_those_of_binaries_and_sources() {
        let text = "# these\nTypes: deb\n# of a day\nURIs: http://deb.example/debian\nSuites: bookworm\n\
                    Components: main\nSigned-By: /a.gpg\n\nTypes: deb\nURIs: http://other.example/node\n";
        let stanza = "Types: deb deb-src\nURIs: http://deb.example/debian\nSuites: bookworm\n\
                      Components: main\nSigned-By: /a.gpg\n\n";
        assert_eq!(stanzas(text), [stanza]);
        let line = "deb [arch=amd64 signed-by=/a.gpg] http://deb.example/debian bookworm main";
        assert_eq!(stanza_of_line(line).as_deref(), Some(stanza));
        let plain = stanza_of_line("deb http://deb.example/debian bookworm main contrib").unwrap();
        assert!(plain.contains("Components: main contrib\n"), "{plain}");
        assert_eq!(
            stanza_of_line("# deb http://deb.example/debian bookworm main"),
            None
        );
        assert_eq!(
            stanza_of_line("deb http://other.example/node bookworm main"),
            None
        );
    }
}
