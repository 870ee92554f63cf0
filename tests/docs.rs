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
