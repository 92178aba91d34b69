//! One session as the keeper owns it: its process, its descriptors, its memories.
//!
//! *Invariant:* the exit is published after every byte that the process wrote before it.

use std::io;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::process::Signal;

use crate::history::ExitStatus;
use crate::history::SLOTS_LEN;
use crate::history::Slot;
use crate::history::Slots;
use crate::history::Stream;
use crate::history::Writer;
use crate::history::layout;
use crate::platform::cgroup;
use crate::platform::cgroup::Branch;
use crate::platform::clock;
use crate::platform::exec::Pad;
use crate::platform::exec::SpawnError;
use crate::platform::exec::failed;
use crate::platform::memory::Length;
use crate::platform::memory::Mapping;
use crate::platform::process;
use crate::platform::process::Handle;
use crate::platform::spawn;
use crate::platform::spawn::Spawned;
use crate::platform::tty;
use crate::protocol::keeper::HELD;
use crate::protocol::keeper::Handover;
use crate::protocol::keeper::Order;
use crate::protocol::keeper::Stage;
use crate::session::id::RequestKey;
use crate::session::id::SessionId;
use crate::session::spec::Kind;
use crate::session::terminal::Pixels;
use crate::term::Size;

/// Most bytes of one read: large enough for a pipe, small enough to be fair.
const READ: usize = 64 << 10;
/// Most bytes taken after an exit; no pipe or terminal buffers more, so what follows was written later.
const LAST_WORDS: usize = 1 << 20;

/// How one read of an output went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pumped {
    /// So many bytes were published.
    Bytes(usize),
    /// Nothing to read now.
    Empty,
    /// No room at the trim line.
    Full,
    /// Nobody has the terminal open any more; somebody may open it again.
    Unheld,
    /// Nothing will ever come again.
    Ended,
}

/// How an output is waited for at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// For bytes.
    Bytes,
    /// Not at all: there is no room.
    Room,
    /// For somebody to open the terminal again.
    Holder,
}

struct Output {
    stream: Stream,
    fd: OwnedFd,
    waiting: Waiting,
}

/// A session.
pub struct Owned {
    /// What the daemon is told about it.
    pub handover: Handover,
    writer: Writer<Arc<Mapping>>,
    slots: Arc<Mapping>,
    process: Handle,
    outputs: Vec<Output>,
    /// Ended outputs that may still be watched: the set holds the open file, which duplicates keep open.
    ended: Vec<OwnedFd>,
    input: Option<OwnedFd>,
    /// The exit, not yet published.
    unpublished: Option<ExitStatus>,
    has_exited: bool,
    /// What its run speaks into besides its outputs: open, and never read here.
    held: Vec<OwnedFd>,
}

/// What the keeper has for every start.
pub struct Around<'a> {
    /// Where children start.
    pub pad: &'a mut Pad,
    /// Where sessions get control groups, if anywhere.
    pub branch: Option<&'a Branch>,
    /// What is to be held for the run.
    pub held: Vec<OwnedFd>,
}

impl Around<'_> {
    fn take_held(&mut self) -> Vec<OwnedFd> {
        self.held.truncate(HELD);
        std::mem::take(&mut self.held)
    }
}

impl Owned {
    /// Makes the memories and starts the program.
    pub fn start(id: SessionId, key: RequestKey, order: &Order, around: &mut Around<'_>) -> Result<Self, SpawnError> {
        let ring = layout::ring_size(order.ring as usize);
        let (writer, slots) = memories(ring, order.base, &order.facts).map_err(|error| SpawnError {
            stage: Stage::Memory,
            errno: error.raw_os_error().unwrap_or(libc::ENOMEM),
        })?;
        let (group, door) = around.branch.and_then(|branch| branch.add(&format!("session-{id}")).ok()).unzip();
        let spawned = spawn::spawn(order, key, around.pad, door.as_ref().map(AsFd::as_fd))
            .inspect_err(|_| group.iter().for_each(|group| cgroup::remove(group)))?;
        let start_time = born(&spawned)?;
        let handover = Handover {
            id,
            key,
            kind: order.kind,
            pid: spawned.pid,
            start_time,
            size: order.size,
            has_input: true,
            channels: spawned.channels,
            group: group.and_then(|group| group.into_os_string().into_string().ok()),
            run: 0,
            started_ms: 0,
        };
        Ok(Self {
            handover,
            writer,
            slots,
            process: spawned.process,
            outputs: spawned
                .outputs
                .into_iter()
                .map(|(stream, fd)| Output { stream, fd, waiting: Waiting::Bytes })
                .collect(),
            ended: Vec::new(),
            input: Some(spawned.input),
            unpublished: None,
            has_exited: false,
            held: around.take_held(),
        })
    }

