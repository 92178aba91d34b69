//! A new process for a program, made without copying this one.
//!
//! `fork(2)` copies every mapping and descriptor, and `exec` closes each descriptor again; a keeper of a thousand sessions
//! has twelve thousand. So the child borrows both (`CLONE_VM`, `CLONE_VFORK`, `CLONE_FILES`; this process waits until it has
//! called `exec`), and leaves all descriptors but the lowest few behind before it touches one (`CLOSE_RANGE_UNSHARE`).
//! What the child needs lies at fixed low numbers, the [`Pad`].
#![expect(unsafe_code, reason = "clone(2) and what runs between it and exec have no safe wrapper")]

use std::collections::HashMap;
use std::ffi::CString;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::fd::AsRawFd;
use std::os::fd::BorrowedFd;
use std::os::fd::FromRawFd;
use std::os::fd::OwnedFd;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering;

use rustix::io::DupFlags;

use crate::platform::brand;
use crate::platform::limits;
use crate::platform::process::Handle;
use crate::platform::signals;
use crate::protocol::keeper::Stage;
use crate::session::id::RequestKey;
use crate::session::spec::Launch;

/// A program that was not started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpawnError {
    /// What failed.
    pub stage: Stage,
    /// Why.
    pub errno: i32,
}

/// Makes a [`SpawnError`] of an I/O error.
pub fn failed(stage: Stage) -> impl FnOnce(io::Error) -> SpawnError {
    move |error| SpawnError { stage, errno: error.raw_os_error().unwrap_or(libc::EIO) }
}

/// The child's stack. It makes a dozen system calls and no deep ones.
const STACK: usize = 64 << 10;
/// Where programs are looked for without a `PATH`, as `execvp(3)` does.
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

/// Where children find their descriptors, and the stack they run on. One a process, made while few descriptors are open:
/// all below its highest number are copied for each child.
pub struct Pad {
    /// Input, output, errors, the door of a control group.
    places: [OwnedFd; 4],
    empty: File,
    stack: Box<[u128]>,
}

/// What a child has besides its [`Launch`].
pub struct Setting<'a> {
    /// Input, output and errors.
    pub stdio: [BorrowedFd<'a>; 3],
    /// The input is a terminal and becomes the controlling one.
    pub has_terminal: bool,
    /// The session whose mark it bears.
    pub key: RequestKey,
    /// Niceness; one that may not be had is no reason not to run.
    pub nice: Option<i8>,
    /// `cgroup.procs` of the control group it enters before it can fork.
    pub door: Option<BorrowedFd<'a>>,
}

/// All that the child reads; it allocates nothing.
struct Plan<'a> {
    launch: &'a Launch,
    cwd: CString,
    paths: Vec<CString>,
    argv: Vec<*const c_char>,
    envp: Vec<*const c_char>,
    /// Shell, path, arguments: for a file without a `#!` line.
    script: Vec<*const c_char>,
    places: [RawFd; 4],
    has_terminal: bool,
    has_door: bool,
    nice: Option<i8>,
    key: RequestKey,
    /// How far the child got, and what went wrong there; zero is nothing.
    stage: AtomicI32,
    errno: AtomicI32,
}

/// The stages a child passes, in the order of the numbers it notes.
const STAGES: [Stage; 6] = [Stage::Fork, Stage::Session, Stage::Control, Stage::Directory, Stage::Limits, Stage::Exec];

impl Pad {
    /// Reserves the places.
    pub fn new() -> io::Result<Self> {
        let empty = File::options().read(true).write(true).open("/dev/null")?;
        let place = || empty.try_clone().map(OwnedFd::from);
        Ok(Self { places: [place()?, place()?, place()?, place()?], stack: vec![0; STACK / 16].into(), empty })
    }

    /// Starts a program in a session (`setsid(2)`) of its own; returns its number and its handle.
    ///
    /// A failure says which step failed: nothing runs then. The caller must have a single thread.
    pub fn start(&mut self, launch: &Launch, setting: &Setting<'_>) -> Result<(u32, Handle), SpawnError> {
        let strings = Strings::of(launch)?;
        let mut plan = strings.plan(launch, setting)?;
        plan.places = self.places.each_ref().map(AsRawFd::as_raw_fd);
        let put = |from: BorrowedFd<'_>, place: &mut OwnedFd| rustix::io::dup3(from, place, DupFlags::CLOEXEC);
        let fds = setting.stdio.into_iter().chain(setting.door);
        let placed: Result<(), _> = fds.zip(&mut self.places).try_for_each(|(from, place)| put(from, place));
        let born = placed.map_err(io::Error::from).and_then(|()| clone(&mut plan, &mut self.stack));
        for place in &mut self.places {
            // An end of a pipe that stayed here would keep it open for ever.
            put(self.empty.as_fd(), place).map_err(|errno| failed(Stage::Fork)(errno.into()))?;
        }
        let (pid, process) = born.map_err(failed(Stage::Fork))?;
        match plan.errno.load(Ordering::Acquire) {
            0 => Ok((pid, process)),
            errno => {
                let _ = process.reap();
                let reached = plan.stage.load(Ordering::Acquire) as usize;
                Err(SpawnError { stage: STAGES.get(reached).copied().unwrap_or(Stage::Fork), errno })
            }
        }
    }
}

