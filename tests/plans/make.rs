//! What is wrong with a plan is told when it is made.

use steps::{Plan, plan::PlanError};

use crate::support::provision;

/// All that is wrong with the plan that has these steps.
fn problems(steps: &str) -> Vec<(String, String)> {
    problems_of(&format!("{{\"steps\": [{steps}]}}"))
}

fn problems_of(json: &str) -> Vec<(String, String)> {
    let error = Plan::<provision>::from_json(json).expect_err("it is no plan");
    all(&error)
}

pub(crate) fn all(error: &PlanError) -> Vec<(String, String)> {
    let problems = error.problems();
    problems
        .map(|problem| (problem.path().to_owned(), problem.why().to_owned()))
        .collect()
}

/// That is the only thing wrong with it.
#[track_caller]
fn only(steps: &str, path: &str, why: &str) {
    assert_eq!(problems(steps), [(path.to_owned(), why.to_owned())]);
}

const DISK: &str = r#"{"name": "disk", "step": "create_volume", "args": {"spec": {"gb": 1}}}"#;
const NOTE: &str = r#"{"name": "a", "step": "note", "args": {"text": "a"}}"#;

#[test]
fn a_step_that_is_not_registered_is_refused() {
    only(
        r#"{"name": "disk", "step": "create_volum", "args": {"spec": {"gb": 1}}}"#,
        "disk",
        "there is no step `create_volum`; did you mean `create_volume`?",
    );
    only(
        r#"{"name": "disk", "step": "format"}"#,
        "disk",
        "there is no step `format`; a plan may have `create_volume`, `attach`, `report` and `note`. If it was \
         renamed, write `#[step(alias = \"format\")]` before it",
    );
}

#[test]
fn what_refers_to_a_step_that_is_not_registered_is_not_told_of_besides() {
    only(
        r#"{"name": "disk", "step": "format"},
           {"name": "link", "step": "attach", "args": {"vm": "a"}, "from": {"volume": "disk"}}"#,
        "disk",
        "there is no step `format`; a plan may have `create_volume`, `attach`, `report` and `note`. If it was \
         renamed, write `#[step(alias = \"format\")]` before it",
    );
}

