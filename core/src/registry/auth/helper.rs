//! Programs that keep passwords: `docker-credential-NAME get`.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Credentials, files};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::progress::Stop;
use crate::registry::refusal::clean;

/// How long a helper may take: it may have to ask somebody for a password.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long its output is read after it has ended, by whoever still holds that open.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// What helpers say when they know nothing.
const UNKNOWN: &str = "credentials not found";

/// What the helper `name` knows of `address`.
pub(super) fn ask(name: &str, address: &str, stop: &Stop) -> Result<Option<Credentials>> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || !name.chars().all(plain) {
        let message = format!("`{}` is no name of a credential helper", clean(name));
        return Err(Error::new(ErrorKind::Usage, message));
    }
    ask_program(&format!("docker-credential-{name}"), address, stop)
}

/// What the helper whose program is `program` knows of `address`.
pub(in crate::registry) fn ask_program(
    program: &str,
    address: &str,
    stop: &Stop,
) -> Result<Option<Credentials>> {
    let failed = |why: &str| {
        Error::new(
            ErrorKind::Unauthorized,
            format!("credential helper `{program}`: {why}"),
        )
        .hint("docker's `config.json` names it: install it, or log in again without it")
    };
    let (status, said) = run(program, address, stop)?.map_err(|why| failed(&why))?;
    let text = String::from_utf8_lossy(&said);
    if !status {
        if text.contains(UNKNOWN) {
            return Ok(None);
        }
        return Err(failed(&clean(&text)));
    }
    let value: Value =
        serde_json::from_slice(&said).map_err(|_| failed("its answer is not JSON"))?;
    let field = |key: &str| value.get(key).and_then(Value::as_str);
    match (field("Username"), field("Secret")) {
        (Some(user), Some(secret)) if !secret.is_empty() => Ok(Some(files::basic(user, secret))),
        _ => Ok(None),
    }
}

/// Whether it went well, and what was said; what went wrong with the program itself.
fn run(program: &str, address: &str, stop: &Stop) -> Result<Result<(bool, Vec<u8>), String>> {
    let started = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => return Ok(Err(error.to_string())),
    };
    if let Some(mut input) = child.stdin.take() {
        // One that does not listen says so by its answer.
        let _ = input.write_all(address.as_bytes());
    }
    let output = child.stdout.take();
    let (pieces, said) = mpsc::channel();
    // Not waited for: a program that the helper leaves behind may keep its output open.
    std::thread::spawn(move || {
        let Some(output) = output else { return };
        let mut output = output.take(limits::MAX_ANSWER);
        let mut piece = [0; 4096];
        // What is missing makes the answer unreadable.
        while let Ok(count @ 1..) = output.read(&mut piece) {
            if pieces.send(piece[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    let begun = Instant::now();
    let status = loop {
        if stop.requested() || begun.elapsed() > PATIENCE {
            end(&mut child);
            stop.check()?;
            return Ok(Err("it gave no answer in 60 s".to_owned()));
        }
        match child.try_wait() {
            Ok(Some(status)) => break status.success(),
            Ok(None) => std::thread::sleep(Duration::from_millis(10)),
            Err(error) => {
                end(&mut child);
                return Ok(Err(error.to_string()));
            }
        }
    };
    let mut answer = Vec::new();
    let ended = Instant::now();
    while ended.elapsed() < AFTERWARDS {
        stop.check()?;
        match said.recv_timeout(Duration::from_millis(50)) {
            Ok(piece) => answer.extend(piece),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(Ok((status, answer)))
}

fn end(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}
