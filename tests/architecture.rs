//! The rules of the tree, checked: who may use whom, what is pure, where `unsafe` and system conditions are, how long things get.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// Folder, and what it may use of the crate. Modules and what they are: `src/lib.rs`.
const MAY_USE: [(&str, &[&str]); 13] = [
    ("term", &[]),
    ("history", &[]),
    ("journal", &["history"]),
    ("session", &["term", "history"]),
    ("protocol", &["term", "history", "session"]),
    ("platform", &["term", "history", "session", "protocol"]),
    ("keeper", &["term", "history", "session", "protocol", "platform"]),
    ("config", &["term", "session", "platform"]),
    ("daemon", &["term", "history", "journal", "session", "protocol", "platform", "config"]),
    ("tee", &["term", "history", "session", "protocol", "platform"]),
    ("client", &["term", "history", "session", "protocol", "platform"]),
    ("tui", &["term", "history", "session", "protocol", "platform", "config", "client"]),
    (
        "cli",
        &["term", "history", "session", "protocol", "platform", "config", "client", "tui", "keeper", "daemon", "tee"],
    ),
];

/// Folders without I/O, clock, threads or runtime.
const PURE: [&str; 4] = ["term", "history", "session", "protocol"];

/// Longest file and longest function, in lines outside of tests.
const FILE: usize = 500;
const FUNCTION: usize = 60;

struct Source {
    path: PathBuf,
    folder: String,
    /// Without inline test modules.
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inner = path.strip_prefix(&root).expect("below the root").to_owned();
                let folder = inner.iter().next().expect("a name").to_string_lossy().into_owned();
                let text = fs::read_to_string(&path).expect("text");
                let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
                found.push(Source { path: inner, folder, text });
            }
        }
    }
    assert!(found.len() > 80, "only {} sources were found", found.len());
    found
}

fn is_test(source: &Source) -> bool {
    source.path.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs")))
}

/// Panics with every line that breaks a rule.
fn report(rule: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{rule}:\n{}", faults.join("\n"));
}

fn code_lines(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    let lines = source.text.lines().enumerate().map(|(n, line)| (n + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn faults(pick: impl Fn(&Source) -> bool, is_fault: impl Fn(&Source, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| pick(source)) {
        for (n, line) in code_lines(source) {
            if is_fault(source, line) {
                found.push(format!("{}:{n}: {}", source.path.display(), line.trim()));
            }
        }
    }
    found
}

fn used(line: &str) -> Vec<&str> {
    line.match_indices("crate::")
        .map(|(at, word)| &line[at + word.len()..])
        .map(|rest| &rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())])
        .collect()
}

#[test]
fn folders_use_only_what_is_below_them() {
    let is_fault = |source: &Source, line: &str| {
        let Some((_, allowed)) = MAY_USE.iter().find(|(folder, _)| *folder == source.folder) else { return false };
        used(line).iter().any(|name| {
            MAY_USE.iter().any(|(folder, _)| folder == name) && *name != source.folder && !allowed.contains(name)
        })
    };
    report("a folder uses one that is not below it", &faults(|source| !is_test(source), is_fault));
}

#[test]
fn imports_are_one_path_a_line_so_that_the_rule_above_sees_them() {
    let is_fault = |_: &Source, line: &str| line.contains("use crate::{") || line.contains("use super::{");
    report("a grouped import", &faults(|_| true, is_fault));
}

#[test]
fn pure_folders_have_no_io_clock_thread_or_runtime() {
    let words = [
        "tokio",
        "std::fs",
        "std::net",
        "std::process",
        "std::thread",
        "std::io::",
        "Instant::now",
        "SystemTime",
        "async fn",
        "crossterm",
        "ratatui",
        "rustix",
        "libc::",
        "std::env",
    ];
    let is_fault = |_: &Source, line: &str| words.iter().any(|word| line.contains(word)) && !line.contains("env!(");
    let pick = |source: &Source| PURE.contains(&source.folder.as_str()) && !is_test(source);
    report("not pure", &faults(pick, is_fault));
}

#[test]
fn the_app_of_the_dashboard_is_pure() {
    let words =
        ["std::fs", "std::thread", "Instant::now", "SystemTime", "rustix", "libc::", "std::io", "platform::tty"];
    let pick = |source: &Source| source.path.starts_with("tui/app") || source.path.starts_with("tui/keymap.rs");
    report("not pure", &faults(pick, |_, line| words.iter().any(|word| line.contains(word))));
}

#[test]
fn unsafe_and_system_conditions_are_in_platform_only() {
    let is_fault = |_: &Source, line: &str| {
        line.contains("unsafe {")
            || line.contains("unsafe fn")
            || line.contains("unsafe impl")
            || line.contains("cfg(unix")
            || line.contains("cfg(windows")
            || line.contains("cfg(target_os")
    };
    report("outside platform/", &faults(|source| source.folder != "platform", is_fault));
}

#[test]
fn every_unsafe_block_says_why_it_is_safe() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.folder == "platform") {
        let lines: Vec<&str> = source.text.lines().collect();
        for (n, line) in lines.iter().enumerate() {
            let is_unsafe = line.contains("unsafe {") || line.contains("unsafe impl");
            let before = &lines[n.saturating_sub(6)..n];
            if is_unsafe && !before.iter().any(|line| line.contains("SAFETY:")) {
                found.push(format!("{}:{}: {}", source.path.display(), n + 1, line.trim()));
            }
        }
    }
    report("no SAFETY note", &found);
}

