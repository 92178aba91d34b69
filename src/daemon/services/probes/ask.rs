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
        Probe::Notify | Probe::Fd(_) | Probe::Log(_) | Probe::Delay(_) | Probe::Watchdog(_) => true,
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

    /// A server that gives each connection this answer; returns where.
    async fn server(answer: &'static [u8]) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let place = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.write_all(answer).await;
            }
        });
        place
    }

    fn unit(folder: &std::path::Path) -> Unit {
        let spec = spec::ServiceSpec {
            cwd: folder.as_os_str().as_bytes().to_vec().into(),
            env: vec![spec::Variable {
                name: b"A".to_vec().into(),
                value: Some(b"1".to_vec().into()),
                origin: spec::Origin::Config,
            }],
            ..spec::ServiceSpec::default()
        };
        let definition = crate::session::service::definition::Definition { spec, ..Default::default() };
        Unit::new(std::sync::Arc::new(definition), 0)
    }

    #[tokio::test]
    async fn each_way_of_asking_knows_well_from_unwell() {
        let folder = crate::daemon::services::tests::Folder::new();
        let unit = unit(folder.path());
        let at = |name: &str| folder.path().join(name).as_os_str().as_bytes().to_vec().into();
        let http = |place: &str, first: u16, last: u16| Probe::Http {
            url: format!("http://{place}/health"),
            status: StatusRange { first, last },
        };
        let shell = |text: &str| Probe::Exec(spec::Command::shell(text));
        let _listener = tokio::net::UnixListener::bind(folder.path().join("live")).expect("a socket");
        drop(std::os::unix::net::UnixListener::bind(folder.path().join("dead")).expect("a socket"));
        let (ok, lost) = (server(b"HTTP/1.1 204 No\r\n\r\n").await, server(b"HTTP/1.1 503 Later\r\n\r\n").await);
        let (other, silent) = (server(b"SSH-2.0-x\r\n").await, server(b"").await);
        let closed = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
            listener.local_addr().expect("an address").to_string()
        };
        let missing = Probe::Exec(spec::Command::of(&["/no/such/program"]));
        for (probe, is_well_wanted) in [
            (Probe::Tcp(ok.clone()), true),
            (Probe::Tcp(closed.clone()), false),
            (Probe::Unix(at("live")), true),
            (Probe::Unix(at("dead")), false),
            (Probe::Unix(at("none")), false),
            (http(&ok, 200, 399), true),
            (http(&ok, 200, 200), false),
            (http(&lost, 200, 399), false),
            (http(&lost, 503, 503), true),
            (http(&other, 100, 599), false),
            (http(&silent, 100, 599), false),
            (http(&closed, 100, 599), false),
            (shell("exit 0"), true),
            (shell("exit 1"), false),
            (shell("kill -9 $$"), false),
            (shell("test -S live && test \"$A\" = 1"), true),
            (missing, false),
        ] {
            assert_eq!(is_well(&unit, &probe).await, is_well_wanted, "{probe:?}");
        }
    }
}
