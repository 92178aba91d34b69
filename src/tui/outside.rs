//! What leaves the dashboard: text for the clipboard of our terminal, and for the user's pager or editor.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;

use crate::session::id::SessionId;

/// Most bytes for a clipboard: terminals drop what is longer.
const CLIPBOARD: usize = 1 << 20;

/// Appends what puts text on the clipboard (OSC 52); inside tmux also past it.
pub fn clipboard(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    put_on_clipboard("c", &base64(&bytes[..bytes.len().min(CLIPBOARD)]), out);
}

/// The same with what is encoded already. Both were checked to be letters and digits: nothing else gets out with them.
pub fn put_on_clipboard(selection: &str, base64: &str, out: &mut Vec<u8>) {
    let _ = write!(out, "\x1b]52;{selection};{base64}\x07");
    if std::env::var_os("TMUX").is_some() {
        let _ = write!(out, "\x1bPtmux;\x1b\x1b]52;{selection};{base64}\x07\x1b\\");
    }
}

/// Appends what shows a notification (OSC 777: a second form would be a second notification where both are known).
pub fn notification(title: &str, body: &str, out: &mut Vec<u8>) {
    let plain = |text: &str| text.replace(';', ",");
    let _ = write!(out, "\x1b]777;notify;{};{}\x07", plain(title), plain(body));
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for piece in bytes.chunks(3) {
        let part = |at: usize| u32::from(piece.get(at).copied().unwrap_or(0));
        let bits = part(0) << 16 | part(1) << 8 | part(2);
        for n in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * n)) as usize & 63];
            out.push(if n <= piece.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

/// Shows text in `$PAGER` or `$VISUAL`/`$EDITOR`, and waits for it. The terminal is theirs by then.
///
/// Without a text it is all that the session said, which may be far more than is held here.
pub fn show(session: SessionId, name: &str, text: Option<&str>, is_editor: bool) {
    let safe: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(40).collect();
    let path = std::env::temp_dir().join(format!("rpm-{safe}-{}.txt", std::process::id()));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    let written = file.and_then(|mut file| match text {
        Some(text) => file.write_all(text.as_bytes()),
        None => Command::new(crate::client::launch::program().unwrap_or_else(|| "rpm".into()))
            .args(["logs", &session.to_string()])
            .stdout(file)
            .status()
            .map(drop),
    });
    if written.is_ok() {
        let program = if is_editor { editor() } else { set("PAGER").unwrap_or_else(|| "less".to_owned()) };
        open(&program, &path);
    }
    let _ = std::fs::remove_file(&path);
}

/// Opens a file in `$VISUAL` or `$EDITOR`, and waits for it.
pub fn edit(path: &Path) {
    open(&editor(), path);
}

fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn editor() -> String {
    set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| "vi".to_owned())
}

/// As everybody runs these: the value may hold options.
fn open(program: &str, path: &Path) {
    let _ = Command::new("sh").arg("-c").arg(format!("{program} \"$1\"")).arg("sh").arg(path).status();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ux23_text_goes_to_the_clipboard_in_base_64() {
        for (text, expected) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(text.as_bytes()), expected);
        }
        let mut out = Vec::new();
        clipboard("foo", &mut out);
        assert!(out.starts_with(b"\x1b]52;c;Zm9v\x07"));
    }
}
