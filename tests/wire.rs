//! The wire stays readable: golden bytes of every message, older and newer peers, hostile ones.
//!
//! `RUNPM_BLESS=1 cargo test --test wire` adds messages that have no golden bytes yet; those that have some must not change.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;
use runpm::history::ExitStatus;
use runpm::history::Stream;
use runpm::protocol::error::Code;
use runpm::protocol::error::WireError;
use runpm::protocol::hello::Hello;
use runpm::protocol::keeper::Handover;
use runpm::protocol::keeper::Order;
use runpm::protocol::keeper::Stage;
use runpm::protocol::keeper::TeeAsk;
use runpm::protocol::keeper::TeeHandover;
use runpm::protocol::keeper::ToDaemon;
use runpm::protocol::keeper::ToKeeper;
use runpm::protocol::message;
use runpm::protocol::message::Event;
use runpm::protocol::message::Reply;
use runpm::protocol::message::Request;
use runpm::protocol::verbs;
use runpm::session::id::RequestKey;
use runpm::session::id::SessionId;
use runpm::session::id::TeeId;
use runpm::session::journal::JournalFacts;
use runpm::session::journal::JournalSpec;
use runpm::session::journal::JournalStatus;
use runpm::session::service::death::Death;
use runpm::session::service::definition::Definition;
use runpm::session::service::machine;
use runpm::session::service::machine::Machine;
use runpm::session::service::machine::Wanted;
use runpm::session::service::spec::Command;
use runpm::session::service::spec::Origin;
use runpm::session::service::spec::ServiceSpec;
use runpm::session::service::spec::Variable;
use runpm::session::service::status::ServiceState;
use runpm::session::service::status::ServiceStatus;
use runpm::session::sizing::SizeOwner;
use runpm::session::spec::Asked;
use runpm::session::spec::Facts;
use runpm::session::spec::Kind;
use runpm::session::spec::Launch;
use runpm::session::spec::Limit;
use runpm::session::spec::Spec;
use runpm::session::spec::Supervised;
use runpm::session::status::Attached;
use runpm::session::status::End;
use runpm::session::status::How;
use runpm::session::status::State;
use runpm::session::status::Status;
use runpm::session::tee::Policy;
use runpm::session::tee::Source;
use runpm::session::tee::Target;
use runpm::session::tee::TeeFile;
use runpm::session::tee::TeeOrder;
use runpm::session::tee::TeeSpec;
use runpm::session::tee::TeeState;
use runpm::session::tee::TeeStatus;
use runpm::session::terminal::Pixels;
use runpm::session::terminal::Terminal;
use runpm::session::terminal::Who;
use runpm::term::Size;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_bytes::ByteBuf;

fn golden_file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wire/v1.txt")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

struct Golden {
    kept: BTreeMap<String, String>,
    added: bool,
    faults: Vec<String>,
}

impl Golden {
    /// Old bytes must decode to this value, and this value must encode to the old bytes.
    fn holds<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(&mut self, name: &str, value: &T) {
        let now = hex(&message::encode(value));
        match self.kept.get(name) {
            None => {
                self.added = true;
                self.kept.insert(name.to_owned(), now);
            }
            Some(old) => {
                let decoded: Result<T, _> = message::decode(&unhex(old));
                if decoded.as_ref().ok() != Some(value) {
                    self.faults.push(format!("{name}: old bytes decode to {decoded:?}"));
                }
                if *old != now {
                    self.faults.push(format!("{name}: encodes to {now}, not {old}"));
                }
            }
        }
    }
}

fn who() -> Who {
    Who { user: "ann".into(), tty: Some("pts/1".into()), host: Some("::1".into()) }
}

fn terminal() -> Terminal {
    let pixels = Some(Pixels { width: 800, height: 600 });
    Terminal { term: "xterm".into(), size: Size::clamped(9, 9), pixels, ..Terminal::default() }
}

fn listing() -> verbs::Listing {
    verbs::Listing { sessions: vec![status()], errors: vec![WireError::new(Code::NoSuchSession, "no")] }
}

fn facts() -> Facts {
    let asked = Some(Asked { hard: true, by: "ann".into(), key: RequestKey(6), deadline_ns: 9 });
    let (strays, left) = (vec![(7, 8)], vec![(9, 1)]);
    Facts { name: "web".into(), asked, started_ms: 1, strays, left, ..Facts::default() }
}

