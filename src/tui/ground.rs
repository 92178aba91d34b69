//! Whether the terminal's ground is light: asked once, and only for `theme = "auto"`.

use std::time::Duration;

use crate::platform::tty;

/// The ground (OSC 11), and what every terminal answers, so that nobody waits for one that does not know the first.
const QUERY: &[u8] = b"\x1b]11;?\x07\x1b[c";
/// Longest wait for the answer.
const WAIT: Duration = Duration::from_millis(100);

/// Asks the terminal; none if it does not say in time.
pub fn is_light() -> Option<bool> {
    let answer = tty::ask(QUERY, WAIT, |bytes| bytes.ends_with(b"c") && bytes.windows(3).any(|at| at == b"\x1b[?"));
    read(&answer.ok()?)
}

/// Reads `11;rgb:rrrr/gggg/bbbb` out of an answer.
fn read(answer: &[u8]) -> Option<bool> {
    let text = String::from_utf8_lossy(answer);
    let color = text.split("]11;rgb:").nth(1)?;
    let color = color.split(['\x07', '\x1b']).next()?;
    let parts: Vec<f64> = color.split('/').filter_map(scaled).collect();
    let [r, g, b] = parts[..] else { return None };
    Some(0.2126 * r + 0.7152 * g + 0.0722 * b > 0.5)
}

fn scaled(digits: &str) -> Option<f64> {
    let value = u32::from_str_radix(digits, 16).ok().filter(|_| (1..=4).contains(&digits.len()))?;
    Some(f64::from(value) / f64::from((1_u32 << (4 * digits.len())) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ux19_a_light_ground_is_told_from_a_dark_one_and_from_none() {
        for (answer, expected) in [
            (&b"\x1b]11;rgb:ffff/ffff/ffff\x07\x1b[?62;4c"[..], Some(true)),
            (b"\x1b]11;rgb:1e/1e/2e\x1b\\\x1b[?62c", Some(false)),
            (b"\x1b[?62c", None),
            (b"\x1b]11;rgb:zz/1/1\x07", None),
            (b"", None),
        ] {
            assert_eq!(read(answer), expected, "{:?}", String::from_utf8_lossy(answer));
        }
    }
}