    /// Starts its program again in the same memories, once the run before has ended and was published.
    ///
    /// What the old run's outputs still hold is taken first, so that it lies before the new start; who still has them open
    /// writes into nothing from then on.
    pub fn respawn(&mut self, key: RequestKey, order: &Order, around: &mut Around<'_>) -> Result<(), SpawnError> {
        if !self.has_exited || self.unpublished.is_some() {
            return Err(SpawnError { stage: Stage::Request, errno: libc::EBUSY });
        }
        let streams: Vec<Stream> = self.outputs.iter().map(|output| output.stream).collect();
        if streams.iter().any(|stream| self.pump_all(*stream) == Pumped::Full) {
            return Err(SpawnError { stage: Stage::Request, errno: libc::EAGAIN });
        }
        let door = self.handover.group.as_ref().and_then(|group| cgroup::door(group.as_ref()).ok());
        let spawned = spawn::spawn(order, key, around.pad, door.as_ref().map(AsFd::as_fd))?;
        let start_time = born(&spawned)?;
        for stream in streams {
            self.end(stream);
        }
        let run = self.handover.run.wrapping_add(1);
        self.handover = Handover {
            key,
            pid: spawned.pid,
            start_time,
            channels: spawned.channels,
            run,
            started_ms: clock::wall_ms(),
            ..self.handover.clone()
        };
        self.process = spawned.process;
        let waiting = Waiting::Bytes;
        self.outputs = spawned.outputs.into_iter().map(|(stream, fd)| Output { stream, fd, waiting }).collect();
        self.input = Some(spawned.input);
        self.held = around.take_held();
        self.has_exited = false;
        let now = clock::monotonic_ns();
        self.writer.started(run, now);
        if self.handover.kind == Kind::Pty {
            self.writer.resized(order.size.rows(), order.size.cols(), now);
        }
        Ok(())
    }

