//! What `term` promises, claim by claim: K3 (checkpoints and mirrors lose nothing), K9 (replays ask nothing and ring nothing) and
//! K12 (no bytes crash, hang or grow anything). Streams come from `fixtures/screen/stream.rs`, which covers every sequence.

#[path = "fixtures/screen/behaviour.rs"]
mod behaviour;
#[path = "fixtures/screen/hostile.rs"]
mod hostile;
#[path = "fixtures/screen/library.rs"]
mod library;
#[path = "fixtures/screen/stream.rs"]
mod stream;

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use runpm::term::Base;
use runpm::term::Effect;
use runpm::term::Mirror;
use runpm::term::Modes;
use runpm::term::Quiet;
use runpm::term::Screen;
use runpm::term::Size;
use runpm::term::Style;
use runpm::term::Undo;
use runpm::term::attach_dump;
use stream::Step;
use stream::steps;

fn config(cases: u32) -> ProptestConfig {
    // More cases for a long run can be asked for as usual, by `PROPTEST_CASES`.
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { ProptestConfig::default().cases } else { cases };
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 4000, ..ProptestConfig::default() }
}

fn small() -> Screen {
    Screen::new(Size::clamped(8, 24))
}

fn run(screen: &mut Screen, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Bytes(_, bytes) => screen.feed(bytes),
            Step::Resize(rows, cols) => screen.resize(Size::clamped(*rows, *cols)),
        }
    }
}

/// Bytes that are mostly broken characters and sequences.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let bytes = b"\xf0\x9f\x98\x80\xc3\xe2\xa9\x9cab\x1b\x1b[];1m\x07\\P\x18";
    prop::collection::vec(prop::sample::select(bytes.to_vec()), 0..40)
}

/// Brings a screen to where a checkpoint can be taken, whatever it stands in.
fn settle(screen: &mut Screen) {
    screen.feed(b"\x18");
    screen.feed(b" ");
}

/// Compares everything two screens can tell.
fn assert_same(left: &mut Screen, right: &mut Screen) {
    settle(left);
    settle(right);
    assert_eq!(left.text(), right.text());
    assert_eq!(left.ansi(), right.ansi());
    assert_eq!(left.modes(), right.modes());
    assert_eq!(left.cursor(), right.cursor());
    assert_eq!((left.title(), left.directory()), (right.title(), right.directory()));
    assert_eq!(left.scrollback_rows(), right.scrollback_rows());
    assert_eq!(left.faults() + right.faults(), 0);
    assert!(left.checkpoint() == right.checkpoint(), "checkpoints differ");
    for indices in [0..=127, 128..=255] {
        for screen in [&mut *left, &mut *right] {
            indices.clone().for_each(|index| screen.feed(format!("\x1b]4;{index};?\x07").as_bytes()));
        }
        assert!(left.take_effects() == right.take_effects(), "palettes differ");
    }
    for screen in [&mut *left, &mut *right] {
        screen.feed(b"\x1b]10;?;?;?\x07\x1b[?u\x1b[<u\x1b[?u\x1b[23t\x1b[23t\x1bP$qm\x1b\\\x1bP$qr\x1b\\\x1b8\x1b[6n\x1b[?1049l\x1b[6n\t\x1b[6nlq\x0elq\x1b[b");
    }
    assert_eq!(left.take_effects(), right.take_effects());
    assert!(left.checkpoint() == right.checkpoint(), "checkpoints differ after probing");
}

/// Compares every cell of a mirror with the screen it copies.
fn assert_mirrors(mirror: &Mirror, screen: &Screen) {
    let size = screen.size();
    assert_eq!(mirror.size(), size);
    for row in 0..size.rows() {
        for col in 0..size.cols() {
            let (text, width, style) = screen.cell(row, col);
            let seen = mirror.cell(row, col);
            assert_eq!((seen.text, seen.width), (text.as_str(), width), "at {row}, {col}");
            assert_eq!(seen.style, style, "at {row}, {col}");
        }
    }
    let (row, col, visible) = mirror.cursor();
    assert_eq!((row, col), screen.cursor());
    assert_eq!(visible, screen.modes().cursor_visible);
    assert_eq!(mirror.modes(), screen.modes());
    assert_eq!(mirror.title(), screen.title());
}