fn status() -> Status {
    let end =
        End { status: Some(ExitStatus::Signal(9)), how: How::Killed, by: Some("ann".into()), at_ms: 7, left: vec![8] };
    let attached = Attached { who: who(), controls: true, raw: true, since_ms: 5, ..Attached::default() };
    Status {
        id: SessionId(3),
        name: "web".into(),
        kind: Kind::Pipe,
        state: State::Ended { end },
        command: "sh -c x".into(),
        argv: vec!["sh".into()],
        cwd: "/srv".into(),
        pid: 77,
        size: Size::clamped(30, 100),
        size_owner: SizeOwner::Smallest,
        merged: true,
        started_ms: 1,
        output_ms: 2,
        output_bytes: 3,
        oldest: 1,
        attached: vec![attached],
        title: Some("t".into()),
        tags: vec!["ci".into()],
        originator: Some("tool".into()),
        service: None,
        journal: None,
    }
}

fn launch() -> Launch {
    Launch {
        argv: vec![ByteBuf::from(&b"sh\xff"[..])],
        env: vec![ByteBuf::from(&b"A=b"[..])],
        cwd: ByteBuf::from(&b"/srv"[..]),
        umask: 0o22,
        limits: vec![Limit { resource: 7, soft: Some(1024), hard: None }],
    }
}

fn spec() -> Spec {
    Spec {
        name: Some("web".into()),
        kind: Kind::Pty,
        merge: false,
        size: Size::clamped(24, 80),
        tags: vec!["ci".into()],
        originator: None,
        history: 0,
        launch: launch(),
        journal: None,
        overlay: vec![ByteBuf::from(&b"B=c"[..])],
    }
}

fn tees(golden: &mut Golden) {
    let spec = TeeSpec {
        source: Source::Err,
        target: Target::File(ByteBuf::from(&b"/x\xff"[..])),
        policy: Policy::DropNewest,
        max_size: 4096,
        keep: 3,
        truncate: true,
        timestamps: true,
        strip: true,
    };
    let tee = verbs::Tee {
        key: RequestKey(6),
        target: "web".into(),
        spec: spec.clone(),
        from: verbs::TeeFrom::Offset(4),
        launch: Some(launch()),
    };
    golden.holds("tee", &tee);
    golden.holds("tee-started", &verbs::TeeStarted { id: TeeId(2), from: 4 });
    golden.holds("tees", &verbs::Tees { targets: vec!["web".into()] });
    let status = TeeStatus {
        state: TeeState::Running,
        offset: 1,
        written: 2,
        missed: 3,
        errno: 28,
        rotated: 4,
        exit: Some(ExitStatus::Code(5)),
        waiting: 6,
        reopened: 7,
        death: Some(ExitStatus::Signal(9)),
    };
    let info = verbs::TeeInfo {
        id: TeeId(2),
        session: SessionId(3),
        name: "web".into(),
        spec: spec.clone(),
        from: 4,
        status,
        pid: 7,
        started_ms: 8,
    };
    golden.holds("tee-listing", &verbs::TeeListing { tees: vec![info.clone()] });
    golden.holds("untee", &verbs::Untee { key: RequestKey(6), ids: vec![TeeId(2)], targets: vec!["web".into()] });
    golden.holds("unteed", &verbs::Unteed { tees: vec![info], errors: vec![WireError::new(Code::Failed, "no")] });
    golden.holds("read", &verbs::Read { target: "web".into(), from: 4, limit: 5, stream: Some(Stream::Out) });
    let bytes = ByteBuf::from(vec![0, 255]);
    golden.holds("flush", &verbs::Flush { key: RequestKey(6), targets: vec!["web".into()] });
    let flushed = verbs::FlushedSession { id: SessionId(3), name: "web".into(), bytes: 4 };
    golden.holds(
        "flushed",
        &verbs::Flushed { sessions: vec![flushed], errors: vec![WireError::new(Code::Failed, "no")] },
    );
    let wish = JournalSpec { service: Some("web".into()), segment: 1 << 20, segments: 3 };
    golden.holds("journal-spec", &wish);
    golden.holds("journal-facts", &JournalFacts { folder: "web.service".into(), segment: 1 << 20, segments: 3 });
    let journal = JournalStatus {
        folder: "web.service".into(),
        bytes: 1,
        segments: 2,
        oldest: 3,
        end: 4,
        since_ms: 5,
        dropped: 6,
        errno: 28,
    };
    golden.holds("journal-status", &journal);
    let outcome = verbs::Outcome { name: "web".into(), journal: Some(7), ..verbs::Outcome::default() };
    golden.holds("outcome-with-journal", &outcome);
    golden.holds("order-with-base", &Order { base: 9, launch: launch(), ..Order::default() });
    golden.holds("read-bytes", &verbs::ReadBytes { at: 4, bytes, next: 6, missed: 1, head: 9, ended: None });
    let file = TeeFile { path: ByteBuf::from(&b"/x\xff"[..]), device: 9, inode: 10 };
    golden.holds("tee-order", &TeeOrder { spec, from: 4, launch: Some(launch()), started_ms: 8, file: Some(file) });
    let handover = TeeHandover { id: TeeId(2), key: RequestKey(6), session: SessionId(3), pid: 7 };
    golden.holds("tee-handover", &ToDaemon::Tee(handover));
    golden.holds("tee-failed", &ToDaemon::TeeFailed { key: RequestKey(6), errno: 2 });
    golden.holds("tee-gone", &ToDaemon::TeeGone { id: TeeId(2), is_forgotten: true });
    let ask = TeeAsk { key: RequestKey(6), session: SessionId(3), hold: 5, has_input: true };
    golden.holds("keeper-tee", &ToKeeper::Tee(ask));
    golden.holds("keeper-untee", &ToKeeper::Untee { id: TeeId(2) });
}

