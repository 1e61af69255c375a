//! [`FakeObjectStore`]: as much of the protocol of Amazon S3 as a backup needs, with faults.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

/// An object store on this machine, with one bucket. It believes every signature, and lives as long as the test.
#[derive(Clone, Debug)]
pub struct FakeObjectStore {
    addr: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    bucket: String,
    objects: BTreeMap<String, Vec<u8>>,
    /// What was written, in order.
    written: Vec<String>,
    /// Requests that it cannot answer now.
    busy_for: usize,
    denies: bool,
}

/// A request, as it came.
struct Request {
    method: String,
    path: String,
    is_signed: bool,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// A status, headers, and a body.
type Answer = (&'static str, Vec<(&'static str, String)>, Vec<u8>);

impl FakeObjectStore {
    /// Starts one with the bucket `bucket`.
    ///
    /// # Panics
    /// When no port is free.
    #[must_use]
    pub fn start(bucket: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let addr = listener.local_addr().expect("it has an address");
        let state = Arc::new(Mutex::new(State { bucket: bucket.to_owned(), ..State::default() }));
        let store = Self { addr, state };
        let serving = store.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                // a client that goes away is none of its business
                thread::spawn(move || serving.serve(&stream).ok());
            }
        });
        store
    }

    /// Where it is: `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The objects that it holds.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.state().objects.keys().cloned().collect()
    }

    /// The objects that were written, in order.
    #[must_use]
    pub fn written(&self) -> Vec<String> {
        self.state().written.clone()
    }

    /// Cannot answer the next `requests`.
    pub fn busy_for(&self, requests: usize) {
        self.state().busy_for = requests;
    }

    /// Denies everything from now on.
    pub fn deny(&self) {
        self.state().denies = true;
    }

    /// Changes a bit of the object `name`.
    ///
    /// # Panics
    /// When there is none.
    pub fn damage(&self, name: &str) {
        let mut state = self.state();
        let object = state.objects.get_mut(name).expect("the object is there");
        let middle = object.len() / 2;
        object[middle] ^= 1;
    }

    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream);
        while let Some(request) = Request::read(&mut reader)? {
            let (status, headers, body) = self.answer(&request);
            let mut head = format!("HTTP/1.1 {status}\r\n");
            if !headers.iter().any(|(name, _)| *name == "content-length") {
                head.push_str(&format!("content-length: {}\r\n", body.len()));
            }
            headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
            let mut stream = stream;
            stream.write_all(&[head.as_bytes(), b"\r\n", &body].concat())?;
        }
        Ok(())
    }

    fn answer(&self, request: &Request) -> Answer {
        let mut state = self.state();
        if state.busy_for > 0 {
            state.busy_for -= 1;
            return refusal("503 Service Unavailable", "SlowDown");
        }
        if state.denies || !request.is_signed {
            return refusal("403 Forbidden", "AccessDenied");
        }
        let Some(name) = request.path.strip_prefix(&format!("/{}/", state.bucket)) else {
            return refusal("404 Not Found", "NoSuchBucket");
        };
        match request.method.as_str() {
            "PUT" => {
                if request.headers.get("x-amz-checksum-sha256") != Some(&checksum(&request.body)) {
                    return refusal("400 Bad Request", "BadDigest");
                }
                state.written.push(name.to_owned());
                state.objects.insert(name.to_owned(), request.body.clone());
                ("200 OK", Vec::new(), Vec::new())
            }
            "DELETE" => {
                state.objects.remove(name);
                ("204 No Content", Vec::new(), Vec::new())
            }
            method => match state.objects.get(name) {
                None => refusal("404 Not Found", "NoSuchKey"),
                Some(object) if method == "HEAD" => {
                    let mut headers = vec![("content-length", object.len().to_string())];
                    if request.headers.contains_key("x-amz-checksum-mode") {
                        headers.push(("x-amz-checksum-sha256", checksum(object)));
                    }
                    ("200 OK", headers, Vec::new())
                }
                Some(object) => ("200 OK", Vec::new(), object.clone()),
            },
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Request {
    /// The next one; `None` when the client has gone.
    fn read(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = Vec::new();
        stream.take(length).read_to_end(&mut body)?;
        let is_signed = ["X-Amz-Credential=", "X-Amz-Signature="].iter().all(|part| query.contains(part));
        Ok(Some(Self { method, path: path.to_owned(), is_signed, headers, body }))
    }
}

fn checksum(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha256::digest(bytes))
}

fn refusal(status: &'static str, code: impl fmt::Display) -> Answer {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>");
    (status, Vec::new(), body.into_bytes())
}
