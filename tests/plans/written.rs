//! Plans that are written in Rust: what is wrong with one is told as well; what goes into one, and what comes out.

use steps::{Plan, plan::AsArg, prelude::*};

use crate::{
    make::all,
    support::{Volume, provision, spec, usual},
};

#[test]
fn a_plan_written_in_rust_is_checked_as_well() {
    let mut plan = provision::plan();
    let inner = plan.parallel("g", |g| g.step("disk", provision::create_volume(spec(1))));
    plan.parallel("h", |h| {
        h.step("a", provision::attach(inner.at("id"), "vm"));
        let disk = h.step("disk", provision::create_volume(spec(1)));
        h.step("b", provision::attach(disk.at("/id"), "vm"));
    });
    plan.step("h", provision::note("twice"));
    let error = plan.build().unwrap_err();
    let paths: Vec<String> = all(&error).into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["h", "h.a", "h.b"]);

    /// What can't be saved.
    struct Never;
    impl serde::Serialize for Never {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("never"))
        }
    }
    impl<'de> serde::Deserialize<'de> for Never {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Ok(Self)
        }
    }
    #[step]
    async fn takes(never: &Never) -> Result<(), String> {
        let _ = never;
        Ok(())
    }
    #[plan]
    async fn hard() {
        steps! { takes(never: &Never); }
    }
    let mut plan = hard::plan();
    plan.step("a", hard::takes(Never));
    assert_eq!(
        plan.build().unwrap_err().to_string(),
        "this is no plan: `a`: its argument `never` can't be saved as JSON: never"
    );
}

#[test]
fn a_reference_to_a_step_of_another_plan_is_refused() {
    let mut one = provision::plan();
    let disk = one.step("disk", provision::create_volume(spec(1)));
    assert_eq!(disk.path(), "disk");
    let mut other = provision::plan();
    other.step(
        "report",
        provision::report(&disk, Vec::new(), None::<String>),
    );
    let error = other.build().unwrap_err();
    assert_eq!(all(&error)[0].0, "report");
}

#[test]
fn arguments_are_given_in_several_forms() {
    fn takes<T>(_: impl AsArg<T>) {}
    takes::<String>("a");
    takes::<String>(String::new());
    takes::<String>(&String::new());
    takes::<Vec<u8>>(&[1][..]);
    takes::<Option<u8>>(None);
    let mut plan = provision::plan();
    let disk = plan.step("disk", provision::create_volume(spec(1)));
    takes::<Volume>(&disk);
    takes::<Volume>(disk.clone());
    takes::<Option<Volume>>(&disk);
    takes::<u8>(disk.at("/gb"));
    takes::<u8>(&disk.at("/gb"));
}

#[test]
fn a_plan_goes_through_json_as_a_field_of_something_else() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Order {
        by: String,
        plan: Plan<provision>,
    }
    let order = Order {
        by: "me".to_owned(),
        plan: usual(),
    };
    let text = serde_json::to_string(&order).unwrap();
    assert_eq!(serde_json::from_str::<Order>(&text).unwrap(), order);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::from_value::<Order>(value).unwrap(), order);
    let wrong = text.replace("create_volume", "create_disk");
    let error = serde_json::from_str::<Order>(&wrong).unwrap_err();
    assert!(
        error.to_string().contains("there is no step `create_disk`"),
        "{error}"
    );
    assert_eq!(
        usual().to_json().parse::<Plan<provision>>().unwrap(),
        usual()
    );
    assert_eq!(format!("{:?}", usual()), usual().to_json());
}

#[test]
fn numbers_stay_as_they_are_written() {
    let plan = format!(
        r#"{{"steps":[{}]}}"#,
        r#"{"name":"a","step":"create_volume","args":{"spec":{"gb":1,"zone":"x"}}}"#
    );
    assert_eq!(Plan::<provision>::from_json(&plan).unwrap().to_json(), plan);
}

#[test]
fn a_step_with_a_volatile_output_gives_no_argument() {
    #[step(volatile)]
    async fn connect() -> Result<u32, String> {
        Ok(1)
    }
    #[step]
    async fn takes(n: u32) -> Result<u32, String> {
        Ok(n)
    }
    #[plan]
    async fn connecting() {
        steps! { connect(); takes(n: u32); }
    }
    let mut plan = connecting::plan();
    let it = plan.step("it", connecting::connect());
    plan.step("user", connecting::takes(&it));
    assert_eq!(
        plan.build().unwrap_err().to_string(),
        "this is no plan: `user`: its argument `n` is to come from `it`: that step is `volatile`, and its output \
         is not saved"
    );
}
