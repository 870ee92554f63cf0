//! What `Engine::open` says of a URL that names no database.

use steps::{Engine, Open as _};

#[tokio::test]
async fn what_names_no_database_is_refused_and_makes_no_file() {
    for url in ["", "sqlite", "memory", "steps.db", "mysql://localhost/jobs"] {
        let error = Engine::open(url).await.expect_err("it is no database");
        let message = error.to_string();
        assert!(message.contains(&format!("`{url}`")), "{message}");
        assert!(message.contains("`sqlite:steps.db`"), "{message}");
        assert!(!std::path::Path::new(url).is_file(), "{url} was made");
    }
}
