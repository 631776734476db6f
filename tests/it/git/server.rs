//! A web server on loopback that hands out repositories as git's own `http-backend` does, and ends with the test.

#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

/// What the server does with those who come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// It lets everybody in.
    Open,
    /// It wants to see `ann` with the password `s3cr3t`.
    Password,
    /// It takes the request, and never answers.
    Silent,
}

pub(crate) struct Server {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    requests: Arc<AtomicUsize>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Hands out the repositories below a directory.
    pub(crate) fn start(root: &Path, door: Door) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stopped, requests) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (ends, counts, root) = (Arc::clone(&stopped), Arc::clone(&requests), root.to_path_buf());
        let accepting = std::thread::spawn(move || {
            // Connections that are left unanswered are held until the end.
            let mut held = Vec::new();
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                counts.fetch_add(1, Ordering::SeqCst);
                if door == Door::Silent {
                    held.push(stream);
                } else {
                    answer(&root, door, stream);
                }
            }
        });
        Self { address, stopped, requests, accepting: Some(accepting) }
    }

    /// The URL of a repository; `user` may be `NAME@` or `NAME:PASSWORD@`.
    pub(crate) fn url(&self, user: &str, repository: &str) -> String {
        format!("http://{user}{}/{repository}", self.address)
    }

    /// How often somebody came.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        drop(self.accepting.take().map(JoinHandle::join));
    }
}

/// Answers one request, and closes the connection.
fn answer(root: &PathBuf, door: Door, stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        lines.iter().skip(1).find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    let mut stream = stream;
    // The text is `ann:s3cr3t`.
    if door == Door::Password && header("Authorization").as_deref() != Some("Basic YW5uOnMzY3IzdA==") {
        let refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        drop(stream.write_all(refusal.as_bytes()));
        return;
    }
    if header("Expect").is_some() {
        drop(stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n"));
    }
    let mut words = lines[0].split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut body = vec![0; header("Content-Length").and_then(|length| length.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let mut backend = Command::new("git");
    backend.arg("http-backend").env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1");
    backend.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    backend.env("REQUEST_METHOD", method).env("PATH_INFO", path).env("QUERY_STRING", query);
    let names = [
        ("Content-Type", "CONTENT_TYPE"),
        ("Git-Protocol", "GIT_PROTOCOL"),
        ("Content-Encoding", "HTTP_CONTENT_ENCODING"),
    ];
    for (name, variable) in names {
        header(name).map(|value| backend.env(variable, value));
    }
    let mut backend = backend.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    backend.stdin.take().unwrap().write_all(&body).unwrap();
    let output = backend.wait_with_output().unwrap().stdout;
    let status = output
        .strip_prefix(b"Status: ")
        .map_or(b"200 OK".as_slice(), |rest| &rest[..rest.iter().position(|byte| *byte == b'\r').unwrap_or(0)]);
    drop(stream.write_all(&[b"HTTP/1.1 ", status, b"\r\nConnection: close\r\n", &output].concat()));
}
