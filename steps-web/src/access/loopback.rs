//! Whether a request is from this machine: where nobody is asked who they are, that is the condition.
//!
//! The peer's address alone does not say so. A page of another site can have its name resolve to this machine
//! and send requests from the operator's own browser (DNS rebinding): these have the name of that site as
//! their host. And a proxy on this machine passes on what comes from elsewhere: it says so in a header.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, Uri, header::HOST},
};

use crate::error::Refused;

/// The headers by which a proxy tells for whom it asks.
const PASSED_ON: [&str; 6] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

const INSTEAD: &str =
    "set a token, `steps_web::router(engine).token(name, token)`, or an `auth` function";

/// Checks that a request is from this machine, and for it.
pub(crate) fn check(request: &Request) -> Result<(), Refused> {
    let refuse = |why: String| Err(Refused::forbidden(format!("{why}: {INSTEAD}")));
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let Some(ConnectInfo(peer)) = peer else {
        return refuse(
            "this page has no token, and does not know whether you are on its machine, as it is not \
             served with `into_make_service_with_connect_info::<SocketAddr>()`"
                .to_owned(),
        );
    };
    if !is_loopback(peer.ip()) {
        return refuse("this page has no token, and is only for its own machine".to_owned());
    }
    let headers = request.headers();
    if let Some(name) = PASSED_ON
        .into_iter()
        .find(|name| headers.contains_key(*name))
    {
        return refuse(format!(
            "this page has no token, and is only for its own machine, but a proxy asks for somebody \
             else (it sends `{name}`)"
        ));
    }
    match host(headers, request.uri()) {
        Some(host) if is_local(&host) => Ok(()),
        host => refuse(format!(
            "this page has no token, and is only for its own machine, but was asked for as `{}`",
            host.unwrap_or_default()
        )),
    }
}

/// The host that a request is for, with its port.
pub(super) fn host(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    // There is one, or none with HTTP/2; of several, nobody knows which is meant.
    let mut all = headers.get_all(HOST).iter();
    match (all.next(), all.next()) {
        (Some(host), None) => host.to_str().ok().map(str::to_owned),
        (None, _) => uri.authority().map(ToString::to_string),
        _ => None,
    }
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

/// Whether a host, with or without a port, is a name of this machine that nobody else can give out.
pub(crate) fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((name, "")) => name,
            Some((name, port)) if is_port(port) => name,
            _ => return false,
        },
        None => match host.split_once(':') {
            None => host,
            Some((name, port)) if is_port(&format!(":{port}")) => name,
            Some(_) => return false,
        },
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(is_loopback)
}

fn is_port(text: &str) -> bool {
    let digits = text.strip_prefix(':');
    digits.is_some_and(|digits| digits.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_names_of_this_machine_are_local() {
        for host in [
            "localhost",
            "LocalHost:80",
            "127.0.0.1",
            "127.9.9.9:8080",
            "[::1]",
            "[::1]:1",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example:80",
            "10.0.0.1",
            "[::2]",
            "[::1]x",
            "[::1",
            "localhost:x",
            "localhost:80:80",
            "127.1",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }
}
