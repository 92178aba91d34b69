//! Views of history: logs, grep, screens and recordings say what was said, and change nothing for anybody.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::process::Stdio;

use runpm::term::Screen;
use runpm::term::Size;
use serde_json::Value;

use crate::support::Place;
use crate::support::RPM;
use crate::support::skip;
use crate::support::wait_until;

/// Writes to both pipes in a known order, with time between.
const BOTH: &str = "echo o1; sleep 0.02; echo e1 >&2; sleep 0.02; echo o2; sleep 0.02; printf 'e2 \\377' >&2; exit 3";

fn pipe(place: &Place, name: &str, script: &str) {
    place.ok(&["run", "-d", "--pipe", "--name", name, "--", "sh", "-c", script]);
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn w35_both_streams_are_told_in_the_order_and_with_the_time_they_were_said() {
    let place = Place::new();
    pipe(&place, "p", BOTH);
    place.wait_end("p");

    let lines = json_lines(&place.ok(&["logs", "--json", "p"]));

    let told: Vec<_> = lines.iter().map(|line| (line["stream"].as_str(), line["text"].as_str())).collect();
    let wanted = [("out", "o1"), ("err", "e1"), ("out", "o2"), ("err", "e2 \u{fffd}")];
    assert_eq!(told, wanted.map(|(stream, text)| (Some(stream), Some(text))));
    assert_eq!(lines.iter().map(|line| line["at"].as_u64()).collect::<Vec<_>>(), [0, 3, 6, 9].map(Some));
    let times: Vec<_> = lines.iter().map(|line| line["time"].as_str().expect("a time")).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    let stamped = place.ok(&["logs", "-t", "p"]);
    assert!(stamped.starts_with(&format!("{} o1\n", times[0])), "{stamped}");
    let raw = json_lines(&place.ok(&["logs", "--json", "--raw", "--stream", "err", "p"]));
    assert_eq!((&raw[0]["text"], &raw[1]["base64"]), (&"e1".into(), &"ZTIg/w==".into()));
}

#[test]
fn logs_begin_at_lines_of_one_stream_or_at_a_time() {
    let place = Place::new();
    pipe(&place, "p", "echo e0 >&2; echo e1 >&2; for n in 1 2 3 4 5 6 7 8 9; do echo o$n; done; read x; echo late");
    wait_until("all is said", || place.ok(&["logs", "p"]).contains("o9"));
    assert_eq!(place.ok(&["logs", "-n", "2", "--stream", "out", "p"]), "o8\no9\n");
    assert_eq!(place.ok(&["logs", "-n", "1", "--stream", "err", "p"]), "e1\n");
    assert_eq!(place.ok(&["logs", "-n", "0", "p"]), "");
    assert_eq!(place.ok(&["logs", "-n", &u64::MAX.to_string(), "--stream", "err", "p"]), "e0\ne1\n");
    let json = json_lines(&place.ok(&["logs", "--json", "p"]));
    let last = json.last().expect("a line")["time"].as_str().expect("a time").to_owned();
    // The millisecond after the last line: what comes then is all there is since.
    let since = place.ok(&["logs", "--since", "1h", "p"]);
    assert_eq!(since, place.ok(&["logs", "p"]));
    wait_until("that millisecond is over", || place.ok(&["logs", "--since", "1ms", "p"]).is_empty());

    place.ok(&["send", "p", "--eof"]);
    place.wait_end("p");

    let lines = json_lines(&place.ok(&["logs", "--json", "--since", &last, "p"]));
    assert_eq!(lines.last().expect("a line")["text"], "late");
    let late = lines.last().expect("a line")["time"].as_str().expect("a time").to_owned();
    assert_eq!(place.ok(&["logs", "--since", &late, "p"]), "late\n");
}

#[test]
fn several_sessions_are_told_with_their_names_and_followed_together_across_a_kill() {
    let place = Place::new();
    place.start("a", "stty -echo; printf 'one\\nunfini'; read x; echo shed; read x");
    pipe(&place, "bb", "echo two; read x; echo three");
    place.wait_screen("a", "unfini");
    wait_until("bb spoke", || place.ok(&["logs", "bb"]) == "two\n");
    assert_eq!(place.ok(&["logs", "a", "bb"]), "a  | one\na  | unfini\nbb | two\n");
    assert_eq!(place.run(&["logs", "--raw", "a", "bb"]).stdout, b"one\r\nunfinitwo\n");
    let mut command = place.command(RPM);
    let mut child = command.args(["logs", "-f", "all"]).stdout(Stdio::piped()).spawn().expect("rpm runs");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map(|line| line.expect("text"));
    let mut first = [lines.next(), lines.next()].map(|line| line.expect("a line"));
    first.sort();
    assert_eq!(first, ["a  | one", "bb | two"]);

    place.ok(&["send", "a", "x", "--enter"]);
    assert_eq!(lines.next().as_deref(), Some("a  | unfinished"));
    place.kill_daemon();
    place.ok(&["send", "bb", "--eof"]);
    assert_eq!(lines.next().as_deref(), Some("bb | three"));

    place.ok(&["kill", "a"]);
    assert_eq!(lines.next(), None);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_prompt_is_shown_by_every_followed_form_and_goes_on_when_it_is_answered() {
    let place = Place::new();
    place.start("pr", "stty -echo; printf 'Name? '; read x; echo hello $x; printf end; read x");
    pipe(&place, "pt", "echo two; read x");
    place.wait_screen("pr", "Name?");
    let follow = |args: &[&str], wanted: &[u8]| {
        let mut command = place.command("timeout");
        let command = command.args(["30", RPM, "logs", "-f"]).args(args).stdout(Stdio::piped());
        let mut child = command.spawn().expect("rpm runs");
        let mut out = child.stdout.take().expect("a pipe");
        let mut said = Vec::new();
        while !said.windows(wanted.len()).any(|part| part == wanted) {
            let mut byte = [0];
            out.read_exact(&mut byte).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&said)));
            said.push(byte[0]);
        }
        (child, out)
    };
    let plain = follow(&["-t", "pr"], b" Name? ");
    let json = follow(&["--json", "pr"], br#""partial":true"#);
    let both = follow(&["pr", "pt"], b"pr | Name? ");
    place.ok(&["send", "pr", "Ann", "--enter"]);
    place.wait_screen("pr", "end");
    // What comes later has a last line without an end too.
    let late = follow(&["pr", "pt", "-n", "1"], b"pr | end");
    place.ok(&["kill", "pr", "pt"]);
    let rest = |(mut child, mut out): (std::process::Child, std::process::ChildStdout)| {
        let mut text = String::new();
        out.read_to_string(&mut text).expect("text");
        assert!(child.wait().expect("it ends").success());
        text
    };
    let text = rest(plain);
    assert!(text.starts_with("hello Ann\n") && text.ends_with(" end\n"), "{text}");
    let text = rest(json);
    assert!(
        json_lines(text[text.find('\n').expect("a line")..].trim_start())
            .iter()
            .any(|line| { line["text"] == "Name? hello Ann" && line["partial"].is_null() && line["at"] == 0 }),
        "{text}"
    );
    let text = rest(both);
    assert!(text.contains("hello Ann\n") && text.contains("pr | end") && !text.contains("Name?"), "{text}");
    rest(late);
}