/// Compares what can be seen on two screens.
fn assert_looks_same(left: &Screen, right: &Screen) {
    let size = left.size();
    for row in 0..size.rows() {
        for col in 0..size.cols() {
            let (mut one, mut two) = (left.cell(row, col), right.cell(row, col));
            // A link without a name is another link wherever it is written.
            one.2.link = one.2.link.map(|link| runpm::term::Link::new("", link.uri()));
            two.2.link = two.2.link.map(|link| runpm::term::Link::new("", link.uri()));
            assert_eq!(one, two, "at {row}, {col}");
        }
    }
    assert_eq!(left.cursor(), right.cursor());
    assert_eq!(left.modes(), right.modes());
}

/// Checks that a terminal is as a shell's prompt expects it.
fn assert_as_found(outer: &mut Screen) {
    assert_eq!(outer.modes(), Modes::default());
    assert!(!outer.is_synchronised());
    outer.feed(b"\x1b[3;1Hlqk\r\x1b[C\t!");
    assert_eq!(outer.cell(2, 0).0, "l");
    assert_eq!(outer.cell(2, 0).2, Style::default());
    assert_eq!(outer.cell(2, 8).0, "!");
    outer.feed(b"\x1b[99;1H\n\n\n\n\n\n\n\n\n");
    assert_eq!(outer.text(), "");
}

#[test]
fn generator_covers_every_producer() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..60 {
        let tree = steps(60, true).new_tree(&mut runner).expect("a stream");
        for step in tree.current() {
            seen.insert(if let Step::Bytes(name, _) = step { name } else { "resize" });
        }
    }

    let missing: Vec<_> = stream::producers().map(|(name, _)| *name).filter(|name| !seen.contains(name)).collect();

    assert!(missing.is_empty() && seen.contains("resize"), "never produced: {missing:?}");
}

