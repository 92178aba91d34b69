//! A tee: the process that copies what a session says to a file or a command, `rpm-tee`.
//!
//! It is a child of the keeper, so no death of the daemon touches it: it maps the session's history itself, read-only,
//! holds its own cursor, and may wait for its target without slowing anybody. What it did is in its status memory at any
//! time. What it copies is decided by the pure parts ([`Cook`], `rotation`, `feed`); here is the loop around them.

mod cook;
mod feed;
mod rotation;
mod target;

use std::io;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::sync::atomic::fence;

use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::time::Timespec;

use crate::history::ExitStatus;
use crate::history::Memory;
use crate::history::Reader;
use crate::platform::bell::Bell;
use crate::platform::clock;
use crate::platform::link::Link;
use crate::platform::memory;
use crate::platform::memory::Access;
use crate::platform::memory::Mapping;
use crate::platform::process;
use crate::platform::signals::Signals;
use crate::protocol::keeper::ORDER_LIMIT;
use crate::protocol::keeper::PACKET;
use crate::protocol::message;
use crate::session::tee;
use crate::session::tee::Source;
use crate::session::tee::TeeOrder;
use crate::session::tee::TeeState;
use crate::session::tee::TeeStatus;
use crate::session::tee::word;

pub use self::cook::Cook;
use self::feed::Feed;
use self::feed::Seen;
use self::target::Target;

/// Time to bring everything to its end once nobody wants more.
const GRACE_NS: u64 = 2_000_000_000;
/// After a failed write, no other one for so long.
const PAUSE_NS: u64 = 250_000_000;
/// Tries that need no news; then only a bell makes another one.
const TRIES: u32 = 5;
/// What was typed just before an exit may come this much later.
const LINGER_NS: u64 = 100_000_000;
/// Bytes of input read at once.
const PIECE: usize = 64 << 10;

/// Runs a tee; the keeper gave `link` as standard input, and sends everything else over it.
pub fn run(link: OwnedFd) -> io::Result<()> {
    process::set_name(c"rpm-tee");
    let signals = Signals::catch(&[libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGPIPE, libc::SIGXFSZ])?;
    let link = Link::from_fd(link, PACKET);
    wait(&[(link.as_fd(), PollFlags::IN)], None)?;
    let Some((_, fds)) = link.receive()? else { return Ok(()) };
    let mut fds = fds.into_iter();
    let mut next = || fds.next().ok_or_else(|| io::Error::other("a tee came with too few descriptors"));
    let memory = Mapping::open(next()?, Access::Write)?;
    let data = Mapping::open(next()?, Access::Read)?;
    let control = Mapping::open(next()?, Access::Read)?;
    let (bell, daemon_bell) = (Bell::from_fd(next()?), Bell::from_fd(next()?));
    let parcel = memory::unpack(next()?, ORDER_LIMIT)?;
    let order: TeeOrder = message::decode(&parcel).map_err(io::Error::other)?;
    let file = matches!(order.spec.target, tee::Target::File(_)).then(&mut next).transpose()?;
    let input = (order.spec.source == Source::In).then(&mut next).transpose()?;
    let spec = &order.spec;
    let stamps: Option<cook::TimeText> = spec.timestamps.then_some(time_text);
    let reader = Reader::open(data, control).map_err(io::Error::other)?;
    let feed = Feed::new(reader, order.from, spec.source, spec.policy, Cook::new(spec.strip, stamps));
    let status = TeeStatus { offset: order.from, ..TeeStatus::default() };
    let target = match Target::open(&order, file) {
        Ok(target) => target,
        Err(error) => {
            let errno = error.raw_os_error().unwrap_or(libc::EINVAL);
            TeeStatus { state: TeeState::Failed, errno, ..status }.write(&memory);
            return Ok(());
        }
    };
    let holds = input.is_none();
    let helper = Helper {
        feed,
        target,
        input,
        holds,
        memory,
        status: TeeStatus { state: TeeState::Running, ..status },
        bell,
        daemon_bell,
        signals,
        link,
        deadline: None,
        failures: 0,
    };
    helper.live()
}

/// Writes when something was said.
fn time_text(monotonic: u64) -> String {
    clock::rfc3339_us(clock::wall_us_of(monotonic))
}

/// How a write went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Write {
    /// There was nothing to write.
    Idle,
    /// Some was taken.
    Some,
    /// Nothing is taken now.
    Blocked,
    /// It failed; the bytes still wait.
    Failed,
}