#[test]
fn grep_finds_lines_with_context_in_all_sessions() {
    let place = Place::new();
    place.start("a", r"printf '\033[1mb\033[0mefore\n\033[31mErr\033[0mor 1\nafter\nx\ny\nerror 2'; read x");
    pipe(&place, "b", "echo fine; sleep 0.02; printf '\\377 error \\376\\n' >&2; sleep 0.02; echo more");
    place.wait_screen("a", "error 2");
    place.wait_end("b");

    assert_eq!(place.ok(&["grep", "error"]), "a:error 2\nb:\u{fffd} error \u{fffd}\n");
    assert_eq!(place.ok(&["grep", "-i", "^error.1$", "a"]), "Error 1\n");
    let context = place.ok(&["grep", "-i", "-C", "1", "error", "a"]);
    assert_eq!(context, "before\nError 1\nafter\n--\ny\nerror 2\n");
    assert_eq!(place.ok(&["grep", "-b", "-A1", "x", "a"]), "41:x\n44-y\n");
    assert_eq!(place.ok(&["grep", "-ic", "error"]), "a:2\nb:1\n");
    assert_eq!(place.ok(&["grep", "-v", "--stream", "out", "fine"]), "b:more\n");
    let found = json_lines(&place.ok(&["grep", "--json", "-B1", "error", "b"]));
    assert_eq!((&found[0]["context"], &found[0]["text"]), (&true.into(), &"fine".into()));
    assert_eq!((&found[1]["context"], &found[1]["stream"], &found[1]["at"]), (&false.into(), &"err".into(), &5.into()));
    for (args, code) in [(&["grep", "nowhere"][..], 1), (&["grep", "x", "nobody"], 66), (&["grep", "a(b"], 2)] {
        assert_eq!(place.fails(args).0, code, "{args:?}");
    }
    let (_, said) = place.fails(&["grep", "é(b"]);
    assert!(said.contains("at character 2\n  é(b\n   ^"), "{said}");
}