/// What the pointers of a [`Plan`] point at.
struct Strings {
    paths: Vec<CString>,
    args: Vec<CString>,
    env: Vec<CString>,
}

fn c_string(bytes: impl Into<Vec<u8>>) -> Result<CString, SpawnError> {
    CString::new(bytes).map_err(|_| SpawnError { stage: Stage::Request, errno: libc::EINVAL })
}

impl Strings {
    fn of(launch: &Launch) -> Result<Self, SpawnError> {
        let program = launch.argv.first().ok_or(SpawnError { stage: Stage::Request, errno: libc::EINVAL })?;
        let env = last_of_each(&launch.env);
        let path = env.iter().find_map(|entry| entry.strip_prefix(b"PATH="));
        let paths = places_of(program, path.unwrap_or(DEFAULT_PATH));
        let c_strings = |all: Vec<Vec<u8>>| all.into_iter().map(c_string).collect::<Result<Vec<_>, _>>();
        Ok(Self {
            paths: c_strings(paths)?,
            args: launch.argv.iter().map(|arg| c_string(arg.as_slice())).collect::<Result<_, _>>()?,
            env: env.into_iter().map(c_string).collect::<Result<_, _>>()?,
        })
    }

    fn plan<'a>(&self, launch: &'a Launch, setting: &Setting<'_>) -> Result<Plan<'a>, SpawnError> {
        let ended = |all: &[CString]| all.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect::<Vec<_>>();
        let argv = ended(&self.args);
        let script = [c"/bin/sh".as_ptr(), ptr::null()].into_iter().chain(argv.iter().skip(1).copied()).collect();
        Ok(Plan {
            launch,
            cwd: c_string(launch.cwd.as_slice())?,
            paths: self.paths.clone(),
            argv,
            envp: ended(&self.env),
            script,
            places: [-1; 4],
            has_terminal: setting.has_terminal,
            has_door: setting.door.is_some(),
            nice: setting.nice,
            key: setting.key,
            stage: AtomicI32::new(0),
            errno: AtomicI32::new(0),
        })
    }
}

/// Entries by name: the last one of each wins, in the place of the first.
fn last_of_each(env: &[impl AsRef<[u8]>]) -> Vec<&[u8]> {
    let mut places = HashMap::new();
    let mut kept: Vec<&[u8]> = Vec::with_capacity(env.len());
    for entry in env.iter().map(AsRef::as_ref) {
        let Some(end) = entry.iter().position(|b| *b == b'=').filter(|end| *end > 0) else { continue };
        let place = *places.entry(&entry[..end]).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(earlier) => *earlier = entry,
            None => kept.push(entry),
        }
    }
    kept
}

/// The files that a program's name may mean, as `execvp(3)` tries them.
fn places_of(program: &[u8], path: &[u8]) -> Vec<Vec<u8>> {
    if program.contains(&b'/') || program.is_empty() {
        return vec![program.to_vec()];
    }
    let join = |folder: &[u8]| match folder {
        [] => program.to_vec(),
        folder => [folder, b"/", program].concat(),
    };
    path.split(|b| *b == b':').map(join).collect()
}

/// Makes the child and waits until it has called `exec` or ended.
fn clone(plan: &mut Plan<'_>, stack: &mut [u128]) -> io::Result<(u32, Handle)> {
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_FILES | libc::CLONE_PIDFD | libc::SIGCHLD;
    let mut pidfd: c_int = -1;
    // SAFETY: the stack is large enough and ours alone, and this thread sleeps until the child has left it. The child runs
    // `born`, which makes system calls and touches nothing but the plan. All signals are blocked meanwhile, so that no
    // handler of ours runs in the child on our memory.
    let pid = unsafe {
        let (mut all, mut before) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        let top = stack.as_mut_ptr_range().end.cast::<c_void>();
        let plan = ptr::from_mut(plan).cast::<c_void>();
        let pid = libc::clone(born, top, flags, plan, &raw mut pidfd);
        let error = io::Error::last_os_error();
        libc::sigprocmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut());
        u32::try_from(pid).map_err(|_| error)?
    };
    // SAFETY: the kernel stored a fresh descriptor that nobody else owns.
    Ok((pid, Handle::from_fd(unsafe { OwnedFd::from_raw_fd(pidfd) })))
}

