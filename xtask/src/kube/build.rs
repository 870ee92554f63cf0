//! Builds kube-apiserver from the unpacked packages.
//!
//! Kubernetes 1.20 was made for an older Go. Four things make it work with 1.19: the mode of Go without modules, as
//! its `go.mod` needs updates from the network; a newer `reflect2` than its own, whose iteration over maps does not
//! fit and ends the server soon after its start; a condition less where types are validated, which would take each
//! empty text for `null`; and a file of `OpenAPI` types, which the package does not have and its own
//! generator makes.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Folder, timed};
use crate::{Result, cargo};

const KUBERNETES: &str = "go/src/k8s.io/kubernetes";
const OPENAPI: &str = "pkg/generated/openapi";
const REFLECT2: &str = "github.com/modern-go/reflect2";

/// Makes all programs of [`PROGRAMS`](super::PROGRAMS).
pub(super) fn all(folder: &Folder) -> Result {
    fs::copy(folder.path("root/usr/bin/etcd"), folder.bin("etcd"))?;
    timed("building Go's program for certificates", || {
        let source = folder.path("root/usr/share/go-1.19/src/crypto/tls/generate_cert.go");
        build(folder, "certificate", &[], &source)
    })?;
    replace_reflect2(folder)?;
    mend_validation(folder)?;
    timed("making the OpenAPI types", || openapi(folder))?;
    timed("building kube-apiserver", || {
        // It compares its own version with those in which parts of its API come and go.
        let version = ["client-go/pkg", "component-base"].map(|of| {
            let of = format!("-X k8s.io/kubernetes/vendor/k8s.io/{of}/version");
            format!("{of}.gitVersion=v1.20.2 {of}.gitMajor=1 {of}.gitMinor=20")
        });
        let flags = format!("-s -w {}", version.join(" "));
        let flags = ["-tags", "providerless", "-ldflags", &flags];
        build(
            folder,
            "kube-apiserver",
            &flags,
            "./cmd/kube-apiserver".as_ref(),
        )
    })
}

/// The Go of the packages, in the source of Kubernetes. `GOFLAGS=-p=1` makes it take one processor only.
fn go(folder: &Folder) -> Command {
    let root = folder.path("root/usr/lib/go-1.19");
    let mut go = cargo::command(root.join("bin/go"));
    go.current_dir(folder.path(KUBERNETES))
        .env("GOROOT", root)
        .env("GOPATH", folder.path("go"))
        .env("GOCACHE", folder.path("cache"))
        .env("GO111MODULE", "off")
        .env("CGO_ENABLED", "0");
    go
}

fn build(folder: &Folder, program: &str, flags: &[&str], of: &Path) -> Result {
    // It gets its name when it is whole.
    let made = folder.path("cache").join(program);
    cargo::run(
        go(folder)
            .args(["build", "-o"])
            .arg(&made)
            .args(flags)
            .arg(of),
    )?;
    fs::rename(made, folder.bin(program))?;
    Ok(())
}

fn replace_reflect2(folder: &Folder) -> Result {
    let old = folder.path(KUBERNETES).join("vendor").join(REFLECT2);
    let new = folder.path("root/usr/share/gocode/src").join(REFLECT2);
    fs::remove_dir_all(&old)?;
    fs::create_dir(&old)?;
    for entry in fs::read_dir(new)? {
        let file = entry?.path();
        if let Some(name) = file.file_name().filter(|_| file.is_file()) {
            fs::copy(&file, old.join(name))?;
        }
    }
    Ok(())
}

/// It compares two `reflect.Value`s, which are equal for an empty text since Go puts all zero values in one place.
fn mend_validation(folder: &Folder) -> Result {
    let of_zero =
        " || reflect.DeepEqual(reflect.Zero(reflect.TypeOf(data)), reflect.ValueOf(data))";
    for file in [
        "k8s.io/kube-openapi/pkg/validation/validate/type.go",
        "github.com/go-openapi/validate/type.go",
    ] {
        let file = folder.path(KUBERNETES).join("vendor").join(file);
        let text = fs::read_to_string(&file)?;
        let mended = text.replace(of_zero, "");
        if mended == text {
            return Err(format!("{}: not the expected source", file.display()).into());
        }
        fs::write(file, mended)?;
    }
    Ok(())
}

/// Makes `zz_generated.openapi.go` with the generator that is in the source.
fn openapi(folder: &Folder) -> Result {
    let kubernetes = folder.path(KUBERNETES);
    let generator = folder.path("cache/openapi-gen");
    let source = "./vendor/k8s.io/kube-openapi/cmd/openapi-gen";
    cargo::run(go(folder).args(["build", "-o"]).arg(&generator).arg(source))?;

    let mut packages = BTreeSet::new();
    for of in ["cmd", "pkg", "plugin", "staging/src/k8s.io"] {
        tagged(&kubernetes.join(of), &mut packages)?;
    }
    let packages: Vec<_> = packages
        .iter()
        .filter_map(|package| package.strip_prefix(&kubernetes).ok())
        .map(|package| {
            // `vendor` leads to `staging`, and it is by the former name that Go knows them.
            let package = package.display().to_string();
            format!(
                "k8s.io/kubernetes/{}",
                package.replace("staging/src", "vendor")
            )
        })
        .collect();
    let paths = env::var_os("PATH").unwrap_or_default();
    let bin = folder.path("root/usr/lib/go-1.19/bin");
    let paths = env::join_paths([bin].into_iter().chain(env::split_paths(&paths)))?;
    cargo::run(
        Command::new(&generator)
            .current_dir(&kubernetes)
            // It asks Go what is where.
            .envs(
                go(folder)
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .env("PATH", paths)
            .args(["--logtostderr", "--input-dirs", &packages.join(",")])
            .args(["--output-package", &format!("k8s.io/kubernetes/{OPENAPI}")])
            .args(["--output-file-base", "zz_generated.openapi"])
            .arg("--go-header-file")
            .arg(kubernetes.join("vendor/k8s.io/code-generator/hack/boilerplate.go.txt"))
            .arg("--report-filename")
            .arg(folder.path("cache/violations")),
    )?;
    // It writes imports with the place of a package in them, which is none of its name.
    let made = kubernetes.join(OPENAPI).join("zz_generated.openapi.go");
    let text = fs::read_to_string(&made)?;
    fs::write(made, text.replace("\"k8s.io/kubernetes/vendor/", "\""))?;
    Ok(())
}

/// Adds the folders below this one with a file that asks for `OpenAPI` types.
fn tagged(folder: &Path, into: &mut BTreeSet<PathBuf>) -> Result {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let kind = entry.file_type()?;
        // What only generates code or shows how to is no part of the server.
        if kind.is_dir() && !["code-generator", "sample-apiserver"].contains(&&*name) {
            tagged(&path, into)?;
        } else if kind.is_file()
            && name.ends_with(".go")
            && !name.ends_with("_test.go")
            && !name.starts_with("zz_generated")
            && fs::read_to_string(&path).is_ok_and(|text| text.contains("+k8s:openapi-gen="))
        {
            into.insert(folder.to_owned());
        }
    }
    Ok(())
}
