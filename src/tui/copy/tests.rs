//! Copy mode by tables: where motions end, what is selected, what is found.

use super::*;
use proptest::prelude::*;

fn part(at: u64, text: &str) -> Part {
    let mut part = Part::new(Size::clamped(5, 20), false, None, None);
    part.feed(at, text.replace('\n', "\r\n").as_bytes());
    part
}

fn copy(text: &str) -> Copy {
    let mut copy = Copy::new(Size::clamped(5, 20), false);
    copy.restart(part(0, text), 5, (true, true));
    copy.go(Motion::First);
    copy
}

const TEXT: &str = "fn main() {\n    let x = foo.bar;\n\nend of 漢字 text\nlast line";

#[test]
fn ux24_motions_end_where_they_do_in_vi() {
    use Motion::*;
    // Motion, count, from, to.
    type Step = (Motion, usize, (usize, usize), (usize, usize));
    let table: [Step; 34] = [
        (Right, 0, (0, 0), (0, 1)),
        (Right, 99, (0, 0), (0, 10)),
        (Left, 3, (0, 5), (0, 2)),
        (Down, 0, (0, 5), (1, 5)),
        (Up, 2, (4, 3), (2, 0)),
        (WordNext, 0, (0, 0), (0, 3)),
        (WordNext, 0, (0, 3), (0, 7)),
        (WordNext, 3, (0, 0), (0, 10)),
        (WordNext, 0, (0, 10), (1, 4)),
        (WordNext, 0, (1, 19), (2, 0)),
        (BigNext, 0, (0, 3), (0, 10)),
        (WordEnd, 0, (0, 0), (0, 1)),
        (WordEnd, 0, (0, 1), (0, 6)),
        (WordEnd, 2, (1, 4), (1, 8)),
        (BigEnd, 0, (0, 3), (0, 8)),
        (WordBack, 0, (0, 7), (0, 3)),
        (WordBack, 0, (1, 4), (0, 10)),
        (BigBack, 0, (0, 10), (0, 3)),
        (LineStart, 0, (1, 9), (1, 0)),
        (FirstText, 0, (1, 9), (1, 4)),
        (LineEnd, 0, (0, 0), (0, 10)),
        (LineEnd, 2, (0, 0), (1, 19)),
        (First, 0, (4, 0), (0, 0)),
        (First, 2, (4, 0), (1, 4)),
        (Last, 0, (0, 0), (4, 0)),
        (Last, 4, (0, 0), (3, 0)),
        (Top, 0, (4, 0), (0, 0)),
        (Middle, 0, (0, 0), (2, 0)),
        (Bottom, 0, (0, 0), (4, 0)),
        (ParagraphDown, 0, (0, 0), (2, 0)),
        (ParagraphUp, 0, (4, 0), (2, 0)),
        (ParagraphUp, 2, (4, 0), (0, 0)),
        (Right, 0, (3, 7), (3, 9)),
        (Left, 0, (3, 11), (3, 9)),
    ];
    for (motion, count, from, to) in table {
        let mut copy = copy(TEXT);
        copy.jump(Pos { row: from.0, col: from.1 });
        copy.count = count;
        copy.go(motion);
        assert_eq!((copy.cursor.row, copy.cursor.col), to, "{count} {motion:?} from {from:?}");
    }
}

#[test]
fn ux24_characters_of_a_row_are_found_and_found_again() {
    let mut copy = copy("a.b.c.d");
    copy.seek(Seek::To, '.');
    assert_eq!(copy.cursor.col, 1);
    copy.seek_again(false);
    assert_eq!(copy.cursor.col, 3);
    copy.seek_again(true);
    assert_eq!(copy.cursor.col, 1);
    copy.seek(Seek::Before, 'd');
    assert_eq!(copy.cursor.col, 5);
    copy.seek(Seek::BackBehind, 'a');
    assert_eq!(copy.cursor.col, 1);
    copy.seek(Seek::To, 'z');
    assert_eq!(copy.cursor.col, 1);
}