proptest! {
    #![proptest_config(config(1200))]

    #[test]
    fn k3_checkpoint_plus_tail_equals_straight_run(before in steps(50, true), after in steps(40, true)) {
        let mut straight = small();
        run(&mut straight, &before);
        settle(&mut straight);
        let image = straight.checkpoint().expect("settled");
        let mut restored = Screen::restore(&image).expect("its own checkpoint");
        prop_assert!(restored.checkpoint() == Some(image), "encoding what was decoded gives the same bytes");

        run(&mut straight, &after);
        run(&mut restored, &after);

        straight.take_effects();
        restored.take_effects();
        assert_same(&mut straight, &mut restored);
    }

    #[test]
    fn k3_checkpoint_may_be_taken_wherever_it_says(stream in steps(50, false), at in any::<usize>()) {
        let bytes = stream::bytes(&stream);
        let cut = small().checkpointable_prefix(&bytes[..at % (bytes.len() + 1)]);
        let mut straight = small();
        straight.feed(&bytes[..cut]);
        let mut restored = Screen::restore(&straight.checkpoint().expect("a checkpointable prefix")).expect("its own checkpoint");

        straight.take_effects();
        straight.feed(&bytes[cut..]);
        restored.feed(&bytes[cut..]);

        prop_assert_eq!(straight.take_effects(), restored.take_effects());
        assert_same(&mut straight, &mut restored);
    }

    #[test]
    fn k3_mirror_of_dump_and_diffs_equals_screen(stream in steps(60, true), every in 1usize..5) {
        let (mut screen, mut base, mut mirror) = (small(), Base::new(), Mirror::new());
        for steps in stream.chunks(every) {
            run(&mut screen, steps);
            if let Some(frame) = base.frame(&screen) {
                mirror.apply(&frame);
            }
            assert_mirrors(&mirror, &screen);
        }
        let mut late = Mirror::new();
        late.apply(&Base::new().frame(&screen).expect("a first frame"));
        assert_mirrors(&late, &screen);
    }

    #[test]
    fn k3_screen_does_not_depend_on_how_the_stream_is_split(stream in steps(40, false), noise in noise(), cut in 1usize..7) {
        let bytes = [stream::bytes(&stream), noise].concat();
        let (mut whole, mut split) = (small(), small());
        whole.feed(&bytes);
        bytes.chunks(cut).for_each(|chunk| split.feed(chunk));

        prop_assert_eq!(whole.take_effects(), split.take_effects());
        assert_same(&mut whole, &mut split);
    }

    #[test]
    fn k3_checkpointable_prefix_is_the_longest(stream in steps(12, false), noise in noise(), start in 0usize..40) {
        let bytes = [noise, stream::bytes(&stream)].concat();
        let (before, after) = bytes[..bytes.len().min(600)].split_at(start.min(bytes.len()));
        let mut screen = small();
        screen.feed(before);
        let claimed = screen.checkpointable_prefix(after);

        let mut longest = 0;
        for (at, byte) in after.iter().enumerate() {
            screen.feed(&[*byte]);
            if screen.is_checkpointable() {
                longest = at + 1;
            }
        }

        prop_assert_eq!(claimed, longest);
    }

    #[test]
    fn k9_replays_ask_nothing_and_ring_nothing(stream in steps(50, false), cut in 1usize..9) {
        let bytes = stream::bytes(&stream);
        let (mut whole, mut split) = (Vec::new(), Vec::new());
        Quiet::new().filter(&bytes, &mut whole);
        let mut quiet = Quiet::new();
        bytes.chunks(cut).for_each(|chunk| quiet.filter(chunk, &mut split));
        prop_assert!(whole.starts_with(&split) && split.starts_with(&whole), "the split shows");

        let (mut plain, mut quieted) = (small(), small());
        plain.feed(&bytes);
        quieted.feed(&whole);

        plain.take_effects();
        let effects = quieted.take_effects();
        prop_assert!(
            effects.iter().all(|effect| matches!(effect, Effect::Title(_) | Effect::Directory(_) | Effect::PromptMark(_))),
            "{effects:?}"
        );
        assert_same(&mut plain, &mut quieted);
    }

    #[test]
    fn attach_dump_brings_a_terminal_to_the_same_point(stream in steps(50, true), history in 0usize..20) {
        let mut screen = small();
        run(&mut screen, &stream);
        screen.feed(b"\x18");
        let dump = attach_dump(&screen, history);

        let mut outer = Screen::new(screen.size());
        outer.feed(b"$ rpm attach\r\n");
        outer.feed(&dump);

        let effects = outer.take_effects();
        prop_assert!(effects.iter().all(|effect| matches!(effect, Effect::Title(_))), "{effects:?}");
        assert_looks_same(&screen, &outer);
        for probe in [&b"x"[..], b"\x1b[1;1Hq\tr\x0en", b"\x1b[99;1H\n\n", b"\x1b[99A\x1bM", b"\x1b8y", b"\x1b[?1049l"] {
            screen.feed(probe);
            outer.feed(probe);
            if screen.cursor() != outer.cursor() {
                prop_assert!(false, "cursor after {:?}: {:?} {:?}", probe, screen.cursor(), outer.cursor());
            }
        }
    }

    #[test]
    fn k10_undo_leaves_the_terminal_as_found(stream in steps(50, false)) {
        let bytes = stream::bytes(&stream);
        let (mut outer, mut undo) = (small(), Undo::new());
        outer.feed(&bytes);
        undo.observe(&bytes);
        outer.feed(&undo.bytes());
        assert_as_found(&mut outer);
    }

    #[test]
    fn k10_undo_also_undoes_what_an_attach_brought(stream in steps(50, false), tail in steps(20, false)) {
        let mut screen = small();
        run(&mut screen, &stream);
        let (mut outer, mut undo) = (small(), Undo::new());
        for bytes in [attach_dump(&screen, 9), stream::bytes(&tail)] {
            outer.feed(&bytes);
            undo.observe(&bytes);
        }
        outer.feed(&undo.bytes());
        assert_as_found(&mut outer);
    }
}