/// One of each kind of event.
fn happenings() -> Vec<verbs::What> {
    use verbs::What;
    let who = || "ann".to_owned();
    let end = End { status: Some(ExitStatus::Code(3)), how: How::Natural, by: None, at_ms: 7, left: Vec::new() };
    vec![
        What::Started { pid: 7, command: "sh".into() },
        What::Title { title: "t".into() },
        What::Bell,
        What::Notification { title: "t".into(), body: "b".into() },
        What::Resized { size: Size::clamped(30, 100) },
        What::Attached { who: who(), controls: true, raw: true },
        What::Detached { who: who() },
        What::Stolen { by: "bob".into(), from: who() },
        What::Sent { by: who(), bytes: 3 },
        What::Stopping { by: who(), kill_at_ms: 4 },
        What::Ended { end },
        What::Removed,
    ]
}

#[test]
fn events_of_tomorrow_are_read_as_unknown_and_every_kind_has_a_name() {
    #[derive(Serialize)]
    struct Tomorrow {
        kind: &'static str,
        colour: u32,
    }
    let read: verbs::What =
        message::decode(&message::encode(&Tomorrow { kind: "painted", colour: 3 })).expect("readable");
    assert_eq!(read, verbs::What::Unknown);
    let kinds: Vec<&str> = happenings().iter().map(verbs::What::kind).collect();
    assert_eq!(kinds, verbs::KINDS);
}

fn processes(golden: &mut Golden) {
    let register = verbs::Register {
        pid: 7,
        start_time: 8,
        kind: "server".into(),
        command: "x".into(),
        cwd: "/srv".into(),
        originator: Some("ci:7".into()),
        containment: verbs::DETACHED.into(),
    };
    golden.holds("register", &register);
    golden.holds("unregister", &verbs::Unregister { pid: 7 });
    golden.holds("procs", &verbs::Procs { originator: "ci".into(), targets: vec!["web".into()] });
    let info = verbs::ProcessInfo {
        pid: 7,
        session: Some("web".into()),
        state: "running".into(),
        parent_alive: true,
        cpu_permille: 9,
        originator: Some("ci:7".into()),
        ..verbs::ProcessInfo::default()
    };
    golden.holds("processes", &verbs::Processes { processes: vec![info] });
    golden.holds("tree", &verbs::Tree { pid: 7 });
    let node = verbs::Node { pid: 7, parent: 1, depth: 1, name: "sh".into(), ..verbs::Node::default() };
    golden.holds("branches", &verbs::Branches { nodes: vec![node], truncated: true });
    golden.holds("kill-tree", &verbs::KillTree { pid: 7, start_time: 8, timeout_ms: 9 });
    golden.holds("ended", &verbs::Ended { ended: 2, left: vec![7] });
    golden.holds("orphans", &verbs::Orphans { kill: true, timeout_ms: 9 });
    let reasons = [verbs::Reason::Dead, verbs::Reason::PidReused, verbs::Reason::Unclear, verbs::Reason::Orphaned];
    let orphan = |reason| verbs::Orphan { pid: 7, reason, detail: "x".into(), ended: true, ..verbs::Orphan::default() };
    golden.holds("orphan-list", &verbs::OrphanList { orphans: reasons.map(orphan).into() });
}

