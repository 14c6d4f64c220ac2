//! A server on a free loopback port: one thread for each connection, which asks a handler what to
//! do with each request. Ends, with all its connections, when it is dropped.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::exchange::Exchange;
use super::http::{Head, Wire};

/// What becomes of a connection after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It waits for the next one.
    Keep,
    /// It ends in order.
    Close,
    /// It breaks: the other side sees "connection reset".
    Reset,
}

pub(crate) type Handler = dyn Fn(&mut Exchange<'_>) -> io::Result<Next> + Send + Sync;

#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    panicked: AtomicBool,
    connections: AtomicU64,
    open: Mutex<HashMap<u64, Arc<TcpStream>>>,
}

impl Server {
    pub(crate) fn start(
        handler: impl Fn(&mut Exchange<'_>) -> io::Result<Next> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared::default());
        let (keep, handler): (_, Arc<Handler>) = (Arc::clone(&shared), Arc::new(handler));
        let accepting = thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if keep.stop.load(Ordering::SeqCst) {
                    break;
                }
                let (keep, handler) = (Arc::clone(&keep), Arc::clone(&handler));
                thread::spawn(move || keep.connection(stream, &*handler));
            }
        });
        Self {
            address,
            shared,
            accepting: Some(accepting),
        }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes whoever accepts.
        TcpStream::connect(self.address).ok();
        if let Some(accepting) = self.accepting.take() {
            accepting.join().ok();
        }
        for stream in lock(&self.shared.open).values() {
            stream.shutdown(Shutdown::Both).ok();
        }
        // A test must not pass on top of a server that has broken.
        let broken = self.shared.panicked.load(Ordering::SeqCst) && !thread::panicking();
        assert!(!broken, "the handler of a test server has panicked");
    }
}

impl Shared {
    fn connection(&self, stream: TcpStream, handler: &Handler) {
        let id = self.connections.fetch_add(1, Ordering::SeqCst);
        let Ok(mut client) = Wire::new(stream) else {
            return;
        };
        lock(&self.open).insert(id, Arc::clone(client.stream()));
        let talk = AssertUnwindSafe(|| talk(&mut client, handler));
        let next = catch_unwind(talk).unwrap_or_else(|_| {
            self.panicked.store(true, Ordering::SeqCst);
            Next::Reset
        });
        // The last owner ends the connection, so the list must let go of it before.
        lock(&self.open).remove(&id);
        match next {
            Next::Reset => reset(client.stream()),
            _ => linger(&mut client),
        }
    }
}

/// Serves one request after the other; how the connection ends.
fn talk(client: &mut Wire, handler: &Handler) -> Next {
    let mut upstream = None;
    loop {
        let Ok(Some(request)) = Head::read(client.reader()) else {
            return Next::Close;
        };
        let mut exchange = Exchange::new(request, client, &mut upstream);
        let next = handler(&mut exchange);
        let closes = exchange.request.closes();
        match next {
            Ok(Next::Keep) if !closes => {}
            Ok(Next::Reset) => return Next::Reset,
            _ => return Next::Close,
        }
    }
}

/// Closing is going to be a reset, whatever is under way.
fn reset(stream: &TcpStream) {
    rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO))
        .expect("SO_LINGER on a TCP socket");
}

/// Waits a little for the other side to read the answer: closing on top of unread bytes is a reset,
/// which would take the answer away from it.
fn linger(client: &mut Wire) {
    if client.stream().shutdown(Shutdown::Write).is_ok() {
        let stream = Arc::clone(client.stream());
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok();
        io::copy(&mut client.reader().take(1 << 30), &mut io::sink()).ok();
        (&*stream).flush().ok();
    }
}

/// What a test that panicked has left is good enough for the others.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