    /// Returns the process, to wait for.
    pub fn process(&self) -> BorrowedFd<'_> {
        self.process.as_fd()
    }

    /// Returns whether its first process still has to be reaped by its handle.
    pub const fn is_unreaped(&self) -> bool {
        self.unpublished.is_none() && !self.has_exited
    }

    /// Returns whether its first process was reaped and nobody was told yet.
    pub const fn has_unpublished_exit(&self) -> bool {
        self.unpublished.is_some()
    }

    /// Returns the outputs that have not ended.
    pub fn outputs(&self) -> impl Iterator<Item = (Stream, BorrowedFd<'_>)> {
        self.outputs.iter().map(|output| (output.stream, output.fd.as_fd()))
    }

    /// Notes how an output is waited for; returns its descriptor if that changed.
    pub fn wait_for(&mut self, stream: Stream, waiting: Waiting) -> Option<BorrowedFd<'_>> {
        let output = self.outputs.iter_mut().find(|output| output.stream == stream)?;
        let is_changed = output.waiting != waiting;
        output.waiting = waiting;
        is_changed.then(|| output.fd.as_fd())
    }

    /// Returns the streams that wait for room.
    pub fn full_streams(&self) -> Vec<Stream> {
        let full = self.outputs.iter().filter(|output| output.waiting == Waiting::Room);
        full.map(|output| output.stream).collect()
    }

    /// Returns the outputs that ended since the last call, to be watched no longer.
    pub fn take_ended(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.ended)
    }

    /// Moves what one output has, at most one read of it, into the history.
    pub fn pump(&mut self, stream: Stream) -> Pumped {
        let Some(output) = self.outputs.iter().find(|output| output.stream == stream) else { return Pumped::Ended };
        let Some(landing) = self.writer.landing(READ) else { return Pumped::Full };
        let read = self.writer.data().read_from(output.fd.as_fd(), landing.at, landing.len);
        let error = match read {
            Ok(0) => None,
            Ok(len) => {
                self.writer.commit(len, stream, clock::monotonic_ns());
                return Pumped::Bytes(len);
            }
            Err(error) => Some(error),
        };
        self.writer.retract();
        match error.as_ref().and_then(io::Error::raw_os_error) {
            Some(libc::EAGAIN | libc::EINTR | libc::ENOMEM) => return Pumped::Empty,
            // EIO from a master: no slave is open. While the program lives it may open one again.
            Some(libc::EIO) if self.is_unreaped() => return Pumped::Unheld,
            _ => {}
        }
        self.end(stream);
        Pumped::Ended
    }

    fn end(&mut self, stream: Stream) {
        let ended = self.outputs.extract_if(.., |output| output.stream == stream);
        self.ended.extend(ended.map(|output| output.fd));
        self.writer.ended(stream);
        if self.outputs.is_empty() && !self.is_unreaped() {
            self.input = None;
        }
    }

    /// Reaps the first process if it has died.
    pub fn reap(&mut self) -> bool {
        if self.is_unreaped() {
            self.unpublished = self.process.reap();
        }
        self.unpublished.is_some()
    }

    /// Publishes a reaped exit once everything said before it is in the history; `false` if it has to wait for room.
    pub fn publish_exit(&mut self) -> bool {
        let Some(status) = self.unpublished else { return true };
        let streams: Vec<Stream> = self.outputs.iter().map(|output| output.stream).collect();
        for stream in streams {
            if self.pump_all(stream) == Pumped::Full {
                return false;
            }
        }
        self.unpublished = None;
        self.has_exited = true;
        self.held.clear();
        self.writer.exited(status, clock::monotonic_ns(), clock::wall_ms());
        if self.outputs.is_empty() {
            self.input = None;
        }
        true
    }

    /// Moves all that an output has now, but no more than can have been there at this moment.
    fn pump_all(&mut self, stream: Stream) -> Pumped {
        let mut taken = 0;
        loop {
            match self.pump(stream) {
                Pumped::Bytes(len) if taken < LAST_WORDS => taken += len,
                pumped => return pumped,
            }
        }
    }

    /// Gives the terminal a size and notes it in the history.
    pub fn resize(&mut self, size: Size, pixels: Option<Pixels>) {
        if self.handover.kind == Kind::Pty {
            if let Some(master) = &self.input {
                let _ = tty::set_size(master, size, pixels);
            }
            self.writer.resized(size.rows(), size.cols(), clock::monotonic_ns());
        }
    }

    /// Closes the input: end-of-file for a pipe's reader.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Collects what the daemon needs: data (read-only), control, slots, process, input, what is held.
    pub fn descriptors(&self) -> io::Result<Vec<OwnedFd>> {
        let mut fds = vec![
            self.writer.data().read_only_fd()?,
            self.writer.control().as_fd().try_clone_to_owned()?,
            self.slots.as_fd().try_clone_to_owned()?,
            self.process.as_fd().try_clone_to_owned()?,
        ];
        if let Some(input) = &self.input {
            fds.push(input.try_clone()?);
        }
        for held in &self.held {
            fds.push(held.try_clone()?);
        }
        Ok(fds)
    }

    /// Collects what a tee needs: data and control, read-only.
    pub fn readable(&self) -> io::Result<[OwnedFd; 2]> {
        Ok([self.writer.data().read_only_fd()?, self.writer.control().read_only_fd()?])
    }

    /// Removes its control group, once nobody is in it.
    pub fn remove_group(&self) {
        if let Some(group) = &self.handover.group {
            cgroup::remove(group.as_ref());
        }
    }

    /// Ends its first process at once and gives it up.
    pub fn abandon(self) {
        self.end_now();
    }

    /// Ends its first process at once.
    pub fn end_now(&self) {
        let _ = self.process.signal(Signal::KILL);
    }

    /// Returns the handover as it is now.
    pub fn handover_now(&self) -> Handover {
        Handover { has_input: self.input.is_some(), ..self.handover.clone() }
    }
}

/// Returns when a program was started. One that cannot be told from others is ended again: nobody could stop it.
fn born(spawned: &Spawned) -> Result<u64, SpawnError> {
    let look = process::look(spawned.pid);
    let stat = look.and_then(|stat| stat.ok_or_else(|| io::ErrorKind::NotFound.into()));
    let stat = stat.inspect_err(|_| drop(spawned.process.signal(Signal::KILL)));
    stat.map(|stat| stat.start_time).map_err(failed(Stage::Fork))
}

fn memories(ring: usize, base: u64, facts: &[u8]) -> io::Result<(Writer<Arc<Mapping>>, Arc<Mapping>)> {
    let data = Arc::new(Mapping::create(layout::data_len(ring), Length::Fixed)?);
    let control = Arc::new(Mapping::create(layout::CONTROL_LEN, Length::Fixed)?);
    let slots = Arc::new(Mapping::create(SLOTS_LEN, Length::Growing)?);
    for memory in [&data, &control, &slots] {
        memory.keep_from_children();
    }
    let writer = Writer::create_at(data, control, ring, base).ok_or(io::ErrorKind::OutOfMemory)?;
    let store = Slots::create(Arc::clone(&slots)).ok_or(io::ErrorKind::OutOfMemory)?;
    store.put(Slot::Facts, 0, facts, || ());
    Ok((writer, slots))
}
