//! Who asked for a program: `TOOL`, or `TOOL:PID` with the process of that tool. One rule for every filter.

/// Returns whether an originator is a tool's: the tool itself, or the tool, a colon and anything.
///
/// The empty filter selects everybody.
#[must_use]
pub fn is_of(tool: &str, originator: Option<&str>) -> bool {
    if tool.is_empty() {
        return true;
    }
    originator.and_then(|text| text.strip_prefix(tool)).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

/// Returns the process of the tool, if the originator names one.
#[must_use]
pub fn process(originator: &str) -> Option<u32> {
    originator.rsplit_once(':').and_then(|(_, pid)| pid.parse().ok()).filter(|pid| *pid > 0)
}

/// Completes an originator: a tool without a process gets the one of the client that asks.
#[must_use]
pub fn complete(tool: &str, client: u32) -> String {
    // What names no tool stays as it was written, to be refused.
    if tool.is_empty() || process(tool).is_some() {
        tool.to_owned()
    } else {
        format!("{}:{client}", tool.trim_end_matches(':'))
    }
}

/// Longest originator.
pub const LIMIT: usize = 128;

/// Says why a text cannot be an originator, or returns nothing.
#[must_use]
pub fn fault(text: &str) -> Option<&'static str> {
    if text.is_empty() || text.starts_with(':') {
        Some("it names no tool")
    } else if text.len() > LIMIT {
        Some("it is longer than 128 bytes")
    } else if text.chars().any(|c| c.is_whitespace() || crate::session::text::is_hidden(c)) {
        Some("it must not contain blanks or control characters")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w99_a_filter_is_the_tool_up_to_the_colon() {
        let table = [
            ("ci", Some("ci"), true),
            ("ci", Some("ci:7"), true),
            ("ci", Some("ci:worker:7"), true),
            ("ci:7", Some("ci:7"), true),
            ("ci:worker", Some("ci:worker:7"), true),
            ("ci", Some("cim"), false),
            ("ci", Some("cim:7"), false),
            ("ci:7", Some("ci:77"), false),
            ("ci:7", Some("ci"), false),
            ("ci", Some("my-ci:7"), false),
            ("ci", None, false),
            ("", None, true),
            ("", Some("ci"), true),
        ];
        for (tool, originator, is_one) in table {
            assert_eq!(is_of(tool, originator), is_one, "{tool:?} {originator:?}");
        }
    }

    #[test]
    fn an_originator_gets_the_process_that_it_lacks() {
        for (given, whole) in
            [("ci", "ci:9"), ("ci:7", "ci:7"), ("ci:x", "ci:x:9"), ("ci:", "ci:9"), ("ci:0", "ci:0:9")]
        {
            assert_eq!(complete(given, 9), whole);
        }
        assert_eq!(complete("", 9), "");
        assert_eq!(process("ci:7"), Some(7));
        assert_eq!([process("ci"), process("ci:"), process("ci:-1"), process("ci:0")], [None; 4]);
        for bad in ["", ":7", "a b", "a\u{1b}[2J", &"x".repeat(129)] {
            assert!(fault(bad).is_some(), "{bad:?}");
        }
    }
}
