//! Claims about every form of a screen, from the bytes a program wrote.

use super::*;
use crate::term::Frame;
use crate::term::Screen;
use crate::term::Size;

fn mirror_of(rows: u16, cols: u16, bytes: &str) -> Mirror {
    let mut screen = Screen::new(Size::clamped(rows, cols));
    screen.feed(bytes.as_bytes());
    let mut mirror = Mirror::new();
    mirror.apply(&Frame::of(&screen, 0).0);
    mirror
}

/// The first row as HTML.
fn html_row(bytes: &str) -> String {
    let page = html(&mirror_of(2, 40, bytes), "t");
    page.lines().nth(4).expect("a row").to_owned()
}

fn json(bytes: &str) -> serde_json::Value {
    serde_json::to_value(Cells::of(&mirror_of(4, 20, bytes), 0)).expect("JSON")
}

#[test]
fn text_and_colours_are_those_of_the_screen_itself() {
    for bytes in
        ["", "a\r\n\r\n  b  ", "\x1b[1;31mred\x1b[0m x\x1b[44m  \x1b[0m\r\nend", "你好\x1b[3;1H\x1b[4:3mw\u{301}"]
    {
        let mut screen = Screen::new(Size::clamped(4, 20));
        screen.feed(bytes.as_bytes());
        let mirror = mirror_of(4, 20, bytes);
        assert_eq!(text(&mirror), screen.text(), "{bytes:?}");
        assert_eq!(ansi(&mirror).trim_end_matches('\n'), screen.ansi().trim_end_matches('\n'), "{bytes:?}");
    }
}

