//! A TCP connection whose waits are short.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::super::problem::Problem;
use super::super::url::authority;
use crate::progress::Stop;

/// How long a wait lasts before it is asked whether to go on.
const SLICE: Duration = Duration::from_millis(100);

/// How long a name, and then a connection, may take altogether.
const CONNECT: Duration = Duration::from_secs(10);

/// A connection. Reads and writes end when the run is stopped, or nothing moves for `patience`.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    stop: Stop,
    pub(super) patience: Duration,
}

impl Socket {
    /// Connects to the first address of `host` that answers.
    pub(super) fn connect(host: &str, port: u16, stop: &Stop) -> Result<Self, Problem> {
        let begun = Instant::now();
        let addresses = resolve(host, port, stop)?;
        let mut last = None;
        for (at, address) in addresses.iter().enumerate() {
            // Half of what is left, so that a dead address leaves time for the next.
            let left = CONNECT.saturating_sub(begun.elapsed());
            let share = if at + 1 == addresses.len() {
                left
            } else {
                left / 2
            };
            match dial(*address, share, stop) {
                Ok(stream) => return Self::new(stream, stop),
                Err(error) if stop.requested() => return Err(Problem::from_io(host, error)),
                Err(error) => last = Some((address, error)),
            }
        }
        let Some((address, error)) = last else {
            return Err(Problem::passing(format!("`{host}` has no address")));
        };
        let reason = match error.kind() {
            io::ErrorKind::TimedOut => "no answer in 10 s".to_owned(),
            io::ErrorKind::ConnectionRefused => "nobody listens there".to_owned(),
            _ => error.to_string(),
        };
        let mut place = format!("`{}`", authority(host, port));
        if host.parse::<IpAddr>().is_err() {
            // Which of its addresses, since a name may have several.
            place.push_str(&format!(" ({})", address.ip()));
        }
        Err(Problem::passing(format!(
            "cannot connect to {place}: {reason}"
        )))
    }

    fn new(stream: TcpStream, stop: &Stop) -> Result<Self, Problem> {
        let set = || -> io::Result<()> {
            stream.set_nonblocking(false)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(SLICE))?;
            stream.set_write_timeout(Some(SLICE))
        };
        set().map_err(|error| Problem::passing(format!("cannot use a connection: {error}")))?;
        Ok(Self {
            stream,
            stop: stop.clone(),
            patience: CONNECT,
        })
    }

    /// Whether something waits to be read. On a connection that nothing was asked on, that is its
    /// end or makes no sense.
    pub(super) fn has_something(&self) -> bool {
        let mut ask = [PollFd::new(&self.stream, PollFlags::IN)];
        let none = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        poll(&mut ask, Some(&none)).is_ok_and(|ready| ready > 0)
    }

    fn patiently(
        &self,
        mut step: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let begun = Instant::now();
        loop {
            if self.stop.requested() {
                return Err(Problem::stopped().into_io());
            }
            match step(&self.stream) {
                Err(error) if is_slice(&error) => {}
                result => return result,
            }
            if begun.elapsed() >= self.patience {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }
}

/// The end of a slice of waiting, not of patience.
fn is_slice(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.patiently(|mut stream| stream.read(buffer))
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.patiently(|mut stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Connects without blocking, so that the wait can be cut.
fn dial(address: SocketAddr, limit: Duration, stop: &Stop) -> io::Result<TcpStream> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    match rustix::net::connect(&socket, &address) {
        Ok(()) => return Ok(socket.into()),
        Err(rustix::io::Errno::INPROGRESS | rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let begun = Instant::now();
    let slice = Timespec {
        tv_sec: 0,
        tv_nsec: SLICE.subsec_nanos().into(),
    };
    loop {
        if stop.requested() {
            return Err(Problem::stopped().into_io());
        }
        let mut ask = [PollFd::new(&socket, PollFlags::OUT)];
        match poll(&mut ask, Some(&slice)) {
            Ok(0) | Err(rustix::io::Errno::INTR) if begun.elapsed() >= limit => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => {
                rustix::net::sockopt::socket_error(&socket)??;
                return Ok(socket.into());
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The addresses of a host. The system's look-up cannot be cut short: it is left alone on a thread
/// of its own if the run is stopped meanwhile.
fn resolve(host: &str, port: u16, stop: &Stop) -> Result<Vec<SocketAddr>, Problem> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (tell, told) = mpsc::channel();
    let name = host.to_owned();
    std::thread::Builder::new()
        .name("fusion-names".to_owned())
        .spawn(move || {
            let found = (name.as_str(), port).to_socket_addrs();
            // Nobody listens any more if the run was stopped.
            let _ = tell.send(found.map(Iterator::collect::<Vec<_>>));
        })
        .map_err(|error| Problem::passing(format!("cannot start a thread: {error}")))?;
    let begun = Instant::now();
    loop {
        if stop.requested() {
            return Err(Problem::stopped());
        }
        match told.recv_timeout(SLICE) {
            Ok(Ok(addresses)) => return Ok(addresses),
            Ok(Err(error)) => {
                let message = format!("cannot find the address of `{host}`: {error}");
                return Err(Problem::passing(message));
            }
            Err(_) if begun.elapsed() >= CONNECT => {
                let message = format!("cannot find the address of `{host}`: no answer in 10 s");
                return Err(Problem::passing(message));
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_cannot_be_reached_is_named_with_the_port() {
        // Bound, so that nobody else listens there; but not listening.
        let taken =
            rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        rustix::net::bind(&taken, &anywhere).expect("a free port");
        let bound = rustix::net::getsockname(&taken).expect("an address");
        let port = SocketAddr::try_from(bound).expect("of the internet").port();

        let said = |host| {
            let problem = Socket::connect(host, port, &Stop::new()).expect_err("nobody listens");
            problem.error.message().to_owned()
        };
        let refused = format!("cannot connect to `127.0.0.1:{port}`: nobody listens there");
        assert_eq!(said("127.0.0.1"), refused);
        let named = said("localhost");
        let begin = format!("cannot connect to `localhost:{port}` (");
        assert!(named.starts_with(&begin), "{named}");
    }
}
