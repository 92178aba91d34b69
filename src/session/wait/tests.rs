//! What a wait comes to, by table and for any way a stream is cut.

use proptest::prelude::*;

use super::*;
use crate::history::ExitStatus;
use crate::session::status::How;

const MS: u64 = 1_000_000;

fn plan(conditions: &[&str]) -> Plan {
    let mut plan = Plan::default();
    for condition in conditions {
        match condition.parse().expect(condition) {
            Condition::Exit => plan.exit = true,
            Condition::Idle(ms) => plan.idle = Some(ms * MS),
            Condition::Ready => plan.ready = true,
            Condition::Text(text) => plan.texts.push(text),
            Condition::Count(count) => plan.count = Some(count),
        }
    }
    plan
}

/// Feeds everything at once, then lets output rest.
fn wait(plan: Plan, said: &[u8]) -> Option<Outcome> {
    let mut waiter = Waiter::new(plan, Start::default(), 0);
    waiter.bytes(0, said, 0).or_else(|| waiter.tick(REST))
}

fn found(outcome: Option<Outcome>) -> Option<(String, Vec<Option<String>>, u64)> {
    match outcome? {
        Outcome::Matched(Match::Text(_, found) | Match::Count(found)) => {
            Some((found.text, found.captures, found.offset))
        }
        _ => None,
    }
}

