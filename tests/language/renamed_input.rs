//! A parameter of a flow is renamed while executions of it wait.

use steps::{Cause, Flow, State, compat::Misfit, prelude::*, testing::Injected};

#[step]
async fn send(to: &str, note: &Option<String>) -> Result<String, Injected> {
    Ok(format!("{to}: {note:?}"))
}

macro_rules! version {
    ($name:ident($($params:tt)*) $sent:ident { $($lines:tt)* }) => {
        mod $name {
            use super::*;
            #[flow(name = "invite")]
            pub(super) async fn inner($($params)*) -> Result<String, Injected> {
                steps! { yes = steps::signal::<bool>(); $($lines)* }
                Ok(format!("{yes} {}", $sent))
            }
            /// The same, nested.
            #[flow(name = "outer")]
            pub(super) async fn outer(to: String, given: Option<String>) -> Result<String, Injected> {
                steps! { nested = flow inner(to.clone(), given.clone()); }
                Ok(nested)
            }
        }
    };
}
version!(v1(to: String, note: Option<String>) sent { sent = send(&to, &note); });
version!(renamed(to: String, message: Option<String>) sent { sent = send(&to, &message); });
version!(aliased(to: String, #[alias = "note"] message: Option<String>) sent { sent = send(&to, &message); });

fn cake() -> Option<String> {
    Some("bring cake".to_owned())
}

#[tokio::test]
async fn param_renamed_a_field_that_no_parameter_takes_is_refused() {
    let mut state = v1::inner("ann".into(), cake())
        .advance()
        .await
        .unwrap()
        .state;
    state.signal(v1::inner::STEPS.yes, &true).unwrap();
    let saved = || State::from_json(&state.to_json()).unwrap();

    // Whether the input is read from the state or given.
    let read = renamed::inner::resume(saved()).map(drop).unwrap_err();
    let given = renamed::inner("ann".into(), cake())
        .resume(saved())
        .await
        .unwrap_err();
    for failure in [read, given] {
        assert!(
            matches!(failure.cause, Cause::Misfit(Misfit::Input(_))),
            "{failure}"
        );
        assert!(
            failure.to_string().contains("the field `note`"),
            "{failure}"
        );
        assert!(
            failure.to_string().contains("#[alias = \"note\"]"),
            "{failure}"
        );
        assert_eq!(failure.state.to_json(), state.to_json());
    }

    let kept = "true ann: Some(\"bring cake\")";
    assert_eq!(
        aliased::inner::resume(saved()).unwrap().await.unwrap(),
        kept
    );
    let given = aliased::inner("ann".into(), cake()).resume(saved());
    assert_eq!(given.await.unwrap(), kept);
    assert_ne!(renamed::inner::FINGERPRINT, aliased::inner::FINGERPRINT);
}

#[tokio::test]
async fn param_renamed_of_a_nested_flow() {
    let state = v1::outer("ann".into(), cake())
        .advance()
        .await
        .unwrap()
        .state;
    let saved = || State::from_json(&state.to_json()).unwrap();
    let failure = renamed::outer::resume(saved()).unwrap().await.unwrap_err();
    assert!(
        matches!(failure.cause, Cause::Misfit(Misfit::Tree(_))),
        "{failure}"
    );
    assert!(
        failure.to_string().contains("the field `note`"),
        "{failure}"
    );

    let mut again = aliased::outer::resume(saved())
        .unwrap()
        .advance()
        .await
        .unwrap()
        .state;
    again
        .signal(aliased::outer::STEPS.nested.yes, &true)
        .unwrap();
    let given = aliased::outer::resume(State::from(again))
        .unwrap()
        .await
        .unwrap();
    assert_eq!(given, "true ann: Some(\"bring cake\")");
}
