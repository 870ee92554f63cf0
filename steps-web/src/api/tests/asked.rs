//! What is asked of the API, and with which status it is answered.

/// A request, and who sends it.
pub(super) struct Ask {
    pub(super) operation: &'static str,
    pub(super) path: &'static str,
    pub(super) body: Option<&'static str>,
    pub(super) status: u16,
}

const fn ask(operation: &'static str, path: &'static str, status: u16) -> Ask {
    let body = None;
    Ask {
        operation,
        path,
        body,
        status,
    }
}

const fn send(operation: &'static str, path: &'static str, body: &'static str, status: u16) -> Ask {
    let body = Some(body);
    Ask {
        operation,
        path,
        body,
        status,
    }
}

/// For each operation each of its answers, but for 401 and 403, which are asked for of all.
pub(super) const ASKED: &[Ask] = &[
    ask("document", "/openapi.json", 200),
    ask("list", "/executions?q=limit%3D2", 200),
    ask("list", "/executions?q=stauts%3Dx", 400),
    ask("count", "/count", 200),
    ask("count", "/count?q=x", 400),
    ask("show", "/executions/one", 200),
    ask("show", "/executions/%FF", 400),
    ask("show", "/executions/nobody", 404),
    ask("log", "/executions/nginx/log?step=flaws&after=0", 200),
    ask("log", "/executions/one/log?limit=x", 400),
    ask("log", "/executions/nobody/log", 404),
    ask("report", "/executions/one/report", 200),
    ask("report", "/executions/one/report?format=pdf", 400),
    ask("report", "/executions/nobody/report", 404),
    send(
        "act",
        "/executions/one/acts",
        r#"{"act":"signal","step":"yes","value":{"no":1}}"#,
        400,
    ),
    send("act", "/executions/nobody/acts", r#"{"act":"stop"}"#, 404),
    send("act", "/executions/one/acts", r#"{"act":"recover"}"#, 409),
    send("act", "/executions/one/acts", "LARGE", 413),
    send("act", "/executions/one/acts", "FORM", 415),
    send(
        "act",
        "/executions/one/acts",
        r#"{"act":"force-stop","reason":"a test"}"#,
        200,
    ),
    send(
        "act",
        "/executions/one/acts",
        r#"{"act":"recover","reason":"a test"}"#,
        200,
    ),
    send(
        "actOnAll",
        "/acts",
        r#"{"q":"id=two","act":"stop","count":0,"reason":"a test"}"#,
        409,
    ),
    send(
        "actOnAll",
        "/acts",
        r#"{"q":"flow=approve","act":"stop","count":2,"reason":"a test"}"#,
        200,
    ),
    send(
        "actOnAll",
        "/acts",
        r#"{"q":"","act":"stop","count":9,"reason":" "}"#,
        400,
    ),
    send("actOnAll", "/acts", "LARGE", 413),
    send("actOnAll", "/acts", "FORM", 415),
    send(
        "reportOnTask",
        "/tasks/TASK/report",
        r#"{"revision":1}"#,
        400,
    ),
    send("reportOnTask", "/tasks/TASK/report", "LARGE", 413),
    send("reportOnTask", "/tasks/TASK/report", "FORM", 415),
    send(
        "reportOnTask",
        "/tasks/SLOW/report",
        r#"{"revision":1,"status":"running"}"#,
        200,
    ),
    send(
        "reportOnTask",
        "/tasks/SLOW/report",
        r#"{"revision":2,"status":"running"}"#,
        503,
    ),
    send(
        "reportOnTask",
        "/tasks/00000000000000000000000000000000.nobody/report",
        r#"{"revision":1,"status":"done"}"#,
        410,
    ),
    ask("statistics", "/statistics?flow=approve&last=7d", 200),
    ask("statistics", "/statistics?flow=approve&last=x", 400),
    send(
        "actOnFlow",
        "/flows/approve/acts",
        r#"{"act":"limit","limits":{"at_once":9,"per":{"label":"a","at_once":5},"rate":{"starts":9,"seconds":1,"burst":2}}}"#,
        200,
    ),
    send(
        "actOnFlow",
        "/flows/approve/acts",
        r#"{"act":"limit"}"#,
        400,
    ),
    send("actOnFlow", "/flows/approve/acts", "LARGE", 413),
    send("actOnFlow", "/flows/approve/acts", "FORM", 415),
    send(
        "actOnFlow",
        "/flows/approve/acts",
        r#"{"act":"pause","reason":"a test"}"#,
        200,
    ),
    ask("flows", "/flows", 200),
    ask("flow", "/flows/approve", 200),
    ask("flow", "/flows/%FF", 400),
    ask("schedules", "/schedules", 200),
    ask("schedule", "/schedules/nightly", 200),
    ask("schedule", "/schedules/nobody", 404),
    ask("ticks", "/schedules/nightly/next?count=3", 200),
    ask("ticks", "/schedules/nightly/next?count=x", 400),
    ask("ticks", "/schedules/nobody/next", 404),
    send(
        "actOnSchedule",
        "/schedules/nightly/acts",
        r#"{"act":"explode"}"#,
        400,
    ),
    send(
        "actOnSchedule",
        "/schedules/nobody/acts",
        r#"{"act":"pause"}"#,
        404,
    ),
    send("actOnSchedule", "/schedules/nightly/acts", "LARGE", 413),
    send("actOnSchedule", "/schedules/nightly/acts", "FORM", 415),
    send(
        "actOnSchedule",
        "/schedules/nightly/acts",
        r#"{"act":"pause"}"#,
        200,
    ),
];
