//! `web`: serves a page for the store, until it is told to end.

use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use serde_json::json;
use tokio::{net::TcpListener, sync::Notify};

use super::act::user;
use crate::{
    args::Web,
    context::Context,
    error::{Code, Error},
};

pub(crate) async fn web(context: &Context<'_>, args: Web) -> Result<(), Error> {
    let is_local = args.listen.ip().is_loopback();
    if !is_local && args.token.is_none() {
        return Err(Error::usage(format!(
            "{} can be reached from elsewhere: say --token, of at least 16 bytes, or listen on 127.0.0.1",
            args.listen
        )));
    }
    let end = Arc::new(Notify::new());
    let streams = Arc::clone(&end).notified_owned();
    let name = args.name.unwrap_or_else(user);
    let mut page = steps_web::router(context.engine.clone())
        .title(context.store)
        .operator(&name)
        .prefix(args.prefix.unwrap_or_default())
        .until(streams);
    page = match args.token {
        Some(token) if args.read_only => page.reader_token(&name, token),
        Some(token) => page.token(&name, token),
        None => page,
    };
    if let Some(token) = args.reporter_token {
        page = page.reporter_token("reporter", token);
    }
    for field in &args.hide {
        page = page.hide(field);
    }
    if args.hide_payloads {
        page = page.hide_payloads();
    }
    let page: Router = page
        .build()
        .map_err(|error| Error::usage(error.to_string()))?;

    let failed =
        |error: std::io::Error| Error::new(Code::Failed, format!("{}: {error}", args.listen));
    let listener = TcpListener::bind(args.listen).await.map_err(failed)?;
    let address = format!("http://{}/", listener.local_addr().map_err(failed)?);
    if context.out.json {
        context.out.value(&json!({"listening": address}))?;
    } else {
        context.out.line(format!("listening on {address}"))?;
    }
    let service = page.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        terminated().await;
        end.notify_waiters();
    });
    server.await.map_err(failed)
}

/// Waits for Ctrl-C or SIGTERM.
async fn terminated() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler, the system ends the process.
    if interrupt.await.is_err() {
        std::future::pending::<()>().await;
    }
}
