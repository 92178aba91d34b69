//! Copy mode over histories that are longer than what it holds: read in parts, from memory and journal, where somebody goes.

use super::*;
use crate::tui::copy::LIMIT;

/// What a daemon has of a session, from an offset on.
struct Said {
    oldest: usize,
    bytes: Vec<u8>,
}

impl Said {
    fn lines(count: usize) -> Self {
        Self { oldest: 0, bytes: (0..count).flat_map(|n| format!("line {n:07} of it\r\n").into_bytes()).collect() }
    }

    /// Answers what is asked for, and what is asked for then; at most so many times.
    fn serve(&self, driver: &mut Driver, mut effects: Vec<Effect>, times: usize) {
        for _ in 0..times {
            let wanted = asks(&effects).into_iter().find_map(|ask| match ask {
                Ask::History { channel, from, most, .. } => Some((*channel, *from, *most)),
                _ => None,
            });
            let Some((channel, from, most)) = wanted else { return };
            let len = self.bytes.len();
            let at = match from {
                verbs::From::Offset(at) => (at as usize).clamp(self.oldest, len),
                verbs::From::Bytes(count) => len.saturating_sub(count as usize).max(self.oldest),
                _ => self.oldest,
            };
            let end = most.map_or(len, |most| (at + most as usize).min(len));
            for (n, piece) in self.bytes[at..end].chunks(16 << 10).enumerate() {
                let at = (at + n * (16 << 10)) as u64;
                driver.tell(Msg::Bulk(Bulk { channel, more: false, at, bytes: piece.to_vec() }));
            }
            effects = driver.tell(Msg::Closed(verbs::Closed { channel, end: None }));
        }
    }

    fn keys(&self, driver: &mut Driver, keys: &str) {
        let effects = driver.keys(keys);
        self.serve(driver, effects, 1000);
        while driver.app.deadline() == Some(0) {
            let effects = driver.tell(Msg::Tick);
            self.serve(driver, effects, 1000);
        }
    }
}

fn opened(said: &Said) -> Driver {
    let mut driver = Driver::dashboard(vec![session(1, "web")]);
    said.keys(&mut driver, "[");
    driver
}

fn here(driver: &Driver) -> String {
    let copy = &driver.app.copying.as_ref().expect("copy mode").copy;
    copy.rows()[copy.cursor.row].all().to_owned()
}

/// The numbers of the lines that are held.
fn numbers(driver: &Driver) -> Vec<usize> {
    let copy = &driver.app.copying.as_ref().expect("copy mode").copy;
    let number = |row: &crate::term::Row| row.all().get(5..12).and_then(|text| text.parse().ok());
    copy.rows().iter().filter_map(number).collect()
}

fn assert_whole(driver: &Driver) {
    let numbers = numbers(driver);
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "a line is missing, or there twice");
}

#[test]
fn ux24_the_end_is_seen_first_and_what_is_older_follows_by_itself() {
    let said = Said::lines(100_000);
    let mut driver = Driver::dashboard(vec![session(1, "web")]);
    let effects = driver.keys("[");
    said.serve(&mut driver, effects, 1);
    let first = numbers(&driver).len();
    assert!((40_000..60_000).contains(&first), "{first}");
    let screen = driver.screen(120, 40);
    assert!(screen.contains("line 0099999 of it") && screen.contains('+'), "{screen}");
    let mut driver = opened(&said);
    assert_whole(&driver);
    assert_eq!(numbers(&driver).len(), 100_000);
    assert!(driver.screen(120, 40).contains("100,001/100,001"), "{}", driver.screen(120, 40));
    said.keys(&mut driver, "g g");
    assert_eq!(here(&driver), "line 0000000 of it");
}

#[test]
fn ux24_what_memory_lost_in_the_middle_of_a_line_is_shown_as_far_as_it_is_there() {
    let mut said = Said::lines(100_000);
    said.oldest = 7 + 20 * 1000;
    let mut driver = opened(&said);
    said.keys(&mut driver, "g g");
    assert_eq!(here(&driver), "01000 of it");
    said.keys(&mut driver, "j");
    assert_eq!(here(&driver), "line 0001001 of it");
}

#[test]
fn ux24_a_long_journal_is_read_where_somebody_goes_and_little_of_it_is_held() {
    let said = Said::lines(600_000);
    let mut driver = opened(&said);
    let cost = |driver: &Driver| driver.app.copying.as_ref().expect("copy mode").copy.cost();
    assert!(numbers(&driver).len() < 400_000 && cost(&driver) < LIMIT * 3 / 2);
    said.keys(&mut driver, "m a g g");
    assert_eq!(here(&driver), "line 0000000 of it");
    assert!(driver.screen(120, 40).contains("newer below"));
    let mut most = 0;
    for _ in 0..20 {
        said.keys(&mut driver, "2 0 0 0 0 j");
        assert_whole(&driver);
        most = most.max(cost(&driver));
    }
    assert!(here(&driver).as_str() > "line 0200000", "{}", here(&driver));
    for _ in 0..18 {
        said.keys(&mut driver, "2 0 0 0 0 k");
        assert_whole(&driver);
        most = most.max(cost(&driver));
    }
    assert!(most < LIMIT * 3 / 2, "{most}");
    said.keys(&mut driver, "' a");
    assert_eq!(numbers(&driver).last(), Some(&599_999));
    said.keys(&mut driver, "g g G");
    assert_eq!((here(&driver).as_str(), numbers(&driver).last()), ("", Some(&599_999)));
}

#[test]
fn ux24_a_match_that_only_the_journal_has_is_read_and_gone_to() {
    let said = Said::lines(400_000);
    let mut driver = opened(&said);
    said.keys(&mut driver, "? 0 0 0 1 2 3 4 Enter N n");
    assert_eq!(here(&driver), "line 0001234 of it");
    said.keys(&mut driver, "G ? 0 3 9 9 9 9 9 Enter n");
    assert_eq!(here(&driver), "line 0399999 of it", "nothing older: back to where it began");
    assert!(driver.screen(120, 40).contains("Nothing older matches."));
}

#[test]
fn ux24_any_key_stops_a_search_that_reads_the_journal() {
    let said = Said::lines(400_000);
    let mut driver = opened(&said);
    said.keys(&mut driver, "? n o n e Enter");
    let effects = driver.keys("n");
    said.serve(&mut driver, effects, 2);
    let effects = driver.keys("k");
    said.serve(&mut driver, effects, 1);
    let more = driver.keys("k");
    assert!(!asks(&more).iter().any(|ask| matches!(ask, Ask::History { .. })), "{more:?}");
}

#[test]
fn ux24_a_selection_reaches_into_what_is_read_for_it() {
    let said = Said::lines(300_000);
    let mut driver = opened(&said);
    said.keys(&mut driver, "V g g");
    assert_eq!(here(&driver), "line 0000000 of it");
    let effects = driver.keys("y");
    let copied = effects.iter().find_map(|effect| match effect {
        Effect::Clipboard(text) => Some(text.lines().count()),
        _ => None,
    });
    assert_eq!(copied, Some(300_001));
}

#[test]
fn k1_a_part_that_a_lost_daemon_owed_is_asked_for_again() {
    let said = Said::lines(500_000);
    let mut driver = Driver::dashboard(vec![session(1, "web")]);
    let effects = driver.keys("[");
    said.serve(&mut driver, effects, 1);
    driver.tell(Msg::Lost("broken".into()));
    let effects = driver.tell(Msg::Connected);
    said.serve(&mut driver, effects, 1000);
    assert_whole(&driver);
    assert!(numbers(&driver).len() > 120_000);
}
