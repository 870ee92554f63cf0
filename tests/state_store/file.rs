//! The state in a file.

use std::{fs, path::Path};

use steps::{
    Outcome, State, Status,
    prelude::*,
    state_store::{StateFile, change},
};

#[step]
async fn one() -> Result<u32, String> {
    Ok(1)
}

#[flow]
async fn waits() -> Result<u32, String> {
    steps! {
        one = one();
        word = steps::signal::<u32>();
    }
    Ok(one + word)
}

async fn pass(file: &StateFile) -> Outcome<u32> {
    waits().stored_in(file).advance().await.unwrap().outcome
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn the_file_is_the_json_of_the_state() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile::new(folder.path().join("w.json"));
    assert!(matches!(pass(&file).await, Outcome::Waiting { .. }));
    let state = State::from_json(&fs::read_to_string(file.path()).unwrap()).unwrap();
    assert!(state.succeeded("one"));
    assert_eq!(names(folder.path()), ["w.json", "w.json.lock"]);

    // By hand, and by a program.
    fs::write(file.path(), state.to_json_pretty()).unwrap();
    assert!(matches!(pass(&file).await, Outcome::Waiting { .. }));
    change(&file, |state| {
        state.signal("word", steps::Json::encode(&41).unwrap())
    })
    .await
    .unwrap();
    assert!(matches!(pass(&file).await, Outcome::Done(42)));

    // Deleted, it begins anew.
    fs::remove_file(file.path()).unwrap();
    assert!(matches!(pass(&file).await, Outcome::Waiting { .. }));
}

#[tokio::test]
async fn what_a_dead_process_has_left_behind_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile::new(folder.path().join("w.json"));
    fs::write(folder.path().join("w.json.new"), "half a sta").unwrap();
    fs::write(folder.path().join("w.json.lock"), "").unwrap();
    assert!(matches!(pass(&file).await, Outcome::Waiting { .. }));
    assert_eq!(names(folder.path()), ["w.json", "w.json.lock"]);
}

#[tokio::test]
async fn errors_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("w.json");
    let error = waits()
        .id("w")
        .stored_in(&StateFile::new(&path))
        .advance()
        .await
        .unwrap_err();
    let expected = format!(
        "execution `w` of flow `waits` is not saved: can't write {}: ",
        path.display()
    );
    assert!(error.to_string().starts_with(&expected), "{error}");
    let file = StateFile::new(folder.path());
    let error = waits().stored_in(&file).advance().await.unwrap_err();
    let expected = format!("can't read {}: ", folder.path().display());
    assert!(error.to_string().contains(&expected), "{error}");
}

#[tokio::test]
async fn a_bound_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile::new(folder.path().join("w.json")).with_max_bytes(100);
    let error = waits().stored_in(&file).advance().await.unwrap_err();
    assert!(
        error.to_string().contains("this place has room for 100"),
        "{error}"
    );
    assert_eq!(names(folder.path()), [""; 0]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_is_followed_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let real = folder.path().join("data").join("w.json");
    assert!(matches!(
        pass(&StateFile::new(&real)).await,
        Outcome::Waiting { .. }
    ));
    fs::set_permissions(&real, fs::Permissions::from_mode(0o600)).unwrap();
    let link = folder.path().join("link.json");
    symlink(&real, &link).unwrap();

    let file = StateFile::new(&link);
    change(&file, |state| {
        state.signal("word", steps::Json::encode(&1).unwrap())
    })
    .await
    .unwrap();
    assert!(matches!(pass(&file).await, Outcome::Done(2)));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let saved = fs::read_to_string(&real).unwrap();
    assert_eq!(State::from_json(&saved).unwrap().status, Status::Done);
    assert_eq!(
        fs::metadata(&real).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(names(folder.path()), ["data", "link.json"]);
}
