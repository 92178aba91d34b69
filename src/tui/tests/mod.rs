//! Tests of the dashboard that need no terminal, and the driver they share.
//!
//! The real thing on a terminal of its own is in `tests/tui.rs`.

mod actions;
mod anything;
mod app;
mod copying;
mod emacs;
mod keys;
mod logs;
mod looks;
mod more;
mod reading;
mod rest;
mod services;
mod snapshots;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::history::ExitStatus;
use crate::protocol::error::Code;
use crate::protocol::error::WireError;
use crate::protocol::frame::Bulk;
use crate::protocol::message;
use crate::protocol::verbs;
use crate::session::id::SessionId;
use crate::session::sizing::SizeOwner;
use crate::session::spec::Kind;
use crate::session::status;
use crate::session::status::End;
use crate::session::status::How;
use crate::session::status::State;
use crate::session::status::Status;
use crate::session::terminal::Who;
use crate::term::Base;
use crate::term::Size;
use crate::tui::Left;
use crate::tui::Options;
use crate::tui::action;
use crate::tui::action::Context;
use crate::tui::app::Answer;
use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::Control;
use crate::tui::app::Effect;
use crate::tui::app::Focus;
use crate::tui::app::Msg;
use crate::tui::app::Now;
use crate::tui::app::Overlay;
use crate::tui::input::Token;
use crate::tui::input::Tokeniser;
use crate::tui::input::What;
use crate::tui::key::Code as KeyCode;
use crate::tui::key::Key;
use crate::tui::key::Mods;
use crate::tui::layout::Screen;
use crate::tui::view;

const MS: u64 = 1_000_000;

fn tokens(bytes: &[u8]) -> Vec<Token> {
    let (mut tokeniser, mut tokens) = (Tokeniser::default(), Vec::new());
    tokeniser.feed(bytes, 0, false, &mut tokens);
    tokeniser.expire(1000 * MS, &mut tokens);
    tokens
}

/// An app at 120x40 with helpers to drive it.
struct Driver {
    app: App,
    now: Now,
    effects: Vec<Effect>,
}

impl Driver {
    fn new(options: Options, cols: u16, rows: u16) -> Self {
        let app = App::new(options, Screen { cols, rows }, vec![77]);
        let mut driver =
            Self { app, now: Now { mono: 1_000_000 * MS, wall_ms: 1_700_000_000_000 }, effects: Vec::new() };
        driver.tell(Msg::Connected);
        driver
    }

    fn dashboard(sessions: Vec<Status>) -> Self {
        let mut driver = Self::new(Options::default(), 120, 40);
        driver.answer(Ask::Subscribe, Answer::Listing(sessions));
        driver.attach();
        driver
    }

    fn tell(&mut self, msg: Msg) -> Vec<Effect> {
        self.effects = self.app.update(msg, self.now);
        self.effects.clone()
    }

    fn answer(&mut self, ask: Ask, answer: Answer) -> Vec<Effect> {
        self.tell(Msg::Reply(ask, Ok(answer)))
    }

    /// Lets the daemon agree to the last watching.
    fn attach(&mut self) -> Vec<Effect> {
        let channel = self.app.panes.focused().channel();
        let id = SessionId(self.app.panes.focused().target().parse().unwrap_or(1));
        let attached = verbs::Attached { id, name: "web".into(), ..verbs::Attached::default() };
        self.answer(Ask::Watch { channel, target: id.to_string() }, Answer::Attached(attached))
    }

    fn take(&mut self) -> Vec<Effect> {
        let channel = self.app.panes.focused().channel();
        self.answer(Ask::Take { channel, steal: false, size: Size::default() }, Answer::Done)
    }

    fn keys(&mut self, names: &str) -> Vec<Effect> {
        let bytes = names.split(' ').flat_map(|name| name.parse::<Key>().expect(name).bytes(false).expect(name));
        let tokens = tokens(&bytes.collect::<Vec<u8>>());
        self.tell(Msg::Input(tokens))
    }

    fn later(&mut self, ms: u64) {
        self.now.mono += ms * MS;
        self.now.wall_ms += ms;
    }

    fn frame(&mut self, size: Size, bytes: &[u8]) -> Vec<Effect> {
        let channel = self.app.panes.focused().channel();
        self.tell(Msg::Bulk(frame_of(channel, size, bytes)))
    }

    fn screen(&self, cols: u16, rows: u16) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, cols, rows));
        view::render(&self.app, &mut buffer);
        let line = |y| (0..cols).map(|x| buffer[(x, y)].symbol().to_owned()).collect::<String>();
        (0..rows).map(|y| line(y).trim_end().to_owned() + "\n").collect()
    }
}

fn frame_of(channel: u32, size: Size, bytes: &[u8]) -> Bulk {
    let mut screen = crate::term::Screen::new(size);
    screen.feed(bytes);
    let frame = Base::new().frame(&screen).expect("a first frame");
    Bulk { channel, more: false, at: 1, bytes: message::encode(&frame) }
}

fn session(id: u64, name: &str) -> Status {
    Status {
        size_owner: SizeOwner::default(),
        merged: false,
        id: SessionId(id),
        name: name.to_owned(),
        kind: Kind::Pty,
        state: State::Running,
        command: format!("{name} --serve"),
        argv: vec![name.to_owned()],
        cwd: "/srv".to_owned(),
        pid: 4000 + id as u32,
        size: Size::default(),
        started_ms: 1_699_999_000_000,
        output_ms: 1_699_999_990_000,
        output_bytes: 9,
        oldest: 0,
        attached: Vec::new(),
        title: None,
        tags: Vec::new(),
        originator: None,
        service: None,
        journal: None,
    }
}

fn ended(mut status: Status, code: u8) -> Status {
    let end = End {
        status: Some(ExitStatus::Code(code)),
        how: How::Natural,
        by: None,
        at_ms: 1_699_999_995_000,
        left: Vec::new(),
    };
    status.state = State::Ended { end };
    status
}

fn asks(effects: &[Effect]) -> Vec<&Ask> {
    effects.iter().filter_map(|effect| if let Effect::Ask(ask) = effect { Some(ask) } else { None }).collect()
}

fn typed(effects: &[Effect]) -> Vec<u8> {
    effects
        .iter()
        .flat_map(|effect| if let Effect::Input { bytes, .. } = effect { bytes.clone() } else { Vec::new() })
        .collect()
}
