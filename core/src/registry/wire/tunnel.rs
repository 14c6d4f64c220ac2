//! A connection through a proxy: `CONNECT` (RFC 9110 §9.3.6), for plain HTTP too.

use std::io::{Read, Write};

use super::super::problem::Problem;
use super::super::proxy::Proxy;
use super::super::url::authority;
use super::socket::Socket;
use crate::error::{Error, ErrorKind};
use crate::progress::Stop;

/// The longest answer to `CONNECT`.
const LONGEST: usize = 16 << 10;

/// Connects to `host` through `proxy`.
pub(super) fn through(
    proxy: &Proxy,
    host: &str,
    port: u16,
    stop: &Stop,
) -> Result<Socket, Problem> {
    let named = |problem: Problem| problem.through(proxy);
    let mut socket = Socket::connect(&proxy.host, proxy.port, stop).map_err(named)?;
    let target = authority(host, port);
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(authorization) = &proxy.authorization {
        request.push_str("Proxy-Authorization: ");
        request.push_str(authorization.expose());
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    let broken = |error| named(Problem::from_io(&proxy.host, error));
    socket.write_all(request.as_bytes()).map_err(broken)?;
    let mut answer = Vec::new();
    // Byte by byte: what follows belongs to the target.
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        let count = socket.read(&mut byte).map_err(broken)?;
        if count == 0 || answer.len() == LONGEST {
            return Err(named(Problem::passing("its answer makes no sense")));
        }
        answer.push(byte[0]);
    }
    let first = String::from_utf8_lossy(&answer);
    let first = first.lines().next().unwrap_or_default();
    let status = first.split(' ').nth(1).and_then(|word| word.parse().ok());
    match status {
        Some(200..=299) => Ok(socket),
        Some(status @ 500..) => Err(named(Problem::passing(refusal(status, &target)))),
        Some(status) => Err(named(Problem::lasting(
            Error::new(ErrorKind::Unreachable, refusal(status, &target)).status(status),
        ))),
        None => Err(named(Problem::passing("its answer makes no sense"))),
    }
}

fn refusal(status: u16, target: &str) -> String {
    match status {
        407 => "it wants a user and a password (407)".to_owned(),
        status => format!("it refuses a connection to `{target}` ({status})"),
    }
}