#[test]
fn a_screen_is_told_in_every_form() {
    let place = Place::new();
    let script = r"stty -echo; seq 1 30; printf '\033]2;ti<t>le\033\\\033[1;44mbold\033[0m \033]8;;https://a.b/\033\\link\033]8;;\033\\ <&>'; read x";
    place.start("s", script);
    place.wait_screen("s", "<&>");

    let html = place.ok(&["screen", "--html", "s"]);
    let svg = place.ok(&["screen", "--svg", "s"]);
    for page in [&html, &svg] {
        assert!(
            page.contains("ti&lt;t&gt;le") && page.contains("&lt;&amp;&gt;") && page.contains("href=\"https://a.b/\""),
            "{page}"
        );
    }
    assert!(html.contains("background:#5f87c7;font-weight:bold;\">bold</span>"), "{html}");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && svg.contains("class=\"cursor\""), "{svg}");
    assert!(place.ok(&["screen", "--ansi", "s"]).contains("\x1b[0;1;44mbold\x1b[0m"));
    let json: Value = serde_json::from_str(&place.ok(&["screen", "--json", "--scrollback", "500", "s"])).expect("JSON");
    let screen = &json["screen"];
    assert_eq!((&screen["above"], &screen["rows"], &screen["text"][0]), (&7.into(), &24.into(), &"1".into()));
    assert_eq!((&screen["cursor"]["row"], &screen["title"]), (&23.into(), &"ti<t>le".into()));
    assert_eq!(screen["cells"][30][0]["bg"], 4);
    let with = place.ok(&["screen", "--scrollback", "2", "s"]);
    assert!(with.starts_with("6\n7\n8\n") && with.ends_with(&place.screen("s")), "{with}");
    place.kill_daemon();
    assert_eq!(place.ok(&["screen", "--svg", "s"]), svg);
    place.ok(&["kill", "s"]);
    assert_eq!(place.ok(&["screen", "--html", "s"]), html);
}

/// A cast, checked for everything the format asks for.
struct Cast {
    header: Value,
    events: Vec<(f64, String, String)>,
}

fn parse(cast: &str) -> Cast {
    let mut lines = cast.lines();
    let header: Value = serde_json::from_str(lines.next().expect("a header")).expect("JSON");
    assert_eq!(header["version"], 2);
    assert!(header["timestamp"].is_u64());
    assert!(header["env"].as_object().expect("a map").values().all(Value::is_string));
    let mut events: Vec<(f64, String, String)> = Vec::new();
    for line in lines {
        let event: (f64, String, String) = serde_json::from_str(line).expect("time, code and data");
        assert!(events.last().is_none_or(|last| last.0 <= event.0), "time goes back: {line}");
        assert!(["o", "r", "m"].contains(&event.1.as_str()), "{line}");
        events.push(event);
    }
    Cast { header, events }
}

/// What a player shows at the end.
fn play(cast: &Cast) -> String {
    let number = |value: &Value| value.as_u64().expect("a number") as u16;
    let mut screen = Screen::new(Size::clamped(number(&cast.header["height"]), number(&cast.header["width"])));
    for (_, code, data) in &cast.events {
        match code.as_str() {
            "o" => screen.feed(data.as_bytes()),
            "r" => {
                let (cols, rows) = data.split_once('x').expect("columns x rows");
                screen.resize(Size::clamped(rows.parse().expect("rows"), cols.parse().expect("columns")));
            }
            _ => {}
        }
    }
    format!("{}\n", screen.text())
}