#[test]
fn k9_each_query_is_answered_once_and_never_with_what_the_program_wrote() {
    let answers: [(&[u8], &[u8]); 19] = [
        (b"\x1b[c", b"\x1b[?62;22c"),
        (b"\x1bZ", b"\x1b[?62;22c"),
        (b"\x1b[>c", b"\x1b[>82;100;0c"),
        (b"\x1b[5n", b"\x1b[0n"),
        (b"\x1b[3;4H\x1b[6n", b"\x1b[3;4R"),
        (b"\x1b[3;4H\x1b[?6n", b"\x1b[?3;4R"),
        (b"\x1b[2;5r\x1b[?6h\x1b[2;3H\x1b[6n", b"\x1b[2;3R"),
        (b"\x1b[18t", b"\x1b[8;8;24t"),
        (b"\x1b[?25$p", b"\x1b[?25;1$y"),
        (b"\x1b[?1049$p", b"\x1b[?1049;2$y"),
        (b"\x1b[?4711$p", b"\x1b[?4711;0$y"),
        (b"\x1b[4h\x1b[4$p", b"\x1b[4;1$y"),
        (b"\x1b[>5u\x1b[?u", b"\x1b[?5u"),
        (b"\x1b]11;?\x07", b"\x1b]11;rgb:0000/0000/0000\x07"),
        (b"\x1b]4;1;?\x1b\\", b"\x1b]4;1;rgb:cdcd/0000/0000\x1b\\"),
        (b"\x1b]4;1;#102030\x07\x1b]4;1;?\x07", b"\x1b]4;1;rgb:1010/2020/3030\x07"),
        (b"\x1b[1;38;5;200m\x1bP$qm\x1b\\", b"\x1bP1$r0;1;38;5;200m\x1b\\"),
        (b"\x1b[2;5r\x1bP$qr\x1b\\", b"\x1bP1$r2;5r\x1b\\"),
        (b"\x1bP+q544e\x1b\\", b"\x1bP0+r\x1b\\"),
    ];
    for (query, answer) in answers {
        let mut screen = small();
        screen.feed(query);
        let replies: Vec<Effect> = screen.take_effects();
        assert_eq!(replies, [Effect::Reply(answer.to_vec())], "{}", query.escape_ascii());
    }
    let mut screen = small();
    screen.feed(b"\x1b]2;; rm -rf\x07\x1b[21t\x05\x1b]52;c;?\x07\x1b[20t");
    assert!(screen.take_effects().iter().all(|effect| matches!(effect, Effect::Title(_))));
}

#[test]
fn frames_are_sent_only_for_what_changed() {
    let (mut screen, mut base) = (small(), Base::new());
    screen.feed(b"one\r\ntwo\r\nthree");
    assert!(base.frame(&screen).expect("a first frame").full);
    assert_eq!(base.frame(&screen), None);
    screen.feed(b"\x1b[5n\x1b[1m");
    assert_eq!(base.frame(&screen), None);

    screen.feed(b"!");

    let frame = base.frame(&screen).expect("a changed cell");
    assert_eq!(String::from_utf8_lossy(&frame.bytes), "\x1b[3;6H\x1b[0;1m!\x1b[0m\x1b[3;7H");
    assert_eq!(frame.overrides.iter().map(|over| over.row).collect::<Vec<_>>(), [2]);
    base.forget();
    assert!(base.frame(&screen).expect("a full frame").full);
}