struct Helper {
    feed: Feed<Mapping>,
    target: Target,
    /// Where input comes from, for a tee of it.
    input: Option<OwnedFd>,
    /// The cursor holds the trim line.
    holds: bool,
    memory: Mapping,
    status: TeeStatus,
    /// The keeper rings it.
    bell: Bell,
    /// We ring it when the trim line may move.
    daemon_bell: Bell,
    signals: Signals,
    link: Link,
    /// When everything has to be over, once nobody wants more.
    deadline: Option<u64>,
    /// Failed writes since the last good one.
    failures: u32,
}

impl Helper {
    fn live(mut self) -> io::Result<()> {
        loop {
            self.listen();
            let seen = self.feed.seen();
            self.read_input();
            self.feed.take();
            let went = self.write();
            self.publish();
            if let Some(exit) = self.target.exit() {
                self.end_early(exit);
                return Ok(());
            }
            let is_over = self.deadline.is_some_and(|deadline| clock::monotonic_ns() >= deadline);
            if is_over || (self.feed.waiting().is_empty() && self.feed.is_complete(seen)) {
                self.linger()?;
                return self.end();
            }
            if self.status.state == TeeState::Failed && self.target.writable().is_none() {
                // A command that reads no more: nothing is left to do but to see it end.
                self.feed.give_up();
            }
            match went {
                Write::Some => {}
                Write::Idle => self.sleep_until_news(seen, None)?,
                Write::Blocked => self.sleep_until_writable(seen)?,
                Write::Failed => self.sleep_after_failure(seen)?,
            }
        }
    }

    fn is_input(&self) -> bool {
        self.input.is_some()
    }

    /// Who asks us to end, and the end of the keeper, limit what is still wanted.
    fn listen(&mut self) {
        let is_asked = std::iter::from_fn(|| self.signals.next()).any(|signal| signal == libc::SIGTERM);
        let is_orphan = matches!(self.link.receive(), Ok(None));
        if (is_asked || is_orphan) && self.deadline.is_none() {
            self.feed.stop_here();
            self.deadline = Some(clock::monotonic_ns() + GRACE_NS);
        }
    }

    /// Takes input at once: the pipe is no queue, so that the policy decides what goes.
    fn read_input(&mut self) {
        let Some(input) = &self.input else { return };
        let mut buffer = vec![0; PIECE];
        while let Ok(len @ 1..) = rustix::io::read(input, &mut buffer) {
            self.feed.take_input(&buffer[..len], clock::monotonic_ns());
        }
    }

    /// The daemon passes input on after it was written, so the exit that it led to may be seen first.
    fn linger(&mut self) -> io::Result<()> {
        if self.is_input() && self.deadline.is_none() {
            self.sleep(&[], Some(clock::monotonic_ns() + LINGER_NS))?;
        }
        self.read_input();
        self.write();
        Ok(())
    }

