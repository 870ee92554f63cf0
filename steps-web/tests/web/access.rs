//! Who may come in: this machine, tokens, the service's own function.

use std::net::SocketAddr;

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, header},
    response::Redirect,
};
use steps_web::{Access, WebError};

use crate::site::{Answer, Site, engine, local, posted, send};

const ANN: &str = "anns-token-of-32-letters-0123456";
const BO: &str = "bos-token-of-32-letters-01234567";

fn from(peer: Option<&str>, host: &str, more: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().uri("/").header(header::HOST, host);
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    if let Some(peer) = peer {
        request = request.extension(ConnectInfo::<SocketAddr>(peer.parse().unwrap()));
    }
    request.body(Body::empty()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_only_this_machine_is_answered() {
    let site = Site::empty(|web| web).await;
    for (peer, host) in [
        ("127.0.0.1:5", "localhost:8080"),
        ("127.0.0.1:5", "127.0.0.1"),
        ("[::1]:5", "[::1]:8080"),
        ("[::ffff:127.0.0.1]:5", "localhost"),
    ] {
        site.send(from(Some(peer), host, &[]))
            .await
            .is(200)
            .has(&["local"]);
    }
    for (peer, host, why) in [
        (None, "localhost", "into_make_service_with_connect_info"),
        (Some("10.0.0.7:5"), "localhost", "only for its own machine"),
        (
            Some("127.0.0.1:5"),
            "evil.example",
            "asked for as `evil.example`",
        ),
        (
            Some("127.0.0.1:5"),
            "127.0.0.1.evil.example:80",
            "only for its own machine",
        ),
        (Some("127.0.0.1:5"), "", "only for its own machine"),
    ] {
        let answer = site.send(from(peer, host, &[])).await.is(403);
        answer
            .has(&[why, "set a token"])
            .has_not(&["Overview</h1>"]);
    }
    for name in ["x-forwarded-for", "forwarded", "x-real-ip", "via"] {
        let request = from(Some("127.0.0.1:5"), "localhost", &[(name, "203.0.113.9")]);
        site.send(request)
            .await
            .is(403)
            .has(&["a proxy asks for somebody else"]);
    }
    let api = Request::builder()
        .uri("/api/executions")
        .header(header::HOST, "localhost");
    let api = site.send(api.body(Body::empty()).unwrap()).await.is(403);
    api.has(&["\"kind\":\"forbidden\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_are_none() {
    let site = Site::empty(|web| web).await;
    let mut request = from(Some("127.0.0.1:5"), "localhost", &[]);
    request
        .headers_mut()
        .append(header::HOST, "evil.example".parse().unwrap());
    site.send(request).await.is(403);
}

fn cookie(answer: &Answer) -> String {
    answer
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_a_token_logs_in_and_is_recorded() {
    let site = Site::full_with(|web| web.token("ann", ANN).reader_token("bo", BO)).await;
    // From anywhere, also without a word on where.
    let request = |path: &str| {
        Request::builder()
            .uri(path.to_owned())
            .header(header::HOST, "ops.example")
    };
    let plain = |path: &str| request(path).body(Body::empty()).unwrap();
    let to = site.send(plain("/execution?id=held")).await.is(303);
    assert_eq!(to.header("location"), "/login?to=%2Fexecution%3Fid%3Dheld");
    site.send(plain("/assets/page.css")).await.is(200);
    let login = site
        .send(plain("/login?to=%2Fexecution%3Fid%3Dheld"))
        .await
        .is(200);
    login
        .has(&["type=\"password\"", "value=\"/execution?id=held\""])
        .has_not(&["Executions</a>"]);

    for token in ["", "x", &ANN[1..], &format!("{ANN}x")] {
        let form = [("token", token), ("to", "/")];
        let refused = site
            .post("/login", &form)
            .await
            .is(401)
            .has(&["nobody has this token"]);
        assert_eq!(refused.header("set-cookie"), "");
    }
    let form = [("token", ANN), ("to", "/execution?id=held")];
    let done = site.post("/login", &form).await.is(303);
    assert_eq!(done.header("location"), "/execution?id=held");
    let set = done.header("set-cookie").to_owned();
    assert!(
        set.contains("HttpOnly; SameSite=Lax") && !set.contains(ANN),
        "{set}"
    );
    for evil in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "evil",
    ] {
        let form = [("token", ANN), ("to", evil)];
        assert_eq!(
            site.post("/login", &form).await.is(303).header("location"),
            "/"
        );
    }

    let with = |path: &str, cookie: &str| {
        let request = request(path).header(header::COOKIE, cookie);
        request.body(Body::empty()).unwrap()
    };
    let ann = cookie(&done);
    site.send(with("/", &ann))
        .await
        .is(200)
        .has(&["ann", "Log out"]);
    site.send(with("/", &format!("a=b; {ann}; c=d")))
        .await
        .is(200);
    site.send(with("/", &format!("{ann}0"))).await.is(303);
    site.send(with("/", "steps_session=")).await.is(303);

    let mut act = posted(
        "/execution/act",
        &[("id", "held"), ("act", "undo"), ("reason", "why not")],
    );
    act.headers_mut()
        .insert(header::COOKIE, ann.parse().unwrap());
    site.send(act).await.is(303);
    let acts = site
        .engine
        .get("held")
        .await
        .unwrap()
        .info()
        .await
        .unwrap()
        .acts;
    assert_eq!(
        (&*acts[0].by, acts[0].reason.as_deref()),
        ("ann", Some("why not"))
    );

    let mut out = posted("/logout", &[]);
    out.headers_mut()
        .insert(header::COOKIE, ann.parse().unwrap());
    let out = site.send(out).await.is(303);
    assert!(out.header("set-cookie").starts_with("steps_session=;"));
    let stale = posted(
        "/execution/act",
        &[("id", "held"), ("act", "undo"), ("reason", "x")],
    );
    site.send(stale)
        .await
        .is(401)
        .has(&["not logged in any more"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_takes_a_token_as_it_is() {
    let site = Site::full_with(|web| web.token("ann", ANN).reader_token("bo", BO)).await;
    let with = |token: &str| {
        let request = Request::builder()
            .uri("/api/executions")
            .header(header::HOST, "ops.example");
        request
            .header(header::AUTHORIZATION, token)
            .body(Body::empty())
            .unwrap()
    };
    site.send(with(&format!("Bearer {ANN}"))).await.is(200);
    site.send(with(&format!("bearer {BO}"))).await.is(200);
    for wrong in [
        "Bearer",
        "Bearer x",
        ANN,
        &format!("Basic {ANN}"),
        "Bearer é",
    ] {
        let answer = site
            .send(with(wrong))
            .await
            .is(401)
            .has(&["Authorization: Bearer"]);
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"steps\"");
    }
    let none = Request::builder()
        .uri("/api/executions")
        .body(Body::empty())
        .unwrap();
    site.send(none).await.is(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_changes_nothing() {
    let site = Site::full_with(|web| web.token("ann", ANN).reader_token("bo", BO)).await;
    let bo = cookie(&site.post("/login", &[("token", BO)]).await.is(303));
    let page = local("GET", "/execution?id=held").header(header::COOKIE, &bo);
    let page = site.send(page.body(Body::empty()).unwrap()).await.is(200);
    page.has(&["bo (reads)", "You may look, and change nothing"])
        .has_not(&["<form method=\"post\" action=\"/execution/act\""]);
    for path in ["/execution/act", "/schedules/act"] {
        let mut act = posted(path, &[("id", "held"), ("act", "undo"), ("reason", "x")]);
        act.headers_mut()
            .insert(header::COOKIE, bo.parse().unwrap());
        site.send(act)
            .await
            .is(403)
            .has(&["may look, and change nothing"]);
    }
    let act = local("POST", "/api/executions/held/acts")
        .header(header::AUTHORIZATION, format!("Bearer {BO}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(r#"{"act":"undo"}"#))
        .unwrap();
    site.send(act).await.is(403);
    let info = site.engine.get("held").await.unwrap().info().await.unwrap();
    assert_eq!((info.status, info.acts.len()), (steps::Status::Failed, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_own_function_says_who_comes_in() {
    let site = Site::full_with(|web| {
        web.auth(|parts| async move {
            match parts
                .headers
                .get("x-user")
                .and_then(|name| name.to_str().ok())
            {
                Some("eve") => Access::denied(),
                Some(name) => Access::operator(name),
                None => Access::answer(Redirect::to("https://sso.example/")),
            }
        })
    })
    .await;
    let of = |user: Option<&str>| {
        let mut request = Request::builder()
            .uri("/")
            .header(header::HOST, "ops.example");
        if let Some(user) = user {
            request = request.header("x-user", user);
        }
        request.body(Body::empty()).unwrap()
    };
    site.send(of(Some("zoe")))
        .await
        .is(200)
        .has(&["zoe"])
        .has_not(&["Log out"]);
    site.send(of(Some("eve")))
        .await
        .is(403)
        .has(&["you may not see this page"]);
    let to = site.send(of(None)).await.is(303);
    assert_eq!(to.header("location"), "https://sso.example/");
    assert_eq!(to.header("x-frame-options"), "DENY");
    let mut act = posted(
        "/execution/act",
        &[("id", "held"), ("act", "recover"), ("reason", "x")],
    );
    act.headers_mut().insert("x-user", "zoe".parse().unwrap());
    site.send(act).await.is(303);
    assert_eq!(
        site.engine
            .get("held")
            .await
            .unwrap()
            .info()
            .await
            .unwrap()
            .acts[0]
            .by,
        "zoe"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_nested_anywhere() {
    let site = Site::full_with(|web| web.token("ann", ANN).prefix("/ops/")).await;
    let app: Router = Router::new().nest("/in/steps", site.router.clone());
    let to = send(
        &app,
        local("GET", "/in/steps/schedules")
            .body(Body::empty())
            .unwrap(),
    )
    .await
    .is(303);
    assert_eq!(to.header("location"), "/ops/in/steps/login?to=%2Fschedules");
    let done = send(&app, posted("/in/steps/login", &[("token", ANN)]))
        .await
        .is(303);
    assert_eq!(done.header("location"), "/ops/in/steps");
    assert!(done.header("set-cookie").contains("Path=/ops/in/steps;"));
    let page = local("GET", "/in/steps").header(header::COOKIE, cookie(&done));
    let page = send(&app, page.body(Body::empty()).unwrap()).await.is(200);
    page.has(&[
        "href=\"/ops/in/steps/assets/page.css",
        "href=\"/ops/in/steps/execution?id=held\"",
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_could_be_guessed_into_is_not_built() {
    let engine = engine().await;
    let web = || steps_web::router(engine.clone());
    let error = |web: steps_web::Web| web.build::<()>().err();
    assert!(matches!(
        error(web().token("ann", "")),
        Some(WebError::ShortToken { .. })
    ));
    assert_eq!(error(web().token("", ANN)), Some(WebError::NoName));
    let both = web().token("ann", ANN).auth(|_| async { Access::denied() });
    assert_eq!(error(both), Some(WebError::Both));
    assert_eq!(error(web().token("ann", ANN)), None);
}