fn events(golden: &mut Golden) {
    let (targets, kinds) = (vec!["web*".into()], vec!["bell".into()]);
    golden.holds("events", &verbs::Events { since: Some(8), epoch: Some(9), targets, kinds });
    golden.holds("subscribed", &verbs::Subscribed { epoch: 9, last: 8 });
    golden.holds("overrun", &verbs::Overrun { missed: 5, next: 6 });
    for what in happenings() {
        let name = format!("happened-{}", what.kind());
        golden.holds(&name, &verbs::Happened { seq: 1, at_ms: 2, id: SessionId(3), name: "web".into(), what });
    }
}

fn attachments(golden: &mut Golden) {
    let point = verbs::Point::Bytes(Stream::Err);
    golden.holds("torn", &verbs::Torn { channel: 1, at: 2 });
    golden.holds("mark", &verbs::Mark { channel: 1, at: 2, time_us: 3, point });
    let attached = verbs::Attached { id: SessionId(3), name: "web".into(), credit: 9, ..verbs::Attached::default() };
    golden.holds("attached", &attached);
    golden.holds("credit", &verbs::Credit { channel: 1, bytes: 2 });
    let resize = verbs::Resize { target: "web".into(), size: None, owner: Some(SizeOwner::Manual) };
    golden.holds("resize-verb", &resize);
    let rename = verbs::Rename { target: "web".into(), name: Some("shop".into()), tags: Some(vec!["ci".into()]) };
    golden.holds("rename", &rename);
    golden.holds(
        "signal",
        &verbs::Signal { key: RequestKey(6), targets: vec!["web".into()], signal: 2, ..verbs::Signal::default() },
    );
}

fn handed_over(golden: &mut Golden) {
    let handover = Handover {
        id: SessionId(3),
        key: RequestKey(6),
        kind: Kind::Pipe,
        pid: 7,
        start_time: 8,
        size: Size::default(),
        has_input: true,
        channels: vec![(9, 10)],
        group: Some("/sys/fs/cgroup/runpm-1-2/session-3".into()),
        run: 0,
        started_ms: 0,
    };
    golden.holds("handover", &ToDaemon::Session(handover.clone()));
    golden.holds("handover-again", &ToDaemon::Session(Handover { run: 4, started_ms: 9, ..handover }));
    golden.holds("respawn", &ToKeeper::Respawn { key: RequestKey(6), id: SessionId(3) });
}

