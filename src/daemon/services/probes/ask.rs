//! Questions that a service answers over a socket, or a command for it.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::UnixStream;
use tokio::process::Command;

use crate::daemon::services::Unit;
use crate::daemon::services::order;
use crate::session::service::probe::Probe;
use crate::session::service::probe::StatusRange;
use crate::session::service::spec;

/// Bytes of an answer that are read: its first line is all that counts.
const HEAD: usize = 4096;

/// Asks once.
pub async fn is_well(unit: &Unit, probe: &Probe) -> bool {
    match probe {
        Probe::Tcp(place) => TcpStream::connect(place).await.is_ok(),
        Probe::Unix(path) => UnixStream::connect(OsStr::from_bytes(path)).await.is_ok(),
        Probe::Http { url, status } => http(url).await.is_ok_and(|code| is_in(*status, code)),
        Probe::Exec(command) => exec(unit, command).await.is_ok_and(|is_success| is_success),
        Probe::Notify | Probe::Fd(_) | Probe::Log(_) | Probe::Delay(_) => true,
    }
}

/// Asks for a page and returns the status; nothing of the page is read.
async fn http(url: &str) -> io::Result<u16> {
    let (place, path) = split(url).ok_or(io::ErrorKind::InvalidInput)?;
    let address = if place.rsplit(']').next().is_some_and(|rest| rest.contains(':')) {
        place.to_owned()
    } else {
        format!("{place}:80")
    };
    let mut stream = TcpStream::connect(&address).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {place}\r\nUser-Agent: runpm\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.contains(&b'\n') && head.len() < HEAD {
        if stream.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    status_of(&head).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Takes a URL apart: host and port, and path.
fn split(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://")?;
    let rest = rest.split('#').next().unwrap_or(rest);
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (place, path) = rest.split_at(at);
    (!place.is_empty()).then_some((place, if path.starts_with('/') { path } else { "/" }))
}

fn status_of(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/1.")?;
    line.split(' ').nth(1)?.trim_end().parse().ok()
}

/// Runs a command in the service's directory and environment; it dies with the question.
pub async fn exec(unit: &Unit, command: &spec::Command) -> io::Result<bool> {
    let launch = order::launch(unit);
    let argv = command.argv();
    let (program, args) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut child = Command::new(OsStr::from_bytes(program));
    child.args(args.iter().map(|arg| OsStr::from_bytes(arg))).env_clear().current_dir(OsStr::from_bytes(&launch.cwd));
    for entry in &launch.env {
        if let Some(at) = entry.iter().position(|byte| *byte == b'=') {
            child.env(OsStr::from_bytes(&entry[..at]), OsStr::from_bytes(&entry[at + 1..]));
        }
    }
    child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).process_group(0);
    Ok(child.status().await?.success())
}

/// Returns whether a status is in a range.
const fn is_in(range: StatusRange, status: u16) -> bool {
    range.first <= status && status <= range.last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_answers_are_read() {
        assert_eq!(split("http://localhost:8080/health?x=1#y"), Some(("localhost:8080", "/health?x=1")));
        assert_eq!(split("http://[::1]:80"), Some(("[::1]:80", "/")));
        assert_eq!(split("https://a/"), None);
        assert_eq!(split("http:///x"), None);
        assert_eq!(status_of(b"HTTP/1.1 204 No Content\r\nA: b"), Some(204));
        assert_eq!(status_of(b"HTTP/1.0 500"), Some(500));
        assert_eq!(status_of(b"SSH-2.0-x\r\n"), None);
        assert!(is_in(StatusRange::default(), 301) && !is_in(StatusRange::default(), 404));
    }
}