    fn write(&mut self) -> Write {
        let waiting = self.feed.waiting();
        if waiting.is_empty() {
            return Write::Idle;
        }
        match self.target.write(waiting) {
            Ok(len) => {
                self.feed.took(len);
                self.status.written += len as u64;
                self.status.errno = 0;
                self.failures = 0;
                Write::Some
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Write::Blocked,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Write::Some,
            Err(error) => {
                self.status.errno = error.raw_os_error().unwrap_or(libc::EIO);
                self.failures += 1;
                if matches!(self.target, Target::Command(_)) {
                    self.target.close();
                    self.status.state = TeeState::Failed;
                }
                Write::Failed
            }
        }
    }

    /// Says where it stands; a cursor that holds the trim line wakes the daemon when a program waits for it.
    fn publish(&mut self) {
        self.status.offset = self.feed.offset();
        self.status.missed = self.feed.missed();
        self.status.waiting = self.feed.waiting().len() as u64;
        self.status.rotated = self.target.rotated();
        self.status.reopened = self.target.reopened();
        if let Some(file) = self.target.identity() {
            self.memory.store(word::DEVICE, file.device);
            self.memory.store(word::INODE, file.inode);
        }
        self.status.write(&self.memory);
        if self.holds {
            // A target that fails holds nobody: the history is the queue until it works again.
            let hold = if self.failures == 0 { self.feed.offset() + 1 } else { 0 };
            self.hold(hold);
        }
    }

    fn hold(&self, hold: u64) {
        if self.memory.load(word::HOLD) != hold {
            self.memory.store(word::HOLD, hold);
            fence(Ordering::SeqCst);
            if self.feed.is_stalled() {
                self.daemon_bell.ring();
            }
        }
    }

    /// Sleeps until the keeper has published something that was not seen.
    fn sleep_until_news(&mut self, seen: Seen, at: Option<u64>) -> io::Result<()> {
        self.memory.store(word::ARMED, 1);
        fence(Ordering::SeqCst);
        if self.feed.seen() != seen {
            return Ok(());
        }
        let bell = self.bell.as_fd().try_clone_to_owned()?;
        self.sleep(&[(bell.as_fd(), PollFlags::IN)], at)?;
        self.bell.hush();
        Ok(())
    }

    /// With nothing taken, the history is the queue, unless what waits is what is kept and there is room for more.
    fn sleep_until_writable(&mut self, seen: Seen) -> io::Result<()> {
        self.feed.skip_newest();
        self.publish();
        let Some(fd) = self.target.writable().map(|fd| fd.try_clone_to_owned()).transpose()? else { return Ok(()) };
        let bell = self.bell.as_fd().try_clone_to_owned()?;
        let mut fds = vec![(fd.as_fd(), PollFlags::OUT)];
        if !self.feed.is_full() && !self.is_input() {
            self.memory.store(word::ARMED, 1);
            fence(Ordering::SeqCst);
            if self.feed.seen() != seen {
                return Ok(());
            }
            fds.push((bell.as_fd(), PollFlags::IN));
        }
        self.sleep(&fds, None)?;
        self.bell.hush();
        self.feed.skip_newest();
        Ok(())
    }

    /// Tries again after a while, some times by itself, then when there is news.
    fn sleep_after_failure(&mut self, seen: Seen) -> io::Result<()> {
        let now = clock::monotonic_ns();
        if self.target.writable().is_none() {
            return self.sleep(&[], None);
        }
        self.sleep(&[], Some(now + PAUSE_NS))?;
        if self.failures < TRIES {
            self.sleep_until_news(seen, Some(now + (PAUSE_NS << self.failures)))?;
        } else if self.feed.is_complete(seen) {
            // Nothing will come any more that could make another try worth while.
            self.deadline.get_or_insert(now);
        } else {
            self.sleep_until_news(seen, None)?;
        }
        self.feed.skip_newest();
        Ok(())
    }

    /// Sleeps until one of these is ready, somebody asks, the command ends, input comes, or `at`.
    fn sleep(&self, fds: &[(BorrowedFd<'_>, PollFlags)], at: Option<u64>) -> io::Result<()> {
        let mut all = vec![(self.signals.as_fd(), PollFlags::IN)];
        if self.deadline.is_none() {
            all.push((self.link.as_fd(), PollFlags::IN));
        }
        all.extend(self.target.process().map(|process| (process, PollFlags::IN)));
        all.extend(self.input.as_ref().map(|input| (input.as_fd(), PollFlags::IN)));
        all.extend(fds);
        let until = [at, self.deadline].into_iter().flatten().min();
        wait(&all, until)
    }

    /// The command ended before there was nothing left to say.
    fn end_early(&mut self, exit: ExitStatus) {
        self.status.exit = Some(exit);
        self.status.state = TeeState::Failed;
        self.status.errno = libc::EPIPE;
        self.feed.give_up();
        self.leave();
    }

    /// All that was wanted was taken, or time is up.
    fn end(mut self) -> io::Result<()> {
        if !self.feed.waiting().is_empty() {
            self.status.state = TeeState::Failed;
        }
        self.feed.give_up();
        self.hold(0);
        self.target.close();
        while self.target.process().is_some() {
            if let Some(exit) = self.target.exit() {
                self.status.exit = Some(exit);
                break;
            }
            self.publish_rest();
            self.listen();
            if self.deadline.is_some_and(|deadline| clock::monotonic_ns() >= deadline) {
                self.target.kill();
                self.deadline = None;
            }
            self.sleep(&[], None)?;
        }
        let is_well =
            self.status.state == TeeState::Running && matches!(self.status.exit, None | Some(ExitStatus::Code(0)));
        self.status.state = if is_well { TeeState::Done } else { TeeState::Failed };
        self.leave();
        Ok(())
    }

    fn publish_rest(&mut self) {
        self.holds = false;
        self.publish();
    }

    fn leave(&mut self) {
        self.hold(0);
        self.publish_rest();
    }
}

/// Polls; `until` is a monotonic time.
fn wait(fds: &[(BorrowedFd<'_>, PollFlags)], until: Option<u64>) -> io::Result<()> {
    let mut polled: Vec<PollFd<'_>> = fds.iter().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
    let left = until.map(|until| {
        let left = until.saturating_sub(clock::monotonic_ns());
        Timespec { tv_sec: (left / 1_000_000_000) as i64, tv_nsec: (left % 1_000_000_000) as i64 }
    });
    match rustix::event::poll(&mut polled, left.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