#[test]
fn ux23_what_is_selected_is_what_is_copied() {
    let text = |from: (usize, usize), to: (usize, usize), shape| {
        let mut copy = copy(TEXT);
        copy.jump(Pos { row: from.0, col: from.1 });
        copy.select(shape);
        copy.jump(Pos { row: to.0, col: to.1 });
        copy.selected_text()
    };
    assert_eq!(text((0, 3), (0, 6), Shape::Chars), "main");
    assert_eq!(text((1, 8), (0, 9), Shape::Chars), " {\n    let x");
    assert_eq!(text((3, 0), (4, 3), Shape::Lines), "end of 漢字 text\nlast line\n");
    assert_eq!(text((0, 3), (1, 6), Shape::Block), "main\n let");
    assert_eq!(text((3, 7), (3, 9), Shape::Chars), "漢字");
    assert_eq!(copy(TEXT).selected_text(), "fn main() {\n");
}

#[test]
fn ux23_a_wrapped_line_is_copied_as_one() {
    let mut copy = copy("0123456789012345678901234567890\nx");
    copy.select(Shape::Chars);
    copy.go(Motion::Down);
    copy.go(Motion::LineEnd);
    assert_eq!(copy.selected_text(), "0123456789012345678901234567890");
}

#[test]
fn ux24_searching_goes_on_as_one_types_counts_and_goes_round() {
    let mut copy = copy("one\ntwo one\nthree\nOne more one");
    copy.start_find(false);
    copy.find.as_mut().expect("a search").line.insert("on");
    copy.on_find();
    assert_eq!((copy.cursor, copy.pattern.as_ref().map(Pattern::count)), (Pos { row: 1, col: 4 }, Some(4)));
    copy.find.as_mut().expect("a search").line.insert("e m");
    copy.on_find();
    assert_eq!(copy.cursor, Pos { row: 3, col: 0 });
    copy.end_find(false);
    assert_eq!((copy.cursor, copy.pattern.is_none()), (Pos::default(), true));

    copy.set_pattern("one");
    let mut seen = Vec::new();
    for _ in 0..4 {
        copy.go_to_match(false);
        seen.push((copy.cursor.row, copy.cursor.col));
    }
    assert_eq!(seen, [(1, 4), (3, 0), (3, 9), (0, 0)]);
    copy.go_to_match(true);
    assert_eq!(copy.cursor, Pos { row: 3, col: 9 });
    copy.set_pattern("One");
    assert_eq!(copy.pattern.as_ref().map(Pattern::count), Some(1));
    copy.set_pattern("one(");
    assert!(copy.pattern.as_ref().is_some_and(|pattern| pattern.is_literal && pattern.count() == 0));
}

#[test]
fn ux24_a_match_across_a_wrapped_line_is_found_in_both_rows() {
    let mut copy = copy("0123456789012345 needle 123");
    copy.set_pattern("needle");
    copy.go_to_match(false);
    assert_eq!(copy.cursor, Pos { row: 0, col: 17 });
    let pattern = copy.pattern.as_ref().expect("a pattern");
    assert_eq!((pattern.in_row(0, 20), pattern.in_row(1, 9)), (vec![(17, 20)], vec![(0, 3)]));
}

#[test]
fn prompts_errors_words_and_marks_are_gone_to() {
    let mut copy = copy("\u{1b}]133;A\u{7}$ make\nerror: no rule\n\u{1b}]133;A\u{7}$ ls\na b\n\u{1b}]133;A\u{7}$ ");
    copy.go(Motion::Last);
    assert!(copy.go_to_prompt(true));
    assert_eq!(copy.cursor.row, 2);
    copy.set_mark('a');
    assert!(copy.go_to_error(true));
    assert_eq!(copy.cursor.row, 1);
    assert!(!copy.go_to_error(true));
    assert!(copy.go_to_mark('a') && copy.cursor.row == 2);
    assert!(copy.go_to_mark('\'') && copy.cursor.row == 1);
    assert!(!copy.go_to_mark('z'));
    copy.jump(Pos { row: 1, col: 7 });
    assert_eq!(copy.find_word(false).as_deref(), Some("no"));
}

