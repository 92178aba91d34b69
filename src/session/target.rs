//! How users point at sessions: id, name, unique prefix, glob, `/regex/`, range of ids, `@tag`, `all`.

use regex::Regex;
use regex::RegexBuilder;

use crate::session::id::SessionId;

/// Names that a message lists at most.
const LISTED: usize = 8;
/// Bytes that a compiled regular expression may have.
const PATTERN: usize = 256 << 10;

/// What a target is matched against.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Short id.
    pub id: SessionId,
    /// Unique name.
    pub name: &'a str,
    /// Free words.
    pub tags: &'a [String],
    /// Full name and namespace of the service that it is an instance of.
    pub service: Option<(&'a str, &'a str)>,
}

/// Why a target selects nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Nothing is called so.
    #[error("no session is called {target:?}{}", near_text(near))]
    Unknown {
        /// What was asked for.
        target: String,
        /// Names that look like it.
        near: Vec<String>,
    },
    /// A prefix fits several.
    #[error("{target:?} could be {}{}", candidates.join(", "), more_text(*more))]
    Ambiguous {
        /// What was asked for.
        target: String,
        /// Names that start so, the first eight.
        candidates: Vec<String>,
        /// How many others start so.
        more: usize,
    },
    /// What stands between slashes is no regular expression.
    #[error("{target:?} is no regular expression: {why}")]
    Pattern {
        /// What was asked for.
        target: String,
        /// Why not.
        why: String,
    },
}

/// Ends a list of names that does not show all of them.
#[must_use]
pub fn more_text(more: usize) -> String {
    match more {
        0 => String::new(),
        1 => ", or one more session".to_owned(),
        more => format!(", or one of {more} more sessions"),
    }
}

fn near_text(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) }
}

