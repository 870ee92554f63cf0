//! What happens between a pass and a save: the controller dies, another one has saved, somebody changes the object.

use kube::ResourceExt as _;
use steps::Status;

use crate::{
    api::{At, DATABASE, SECRET, SERVER, SERVICE, VOLUME},
    object::{User, assert_each_made_once},
};

#[tokio::test]
async fn wherever_it_dies_or_another_has_saved_each_object_is_made_once() {
    let user = User::with_finalizer().await;
    user.pass().await.expect("a pass");
    let writes = user.api.status_writes();
    assert!(
        writes >= 4,
        "at least one before each object, and one at the end: {writes}"
    );
    let mut struck = 0;
    for number in 1..=writes + 1 {
        for at in [
            At::DiesBefore(number),
            At::DiesAfter(number),
            At::OtherPass(number),
            At::Labelled(number),
            At::Unavailable(number),
        ] {
            let user = User::with_finalizer().await;
            user.api.at(at);
            let pass = Box::pin(user.pass());
            match at {
                At::DiesBefore(_) | At::DiesAfter(_) if number <= writes => {
                    user.api.until_death(pass).await;
                    struck += 1;
                }
                At::OtherPass(_) | At::Unavailable(_) if number <= writes => {
                    let error = pass.await.expect_err("it could not be saved").to_string();
                    let uid = user.object().await.uid().expect("a uid");
                    let told = format!("execution `{uid}` of flow `make_database` is not saved: ");
                    assert!(error.starts_with(&told), "{error}");
                    let is_conflict = error.contains("make another pass");
                    assert_eq!(is_conflict, matches!(at, At::OtherPass(_)), "{error}");
                    struck += 1;
                }
                _ => {
                    pass.await.unwrap_or_else(|error| panic!("{at:?}: {error}"));
                }
            }
            user.api.nothing_happens();
            // The end of the pass before was saved by then, if nothing happened.
            if user.api.get(SERVER).await.is_none() || user.phase().await != "waiting" {
                user.pass()
                    .await
                    .expect("a pass of a controller that was started anew");
            }
            assert_eq!(user.phase().await, "waiting", "{at:?}");
            user.make().await;
            assert_each_made_once(&user.api.log(), &format!("{at:?}"));
            if let At::Labelled(number) = at
                && number <= writes
            {
                let object = user.api.get(DATABASE).await.expect("it is there");
                assert_eq!(object["metadata"]["labels"]["seen"], "yes", "{number}");
            }
        }
    }
    assert_eq!(struck, 4 * writes);
}

#[tokio::test]
async fn a_controller_with_an_old_object_in_its_cache_goes_on_from_the_new_one() {
    let user = User::with_finalizer().await;
    let old = user.object().await;
    user.make().await;
    user.api.log();
    let writes = user.api.status_writes();
    user.pass_over(old).await.expect("a pass");
    assert_eq!(user.api.log(), [""; 0]);
    assert_eq!(user.api.status_writes(), writes);
}

#[tokio::test]
async fn passes_without_news_write_nothing() {
    let user = User::with_finalizer().await;
    user.pass().await.expect("a pass");
    let writes = user.api.status_writes();
    for _ in 0..5 {
        // As the watch of the object's own changes leads to.
        user.pass().await.expect("a pass");
    }
    assert_eq!(user.api.status_writes(), writes);
    let ready = user.state().await;
    assert_eq!(
        ready
            .get("is_ready")
            .map(|node| (node.status, node.attempts)),
        Some((Status::Waiting, 1))
    );
}

#[tokio::test]
async fn an_object_that_was_replaced_by_another_of_its_name_is_left_alone() {
    let user = User::with_finalizer().await;
    user.api.at(At::Replaced(2));
    let error = user.pass().await.expect_err("it is gone").to_string();
    assert!(error.contains("the object `main` was deleted"), "{error}");
    assert!(
        user.object().await.status.is_none(),
        "nothing was written to the other one"
    );
}

#[tokio::test]
async fn two_controllers_at_once_make_each_object_once() {
    let user = User::with_finalizer().await;
    let (a, b) = tokio::join!(user.pass(), user.pass());
    let stopped = a.err().or(b.err()).expect("one of them is stopped");
    assert!(
        stopped.to_string().contains("make another pass"),
        "{stopped}"
    );
    user.make().await;
    assert_each_made_once(&user.api.log(), "two at once");
    for part in [SECRET, VOLUME, SERVER, SERVICE] {
        assert!(user.api.get(part).await.is_some(), "{part}");
    }
}