#[test]
fn a_recording_plays_to_the_same_screen_with_its_sizes_and_times() {
    let place = Place::new();
    let script = r"stty -echo; printf '\303'; sleep 0.05; printf '\251\033[1mwide 你好\r\n'; echo ready; while read x; do printf '%080d|%s\n' 7 $x; done; exit 4";
    place.ok(&["run", "-d", "--name", "s", "--rows", "10", "--cols", "60", "--", "sh", "-c", script]);
    place.wait_screen("s", "ready");
    for (size, word) in [("100x20", "first"), ("40x12", "second")] {
        place.ok(&["resize", "s", size]);
        wait_until("the new size", || {
            place.session("s")["cols"] == size.split_once('x').expect("x").0.parse::<u64>().expect("a number")
        });
        place.ok(&["send", "s", word, "--enter"]);
        place.wait_screen("s", word);
    }

    let cast = parse(&place.ok(&["export", "s", "--asciicast", "--idle-limit", "2s"]));

    assert_eq!(play(&cast), place.screen("s"));
    let header = &cast.header;
    assert_eq!(
        (&header["width"], &header["height"], &header["idle_time_limit"]),
        (&60.into(), &10.into(), &2.0.into())
    );
    let sizes: Vec<_> = cast.events.iter().filter(|event| event.1 == "r").map(|event| event.2.as_str()).collect();
    assert_eq!(sizes, ["100x20", "40x12"]);
    assert!(cast.events.last().expect("events").0 > 0.04, "no timing");
    place.ok(&["send", "s", "--eof"]);
    place.wait_end("s");
    let file = place.dir().join("s.cast");
    place.ok(&["export", "s", "--asciicast", "-o", file.to_str().expect("text")]);
    let cast = parse(&std::fs::read_to_string(&file).expect("a file"));
    assert_eq!(cast.events.last().map(|event| (event.1.as_str(), event.2.as_str())), Some(("m", "exited 4")));
    match std::process::Command::new("asciinema").arg("cat").arg(&file).stdin(Stdio::null()).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => skip("asciinema is not installed"),
    }
}

#[test]
fn a_recording_of_what_is_left_says_so_and_ends_with_the_same_screen() {
    let place = Place::new();
    let script = "seq -f '%.0f \u{1b}[1;32mgreen\u{1b}[0m padding padding' 1 6000; read x";
    place.ok(&["run", "-d", "--history", "64K", "--name", "s", "--", "sh", "-c", script]);
    place.wait_screen("s", "6000 green");
    let output = place.run(&["export", "s", "--asciicast"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("bytes of s are gone"), "{said}");
    let cast = parse(&String::from_utf8_lossy(&output.stdout));
    assert!(cast.header["runpm"]["from"].as_u64() > Some(0));
    assert_eq!(play(&cast), place.screen("s"));
    assert!(place.ok(&["export", "s", "--text"]).ends_with("\n6000 green padding padding\n"));
}

#[test]
fn what_is_left_of_a_history_begins_with_a_whole_line_and_says_how_much_is_gone() {
    let place = Place::new();
    place.ok(&[
        "run",
        "-d",
        "--pipe",
        "--history",
        "64K",
        "--name",
        "s",
        "--",
        "seq",
        "-f",
        "line %06.0f",
        "1",
        "30000",
    ]);
    place.wait_end("s");
    let total: u64 = 30_000 * 12;
    let gone = total - (64 << 10);
    assert!(!gone.is_multiple_of(12), "{gone}: the ring was to end inside a line");
    let sentence = format!("rpm: the first {gone} bytes of s are gone; this begins at the first whole line\n");
    for args in
        [&["logs", "s"][..], &["logs", "-t", "s"], &["logs", "-n", "29000", "s"], &["logs", "--since", "1h", "s"]]
    {
        let output = place.run(args);
        let text = String::from_utf8(output.stdout).expect("text");
        let first = text.lines().next().expect("a line");
        let number = gone / 12 + 2;
        assert!(first.ends_with(&format!("line {number:06}")), "{args:?}: {first}");
        assert!(first.len() == 11 || args.contains(&"-t"), "{args:?}: {first}");
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), &sentence[..]));
    }
    let raw = place.run(&["logs", "--raw", "s"]);
    assert_eq!(raw.stdout.len() as u64, total - gone, "raw is every byte");
    assert!(String::from_utf8_lossy(&raw.stderr).contains("are gone; this is what is left"));
    let few = place.run(&["logs", "-n", "3", "s"]);
    assert_eq!((few.stdout.len(), few.stderr.len()), (36, 0), "nothing that was asked for is gone");

    let text = place.run(&["export", "s", "--text"]);
    assert!(text.status.success() && text.stdout.starts_with(b"line "));
    assert!(String::from_utf8_lossy(&text.stderr).contains(&format!("the first {gone} bytes of s are gone")));
    // Bytes that were asked for by their offset are lost to who asked.
    for form in ["--text", "--asciicast"] {
        let output = place.run(&["export", "s", form, "--from", "0"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(91), "{said}");
        assert_eq!(said, format!("rpm: s: {gone} bytes were overwritten before they could be read\n"));
        assert!(output.stdout.ends_with(b"line 030000\n") || form == "--asciicast");
    }

    place.ok(&[
        "run",
        "-d",
        "--pipe",
        "--history",
        "64K",
        "--name",
        "endless",
        "--",
        "sh",
        "-c",
        "yes | tr -d '\\n' | head -c 200000",
    ]);
    place.wait_end("endless");
    let text = place.run(&["logs", "endless"]).stdout;
    assert!(text.len() > 60_000, "no line feed, so no half line: {}", text.len());
}

