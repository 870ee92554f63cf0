//! What the README shows and the doc tests don't compile there is what the guide compiles.

/// The lines of the first `steps! { … }` after `from`, without their indentation.
fn block<'t>(text: &'t str, from: &str) -> Vec<&'t str> {
    let start = text
        .find(from)
        .unwrap_or_else(|| panic!("there is no `{from}`"));
    let lines = text[start..]
        .lines()
        .skip_while(|line| line.trim() != "steps! {");
    let indent = lines
        .clone()
        .next()
        .map_or(0, |first| first.len() - first.trim_start().len());
    lines
        .map(|line| line.get(indent..).unwrap_or_default())
        .take_while(|line| *line != "}")
        .collect()
}

#[test]
fn the_language_in_the_readme_is_that_of_the_guide() {
    let readme = block(
        include_str!("../README.md"),
        "## The language in one screen",
    );
    let guide = block(
        include_str!("../src/guide/language.md"),
        "#[flow]\nasync fn set_up",
    );
    assert!(readme.len() > 20, "{readme:#?}");
    assert_eq!(readme, guide);
}

/// Adds the names of the functions, and of a store's rules, in the Rust files of a folder.
fn names(folder: &std::path::Path, found: &mut std::collections::BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("target") {
            names(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).expect("a text");
            let functions = text.split("fn ").skip(1).map(|rest| rest.split('('));
            found.extend(functions.filter_map(|mut parts| parts.next().map(str::to_owned)));
            if path.ends_with("store/catalog.rs") {
                let rules = text.lines().filter_map(|line| line.split_once(": \""));
                found.extend(rules.map(|(name, _)| name.trim().to_owned()));
            }
        }
    }
}

#[test]
fn the_tests_that_the_page_about_harbor_names_are_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = std::collections::BTreeSet::new();
    names(&root, &mut found);
    let page = include_str!("../src/guide/from_harbor.md");
    let mut count = 0;
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let [row, _, _, shown] = cells[..] else {
            continue;
        };
        if row.trim().is_empty() || shown.trim() == "—" {
            continue;
        }
        let tests: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "{row}: no test is named");
        for test in tests {
            assert!(found.contains(test), "{row}: there is no test `{test}`");
        }
        count += 1;
    }
    assert!(count > 80, "{count}");
}