#[test]
fn ux24_what_comes_is_counted_and_moves_nothing_until_somebody_goes_to_the_end() {
    let mut copy = copy("1\n2\n3\n4\n5\n6\n7\n8");
    copy.go(Motion::First);
    let (top, len) = (copy.top, copy.rows().len());
    copy.add(copy.next_offset(), b"\r\n9\r\n10");
    assert_eq!((copy.new_lines, copy.top, copy.rows().len()), (2, top, len));
    assert!(!copy.is_at_end());
    copy.catch_up();
    copy.go(Motion::Last);
    assert_eq!((copy.new_lines, copy.rows().len(), copy.is_at_end()), (0, len + 2, true));
    assert_eq!(copy.selected_text(), "10\n");
}

proptest! {
    #[test]
    fn no_motion_leaves_history(
        text in "([ -~]|\n|漢|\u{301}){0,300}",
        steps in proptest::collection::vec((0..24_usize, 0..40_usize), 0..40),
    ) {
        use Motion::*;
        let all = [
            Left, Right, Up, Down, WordNext, WordEnd, WordBack, BigNext, BigEnd, BigBack, LineStart, FirstText, LineEnd, Top, Middle,
            Bottom, ParagraphUp, ParagraphDown, HalfUp, HalfDown, PageUp, PageDown, First, Last,
        ];
        let mut copy = copy(&text);
        copy.select(Shape::Block);
        for (motion, count) in steps {
            copy.count = count;
            copy.go(all[motion]);
            prop_assert!(copy.cursor.row < copy.rows().len());
            prop_assert!(copy.cursor.row >= copy.top && copy.cursor.row < copy.top + copy.height);
            let row = &copy.rows()[copy.cursor.row];
            prop_assert!(copy.cursor.col <= row.len());
            let _ = copy.selected_text();
            copy.scroll_by(count as isize - 20);
            prop_assert!(copy.cursor.row >= copy.top && copy.cursor.row < copy.top + copy.height);
        }
    }
}

#[test]
fn ux24_a_search_finds_the_nearest_first_and_goes_on_a_piece_at_a_time() {
    let text: String = (0..100_000).map(|n| format!("line {n} of it\n")).collect();
    let mut copy = copy(&text);
    copy.go(Motion::Last);
    copy.start_find(true);
    copy.find.as_mut().expect("a search").line.insert("7 of");
    copy.on_find();
    assert_eq!(copy.rows()[copy.cursor.row].all(), "line 99997 of it");
    assert!(copy.is_searching(), "not all of it before the first match is seen");
    let mut pieces = 0;
    while copy.is_searching() {
        copy.search_on();
        pieces += 1;
    }
    assert!(pieces > 1);
    assert_eq!(copy.pattern.as_ref().map(Pattern::count), Some(10_000));
    assert_eq!(copy.rows()[copy.cursor.row].all(), "line 99997 of it");
}

proptest! {
    #[test]
    fn ux24_what_is_found_key_by_key_is_what_is_found_at_once(
        text in "([ab01 ]|\n|漢|B){0,200}",
        wanted in "[ab01B ]{1,5}|[ab01B.*|+]{1,5}",
        is_back in proptest::bool::ANY,
    ) {
        let mut typed = copy(&text);
        typed.jump(Pos { row: typed.rows().len() / 2, col: 3 });
        let mut whole = copy(&text);
        whole.jump(typed.cursor);
        typed.start_find(is_back);
        for c in wanted.chars() {
            typed.find.as_mut().expect("a search").line.insert(&c.to_string());
            typed.on_find();
        }
        while typed.is_searching() {
            typed.search_on();
        }
        whole.is_back = is_back;
        whole.set_pattern(&wanted);
        whole.go_to_match(false);
        let found = |copy: &Copy| {
            let pattern = copy.pattern.as_ref().expect("a pattern");
            (0..copy.rows().len()).map(|row| pattern.in_row(row, 20)).collect::<Vec<_>>()
        };
        prop_assert_eq!(found(&typed), found(&whole));
        prop_assert_eq!(typed.cursor, whole.cursor);
    }
}
