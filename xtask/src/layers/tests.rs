//! The rules, tested on small crates that violate them.

use std::{collections::BTreeMap, path::PathBuf};

use super::{CRATES, Crate, sources};

const KRATE: Crate = Crate {
    folder: "src",
    floors: &[&["base"], &["journal", "store"], &["engine"]],
    free: &["codegen"],
};

/// Returns the problems of a crate with these files in `src/`.
fn check(files: &[(&str, &str)]) -> Vec<String> {
    let sources: BTreeMap<PathBuf, String> = files
        .iter()
        .map(|(name, text)| (PathBuf::from("src").join(name), (*text).to_owned()))
        .collect();
    KRATE.check(&sources).unwrap()
}

/// Returns the only problem of a crate that has `engine`, and `base` with this text.
#[track_caller]
fn only(base: &str) -> String {
    let mut problems = check(&[
        ("lib.rs", "mod base;\nmod engine;\npub use engine::Engine;"),
        ("base.rs", base),
        ("engine.rs", "pub struct Engine;"),
    ]);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    problems.remove(0)
}

#[test]
fn an_arrow_that_goes_up_is_shown_with_file_line_and_rule() {
    assert_eq!(
        only("\nuse crate::engine::Engine;\n"),
        "src/base.rs:2: `base` imports `crate::engine::Engine`, of `engine` above it; a file \
         imports from its own floor and those below it: base → journal, store → engine"
    );
}

#[test]
fn all_of_the_root_is_not_imported() {
    for text in [
        "use crate::*;",
        "use super::*;",
        "mod inner { use super::super::*; }",
    ] {
        let problem = only(text);
        assert!(
            problem.contains("src/base.rs:1") && problem.contains("name what is needed"),
            "{text}: {problem}"
        );
    }
}

/// One wrong import is one problem, whatever circles it closes.
#[test]
fn an_arrow_that_goes_up_is_no_circle_as_well() {
    let below = "use crate::base::a; use crate::base;";
    let problems = check(&[
        ("lib.rs", "mod base;\nmod engine;"),
        ("base.rs", "pub mod a; pub mod b; pub mod c;"),
        ("base/a.rs", "use crate::engine::Engine;"),
        ("base/b.rs", "use super::a;"),
        ("base/c.rs", "use super::b;"),
        (
            "engine.rs",
            &format!("{below} use crate::base::c; pub struct Engine;"),
        ),
    ]);
    assert_eq!(problems.len(), 1, "{problems:#?}");
}

#[test]
fn an_arrow_is_seen_in_whatever_way_it_is_written() {
    for text in [
        "use crate::{engine};",
        "use crate::{\n engine::{Engine as E},\n};",
        "use super::engine::*;",
        "use super::Engine;",
        "pub use crate::Engine;",
        "fn f() -> crate::engine::Engine { todo!() }",
        "fn f(x: Option<super::engine::Engine>) {}",
        "fn f() { println!(\"{}\", crate::engine::NAME) }",
        "macro_rules! m { () => { $crate::engine::f() } }",
        "pub(in crate::base) struct A(pub(super) crate::engine::Engine);",
        "mod inner { use super::super::engine::Engine; }",
        "#[derive(Debug)] struct A { #[cfg(test)] b: u8, c: crate::Engine }",
    ] {
        let problem = only(text);
        assert!(
            problem.contains("of `engine` above it"),
            "{text}: {problem}"
        );
    }
}

#[test]
fn what_is_no_arrow_up_is_not_shown() {
    let problems = check(&[
        (
            "lib.rs",
            "mod base; mod codegen; mod engine; mod store; mod journal; pub use engine::Engine;",
        ),
        (
            "base.rs",
            "//! `crate::engine::Engine`
            mod engine { pub struct Own; }
            use engine::Own;
            use std::engine::Other;
            fn f() -> impl Iterator + use<'_> { crate::base::engine::f(\"crate::engine::Engine\") }
            #[cfg(test)]
            use crate::engine::{Engine, Other};
            #[cfg(test)]
            mod unit { use crate::engine::Engine; }
            #[cfg(test)]
            mod in_a_file;
            mod tests;",
        ),
        ("base/tests.rs", "use crate::engine::Engine;"),
        ("codegen.rs", "pub use crate::engine::Engine;"),
        ("store.rs", "use crate::{journal::Journal, base};"),
        ("journal.rs", "use crate::store::Store;"),
        ("engine.rs", "use crate::{base::X, store, codegen};"),
    ]);
    assert_eq!(problems, Vec::<String>::new());
}

/// A name that a lower module only re-exports counts as a name of the module above.
#[test]
fn an_arrow_up_by_way_of_a_re_export_is_shown_at_both() {
    let problems = check(&[
        ("lib.rs", "mod base; mod engine; pub use base::Engine;"),
        ("base/mod.rs", "mod user;\npub use crate::engine::Engine;"),
        ("base/user.rs", "use super::Engine;"),
        ("engine.rs", "pub struct Engine;"),
    ]);
    let places: Vec<_> = problems.iter().map(|p| p.split(": ").next()).collect();
    assert_eq!(
        places,
        [Some("src/base/mod.rs:2"), Some("src/base/user.rs:1")]
    );
}

/// Returns files of `engine`, each of which imports the next one, and the last one the first.
fn circle(len: usize) -> Vec<String> {
    let names: Vec<String> = (1..=len).map(|n| format!("part{n}")).collect();
    let declared: Vec<String> = names.iter().map(|name| format!("mod {name};")).collect();
    // Neither of these is an arrow of the circle.
    let engine = declared.concat() + "pub use part1::Own; mod user;";
    let files: Vec<(String, String)> = (0..len)
        .map(|n| (format!("engine/{}.rs", names[n]), &names[(n + 1) % len]))
        .map(|(file, next)| (file, format!("//!\nuse super::{next}::Of{next};")))
        .collect();
    let mut all = vec![
        ("lib.rs", "mod engine;"),
        ("engine/mod.rs", &engine),
        ("engine/user.rs", "use super::Own;"),
    ];
    all.extend(
        files
            .iter()
            .map(|(file, text)| (file.as_str(), text.as_str())),
    );
    check(&all)
}

#[test]
fn a_circle_of_four_files_is_shown_with_its_lines() {
    assert_eq!(
        circle(4),
        ["\
src/engine/part1.rs: 4 files import each other in a circle; at most 3 may:
  src/engine/part1.rs:2: imports `super::part2::Ofpart2` of src/engine/part2.rs
  src/engine/part2.rs:2: imports `super::part3::Ofpart3` of src/engine/part3.rs
  src/engine/part3.rs:2: imports `super::part4::Ofpart4` of src/engine/part4.rs
  src/engine/part4.rs:2: imports `super::part1::Ofpart1` of src/engine/part1.rs"]
    );
}

#[test]
fn a_circle_of_three_files_may_be() {
    assert_eq!(circle(3), Vec::<String>::new());
}

#[test]
fn a_module_that_the_table_does_not_have_is_named() {
    let problems = check(&[("lib.rs", "mod attic;"), ("attic.rs", "")]);
    assert_eq!(
        problems,
        ["src/lib.rs: `attic` is on no floor: add it to the table in `xtask/src/layers`"]
    );
}

/// Otherwise the check would pass with nothing checked after a folder is renamed.
#[test]
fn the_crates_of_the_table_are_read() {
    for krate in CRATES {
        assert!(
            sources(krate.folder).unwrap().len() > 20,
            "{}",
            krate.folder
        );
    }
}