#[test]
fn two_steps_of_a_group_have_not_the_same_name() {
    only(
        &format!("{NOTE}, {NOTE}"),
        "a",
        "a second step of this name in its group: give each a name of its own, by which it is recorded",
    );
    // In different groups they may.
    let plan = format!(r#"{{"steps": [{NOTE}, {{"name": "g", "in_order": [{NOTE}]}}]}}"#);
    let plan = Plan::<provision>::from_json(&plan).unwrap();
    let paths: Vec<String> = plan.steps().map(|step| step.path).collect();
    assert_eq!(paths, ["a", "g.a"]);
}

#[test]
fn a_step_has_a_name() {
    only(
        r#"{"name": "", "step": "note", "args": {"text": "a"}}"#,
        r"\e",
        "a step or a group has an empty name: give it one",
    );
    only(r#"{"parallel": []}"#, "[0]", "it has no `name`");
    // That of the step, where it is not said.
    let plan = r#"{"steps": [{"step": "note", "args": {"text": "a"}}]}"#;
    let plan = Plan::<provision>::from_json(plan).unwrap();
    assert_eq!(plan.steps().next().unwrap().path, "note");
}

#[test]
fn the_arguments_are_those_of_the_step() {
    only(
        r#"{"name": "a", "step": "note", "args": {"txt": "a"}}"#,
        "a",
        "`note` takes no argument `txt`; did you mean `text`?",
    );
    only(
        r#"{"name": "a", "step": "note", "args": {"text": "a", "colour": "red"}}"#,
        "a",
        "`note` takes no argument `colour`; it takes `text`",
    );
    only(
        r#"{"name": "a", "step": "attach", "args": {"volume": "v"}}"#,
        "a",
        "the argument `vm` of `attach` is missing: it is a `&str`",
    );
    only(
        r#"{"name": "a", "step": "note", "args": {"text": 7}}"#,
        "a",
        "its argument `text` is no `&str`: invalid type: integer `7`, expected a string",
    );
    only(
        r#"{"name": "a", "step": "create_volume", "args": {"spec": {"size": 7}}}"#,
        "a",
        "its argument `spec` is no `&Spec`: missing field `gb`",
    );
    only(
        &format!(
            r#"{DISK}, {{"name": "a", "step": "attach", "args": {{"volume": "v", "vm": "a"}}, "from": {{"volume": {{"step": "disk", "at": "/id"}}}}}}"#
        ),
        "a",
        "its argument `volume` is given twice: as a value, or from another step",
    );
}

#[test]
fn a_reference_is_to_a_step_before() {
    let link = |from: &str| {
        format!(
            r#"{{"name": "link", "step": "attach", "args": {{"vm": "a"}}, "from": {{"volume": {from}}}}}"#
        )
    };
    let why = |text: &str| format!("its argument `volume` is to come from {text}");
    only(
        &format!("{DISK}, {}", link(r#""dsik""#)),
        "link",
        &why(
            "`dsik`: there is no step `dsik` in this plan; a name is looked for in the step's own group, and in \
             those around it",
        ),
    );
    only(
        &format!("{}, {DISK}", link(r#""disk""#)),
        "link",
        &why("`disk`: that step comes later; move this one behind it, or that one before this"),
    );
    only(
        &link(r#""link""#),
        "link",
        &why("`link`: that is the step itself"),
    );
    only(
        &format!(r#"{{"name": "g", "in_order": [{}]}}"#, link(r#""g""#)),
        "g.link",
        &why("`g`: that is a group around this step"),
    );
    only(
        &format!(
            r#"{{"name": "g", "in_order": [{DISK}]}}, {}"#,
            link(r#""g""#)
        ),
        "link",
        &why("`g`: that is a group, which has no output: name a step in it"),
    );
    only(
        &format!(
            r#"{{"name": "g", "parallel": [{DISK}, {}]}}"#,
            link(r#""disk""#)
        ),
        "g.link",
        &why(
            "`disk`: the group `g` runs both at once; let this step run after the group, or put the two into \
             a group in order",
        ),
    );
    only(
        &format!("{DISK}, {}", link(r#"{"step": "disk", "at": "id"}"#)),
        "link",
        &why("`disk`: `id` is no JSON pointer: write `/id`, or leave it out for the whole output"),
    );
}

#[test]
fn a_reference_leads_to_the_nearest_step_of_its_name() {
    let link = |name: &str, from: &str| {
        format!(
            r#"{{"name": "{name}", "step": "attach", "args": {{"vm": "a"}}, "from": {{"volume": {{"step": "{from}", "at": "/id"}}}}}}"#
        )
    };
    let json = format!(
        r#"{{"steps": [{DISK}, {{"name": "g", "in_order": [{DISK}, {}, {}, {}]}}, {}]}}"#,
        link("near", "disk"),
        link("far", ".disk"),
        link("same", "g.disk"),
        link("into", "g.disk"),
    );
    let plan = Plan::<provision>::from_json(&json).unwrap();
    // As short as may be, and no shorter.
    let text = plan.to_json();
    for (name, step) in [
        ("near", "disk"),
        ("far", ".disk"),
        ("same", "disk"),
        ("into", "g.disk"),
    ] {
        let part = format!(
            r#""name":"{name}","step":"attach","args":{{"vm":"a"}},"from":{{"volume":{{"step":"{step}","at":"/id"}}}}"#
        );
        assert!(text.contains(&part), "{name}: {text}");
    }
    assert_eq!(Plan::<provision>::from_json(&text).unwrap(), plan);
}

#[test]
fn a_group_is_in_order_or_parallel() {
    only(
        r#"{"name": "g", "parallel": [], "in_order": []}"#,
        "g",
        "it is `in_order` and `parallel`: it can be one of them",
    );
    only(
        r#"{"name": "g"}"#,
        "g",
        "it has neither a `step` to call, nor steps that are `in_order` or `parallel`",
    );
    only(
        r#"{"name": "g", "in_order": [], "at_once": 2}"#,
        "g",
        "`at_once` is for a group that is `parallel`",
    );
    only(
        r#"{"name": "g", "parallel": [], "at_once": 0}"#,
        "g",
        "at most 0 at once would run nothing: give 1 or more",
    );
    only(
        r#"{"name": "g", "parallel": {}}"#,
        "g",
        "its steps are a list, and this is `{}`",
    );
}

#[test]
fn a_step_is_optional_or_a_pivot() {
    only(
        r#"{"name": "a", "step": "note", "args": {"text": "a"}, "optional": true, "pivot": true}"#,
        "a",
        "it is `optional` and a `pivot`: a pivot that fails must not be passed over",
    );
    only(
        r#"{"name": "a", "step": "note", "args": {"text": "a"}, "optional": "yes"}"#,
        "a",
        "`optional` is `true` or `false`, and this is `\"yes\"`",
    );
}

#[test]
fn fields_that_nobody_knows_are_refused() {
    only(
        r#"{"name": "a", "step": "note", "arg": {"text": "a"}, "args": {"text": "a"}}"#,
        "a",
        "a step has no `arg`; did you mean `args`?",
    );
    only(
        r#"{"name": "a", "parallel": [], "limit": 3}"#,
        "a",
        "a group has no `limit`; it may have `name`, `in_order`, `parallel`, `at_once`",
    );
    assert_eq!(
        problems_of(r#"{"stesp": []}"#),
        [
            (
                String::new(),
                "it has no `steps`: the list of what it does".to_owned()
            ),
            (
                String::new(),
                "a plan has no `stesp`; did you mean `steps`?".to_owned()
            ),
        ]
    );
    assert_eq!(
        problems_of(r#"{"steps": [], "outputs": ["a"]}"#),
        [(
            String::new(),
            "`outputs` names `a`, and there is no such step".to_owned()
        )]
    );
    assert_eq!(
        problems_of("[]"),
        [(
            String::new(),
            "a plan is an object, `{\"steps\": […]}`, and this is `[]`".to_owned()
        )]
    );
    let error = Plan::<provision>::from_json("{").unwrap_err();
    assert_eq!(
        error.to_string(),
        "this is no plan: not JSON: EOF while parsing an object at line 1 column 1"
    );
}

#[test]
fn all_that_is_wrong_is_told() {
    let error = Plan::<provision>::from_json(
        r#"{"steps": [
            {"name": "a", "step": "notes"},
            {"name": "g", "in_order": [{"name": "b", "step": "note"}]}
        ]}"#,
    )
    .unwrap_err();
    let paths: Vec<&str> = error.problems().map(|problem| problem.path()).collect();
    assert_eq!(paths, ["a", "g.b"]);
    assert_eq!(
        error.to_string(),
        "this is no plan: `a`: there is no step `notes`; did you mean `note`?; `g.b`: the argument `text` of \
         `note` is missing: it is a `&str`"
    );
    // As many as one can read.
    let many: Vec<String> = (0..30)
        .map(|n| format!(r#"{{"name": "{n}", "step": "note"}}"#))
        .collect();
    let error = Plan::<provision>::from_json(&format!(r#"{{"steps": [{}]}}"#, many.join(",")));
    let error = error.unwrap_err();
    assert_eq!(error.problems().count(), 30);
    assert!(error.to_string().ends_with("; and 10 more"), "{error}");
}

#[test]
fn groups_are_within_each_other_to_a_depth() {
    let nested = |depth: usize| {
        (0..depth).fold(NOTE.to_owned(), |inner, level| {
            let kind = if level % 2 == 0 {
                "in_order"
            } else {
                "parallel"
            };
            format!(r#"{{"name": "g", "{kind}": [{inner}]}}"#)
        })
    };
    let json = format!(r#"{{"steps": [{}]}}"#, nested(8));
    Plan::<provision>::from_json(&json).unwrap();
    for depth in [9, 10, 40] {
        only(
            &nested(depth),
            "g.g.g.g.g.g.g.g.g",
            "more than 8 groups are within each other here: let a step do what is in it, or move it further out",
        );
    }
    fn deeper(group: &mut steps::plan::PlanGroup<provision>, depth: usize) {
        match depth {
            0 => drop(group.step("a", provision::note("a"))),
            _ => group.in_order("g", |group| deeper(group, depth - 1)),
        }
    }
    let mut plan = provision::plan();
    deeper(&mut plan, 8);
    plan.build().unwrap();
    let mut plan = provision::plan();
    deeper(&mut plan, 9);
    assert_eq!(plan.build().unwrap_err().problems().count(), 1);
}

#[test]
fn a_plan_has_a_size() {
    let mut plan = provision::plan();
    for n in 0..=100_000 {
        plan.step(n.to_string(), provision::note("a"));
    }
    assert_eq!(
        plan.build().unwrap_err().to_string(),
        "this is no plan: it has 100001 steps and groups, and may have 100000: start several executions"
    );
}
