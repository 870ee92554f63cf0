//! The clean build of a crate that depends on `steps`, and the share of each package.

use std::{collections::BTreeMap, fs, time::Instant};

use super::{
    source::{Project, USERS},
    wrapper,
};
use crate::{Result, cargo, table::Table};

pub(super) fn report(project: &Project) -> Result {
    for (user, features) in USERS {
        eprintln!("building {user} from scratch");
        let target = project.folder.join(user).join("target");
        let log = project.folder.join(user).join("rustc.log");
        for stale in [fs::remove_dir_all(&target), fs::remove_file(&log)] {
            stale.or_else(ignore_missing)?;
        }

        let mut build = project.cargo("build", user);
        build.env("CARGO_TARGET_DIR", &target);
        wrapper::log_times(&mut build, &log)?;
        // Fetch first, so that the time includes no download.
        let mut fetch = cargo::cargo(["fetch", "--quiet", "--manifest-path"]);
        cargo::run(fetch.arg(project.folder.join("Cargo.toml")))?;
        let start = Instant::now();
        cargo::run(&mut build)?;
        let wall = start.elapsed().as_secs_f64();

        println!(
            "A clean build of a crate that uses `steps` with default-features = false, \
             features = [{features}]: {wall:.1} s\n\n{}",
            shares(&fs::read_to_string(&log)?)
        );
    }
    Ok(())
}

fn ignore_missing(error: std::io::Error) -> std::io::Result<()> {
    match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}

/// Several rustc processes run at once, so the sum of their seconds exceeds the wall time.
fn shares(log: &str) -> Table {
    let mut packages = BTreeMap::<&str, f64>::new();
    for (package, seconds) in log.lines().filter_map(wrapper::parse) {
        *packages.entry(package).or_default() += seconds;
    }
    let total: f64 = packages.values().sum();
    let mut packages: Vec<_> = packages.into_iter().collect();
    packages.sort_by(|(_, a), (_, b)| b.total_cmp(a));

    let mut table = Table::new(["package", "rustc s", "share"]);
    for (package, seconds) in packages {
        table.row([
            package.to_owned(),
            format!("{seconds:.2}"),
            format!("{:.1} %", 100.0 * seconds / total),
        ]);
    }
    table.row(["all".to_owned(), format!("{total:.2}"), String::new()]);
    table
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn a_packages_build_script_counts_as_its_own() {
        let table = shares("serde\t1.0\nsyn\t2.5\nserde\t0.5\n").to_string();
        let rows: Vec<_> = table.lines().collect();
        assert_eq!(rows.len(), 4, "{table}");
        assert!(
            rows[1].starts_with("syn") && rows[1].contains("62.5 %"),
            "{table}"
        );
    }
}