#[test]
fn every_file_opens_with_what_it_is() {
    let lacking = sources().into_iter().filter(|source| !source.text.starts_with("//! "));
    let found: Vec<String> = lacking.map(|source| source.path.display().to_string()).collect();
    report("no header", &found);
}

#[test]
fn nothing_unwraps_outside_tests() {
    let is_fault = |_: &Source, line: &str| line.contains(".unwrap()");
    report("an unwrap", &faults(|source| !is_test(source), is_fault));
}

#[test]
fn files_and_functions_stay_short() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| !is_test(source)) {
        let lines: Vec<&str> = source.text.lines().collect();
        if lines.len() > FILE {
            found.push(format!("{}: {} lines", source.path.display(), lines.len()));
        }
        let mut start: Option<(usize, usize)> = None;
        for (n, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let is_function = line.trim_start().split(['(', '<']).next().is_some_and(|head| {
                let words: Vec<&str> = head.split_whitespace().collect();
                words.len() >= 2 && words[words.len() - 2] == "fn"
            });
            if is_function && start.is_none_or(|(_, outer)| indent <= outer) {
                start = Some((n, indent));
            }
            if let Some((begin, outer)) = start
                && line.trim_end() == format!("{}}}", " ".repeat(outer))
            {
                if n - begin + 1 > FUNCTION {
                    found.push(format!("{}:{}: {} lines", source.path.display(), begin + 1, n - begin + 1));
                }
                start = None;
            }
        }
    }
    report("too long", &found);
}

#[test]
fn cells_reach_the_pane_through_vt100_only() {
    let words = ["term::Screen", "alacritty_terminal", "term::Base"];
    let pick = |source: &Source| matches!(source.folder.as_str(), "tui" | "client") && !is_test(source);
    report("a way around the mirror", &faults(pick, |_, line| words.iter().any(|word| line.contains(word))));
    let mirror = sources().into_iter().find(|source| source.path == Path::new("term/mirror.rs")).expect("the mirror");
    assert!(mirror.text.contains("vt100::Parser"));
}

#[test]
fn one_copy_of_the_width_tables_is_in_the_lock_file() {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).expect("a lock file");
    for name in ["unicode-width", "crossterm", "vt100"] {
        assert_eq!(lock.matches(&format!("name = \"{name}\"\n")).count(), 1, "{name}");
    }
}

#[test]
fn w80_nothing_sleeps_in_keeper_or_daemon() {
    let pick = |source: &Source| matches!(source.folder.as_str(), "keeper" | "daemon" | "platform");
    report("a thread that sleeps", &faults(pick, |_, line| line.contains("thread::sleep")));
}

/// Returns the files with an extension below a folder.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|is| is == extension) {
                found.push(path);
            }
        }
    }
    found
}

/// A word in backticks that can only be a claim's name: it begins with a row's number, or has four words and more.
fn is_claim(word: &str) -> bool {
    let is_name = !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let row = word.split('_').next().unwrap_or_default();
    let digits = row.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let has_row = row.len() > digits.len() && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_name && word.contains('_') && (has_row || word.split('_').count() >= 4)
}

#[test]
fn every_claim_that_a_page_cites_is_a_test() {
    let sources: Vec<PathBuf> = ["src", "tests"].iter().flat_map(|folder| files(folder, "rs")).collect();
    let code: String = sources.iter().map(|path| fs::read_to_string(path).expect("text")).collect();
    let tests: std::collections::BTreeSet<&str> =
        code.split("fn ").skip(1).filter_map(|rest| rest.split_once('(')).map(|(name, _)| name).collect();
    let (mut cited, mut dead) = (0, Vec::new());
    for page in files("docs", "md") {
        let text = fs::read_to_string(&page).expect("text");
        for word in text.split('`').skip(1).step_by(2).filter(|word| is_claim(word)) {
            cited += 1;
            // `k1_` means all that begin so.
            let is_family = word.ends_with('_') && tests.iter().any(|name| name.starts_with(word));
            if !is_family && !tests.contains(word) {
                dead.push(format!("{}: {word}", page.display()));
            }
        }
    }
    assert!(cited > 200, "only {cited} were found");
    report("no test is called so", &dead);
}
