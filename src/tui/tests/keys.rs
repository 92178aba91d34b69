//! Bytes to keys and back: every name, every encoding, every way a sequence can be cut.
//!
//! The property that matters: no byte is lost or doubled on its way to a program.

use super::*;

#[test]
fn ux3_every_key_name_comes_back_from_its_bytes_and_its_text() {
    let names = "Enter Tab S-Tab Backspace Esc Up Down Left Right Home End PageUp PageDown Insert Delete Space F1 F2 F3 F4 F5 F6 F7 F8 \
        F9 F10 F11 F12 S-Up C-Up M-Up C-M-Left C-S-Right C-Home S-F1 C-F5 M-F12 C-Delete C-Space C-\\ C-] C-^ C-_ M-Enter M-Backspace é 漢";
    let letters = ('!'..='~').map(String::from);
    let controls = ('a'..='z').filter(|c| !"im".contains(*c)).map(|c| format!("C-{c}"));
    let alts = ('!'..='~').filter(|c| !"[O".contains(*c)).map(|c| format!("M-{c}"));
    let both = ('a'..='z').filter(|c| !"im".contains(*c)).map(|c| format!("C-M-{c}"));

    for name in names.split_whitespace().map(str::to_owned).chain(letters).chain(controls).chain(alts).chain(both) {
        let key: Key = name.parse().expect(&name);
        let bytes = key.bytes(false).expect(&name);
        let tokens = tokens(&bytes);
        assert_eq!(tokens.len(), 1, "{name}: {tokens:?}");
        assert_eq!((tokens[0].what, tokens[0].raw.as_slice()), (What::Key(key), bytes.as_slice()), "{name}");
        assert_eq!(key.to_string().parse(), Ok(key), "{name}");
    }
}

#[test]
fn ux3_other_encodings_name_the_same_keys() {
    let table: [(&[u8], &str); 18] = [
        (b"\x1bOA", "Up"),
        (b"\x1b[1~", "Home"),
        (b"\x1b[8~", "End"),
        (b"\x1b[11~", "F1"),
        (b"\x1b[[C", "F3"),
        (b"\x1bOM", "Enter"),
        (b"\x1b[98;5u", "C-b"),
        (b"\x1b[98;5:1u", "C-b"),
        (b"\x1b[98;69u", "C-b"),
        (b"\x1b[27;5;98~", "C-b"),
        (b"\x1b[120:88;2u", "X"),
        (b"\x1b[120;2u", "X"),
        (b"\x1b[47:63;2;63u", "?"),
        (b"\x1b[27u", "Esc"),
        (b"\x1b[13;2u", "S-Enter"),
        (b"\x1b[9;5u", "C-Tab"),
        (b"\x1b[127;3u", "M-Backspace"),
        (b"\x1b[1;5:2A", "C-Up"),
    ];
    for (bytes, name) in table {
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(tokens(bytes)[0].what, What::Key(name.parse().expect(name)), "{text:?} is {name}");
    }
    for silent in [&b"\x1b[98;5:3u"[..], b"\x1b[57441;2u", b"\x1b[1;1:3A"] {
        assert_eq!(tokens(silent)[0].what, What::Silent);
    }
}

#[test]
fn a_lone_escape_is_a_key_after_a_short_time_in_a_list_and_at_once_in_a_program() {
    let (mut tokeniser, mut found) = (Tokeniser::default(), Vec::new());
    tokeniser.feed(b"\x1b", 0, false, &mut found);
    assert!(found.is_empty());
    assert_eq!(tokeniser.deadline(), Some(50 * MS));
    tokeniser.expire(50 * MS, &mut found);
    assert_eq!(found[0].what, What::Key(Key::plain(KeyCode::Esc)));

    found.clear();
    tokeniser.feed(b"\x1b", 100 * MS, true, &mut found);
    assert_eq!((found[0].what, found[0].fresh()), (What::Part, &b"\x1b"[..]));
    tokeniser.feed(b"[A", 101 * MS, true, &mut found);
    assert_eq!((found[1].what, found[1].fresh()), (What::Key(Key::plain(KeyCode::Up)), &b"[A"[..]));
    // Two keys: the second is not taken for the rest of the first.
    tokeniser.feed(b"\x1b", 200 * MS, true, &mut found);
    tokeniser.feed(b"\x02", 201 * MS, true, &mut found);
    assert_eq!((found[3].what, found[3].fresh()), (What::Key("C-b".parse().expect("a key")), &b"\x02"[..]));
    tokeniser.feed(b"\x1b", 300 * MS, true, &mut found);
    tokeniser.feed(b"[", 400 * MS, true, &mut found);
    assert_eq!(found[5].what, What::Key(Key::plain(KeyCode::Char('['))));
}

#[test]
fn a_paste_holds_no_keys_wherever_it_is_cut() {
    let bytes = b"a\x1b[200~x\x02d\x1b[2\x1b[201~b";
    for cut in 1..bytes.len() {
        let (mut tokeniser, mut found) = (Tokeniser::default(), Vec::new());
        tokeniser.feed(&bytes[..cut], 0, true, &mut found);
        tokeniser.feed(&bytes[cut..], 1, true, &mut found);
        let keys: Vec<String> = found
            .iter()
            .filter_map(|token| if let What::Key(key) = token.what { Some(key.to_string()) } else { None })
            .collect();
        assert_eq!(keys, ["a", "b"], "cut at {cut}");
    }
}

proptest! {
    #[test]
    fn ux3_no_byte_is_lost_or_doubled_on_its_way_to_a_program(
        bytes in proptest::collection::vec(prop_oneof![Just(0x1b_u8), Just(b'['), Just(b'<'), Just(b';'), Just(b'M'), any::<u8>()], 0..200),
        cuts in proptest::collection::vec((1_usize..9, 0_u64..80), 1..100),
        eager in any::<bool>(),
    ) {
        let (mut tokeniser, mut found, mut now) = (Tokeniser::default(), Vec::new(), 0);
        let mut rest = bytes.as_slice();
        for (len, pause) in cuts.iter().cycle().take(400) {
            now += pause * MS;
            tokeniser.expire(now, &mut found);
            let (piece, after) = rest.split_at((*len).min(rest.len()));
            tokeniser.feed(piece, now, eager, &mut found);
            rest = after;
        }
        tokeniser.expire(now + 1000 * MS, &mut found);
        let handed: Vec<u8> = found.iter().flat_map(|token| token.fresh().to_vec()).collect();
        prop_assert_eq!(handed, bytes);
    }
}

#[test]
fn modifiers_have_one_spelling() {
    assert_eq!(Key::new(KeyCode::Char('x'), Mods::SHIFT), Key::plain(KeyCode::Char('X')));
    assert!("C-".parse::<Key>().is_err() && "Foo".parse::<Key>().is_err());
}