fn services(golden: &mut Golden) {
    let env = vec![Variable { name: ByteBuf::from(&b"A"[..]), value: None, origin: Origin::Cli }];
    let spec = ServiceSpec { name: "web".into(), command: Command::of(&["sh"]), env, ..ServiceSpec::default() };
    let definition = Definition { spec, umask: 18, ..Definition::default() };
    let entry = verbs::Entry {
        definition: definition.clone(),
        replaces: true,
        restarts: true,
        starts: true,
        ..verbs::Entry::default()
    };
    let renewed = verbs::Entry { replaces: true, renews: true, ..verbs::Entry::default() };
    golden.holds("define", &verbs::Define { key: RequestKey(6), entries: vec![entry], wait_ms: 9 });
    golden.holds("define-renewed", &verbs::Define { entries: vec![renewed], ..verbs::Define::default() });
    let targets = vec!["web".to_owned()];
    let act = verbs::Act {
        key: RequestKey(6),
        deed: verbs::Deed::Restart,
        targets: targets.clone(),
        wait_ms: 9,
        ..Default::default()
    };
    golden.holds("act", &act);
    golden.holds("resurrect", &verbs::Resurrect { name: "a".into() });
    golden.holds("save", &verbs::Save { name: "a".into() });
    golden.holds("saved", &verbs::Saved { path: "/a".into(), services: 2 });
    golden.holds("why", &verbs::Why { targets: targets.clone() });
    golden.holds("definitions", &verbs::Definitions { targets, is_brief: false });
    golden.holds("definitions-brief", &verbs::Definitions { targets: Vec::new(), is_brief: true });
    golden.holds("definition-list", &verbs::DefinitionList { definitions: vec![definition.clone()] });
    let service = ServiceStatus {
        service: "web".into(),
        namespace: "default".into(),
        state: ServiceState::Backoff,
        wanted: Wanted::Up,
        goes_on: true,
        next_start_ms: 9,
        last: Some(machine::Why::Crashed),
        ..ServiceStatus::default()
    };
    let status = Status { service: Some(service), ..status() };
    let death =
        Death { number: 1, errno: Some(2), why: machine::Why::Crashed, lines: vec!["x".into()], ..Death::default() };
    let history = verbs::ServiceHistory { status: status.clone(), deaths: vec![death.clone()] };
    golden.holds("histories", &verbs::Histories { services: vec![history] });
    let acted = verbs::Acted { id: SessionId(3), name: "web".into(), status: Some(status), error: None };
    golden.holds("acts", &verbs::Acts { acts: vec![acted], unsaved: None });
    let mut machine = Machine::new(1);
    machine.on(machine::Event::Start { asked: true }, &machine::Rules::of(&definition.spec), 0);
    let supervised =
        Supervised { definition: Arc::new(definition), machine, died: 1, deaths: vec![death], ..Supervised::default() };
    golden.holds("facts-service", &Facts { run: 2, service: Some(supervised), ..Facts::default() });
}

#[test]
fn golden_bytes_of_every_message_are_read_and_written_unchanged() {
    let text = std::fs::read_to_string(golden_file()).unwrap_or_default();
    let kept =
        text.lines().filter_map(|line| line.split_once(' ')).map(|(name, hex)| (name.to_owned(), hex.to_owned()));
    let mut golden = Golden { kept: kept.collect(), added: false, faults: Vec::new() };
    let hello = Hello { version: "0.1.0".into(), pid: 9, who: who(), ..Hello::ours(9, Who::default(), None) };
    golden.holds("hello", &hello);
    golden.holds("request", &Request { id: 5, verb: "list".into(), body: ByteBuf::from(vec![0x80]) });
    let error = WireError::new(Code::NoSuchSession, "no").hint("do");
    golden.holds("reply", &Reply { id: 5, body: None, error: Some(error) });
    golden.holds("event", &Event { name: "changed".into(), body: ByteBuf::from(vec![0x80]) });
    golden.holds("list", &verbs::List { targets: vec!["all".into()] });
    golden.holds("listing", &listing());
    golden.holds("run", &verbs::Run { key: RequestKey(6), spec: spec(), follows: true });
    let attach = verbs::Attach {
        channel: 1,
        target: "web".into(),
        resume: Some(9),
        terminal: Some(terminal()),
        ..verbs::Attach::default()
    };
    golden.holds("attach", &attach);
    let filter = verbs::Filter { originator: "ci".into(), older_than_ms: 9 };
    golden.holds(
        "stop",
        &verbs::Stop {
            key: RequestKey(6),
            targets: vec!["web".into()],
            grace_ms: 5000,
            filter: filter.clone(),
            is_default: false,
        },
    );
    golden.holds("remove", &verbs::Remove { targets: vec!["web".into()], filter });
    golden.holds(
        "outcomes",
        &verbs::Outcomes { outcomes: vec![verbs::Outcome { skipped: true, ..Default::default() }], left: vec![7] },
    );
    golden.holds(
        "send",
        &verbs::Send {
            key: RequestKey(6),
            target: "web".into(),
            bytes: ByteBuf::from(vec![0, 255]),
            eof: true,
            keys: Some("C-c".into()),
            paste: true,
            enter: true,
            patience_ms: 9,
        },
    );
    golden.holds("sent", &verbs::Sent { at: 7, repeated: true });
    events(&mut golden);
    golden.holds(
        "logs",
        &verbs::Logs {
            channel: 1,
            target: "web".into(),
            from: verbs::From::Offset(4),
            follow: true,
            ..verbs::Logs::default()
        },
    );
    let part = verbs::Logs { from: verbs::From::Bytes(9), most: Some(5), ..verbs::Logs::default() };
    golden.holds("logs-part", &part);
    let since = verbs::Logs { target: "web".into(), from: verbs::From::Since(5), ..verbs::Logs::default() };
    golden.holds("logs-since", &since);
    let screen = verbs::ScreenOf { target: "web".into(), ansi: false, channel: Some(1), above: 2 };
    golden.holds("screen", &screen);
    golden.holds("screen-text", &verbs::ScreenText { text: "x".into(), size: Size::clamped(9, 9), above: 2 });
    attachments(&mut golden);
    golden.holds("stolen", &verbs::Stolen { channel: 1, by: "bob".into(), at_ms: 3 });
    golden.holds("reload", &verbs::Reload {});
    golden.holds("reloaded", &verbs::Reloaded {});
    golden.holds("clipboard", &verbs::Clipboard { channel: 1, selection: "c".into(), base64: "eA==".into() });
    golden.holds("closed", &verbs::Closed { channel: 1, end: None });
    golden.holds("drawn", &verbs::Drawn { channel: 1, frame: 2 });
    processes(&mut golden);
    golden.holds("facts", &facts());
    golden.holds("order", &Order { kind: Kind::Pty, ring: 4096, launch: launch(), ..Order::default() });
    handed_over(&mut golden);
    services(&mut golden);
    golden.holds("spawn-failed", &ToDaemon::SpawnFailed { key: RequestKey(6), stage: Stage::Exec, errno: 2 });
    golden.holds("resize", &ToKeeper::Resize { id: SessionId(3), size: Size::clamped(30, 100), pixels: None });
    tees(&mut golden);

    assert!(golden.faults.is_empty(), "{}", golden.faults.join("\n"));
    if golden.added {
        assert!(
            std::env::var_os("RUNPM_BLESS").is_some(),
            "a message has no golden bytes: run once with RUNPM_BLESS=1"
        );
        let text: String = golden.kept.iter().map(|(name, hex)| format!("{name} {hex}\n")).collect();
        std::fs::write(golden_file(), text).expect("a file");
    }
}

