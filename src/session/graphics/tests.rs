//! What is concluded from which facts.

use super::*;
use crate::protocol::message;

use Evidence::Environment;
use Evidence::Host;
use Evidence::None as Nothing;
use Evidence::Terminfo;
use Support::Blocked;
use Support::Supported as Yes;
use Support::Unknown as Maybe;
use Support::Unsupported as No;

fn terminal(term: &str) -> Facts {
    Facts { is_tty: true, term: term.to_owned(), ..Facts::default() }
}

fn statuses(report: &Report) -> [Support; 3] {
    [report.sixel.status, report.kitty.status, report.iterm2.status]
}

#[test]
fn terminals_are_known_by_their_marks() {
    let plain = || terminal("xterm-256color");
    let program =
        |name: &str, version: &str| Facts { program: name.to_owned(), program_version: version.to_owned(), ..plain() };
    let cases = [
        (plain(), [Maybe; 3], Nothing),
        (terminal("xterm-kitty"), [No, Yes, No], Terminfo),
        (terminal("foot-256color"), [Yes, No, No], Terminfo),
        (terminal("alacritty"), [No; 3], Terminfo),
        (Facts { has_kitty: true, ..plain() }, [No, Yes, No], Host),
        (Facts { has_kitty: true, has_ssh: true, ..plain() }, [No, Yes, No], Environment),
        (Facts { has_wezterm: true, ..plain() }, [Yes; 3], Host),
        (Facts { konsole_version: 220_401, ..plain() }, [Yes; 3], Host),
        (Facts { konsole_version: 211_200, ..plain() }, [No; 3], Host),
        (program("iTerm.app", "3.5.0"), [Yes, Maybe, Yes], Host),
        (program("iTerm.app", ""), [Yes, Maybe, Yes], Environment),
        (Facts { lc_terminal: "iTerm2".into(), has_ssh: true, ..plain() }, [Yes, Maybe, Yes], Environment),
        // Started from kitty: its variables are inherited, its name in TERM is not.
        (Facts { has_kitty: true, ..terminal("alacritty") }, [No; 3], Terminfo),
        // Seen through tmux nothing outside is certain.
        (Facts { has_tmux: true, has_kitty: true, ..terminal("tmux-256color") }, [No, Maybe, No], Environment),
    ];
    for (facts, wanted, evidence) in cases {
        let report = detect(&facts);
        assert_eq!(statuses(&report), wanted, "{facts:?}");
        assert_eq!(report.sixel.evidence, evidence, "{facts:?}");
    }
}

#[test]
fn p27_where_pictures_are_garbage_they_are_blocked_whatever_is_wished_or_answered() {
    let probe = Some(Probe { attributes: Some(vec![4]), kitty: Some(true) });
    for facts in [
        Facts { is_tty: false, ..terminal("xterm-kitty") },
        terminal(""),
        terminal("dumb"),
        terminal("linux"),
        terminal("screen"),
        terminal("screen.xterm-256color"),
        Facts { has_screen: true, ..terminal("xterm-kitty") },
        Facts { has_screen: true, has_tmux: true, ..terminal("screen") },
    ] {
        let facts = Facts { wish: "sixel,kitty,iterm2".into(), probe: probe.clone(), has_kitty: true, ..facts };
        assert_eq!(statuses(&detect(&facts)), [Blocked; 3], "{facts:?}");
    }
    assert_ne!(statuses(&detect(&Facts { has_tmux: true, ..terminal("screen-256color") })), [Blocked; 3]);
}

#[test]
fn an_answer_beats_the_environment_and_the_user_beats_both() {
    let facts = Facts {
        probe: Some(Probe { attributes: Some(vec![62, 4, 22]), kitty: None }),
        has_kitty: true,
        ..terminal("xterm-256color")
    };
    let report = detect(&facts);
    assert_eq!(statuses(&report), [Yes, No, No]);
    assert_eq!([report.kitty.evidence, report.iterm2.evidence], [Evidence::Probe, Host]);

    let report = detect(&Facts { wish: "kitty".into(), ..facts.clone() });
    assert_eq!(statuses(&report), [No, Yes, No]);
    assert_eq!((report.kitty.evidence, report.kitty.source.as_str()), (Evidence::Override, "RUNPM_GRAPHICS"));
    assert_eq!(statuses(&detect(&Facts { wish: "none".into(), ..facts.clone() })), [No; 3]);
    for nothing in ["", "auto", "kity"] {
        assert_eq!(detect(&Facts { wish: nothing.into(), ..facts.clone() }).sixel.evidence, Evidence::Probe);
    }
    assert!(wish_fault("kity").is_some() && wish_fault("sixel, kitty").is_none() && wish_fault("auto").is_none());
}

#[test]
fn answers_are_found_among_what_was_typed() {
    let read = |bytes: &[u8]| Probe::read(bytes);
    let both = read(b"ls\x1b_Gi=31;OK\x1b\\\x1b[A\x1b[?62;4;22cq");
    assert_eq!((both.attributes.clone(), both.kitty), (Some(vec![62, 4, 22]), Some(true)));
    assert!(both.is_complete());
    assert_eq!(read(b"\x1b_Gi=31;ENOTSUPPORTED:no\x1b\\\x1b[?1;2c").kitty, Some(false));
    assert_eq!(read(b"\x1b[?2026;2$y\x1b[?6c").attributes, Some(vec![6]));
    for partial in [&b""[..], b"\x1b[?", b"\x1b[?62;4", b"\x1b[c", b"abc"] {
        assert_eq!(read(partial).attributes, None, "{partial:?}");
    }
    // Nothing came in time: the environment decides.
    let report = detect(&Facts { probe: Some(Probe::default()), has_kitty: true, ..terminal("xterm") });
    assert_eq!(report.kitty.evidence, Host);
}

#[test]
fn what_lies_between_is_named() {
    let facts = Facts { has_ssh: true, has_tmux: true, is_inside: true, ..terminal("tmux") };
    assert_eq!(detect(&facts).risks, [Risk::Ssh, Risk::Tmux, Risk::Nested]);
    assert_eq!(detect(&terminal("screen")).risks, [Risk::Screen]);
    assert!(detect(&terminal("xterm")).risks.is_empty());
}

#[test]
fn a_report_travels_and_a_newer_peers_words_are_read() {
    let report = detect(&Facts { has_kitty: true, has_ssh: true, ..terminal("xterm") });
    let read: Report = message::decode(&message::encode(&report)).expect("a report");
    assert_eq!(read, report);
    let empty: Report = message::decode(&[0x80]).expect("defaults");
    assert_eq!(empty, Report::default());
    let newer: Finding =
        message::decode(&message::encode(&serde_json::json!({ "status": "sometimes" }))).expect("readable");
    assert_eq!(newer.status, Support::Unknown);
}