#[test]
fn html_has_every_attribute() {
    let table = [
        ("plain", "plain"),
        ("\x1b[31mx", r#"<span style="color:#cc5555;">x</span>"#),
        ("\x1b[91;107mx", r#"<span style="color:#ef7a7a;background:#f5f5f0;">x</span>"#),
        ("\x1b[38;5;16mx", r#"<span style="color:#000000;">x</span>"#),
        ("\x1b[38;5;196mx", r#"<span style="color:#ff0000;">x</span>"#),
        ("\x1b[38;5;231mx", r#"<span style="color:#ffffff;">x</span>"#),
        ("\x1b[38;5;232mx", r#"<span style="color:#080808;">x</span>"#),
        ("\x1b[38;5;255mx", r#"<span style="color:#eeeeee;">x</span>"#),
        ("\x1b[48;2;1;2;255mx", r#"<span style="background:#0102ff;">x</span>"#),
        ("\x1b[1;3mx", r#"<span style="font-weight:bold;font-style:italic;">x</span>"#),
        ("\x1b[2mx", r#"<span style="opacity:.6;">x</span>"#),
        ("\x1b[4mx", r#"<span style="text-decoration:underline;">x</span>"#),
        ("\x1b[4:2mx", r#"<span style="text-decoration:underline double;">x</span>"#),
        ("\x1b[4:3;58:2::255:0:0mx", r#"<span style="text-decoration:underline wavy #ff0000;">x</span>"#),
        ("\x1b[4:4mx", r#"<span style="text-decoration:underline dotted;">x</span>"#),
        ("\x1b[4:5;9mx", r#"<span style="text-decoration:underline line-through dashed;">x</span>"#),
        ("\x1b[7mx", r#"<span style="color:#16181a;background:#d8d8d0;">x</span>"#),
        ("\x1b[31;7mx", r#"<span style="color:#16181a;background:#cc5555;">x</span>"#),
        ("\x1b[8msecret\x1b[0m.", "      ."),
        ("你x", r#"<span style="display:inline-block;width:2ch;">你</span>x"#),
        ("e\u{301}x", "<span style=\"display:inline-block;width:1ch;\">e\u{301}</span>x"),
    ];
    for (bytes, wanted) in table {
        let row = html_row(bytes);
        let row = row.replace("<span style=\"\">", "");
        assert!(row.contains(wanted), "{bytes:?}: {row}");
        assert!(!row.contains("secret"), "{row}");
    }
}

#[test]
fn k12_hostile_text_titles_and_links_stay_text() {
    let bytes = "\x1b]8;;javascript:alert(1)\x1b\\evil\x1b]8;;\x1b\\ \x1b]8;;https://a/?x=\"><b>&y\x1b\\good\x1b]8;;\x1b\\\r\n\
                 <script>&'\"";
    let mirror = mirror_of(4, 40, bytes);
    let title = "</title><script>\u{1}";
    for page in [html(&mirror, title), svg(&mirror, title)] {
        assert!(!page.contains("javascript:") && !page.contains("<script") && !page.contains("<b>"), "{page}");
        assert!(page.contains("&lt;/title&gt;&lt;script&gt;\u{fffd}"), "{page}");
        assert!(page.contains("href=\"https://a/?x=&quot;&gt;&lt;b&gt;&amp;y\""), "{page}");
        assert_eq!(page.matches("<a ").count(), 1, "{page}");
        assert!(!page.contains(|c: char| c.is_control() && c != '\n'), "{page}");
    }
    for scheme in ["data", "vbscript", "file", "JavaScript", " javascript", "javascript\u{a0}"] {
        let page = html_row(&format!("\x1b]8;;{scheme}:x\x1b\\x\x1b]8;;\x1b\\"));
        assert!(!page.contains("href"), "{scheme}: {page}");
    }
}

#[test]
fn a_picture_has_backgrounds_text_and_the_cursor_where_the_cells_are() {
    let picture = svg(&mirror_of(4, 20, "ab\x1b[41mc\x1b[0m\r\n  你\x1b[5 q"), "t");
    for part in [
        r#"viewBox="0 0 176 84""#,
        r##"<rect x="24" y="8" width="8" height="17" fill="#cc5555"/>"##,
        r#"<text x="8" y="21" textLength="16" lengthAdjust="spacingAndGlyphs">ab</text>"#,
        r#"<text x="24" y="38" textLength="16" lengthAdjust="spacingAndGlyphs">你</text>"#,
        r#"<rect class="cursor" x="40" y="25" width="2" height="17""#,
    ] {
        assert!(picture.contains(part), "{part}\n{picture}");
    }
    assert!(!svg(&mirror_of(4, 20, "\x1b[?25l"), "t").contains("cursor"));
}

#[test]
fn cells_are_runs_in_which_columns_can_be_counted() {
    let value = json("ab\x1b[1;31mc d\x1b[0m你x\u{1b}[2;3H\x1b[?2004h\x1b]2;top\x07\x1b[3 q");
    assert_eq!((&value["rows"], &value["cols"]), (&4.into(), &20.into()));
    assert_eq!(value["text"], serde_json::json!(["abc d你x", "", "", ""]));
    let runs = serde_json::json!([
        { "col": 0, "width": 2, "text": "ab" },
        { "col": 2, "width": 3, "text": "c d", "fg": 1, "attributes": ["bold"] },
        { "col": 5, "width": 2, "text": "你" },
        { "col": 7, "width": 1, "text": "x" },
    ]);
    assert_eq!(value["cells"][0], runs);
    assert_eq!(value["cells"][1], serde_json::json!([]));
    let cursor = serde_json::json!({ "row": 1, "col": 2, "visible": true, "shape": "underline", "blinks": true });
    assert_eq!(value["cursor"], cursor);
    assert_eq!((&value["title"], &value["modes"]["bracketed_paste"]), (&"top".into(), &true.into()));
}

#[test]
fn a_frame_can_show_rows_of_scrollback_above_the_screen() {
    let mut screen = Screen::new(Size::clamped(3, 10));
    screen.feed(b"1\r\n2\r\n\x1b[31m3\x1b[0m\r\n4\r\n5\r\n6");
    for (wanted, kept, shown) in [(0, 0, "4\n5\n6"), (2, 2, "2\n3\n4\n5\n6"), (u16::MAX, 3, "1\n2\n3\n4\n5\n6")] {
        let (frame, above) = Frame::of(&screen, wanted);
        let mut mirror = Mirror::new();
        mirror.apply(&frame);
        assert_eq!((above, text(&mirror).as_str()), (kept, shown));
        assert_eq!(mirror.cursor(), (2 + kept, 1, true));
        assert_eq!(Cells::of(&mirror, above).cursor, Cells::of(&mirror_of(3, 10, "\n\n6"), 0).cursor);
    }
    screen.feed(b"\x1b[?1049hfull");
    assert_eq!(Frame::of(&screen, 9).1, 0);
}
