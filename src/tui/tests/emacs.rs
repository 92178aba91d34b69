//! Copy mode by its keys: the whole table of Emacs, and the words of vi that look for themselves.

use super::*;

const TEXT: &str = "alpha beta\n  gamma delta\n\nalpha end\nbeta alphabet\nlast alpha";

/// A copy mode that shows all of [`TEXT`], at its first row.
fn opened(keys: &str) -> Driver {
    let mut settings = crate::config::Settings::default();
    settings.tui.copy_keys = keys.into();
    let mut driver = Driver::new(Options { settings, ..Options::default() }, 120, 40);
    driver.answer(Ask::Subscribe, Answer::Listing(vec![session(1, "web")]));
    driver.attach();
    let effects = driver.keys("[");
    let asked = asks(&effects).into_iter().find_map(|ask| match ask {
        Ask::History { channel, .. } => Some(*channel),
        _ => None,
    });
    let channel = asked.expect("history is asked for");
    let bytes = TEXT.replace('\n', "\r\n").into_bytes();
    driver.tell(Msg::Bulk(Bulk { channel, more: false, at: 0, bytes }));
    driver.tell(Msg::Closed(verbs::Closed { channel, end: None }));
    driver.keys(if keys == "emacs" { "M-<" } else { "g g" });
    driver
}

fn at(driver: &Driver) -> Option<(usize, usize)> {
    driver.app.copying.as_ref().map(|copying| (copying.copy.cursor.row, copying.copy.cursor.col))
}

#[test]
fn ux24_the_keys_of_emacs_go_where_those_hands_expect() {
    // Keys from the first character on, and where they end.
    let table = [
        ("C-f", (0, 1)),
        ("Right Right Left", (0, 1)),
        ("C-n", (1, 0)),
        ("Down Down C-p", (1, 0)),
        ("C-n Up", (0, 0)),
        ("M-f", (0, 4)),
        ("M-f M-f", (0, 9)),
        ("M-f M-f M-b", (0, 6)),
        ("C-e", (0, 9)),
        ("C-e C-a", (0, 0)),
        ("End", (5, 0)),
        ("C-n C-e M-m", (1, 2)),
        ("C-n M-m Home", (1, 0)),
        ("M-}", (2, 0)),
        ("M-} M-{", (0, 0)),
        ("M->", (5, 0)),
        ("M-> M-<", (0, 0)),
        ("M-> M-R", (0, 0)),
        ("C-v", (5, 0)),
        ("C-v M-v", (0, 0)),
        ("C-s d e Enter", (1, 8)),
        ("C-s a l p h a Enter", (3, 0)),
        ("C-s a l p h a Enter M-n", (4, 5)),
        ("C-s a l p h a Enter M-n M-p", (3, 0)),
        ("M-> C-r b e t a Enter", (4, 0)),
        ("C-s g a m C-g", (0, 0)),
        ("C-Space C-e C-x", (0, 0)),
    ];
    for (keys, to) in table {
        let mut driver = opened("emacs");
        driver.keys(keys);
        assert_eq!(at(&driver), Some(to), "{keys}");
    }
}

#[test]
fn ux24_what_emacs_hands_select_is_copied_and_they_get_out() {
    let copied = |keys: &str| {
        let mut driver = opened("emacs");
        let effects = driver.keys(keys);
        effects.into_iter().find_map(|effect| if let Effect::Clipboard(text) = effect { Some(text) } else { None })
    };
    assert_eq!(copied("C-Space M-f M-w").as_deref(), Some("alpha"));
    assert_eq!(copied("C-Space C-n C-n C-n C-e M-w").as_deref(), Some("alpha beta\n  gamma delta\n\nalpha end"));
    assert_eq!(copied("C-Space R C-f C-n M-w").as_deref(), Some("al\n"), "a block");
    for out in ["q", "C-c", "C-g", "Esc"] {
        let mut driver = opened("emacs");
        driver.keys(out);
        assert_ne!(driver.app.focus, Focus::Copy, "{out}");
    }
}

#[test]
fn ux24_the_word_under_the_cursor_is_searched_forward_and_back_and_only_as_a_word() {
    let mut driver = opened("vi");
    driver.keys("*");
    assert_eq!(at(&driver), Some((3, 0)));
    driver.keys("n");
    assert_eq!(at(&driver), Some((5, 5)), "alphabet is another word");
    driver.keys("g g G $ #");
    assert_eq!(at(&driver), Some((3, 0)));
    driver.keys("N");
    assert_eq!(at(&driver), Some((5, 5)), "N goes against the direction");
    driver.keys("g g j j *");
    assert_eq!(at(&driver), Some((2, 0)), "an empty row has no word");
    assert_eq!(driver.app.focus, Focus::Copy);
}
