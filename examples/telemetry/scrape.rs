//! Asks the program's own metrics, as Prometheus does.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Returns the lines about `steps`, without the quantiles.
pub(crate) async fn scrape(address: SocketAddr) -> io::Result<Vec<String>> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let lines = answer.lines().filter(|line| line.starts_with("steps_"));
    let lines = lines.filter(|line| !line.contains("quantile="));
    let mut lines: Vec<_> = lines.map(str::to_owned).collect();
    lines.sort();
    Ok(lines)
}