#[test]
fn w95_older_and_newer_peers_understand_each_other() {
    #[derive(Serialize)]
    struct Newer {
        targets: Vec<String>,
        a_field_of_tomorrow: u32,
    }
    #[derive(Serialize)]
    struct Tomorrow {
        code: &'static str,
        message: &'static str,
    }
    let newer = Newer { targets: vec!["web".into()], a_field_of_tomorrow: 7 };
    let read: verbs::List = message::decode(&message::encode(&newer)).expect("unknown fields are skipped");
    assert_eq!(read.targets, ["web"]);
    // An older peer sends nothing of what it does not know.
    let empty: verbs::Attach = message::decode(&[0x80]).expect("missing fields have defaults");
    assert_eq!(empty, verbs::Attach::default());
    let error: WireError =
        message::decode(&message::encode(&Tomorrow { code: "new-code", message: "x" })).expect("readable");
    assert_eq!((error.code, error.message.as_str()), (Code::Failed, "x"));
}

#[test]
fn k13_what_follows_a_message_is_refused() {
    let mut bytes = message::encode(&verbs::List::default());
    bytes.push(0xc0);
    assert!(message::decode::<verbs::List>(&bytes).is_err());
}

#[test]
fn k13_a_forged_length_allocates_nothing_and_deep_nesting_is_refused() {
    // `targets` as an array of 2^32 - 1 strings, of which none follows.
    let forged = [&[0x81, 0xa7][..], b"targets", &[0xdd, 0xff, 0xff, 0xff, 0xff]].concat();
    assert!(message::decode::<verbs::List>(&forged).is_err());
    let nested = vec![0x91; 200_000];
    assert!(message::decode::<verbs::List>(&nested).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn k13_random_bytes_never_panic_a_decoder(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = message::decode::<Request>(&bytes);
        let _ = message::decode::<verbs::Run>(&bytes);
        let _ = message::decode::<verbs::Listing>(&bytes);
        let _ = message::decode::<ToDaemon>(&bytes);
        let _ = message::decode::<Order>(&bytes);
        let _ = message::decode::<TeeOrder>(&bytes);
        let _ = message::decode::<runpm::term::Frame>(&bytes);
    }
}