/// The child's first and only function.
extern "C" fn born(plan: *mut c_void) -> c_int {
    // SAFETY: the parent passed a plan and sleeps; nobody else uses it.
    let plan = unsafe { &mut *plan.cast::<Plan<'_>>() };
    let error = prepare(plan).err().map_or_else(|| exec(plan), |error| error.raw_os_error().unwrap_or(libc::EIO));
    plan.errno.store(error, Ordering::Release);
    // SAFETY: ends this process at once, without running anything of the parent's.
    unsafe { libc::_exit(127) }
}

fn prepare(plan: &Plan<'_>) -> io::Result<()> {
    let reach = |stage| plan.stage.store(stage, Ordering::Release);
    leave_descriptors(plan)?;
    signals::reset_all();
    if plan.has_door {
        // A group that takes nobody any more leaves a session without one: it is found by other means.
        // SAFETY: a system call on a byte that lives for ever.
        unsafe { libc::write(plan.places[3], c"0".as_ptr().cast(), 1) };
    }
    if let Some(nice) = plan.nice {
        let _ = rustix::process::setpriority_process(None, nice.into());
    }
    reach(1);
    rustix::process::setsid()?;
    if plan.has_terminal {
        reach(2);
        rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
    }
    reach(3);
    if !plan.cwd.is_empty() {
        rustix::process::chdir(plan.cwd.as_c_str())?;
    }
    reach(4);
    // Of mark and limit the lower one stays.
    brand::stamp(plan.key);
    limits::apply(&plan.launch.limits)?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(plan.launch.umask & 0o777));
    reach(5);
    Ok(())
}

/// Gets a table of its own, with the lowest descriptors only, and puts input, output and errors where they belong.
fn leave_descriptors(plan: &Plan<'_>) -> io::Result<()> {
    let first = plan.places.iter().copied().max().unwrap_or(0) + 1;
    let result = |code: i64| if code < 0 { Err(io::Error::last_os_error()) } else { Ok(()) };
    // SAFETY: system calls on numbers; the parent's table is not touched, for the first one makes the child's own.
    unsafe {
        let (last, how) = (c_int::MAX as libc::c_uint, libc::CLOSE_RANGE_UNSHARE);
        if libc::syscall(libc::SYS_close_range, first as libc::c_uint, last, how) < 0 {
            // Before Linux 5.9: a whole copy; `exec` closes what is not wanted.
            result(libc::unshare(libc::CLONE_FILES).into())?;
        }
        for (place, target) in plan.places.iter().zip(0..3) {
            result(libc::dup2(*place, target).into())?;
        }
    }
    Ok(())
}

/// Becomes the program; returns why not.
fn exec(plan: &mut Plan<'_>) -> i32 {
    let mut refused = 0;
    let mut last = libc::ENOENT;
    for path in &plan.paths {
        // SAFETY: all arrays end with a null pointer and point at strings that live in the sleeping parent.
        unsafe { libc::execve(path.as_ptr(), plan.argv.as_ptr(), plan.envp.as_ptr()) };
        last = io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
        match last {
            libc::EACCES => refused = last,
            libc::ENOENT | libc::ENOTDIR | libc::ENODEV | libc::ESTALE | libc::ETIMEDOUT => {}
            libc::ENOEXEC => {
                plan.script[1] = path.as_ptr();
                // SAFETY: as above.
                unsafe { libc::execve(c"/bin/sh".as_ptr(), plan.script.as_ptr(), plan.envp.as_ptr()) };
                return io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
            }
            _ => return last,
        }
    }
    if refused == 0 { last } else { refused }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_looked_for_where_execvp_does() {
        let places = |program: &str, path: &str| {
            let found = places_of(program.as_bytes(), path.as_bytes());
            found.into_iter().map(|place| String::from_utf8(place).expect("text")).collect::<Vec<_>>()
        };
        assert_eq!(places("ls", "/a:/b"), ["/a/ls", "/b/ls"]);
        assert_eq!(places("ls", "/a:"), ["/a/ls", "ls"], "an empty folder is the working directory");
        assert_eq!(places("./ls", "/a"), ["./ls"]);
        assert_eq!(places("", "/a"), [""]);
    }

    #[test]
    fn the_last_entry_of_a_name_wins() {
        let env = ["A=1", "=x", "B=2", "A=3=4", "none"].map(str::as_bytes);
        assert_eq!(last_of_each(&env), ["A=3=4", "B=2"].map(str::as_bytes));
    }
}
