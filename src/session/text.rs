//! Words for people: quoting, cleaning, ages, durations, sizes.

use crate::term::Size;

/// Quotes arguments so that a POSIX shell takes them back; control characters become `\x1b` and the like.
#[must_use]
pub fn quote<B: AsRef<[u8]>>(argv: &[B]) -> String {
    argv.iter().map(|arg| quote_one(arg.as_ref())).collect::<Vec<_>>().join(" ")
}

fn quote_one(arg: &[u8]) -> String {
    let is_safe = |b: &u8| b.is_ascii_alphanumeric() || b"_-./=:,+@%^".contains(b);
    let text = String::from_utf8_lossy(arg);
    if !arg.is_empty() && arg.iter().all(is_safe) {
        return text.into_owned();
    }
    let is_odd = std::str::from_utf8(arg).is_err() || text.chars().any(is_hidden);
    if is_odd {
        // `$'…'` is the only spelling that can hold control characters visibly.
        let body: String = arg.iter().flat_map(|b| std::ascii::escape_default(*b)).map(char::from).collect();
        return format!("$'{body}'");
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Characters that change a line without being seen: controls and bidirectional overrides.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Drops what a program must not do to our own lines.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars().filter(|c| !is_hidden(*c)).collect()
}

/// Cuts a text to at most `len` bytes, with a mark that it was cut.
#[must_use]
pub fn shorten(text: &str, len: usize) -> String {
    if text.len() <= len {
        return text.to_owned();
    }
    let end = (0..=len).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &text[..end])
}

/// A short age: `now`, `42s`, `5m`, `3h12m`, `4d3h`.
#[must_use]
pub fn age(ms: u64) -> String {
    let (s, m, h, d) = (ms / 1000, ms / 60_000, ms / 3_600_000, ms / 86_400_000);
    match (d, h, m, s) {
        (0, 0, 0, 0) => "now".to_owned(),
        (0, 0, 0, s) => format!("{s}s"),
        (0, 0, m, _) => format!("{m}m"),
        (0, h, m, _) => format!("{h}h{:02}m", m % 60),
        (d, h, ..) => format!("{d}d{}h", h % 24),
    }
}

/// Reads a duration such as `500ms`, `5s`, `2m`, `2h`, `1d`, into milliseconds.
pub fn duration_ms(text: &str) -> Result<u64, String> {
    let how = "write a number and a unit: 500ms, 5s, 2m, 2h or 1d";
    if text.starts_with('-') {
        return Err(format!("{text:?} is negative; {how}"));
    }
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit = match &text[digits..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(format!("{text:?} is no duration; {how}")),
    };
    if digits == 0 {
        return Err(format!("{text:?} has no number before its unit; {how}"));
    }
    // What is too long for a number is too long for a year.
    let ms = text[..digits].parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    ms.filter(|ms| *ms <= 366 * 86_400_000).ok_or_else(|| format!("{text:?} is more than a year"))
}

/// Reads a number of bytes such as `512K`, `8M`, `1G`; zero is out of range.
pub fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no size; write a number with K, M or G: 512K, 8M");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return Err(wrong()),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(factor).filter(|bytes| *bytes > 0).ok_or_else(|| format!("{text} is out of range"))
}

/// Writes about how many bytes, for people: `812 bytes`, `1.2 MiB`.
#[must_use]
pub fn amount(bytes: u64) -> String {
    let unit = [(30, "GiB"), (20, "MiB"), (10, "KiB")].into_iter().find(|(shift, _)| bytes >> shift > 0);
    let Some((shift, unit)) = unit else { return format!("{bytes} bytes") };
    let tenths = (u128::from(bytes) * 10) >> shift;
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// Writes a number of bytes so that [`bytes`] reads the same back: `2M`, `1000`.
#[must_use]
pub fn exact_size(bytes: u64) -> String {
    let units = [(30, "G"), (20, "M"), (10, "K")];
    let unit = units.into_iter().find(|(shift, _)| bytes > 0 && bytes.trailing_zeros() >= *shift);
    unit.map_or_else(|| bytes.to_string(), |(shift, unit)| format!("{}{unit}", bytes >> shift))
}

/// Reads columns and rows such as `120x40`, and returns the nearest possible size.
pub fn size(text: &str) -> Result<Size, String> {
    let number = |text: &str| text.parse::<u32>().map(|n| n.min(u16::MAX.into()) as u16);
    match text.split_once(['x', 'X']).map(|(cols, rows)| (number(rows), number(cols))) {
        Some((Ok(rows), Ok(cols))) => Ok(Size::clamped(rows, cols)),
        _ => Err("write columns, x, rows: 120x40".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w24_commands_can_be_pasted_back_and_hide_nothing() {
        assert_eq!(quote(&["sh", "-c", "exit 3"]), "sh -c 'exit 3'");
        assert_eq!(quote(&["it's", ""]), r"'it'\''s' ''");
        assert_eq!(quote(&["a\u{1b}[2J"]), r"$'a\x1b[2J'");
        assert_eq!(quote(&[&b"\xff\n"[..]]), r"$'\xff\n'");
    }

    #[test]
    fn durations_need_a_number_and_a_unit() {
        assert_eq!(duration_ms("500ms"), Ok(500));
        assert_eq!(duration_ms("2h"), Ok(7_200_000));
        for bad in ["", "5", "s", "-5s", "5 s", "1.5s", "99999999999999999999s", "4000d"] {
            assert!(duration_ms(bad).is_err(), "{bad:?}");
        }
        for (bad, why) in [("-5s", "negative"), ("99999999999999999999s", "more than a year"), ("s", "no number")] {
            assert!(duration_ms(bad).is_err_and(|said| said.contains(why)), "{bad:?}");
        }
    }

    #[test]
    fn sizes_are_read_back_as_they_were_written() {
        for (number, text) in [(2 << 20, "2M"), (1000, "1000"), (3 << 30, "3G"), (1 << 10, "1K"), (1536, "1536")] {
            assert_eq!((exact_size(number).as_str(), bytes(text)), (text, Ok(number)));
        }
        for bad in ["", "M", "-1", "1T", "0", "1.5M", "99999999999G", "1 M"] {
            assert!(bytes(bad).is_err(), "{bad:?}");
        }
        assert_eq!(size("120x40"), Ok(Size::clamped(40, 120)));
        assert!(size("120").is_err() && size("x").is_err());
    }

    #[test]
    fn ages_stay_short() {
        let shown = [0, 999, 42_000, 300_000, 11_520_000, 356_400_000].map(age);
        assert_eq!(shown, ["now", "now", "42s", "5m", "3h12m", "4d3h"]);
    }
}
