//! Names of folders and files: one of each, whatever a session is called.

/// Extension of the bytes.
pub const RAW: &str = "raw";
/// Extension of the index.
pub const INDEX: &str = "idx";
/// What a session was, beside its segments.
pub const ABOUT: &str = "session.json";

/// Returns the folder of a session's journal: the name for people, the key because names are used again.
#[must_use]
pub fn of_session(name: &str, key: u64) -> String {
    format!("{}.{key:016x}", escape(name))
}

/// Returns the folder of a service's journal, which it keeps for ever.
#[must_use]
pub fn of_service(name: &str) -> String {
    format!("{}.service", escape(name))
}

/// Returns whether a folder is a service's.
#[must_use]
pub fn is_service(folder: &str) -> bool {
    folder.ends_with(".service")
}

/// Returns whether this could be a journal's folder: one plain component that `escape` could have made.
#[must_use]
pub fn is_folder(folder: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-+:%".contains(&b);
    folder.len() <= 255 && !folder.starts_with('.') && folder.contains('.') && folder.bytes().all(is_plain)
}

/// Writes a name so that no other is written the same: what is no plain ASCII becomes `%XX`.
#[must_use]
pub fn escape(name: &str) -> String {
    let mut escaped = String::new();
    for (n, byte) in name.bytes().enumerate() {
        let is_plain = byte.is_ascii_alphanumeric() || b"_-+:".contains(&byte) || (byte == b'.' && n > 0);
        if is_plain {
            escaped.push(char::from(byte));
        } else {
            escaped.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    escaped
}

fn digit(value: u8) -> char {
    char::from(b"0123456789ABCDEF"[usize::from(value)])
}

/// Returns the name of a segment's file.
#[must_use]
pub fn of_segment(number: u64, extension: &str) -> String {
    format!("{number:08}.{extension}")
}

/// Reads the number of a segment from the name of one of its files.
#[must_use]
pub fn number(file: &str) -> Option<u64> {
    let digits = file.strip_suffix(INDEX).or_else(|| file.strip_suffix(RAW))?.strip_suffix('.')?;
    let is_plain = digits.len() >= 8 && digits.bytes().all(|b| b.is_ascii_digit());
    if is_plain { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn r7_names_that_look_alike_have_folders_of_their_own() {
        let names = ["a/b", "a_b", "a%2Fb", "a.b", "A/B", "büro", "buro", "..", ".", "a", "a/../b"];
        let folders: Vec<String> = names.iter().map(|name| of_service(name)).collect();
        for (n, folder) in folders.iter().enumerate() {
            assert!(is_folder(folder) && !folder.contains('/'), "{folder}");
            assert!(folders[..n].iter().all(|other| !other.eq_ignore_ascii_case(folder) || n == 4), "{folder}");
        }
        assert_eq!((of_service("a/b").as_str(), of_service("a_b").as_str()), ("a%2Fb.service", "a_b.service"));
        assert_ne!(of_session("web", 1), of_session("web", 2));
        assert!(of_session(&"/".repeat(64), u64::MAX).len() <= 255);
    }

    #[test]
    fn segments_are_found_by_their_numbers_and_nothing_else_is() {
        assert_eq!(number(&of_segment(7, INDEX)), Some(7));
        assert_eq!(number(&of_segment(123_456_789, INDEX)), Some(123_456_789));
        for other in ["00000001.log", "1.idx", "-0000001.idx", "session.json", "x.idx", "99999999999999999999999.idx"] {
            assert_eq!(number(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn r7_no_two_names_share_a_folder(a in "\\PC{1,12}", b in "\\PC{1,12}") {
            prop_assert_eq!(a == b, escape(&a) == escape(&b));
            prop_assert!(is_folder(&of_service(&a)));
        }
    }
}