#[test]
fn text_is_matched_in_lines_as_logs_prints_them_with_the_offset_behind_the_match() {
    /// What matched, and the offset behind it.
    type Wanted = Option<(&'static str, u64)>;
    let table: [(&str, &[u8], Wanted); 14] = [
        ("done", b"well done\n", Some(("done", 9))),
        ("^>>> $", b"print(6*7)\r\n42\r\n>>> ", Some((">>> ", 20))),
        ("^>>> $", b">>> print(6*7)\r\n42\r\n", None),
        ("^42$", b"42\r\n", Some(("42", 2))),
        ("^42$", b"42", Some(("42", 2))),
        ("red", b"\x1b[31mr\x1b[0med\n", Some(("red", 12))),
        ("^r", b"\x1b]0;title\x07r", Some(("r", 11))),
        ("title", b"\x1b]0;title\x07r\n", None),
        ("a\\nb", b"a\nb\n", None),
        ("\u{e9}+", "x\u{e9}\u{e9}y\n".as_bytes(), Some(("\u{e9}\u{e9}", 5))),
        ("b$", b"a\xc3b\n", Some(("b", 3))),
        ("^$", b"\n", Some(("", 0))),
        ("x", b"", None),
        ("100%", b"10%\r50%\r100%", Some(("100%", 12))),
    ];
    for (pattern, said, wanted) in table {
        let found = found(wait(plan(&[&format!("text={pattern}")]), said)).map(|(text, _, offset)| (text, offset));
        assert_eq!(found.as_ref().map(|(text, offset)| (text.as_str(), *offset)), wanted, "{pattern} in {said:?}");
    }
}

#[test]
fn raw_lines_keep_their_sequences_and_returns() {
    let raw = |pattern: &str| Plan { view: View::Raw, ..plan(&[&format!("text={pattern}")]) };
    assert_eq!(found(wait(raw("x1b.31m(?-u:\\x0d)?$"), b"\x1b[31mred\r\n")), None);
    let (text, _, offset) = found(wait(raw("\\x1b\\[31mred\\r$"), b"\x1b[31mred\r\n")).expect("a match");
    assert_eq!((text.as_str(), offset), ("\u{1b}[31mred\r", 9));
}

#[test]
fn groups_are_whole_when_a_line_comes_in_pieces() {
    let mut waiter = Waiter::new(plan(&[r"text=port (\d+)(x)?"]), Start::default(), 0);
    assert_eq!(waiter.bytes(0, b"on port 80", 0), None);
    assert_eq!(waiter.tick(REST - 1), None, "it may go on");
    assert_eq!(waiter.bytes(10, b"80", REST - 1), None);
    let found = found(waiter.tick(2 * REST)).expect("a match");
    assert_eq!(found, ("port 8080".to_owned(), vec![Some("8080".to_owned()), None], 12));
}

#[test]
fn a_line_that_never_rests_is_judged_nevertheless() {
    let mut waiter = Waiter::new(plan(&["text=1111"]), Start::default(), 0);
    let outcome = (0..100).find_map(|n| waiter.bytes(n, b"1", n * 10 * MS).or_else(|| waiter.tick(n * 10 * MS)));
    assert!(found(outcome).is_some_and(|(_, _, offset)| offset == 4));
}

#[test]
fn counts_are_of_lines_or_of_matches() {
    assert_eq!(found(wait(plan(&["count=2"]), b"a\nb\nc")).map(|found| found.2), Some(4));
    assert_eq!(wait(plan(&["count=2"]), b"a\nb"), None, "the last line is not complete");
    assert_eq!(found(wait(plan(&["count=3", "text=a"]), b"aa\nba\na\n")).map(|found| found.2), Some(5));
    assert_eq!(found(wait(plan(&["count=3", "text=a"]), b"a\na a")).map(|found| found.2), Some(5));
    assert_eq!(wait(plan(&["count=4", "text=a"]), b"a\na a"), None);
}

#[test]
fn of_several_patterns_the_first_in_the_output_wins() {
    let outcome = wait(plan(&["text=late", "text=early"]), b"early\nlate\n");
    assert!(matches!(outcome, Some(Outcome::Matched(Match::Text(1, _)))), "{outcome:?}");
}

#[test]
fn what_was_said_before_the_offset_and_what_only_echoes_is_passed_over() {
    let start = Start { since: 6, head: 6, ..Start::default() };
    let mut waiter = Waiter::new(plan(&["text=word"]), start, 0);
    assert_eq!(waiter.bytes(0, b"word\r\nwo", 0), None);
    assert_eq!(found(waiter.bytes(8, b"rd\n", 0)).map(|found| found.2), Some(10));

    let echo = Plan { after_lines: 1, ..plan(&["text=word"]) };
    assert_eq!(found(wait(echo.clone(), b"echo word\r\nword")).map(|found| found.2), Some(15));
    assert_eq!(wait(echo, b"echo word"), None);
}

#[test]
fn a_line_of_any_length_is_matched_in_bounded_pieces() {
    let mut said = vec![b'x'; 3 * LINE + 5];
    said.extend_from_slice(b"end\n");
    assert_eq!(found(wait(plan(&["text=end$"]), &said)).map(|found| found.2), Some(said.len() as u64 - 1));
    assert_eq!(found(wait(plan(&["count=1"]), &said)).map(|found| found.2), Some(said.len() as u64));
}

#[test]
fn idle_counts_from_the_last_output_and_not_from_the_past() {
    let start = Start { now: 100 * MS, head: 5, quiet_since: 100 * MS, ..Start::default() };
    let mut waiter = Waiter::new(plan(&["idle=50ms"]), start, 0);
    assert_eq!(waiter.deadline(), None, "the past is not read yet");
    assert_eq!(waiter.bytes(0, b"12345", 120 * MS), None);
    assert_eq!(waiter.deadline(), Some(150 * MS));
    assert_eq!(waiter.bytes(5, b"6", 140 * MS), None);
    assert_eq!(waiter.tick(189 * MS), None);
    assert_eq!(waiter.tick(190 * MS), Some(Outcome::Matched(Match::Idle)));
}

#[test]
fn readiness_is_a_mark_of_the_shell_or_quiet_after_output() {
    let ready = |said: &[u8], at| {
        let mut waiter = Waiter::new(plan(&["ready"]), Start::default(), 0);
        waiter.bytes(0, said, 0).or_else(|| waiter.tick(at))
    };
    let by = |sign| Some(Outcome::Matched(Match::Ready(sign)));
    assert_eq!(ready(b"\x1b]133;A\x07$ \x1b]133;B\x07", 0), by(Sign::Prompt));
    assert_eq!(ready(b"\x1b]133;A;k=i\x1b\\$ ", REST), by(Sign::Prompt));
    assert_eq!(ready(b"\x1b]133;B\x07ls\r\n\x1b]133;C\x07", 10 * QUIET), None, "a command runs");
    assert_eq!(ready(b">>> ", QUIET - 1), None);
    assert_eq!(ready(b">>> ", QUIET), by(Sign::Quiet));
    assert_eq!(Waiter::new(plan(&["ready"]), Start::default(), 0).deadline(), None, "nothing was ever said");
}

#[test]
fn an_end_is_what_was_waited_for_or_came_first() {
    let end = End { status: Some(ExitStatus::Code(3)), how: How::Natural, by: None, at_ms: 0, left: Vec::new() };
    let ended = |conditions: &[&str]| {
        let mut waiter = Waiter::new(plan(conditions), Start::default(), 0);
        waiter.bytes(0, b"bye", 0).unwrap_or_else(|| waiter.ended(Some(end.clone())))
    };
    assert_eq!(ended(&["exit"]), Outcome::Matched(Match::Exit(end.clone())));
    assert_eq!(ended(&["idle=1s"]), Outcome::Ended(Some(end.clone())));
    assert!(matches!(ended(&["exit", "text=bye$"]), Outcome::Matched(Match::Text(0, _))), "the last line counts");
}

#[test]
fn time_runs_out_after_the_last_line_was_looked_at() {
    let timed = |pattern: &str| Plan { timeout: Some(5 * MS), ..plan(&[pattern]) };
    let mut waiter = Waiter::new(timed("text=no"), Start::default(), 0);
    assert_eq!(waiter.deadline(), Some(5 * MS));
    assert_eq!(waiter.tick(5 * MS), Some(Outcome::TimedOut));
    let mut waiter = Waiter::new(timed("text=yes"), Start::default(), 0);
    waiter.bytes(0, b"yes", 4 * MS);
    assert!(matches!(waiter.tick(5 * MS), Some(Outcome::Matched(_))));
}

#[test]
fn rows_of_a_screen_are_lines() {
    let mut waiter = Waiter::new(Plan { view: View::Screen, ..plan(&["text=^b$"]) }, Start::default(), 0);
    assert_eq!(waiter.bytes(0, b"b\n", 0), None, "the output itself is not looked at");
    assert_eq!(waiter.screen(&["a".to_owned(), "ab".to_owned()]), None);
    assert!(waiter.screen(&["a".to_owned(), "b".to_owned()]).is_some());
}

#[test]
fn conditions_that_make_no_sense_are_said() {
    let said = |word: &str| word.parse::<Condition>().expect_err(word).to_string();
    assert!(said("exti").contains("did you mean exit?") && said("EXIT").contains("did you mean exit?"));
    assert!(said("idle").contains("idle=2s") && said("idle=-5s").contains("is negative"));
    assert!(said("idle=0s").contains("holds always") && said("idle=4000d").contains("more than a year"));
    assert!(said("count=0").contains("no number of lines") && said("count=-1").contains("no number of lines"));
    assert!(said("exit=3").contains("takes no value") && said("text=").contains("empty"));
    assert_eq!(said("text=ab(c"), "the pattern \"ab(c\" cannot be read at column 3: unclosed group");
}

/// Pieces of a stream that are cut in every way: text, line ends, sequences, broken characters.
const PIECES: [&[u8]; 10] =
    [b"ab", b"b\n", b"\r\n", b"\x1b[1m", b"\x1b]0;ab\x07", b"\xc3\xa9", b"\xc3", b">>> ", b"\x1b", b"a"];

proptest! {
    #[test]
    fn however_a_stream_is_cut_the_match_is_the_same(
        words in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..40),
        cuts in proptest::collection::vec(1_usize..7, 1..60),
        pattern in proptest::sample::select(&["text=ab+", "text=^>>> $", "text=(a)\u{e9}", "text=^$", "count=3", "text=b$"][..]),
        count in proptest::option::of(1_u64..4),
    ) {
        let said = words.concat();
        let mut plan = plan(&[pattern]);
        plan.count = plan.count.or(count);
        let whole = wait(plan.clone(), &said);
        let mut waiter = Waiter::new(plan, Start::default(), 0);
        let (mut at, mut outcome) = (0, None);
        for len in cuts.iter().cycle() {
            let end = (at + len).min(said.len());
            if outcome.is_some() || at == end {
                break;
            }
            outcome = waiter.bytes(at as u64, &said[at..end], 0);
            at = end;
        }
        prop_assert_eq!(outcome.or_else(|| waiter.tick(REST)), whole);
    }
}
