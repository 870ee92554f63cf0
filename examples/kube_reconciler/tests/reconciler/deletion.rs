//! The object is deleted: what was made for it is undone, and then the finalizer is removed.

use kube_reconciler::reconcile::Error;
use serde_json::json;

use crate::{
    api::{At, DATABASE, SECRET, SERVER},
    object::{User, has_finalizer},
};

#[tokio::test]
async fn what_was_made_is_deleted_last_first_and_then_the_object() {
    let user = User::with_finalizer().await;
    user.make().await;
    user.delete().await;
    assert!(
        user.api.get(DATABASE).await.is_some(),
        "the finalizer keeps it"
    );
    user.pass().await.expect("a pass");
    let log = user.api.log();
    let deleted: Vec<&str> = log
        .iter()
        .filter_map(|line| line.strip_prefix("DELETE "))
        .collect();
    let kinds: Vec<&str> = deleted
        .iter()
        .filter_map(|path| path.split('/').rev().nth(1))
        .collect();
    assert_eq!(kinds[..2], ["services", "statefulsets"], "{log:?}");
    let mut branches = kinds[2..].to_vec();
    branches.sort_unstable();
    assert_eq!(branches, ["persistentvolumeclaims", "secrets"], "{log:?}");
    let last = log.last().expect("the finalizer is removed");
    assert!(
        last.starts_with("PATCH") && last.ends_with(&DATABASE.to_string()),
        "{last}"
    );
    assert_eq!(user.api.parts().await, [""; 0]);
    let reasons: Vec<String> = user
        .api
        .events()
        .await
        .into_iter()
        .map(|event| event.0)
        .collect();
    assert_eq!(reasons, ["Made", "Undone"]);
}

#[tokio::test]
async fn a_database_that_is_half_made_is_undone() {
    let user = User::with_finalizer().await;
    user.pass().await.expect("a pass");
    user.delete().await;
    user.pass().await.expect("a pass");
    assert_eq!(user.api.parts().await, [""; 0]);

    // And one of which nothing was made.
    let user = User::with_finalizer().await;
    user.delete().await;
    user.pass().await.expect("a pass");
    assert_eq!(user.api.parts().await, [""; 0]);
}

#[tokio::test]
async fn wherever_it_dies_on_the_way_back_all_is_deleted_in_the_end() {
    let mut struck = 0;
    for number in 1..=12 {
        for at in [
            At::DiesBefore(number),
            At::DiesAfter(number),
            At::OtherPass(number),
        ] {
            let user = User::with_finalizer().await;
            user.make().await;
            user.delete().await;
            user.api.at(at);
            let mut conflict = false;
            // Where there are fewer writes, the pass comes to its end.
            match user.api.unless_it_dies(Box::pin(user.pass())).await {
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    conflict = true;
                    assert!(
                        matches!(&error, Error::Pass(error) if error.is_conflict()),
                        "{error}"
                    );
                }
                None => struck += 1,
            }
            struck += usize::from(conflict);
            user.api.nothing_happens();
            if user.api.get(DATABASE).await.is_some() {
                let object = user.api.get(DATABASE).await.expect("it is there");
                assert!(
                    has_finalizer(&object),
                    "as long as not all is undone: {at:?}"
                );
                user.pass()
                    .await
                    .expect("a pass of a controller that was started anew");
            }
            assert_eq!(user.api.parts().await, [""; 0], "{at:?}");
        }
    }
    assert!(struck >= 12, "{struck}");
}

#[tokio::test]
async fn what_cannot_be_deleted_keeps_the_finalizer_and_is_told() {
    let user = User::with_finalizer().await;
    user.make().await;
    user.delete().await;
    user.api.keep(Some(SERVER));
    let error = user.pass().await.expect_err("not all is undone");
    assert!(matches!(error, Error::Stuck(_)), "{error}");
    let object = user.api.get(DATABASE).await.expect("it is there");
    assert!(has_finalizer(&object));
    assert_eq!(user.phase().await, "stuck");
    let message = user.message().await;
    assert!(
        message.starts_with("server: ") && message.contains("may not be deleted"),
        "{message}"
    );
    // The secret and the volume stay as long as the server that uses them.
    assert!(user.api.get(SECRET).await.is_some());
    let (reason, note) = user.api.events().await.pop().expect("an event");
    assert!(
        reason == "Stuck" && note.contains("may not be deleted"),
        "{reason} {note}"
    );

    // Somebody has given the right to delete it. The passes that follow try it again.
    user.api.keep(None);
    user.pass().await.expect("a pass");
    assert_eq!(user.api.parts().await, [""; 0]);
}

#[tokio::test]
async fn an_object_of_somebody_else_that_has_taken_the_name_is_left_alone() {
    let user = User::with_finalizer().await;
    user.make().await;
    user.api.replace(SECRET).await;
    user.delete().await;
    user.pass().await.expect("a pass");
    assert_eq!(user.api.parts().await, [SECRET.to_string()]);
}

#[tokio::test]
async fn the_input_that_the_flow_began_with_is_used_to_undo_it() {
    let user = User::with_finalizer().await;
    user.make().await;
    user.api
        .change(DATABASE, |database| database["spec"]["size"] = json!("9Gi"))
        .await;
    user.delete().await;
    user.pass().await.expect("a pass");
    assert_eq!(user.api.parts().await, [""; 0]);
}