#[test]
fn a_recording_of_pipes_shows_both_streams_from_the_left() {
    let place = Place::new();
    pipe(&place, "p", BOTH);
    place.wait_end("p");
    let cast = parse(&place.ok(&["export", "p", "--asciicast"]));
    assert_eq!(play(&cast), "o1\ne1\no2\ne2 \u{fffd}\n");
    assert_eq!(cast.events.iter().filter(|event| event.1 == "o").count(), 4, "{:?}", cast.events);
}

#[test]
fn k2_no_view_changes_what_anybody_sees() {
    let place = Place::new();
    place.start("s", "stty -echo; printf 'hello\\n\\033[1mwo'; while read x; do echo got $x; done");
    let viewer = place.terminal_of(30, 100, &["attach", "s"]);
    viewer.wait_text("wo");
    wait_until("the size is taken", || place.session("s")["cols"] == 100);
    let look = || (place.session("s"), place.screen("s"), place.ok(&["logs", "--raw", "s"]));
    let (before, bytes) = (look(), viewer.raw());

    for view in [
        &["logs", "-t", "-n", "1", "s"][..],
        &["logs", "--json", "--since", "1h", "s"],
        &["grep", "-C3", "hello"],
        &["screen", "s"],
        &["screen", "--ansi", "s"],
        &["screen", "--html", "--scrollback", "9", "s"],
        &["screen", "--svg", "s"],
        &["screen", "--json", "s"],
        &["export", "--asciicast", "s"],
        &["export", "--text", "s"],
    ] {
        place.ok(view);
        assert_eq!(look(), before, "{view:?}");
    }

    assert_eq!(viewer.raw(), bytes);
    place.ok(&["send", "s", "on", "--enter"]);
    viewer.wait_text("got on");
    let after = viewer.raw().split_off(bytes.len());
    assert_eq!(String::from_utf8_lossy(&after), "got on\r\n");
}

#[test]
fn views_of_nonsense_are_refused_with_a_sentence() {
    let place = Place::new();
    place.start("s", "echo hi; read x");
    pipe(&place, "p", "echo out");
    place.wait_screen("s", "hi");
    place.wait_end("p");
    let cases: [(&[&str], i32, &str); 11] = [
        (&["logs", "nobody"], 66, "no session is called"),
        (&["logs", "s", "--stream", "err"], 2, "has a terminal"),
        (&["grep", "x", "s", "--stream", "out"], 2, "has a terminal"),
        (&["logs", "s", "--since", "soon"], 2, "write how long ago"),
        (&["logs", "s", "--since", "2999-01-01"], 2, "has not come yet"),
        (&["screen", "nobody", "--svg"], 66, "no session is called"),
        (&["export", "s"], 2, "--asciicast"),
        (&["export", "s", "--text", "--from", "99999"], 2, "there is no byte 99999 of s yet"),
        (&["export", "all", "--asciicast"], 2, "of one session"),
        (&["export", "s", "--asciicast", "-o", "/nowhere/x"], 1, "cannot write /nowhere/x"),
        (&["export", "s", "--text", "-o", "/dev/full"], 1, "cannot write /dev/full"),
    ];
    for (args, code, sentence) in cases {
        let (got, said) = place.fails(args);
        assert_eq!(got, code, "{args:?}: {said}");
        assert!(said.contains(sentence), "{args:?}: {said}");
    }
    for view in ["logs s", "logs -t s", "grep h", "export s --asciicast", "screen s --html"] {
        let script = format!("\"$0\" {view} | true; \"$0\" {view} >&-; exit 0");
        assert!(place.command("sh").args(["-c", &script, RPM]).status().expect("sh").success(), "{view}");
        let script = format!("{{ \"$0\" {view}; echo $? >&2; }} | exec true");
        let output = place.command("sh").args(["-c", &script, RPM]).output().expect("sh");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "0\n", "{view}");
    }
    // Beyond the end there is nothing yet, and that is no error.
    assert_eq!(place.ok(&["logs", "p", "x*", "all"]).lines().count(), 2);
}