/// Selects sessions, in their order. A service stands for its instances, a namespace for all its services. `all`, globs,
/// regular expressions, ranges and tags may select none; a name must exist.
pub fn select(target: &str, sessions: &[Candidate<'_>]) -> Result<Vec<SessionId>, TargetError> {
    let those = |keep: &dyn Fn(&Candidate<'_>) -> bool| sessions.iter().filter(|c| keep(c)).map(|c| c.id).collect();
    if target == "all" {
        return Ok(those(&|_| true));
    }
    if let Some(tag) = target.strip_prefix('@') {
        return Ok(those(&|c| c.tags.iter().any(|t| t == tag)));
    }
    if let Some(pattern) = pattern_of(target) {
        let pattern = compile(pattern).map_err(|why| TargetError::Pattern { target: clean(target), why })?;
        return Ok(those(&|c| pattern.is_match(c.name)));
    }
    if target.contains(['*', '?']) {
        return Ok(those(&|c| glob(target.as_bytes(), c.name.as_bytes())));
    }
    // A name may look like a range; it is older.
    if let Some((first, last)) = range_of(target)
        && !sessions.iter().any(|c| c.name == target)
    {
        return Ok(those(&|c| (first..=last).contains(&c.id.0)));
    }
    let is_of =
        |c: &Candidate<'_>| c.service.is_some_and(|(service, namespace)| [service, namespace].contains(&target));
    let exact = sessions.iter().any(|c| c.name == target);
    let instances: Vec<SessionId> = if exact { Vec::new() } else { those(&is_of) };
    if !instances.is_empty() {
        return Ok(instances);
    }
    one(target, sessions).map(|id| vec![id])
}

/// Returns whether a target names one session, so that it has to be there: not `all`, a glob or a tag.
#[must_use]
pub fn is_name(target: &str) -> bool {
    let is_group = target == "all" || target.starts_with('@') || target.contains(['*', '?']);
    !is_group && pattern_of(target).is_none() && range_of(target).is_none()
}

/// Returns the regular expression between slashes: `/^web-/`. No name starts with a slash.
fn pattern_of(target: &str) -> Option<&str> {
    target.strip_prefix('/')?.strip_suffix('/').filter(|pattern| !pattern.is_empty())
}

fn compile(pattern: &str) -> Result<Regex, String> {
    // Whoever compiles it has others to serve.
    RegexBuilder::new(pattern).size_limit(PATTERN).build().map_err(|error| {
        let said = error.to_string();
        said.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned()
    })
}

/// Returns first and last id of a range: `3-7`.
fn range_of(target: &str) -> Option<(u64, u64)> {
    let (first, last) = target.split_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(first) || !is_number(last) {
        return None;
    }
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// Returns whether each target may select nothing: no daemon then means that there is nothing, and not that one is missing.
#[must_use]
pub fn may_be_nobody(targets: &[String]) -> bool {
    !targets.iter().any(|target| is_name(target))
}

/// Selects exactly one session by id, name or unique prefix of a name.
pub fn one(target: &str, sessions: &[Candidate<'_>]) -> Result<SessionId, TargetError> {
    let exact = sessions.iter().find(|c| c.name == target || target.parse() == Ok(c.id.0));
    if let Some(found) = exact {
        return Ok(found.id);
    }
    let starting: Vec<_> = sessions.iter().filter(|c| !target.is_empty() && c.name.starts_with(target)).collect();
    match starting[..] {
        [only] => Ok(only.id),
        [] => Err(TargetError::Unknown { target: clean(target), near: near(target, sessions) }),
        _ => Err(TargetError::Ambiguous {
            target: clean(target),
            candidates: starting.iter().take(LISTED).map(|c| c.name.to_owned()).collect(),
            more: starting.len().saturating_sub(LISTED),
        }),
    }
}

fn clean(target: &str) -> String {
    target.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// Up to three names within two edits.
fn near(target: &str, sessions: &[Candidate<'_>]) -> Vec<String> {
    let mut found: Vec<_> = sessions
        .iter()
        .map(|c| (distance(target, c.name), c.name))
        .filter(|(distance, name)| *distance <= 2 && *distance < name.chars().count())
        .collect();
    found.sort_unstable();
    found.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

/// Edits (insert, delete, replace) that turn one word into the other; upper and lower case are the same.
#[must_use]
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(80).map(|c| c.to_ascii_lowercase()).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(80).enumerate() {
        let from = from.to_ascii_lowercase();
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Returns whether a text matches a pattern: `*` stands for any run, `?` for one byte.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    glob(pattern.as_bytes(), text.as_bytes())
}

/// `*` stands for any run, `?` for one byte.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                (p, t) = (at + 1, taken + 1);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_select_what_users_mean() {
        let tags = ["ci".to_owned()];
        let sessions = [
            Candidate { id: SessionId(1), name: "web", tags: &[], service: None },
            Candidate { id: SessionId(2), name: "web-2", tags: &tags, service: None },
            Candidate { id: SessionId(31), name: "worker", tags: &tags, service: None },
            Candidate { id: SessionId(40), name: "shop/api:0", tags: &[], service: Some(("shop/api", "shop")) },
            Candidate { id: SessionId(41), name: "shop/api:1", tags: &[], service: Some(("shop/api", "shop")) },
            Candidate { id: SessionId(42), name: "shop/db", tags: &[], service: Some(("shop/db", "shop")) },
        ];
        let ids = |target| select(target, &sessions).map(|ids| ids.iter().map(|id| id.0).collect::<Vec<_>>());

        assert_eq!(ids("web"), Ok(vec![1]));
        assert_eq!(ids("2"), Ok(vec![2]));
        assert_eq!(ids("wo"), Ok(vec![31]));
        assert_eq!(ids("all"), Ok(vec![1, 2, 31, 40, 41, 42]));
        assert_eq!(ids("shop/api"), Ok(vec![40, 41]));
        assert_eq!(ids("shop/api:1"), Ok(vec![41]));
        assert_eq!(ids("shop"), Ok(vec![40, 41, 42]));
        assert_eq!(ids("@ci"), Ok(vec![2, 31]));
        assert_eq!(ids("w*r"), Ok(vec![31]));
        assert_eq!(ids("web?*"), Ok(vec![2]));
        assert_eq!(ids("x*"), Ok(vec![]));
        assert_eq!(ids("/^w/"), Ok(vec![1, 2, 31]));
        assert_eq!(ids("/api:[0-9]$/"), Ok(vec![40, 41]));
        assert_eq!(ids("/x/"), Ok(vec![]));
        assert_eq!(ids("2-40"), Ok(vec![2, 31, 40]));
        assert_eq!(ids("3-7"), Ok(vec![]));
        assert!(["/w.*/", "1-3", "w*", "@ci", "all"].iter().all(|target| !is_name(target)));
        assert!(["web-2", "1-", "-1", "/", "//", "1-2-3"].iter().all(|target| is_name(target)));
        let said = select("/we(b/", &sessions).map_err(|error| error.to_string());
        assert_eq!(said, Err("\"/we(b/\" is no regular expression: unclosed group".to_owned()));
        assert!(matches!(ids("/(a{1000}){1000}/"), Err(TargetError::Pattern { .. })));
        assert!(matches!(ids("we"), Err(TargetError::Ambiguous { candidates, .. }) if candidates == ["web", "web-2"]));
        let many: Vec<String> = (0..11).map(|n| format!("w{n}")).collect();
        let candidates: Vec<_> =
            many.iter().map(|name| Candidate { id: SessionId(1), name, tags: &[], service: None }).collect();
        let said = one("w", &candidates).map_err(|error| error.to_string());
        assert_eq!(said, Err("\"w\" could be w0, w1, w2, w3, w4, w5, w6, w7, or one of 3 more sessions".to_owned()));
        assert!(matches!(ids("wrker"), Err(TargetError::Unknown { near, .. }) if near == ["worker"]));
        assert!(matches!(ids("WORKR"), Err(TargetError::Unknown { near, .. }) if near == ["worker"]));
        assert!(matches!(ids("3"), Err(TargetError::Unknown { .. })));
        assert!(matches!(ids(""), Err(TargetError::Unknown { .. })));
    }
}
