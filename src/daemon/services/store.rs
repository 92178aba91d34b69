//! Services on disk: written whole at every change, off this thread; whoever changed something is answered afterwards.
//!
//! Temporary file, fsync, rename, fsync of the folder; the four generations before are kept. *Invariant:* an empty list
//! never takes the place of another one unless somebody deleted the last service.

use std::cell::Cell;
use std::cell::RefCell;
use std::fs;
use std::fs::File;
use std::io;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;
use tokio::sync::Notify;
use tokio::task;

use crate::daemon::hub::Hub;
use crate::daemon::services::Unit;
use crate::daemon::services::deaths;
use crate::platform::heap;
use crate::protocol::message;
use crate::session::service::definition::Definition;
use crate::session::service::machine::Machine;
use crate::session::service::machine::Wanted;

/// First bytes of a file, before its checksum: name and version.
const HEAD: &str = "runpm-services 1 ";
/// Files before the newest one.
const GENERATIONS: u32 = 4;
/// Time between two writes of deaths.
const PAUSE: Duration = Duration::from_millis(50);

/// All that is on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Which keeper: number, start time and boot.
    pub keeper: String,
    /// It was shut down; nothing comes back by itself.
    pub is_clean: bool,
    /// In the order of their names.
    pub services: Vec<Record>,
}

/// One service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// What it is.
    pub definition: Arc<Definition>,
    /// Its instances.
    pub units: Vec<UnitRecord>,
}

/// One instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnitRecord {
    /// Which one.
    pub instance: u32,
    /// What is wanted.
    pub wanted: Wanted,
    /// Deaths so far.
    pub died: u64,
    /// Somebody stopped it: its schedule rests.
    pub paused: bool,
    /// What it does, while no keeper knows it.
    pub machine: Option<Machine>,
}

/// See the module.
pub struct Store {
    folder: PathBuf,
    /// Which keeper this is.
    pub keeper: RefCell<String>,
    /// Everything is being shut down.
    pub is_clean: Cell<bool>,
    asked: Cell<u64>,
    saved: Cell<u64>,
    /// Why the last write failed.
    fault: RefCell<Option<String>>,
    /// Somebody deleted something.
    may_be_empty: Cell<bool>,
    removed: RefCell<Vec<String>>,
    renamed: RefCell<Vec<(String, String)>>,
    work: Notify,
    /// Rings for who writes deaths.
    dead: Notify,
    done: Notify,
}

impl Store {
    /// Keeps services in this folder.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            keeper: RefCell::default(),
            is_clean: Cell::default(),
            asked: Cell::default(),
            saved: Cell::default(),
            fault: RefCell::default(),
            may_be_empty: Cell::default(),
            removed: RefCell::default(),
            renamed: RefCell::default(),
            work: Notify::new(),
            dead: Notify::new(),
            done: Notify::new(),
        }
    }

    /// Something changed that has to be on disk.
    pub fn touch(&self) {
        self.asked.set(self.asked.get() + 1);
        self.work.notify_one();
    }

    /// Somebody died.
    pub fn bury(&self) {
        self.dead.notify_one();
    }

    /// Somebody deleted an instance; with its name go its deaths.
    pub fn forget(&self, name: Option<&String>) {
        self.may_be_empty.set(true);
        self.removed.borrow_mut().extend(name.cloned());
        self.touch();
    }

    /// An instance has another name: so has the file of its deaths.
    pub fn rename(&self, from: &str, to: &str) {
        self.renamed.borrow_mut().push((from.to_owned(), to.to_owned()));
        self.touch();
    }

    /// Waits until all that changed so far is on disk; says why it is not.
    pub async fn written(&self) -> Result<(), String> {
        let wanted = self.asked.get();
        loop {
            let done = self.done.notified();
            if self.saved.get() >= wanted {
                return self.fault.borrow().clone().map_or(Ok(()), Err);
            }
            done.await;
        }
    }

    /// Reads what was written last; with nothing, or nothing that can be read, what was written before that.
    pub fn load(&self) -> State {
        load(&self.folder.join(NEWEST))
    }

    /// The file that was written last.
    pub fn newest(&self) -> PathBuf {
        self.folder.join(NEWEST)
    }

    /// Folder of the deaths.
    pub fn deaths(&self) -> PathBuf {
        self.folder.join("deaths")
    }

    /// File of a named snapshot.
    pub fn snapshot(&self, name: &str) -> PathBuf {
        self.folder.join("saved").join(format!("{name}.list"))
    }
}

/// Returns the names of all snapshots beside this one, sorted.
pub fn beside(snapshot: &Path) -> Vec<String> {
    let files = snapshot.parent().and_then(|folder| fs::read_dir(folder).ok());
    let name = |file: io::Result<fs::DirEntry>| {
        let name = file.ok()?.file_name().into_string().ok()?;
        name.strip_suffix(".list").map(str::to_owned)
    };
    let mut names: Vec<String> = files.into_iter().flatten().filter_map(name).collect();
    names.sort();
    names
}

const NEWEST: &str = "state";

/// Writes services when they change, for as long as the daemon lives.
pub async fn keep(hub: Rc<Hub>) {
    let store = &hub.services.store;
    loop {
        store.work.notified().await;
        let version = store.asked.get();
        if store.saved.get() < version {
            let state = hub.services.state();
            let (path, may_be_empty) = (store.folder.join(NEWEST), store.may_be_empty.take());
            let removed: Vec<PathBuf> =
                store.removed.take().iter().map(|name| store.deaths().join(deaths::file_name(name))).collect();
            let path_of = |name: &str| store.deaths().join(deaths::file_name(name));
            let renamed = store.renamed.take();
            let renamed: Vec<_> = renamed.iter().map(|(from, to)| (path_of(from), path_of(to))).collect();
            let written = task::spawn_blocking(move || {
                for path in &removed {
                    let _ = fs::remove_file(path);
                }
                for (from, to) in &renamed {
                    deaths::join(from, to);
                }
                let written = write(&path, &state, may_be_empty);
                // What changes many services, and writing them down, takes memory that nobody needs afterwards.
                drop(state);
                heap::give_back();
                written
            });
            let fault = written.await.map_err(io::Error::other).flatten().err().map(|error| error.to_string());
            if let Some(fault) = &fault {
                tracing::error!(fault, "cannot write down services");
            }
            *store.fault.borrow_mut() = fault;
            store.saved.set(version);
            store.done.notify_waiters();
        }
    }
}

/// Writes deaths, those of a while together: the keeper keeps them meanwhile.
pub async fn keep_deaths(hub: Rc<Hub>) {
    loop {
        hub.services.store.dead.notified().await;
        let waiting = deaths::take(&hub.services.units());
        if !waiting.is_empty() {
            bury(&hub, waiting).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn bury(hub: &Hub, waiting: std::collections::BTreeMap<String, Vec<crate::session::service::death::Death>>) {
    let folder = hub.services.store.deaths();
    let last: Vec<(String, u64)> =
        waiting.iter().filter_map(|(name, deaths)| Some((name.clone(), deaths.last()?.number))).collect();
    let written = task::spawn_blocking(move || deaths::append(&folder, &waiting)).await;
    if let Err(error) = written.map_err(io::Error::other).flatten() {
        tracing::error!(%error, "cannot write down deaths");
        return;
    }
    for (name, last) in last {
        if let Some(unit) = hub.services.unit(&name) {
            deaths::saved(&unit, last);
        }
    }
}

impl crate::daemon::services::Services {
    /// Returns all that belongs on disk.
    pub fn state(&self) -> State {
        let mut services: Vec<Record> = Vec::new();
        let mut units = self.units();
        units.sort_by_key(|unit| (unit.service(), unit.instance));
        for unit in units {
            let record = record(&unit);
            match services.last_mut() {
                Some(last) if last.definition.spec.full_name() == unit.service() => last.units.push(record),
                _ => services.push(Record { definition: Arc::clone(&unit.definition.borrow()), units: vec![record] }),
            }
        }
        State { keeper: self.store.keeper.borrow().clone(), is_clean: self.store.is_clean.get(), services }
    }
}

fn record(unit: &Unit) -> UnitRecord {
    let machine = unit.machine.borrow();
    UnitRecord {
        instance: unit.instance,
        wanted: machine.wanted,
        died: unit.died.get(),
        paused: unit.is_paused.get(),
        machine: unit.is_dormant().then(|| machine.clone()),
    }
}

/// Reads a state, or one of the generations before it.
pub fn load(path: &Path) -> State {
    let older = (1..=GENERATIONS).map(|n| path.with_extension(n.to_string()));
    for path in std::iter::once(path.to_owned()).chain(older) {
        match read(&path) {
            Ok(state) => return state,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::error!(path = %path.display(), %error, "cannot read services"),
        }
    }
    State::default()
}

/// Reads one file.
pub fn read(path: &Path) -> io::Result<State> {
    let bytes = fs::read(path)?;
    let torn = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or(torn("it has no first line"))?;
    let (head, body) = (&bytes[..end], &bytes[end + 1..]);
    let sum = head.strip_prefix(HEAD.as_bytes()).ok_or(torn("it is no list of services of this version"))?;
    if sum != checksum(body).as_bytes() {
        return Err(torn("it is damaged"));
    }
    message::decode(body).map_err(|_| torn("it cannot be decoded"))
}

fn checksum(body: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(body))
}

/// Writes one file; the one before becomes the first generation if it had other services.
pub fn write(path: &Path, state: &State, may_be_empty: bool) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    if !folder.exists() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let before = read(path).unwrap_or_default();
    if state.services.is_empty() && !may_be_empty && !before.services.is_empty() {
        return Err(io::Error::other("an empty list of services would replace one that is not empty"));
    }
    let body = message::encode(state);
    let fresh = path.with_extension("new");
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(format!("{HEAD}{}\n", checksum(&body)).as_bytes())?;
    file.write_all(&body)?;
    file.sync_all()?;
    let definitions =
        |state: &State| state.services.iter().map(|record| Arc::clone(&record.definition)).collect::<Vec<_>>();
    if !before.services.is_empty() && definitions(&before) != definitions(state) {
        for n in (1..GENERATIONS).rev() {
            let _ = fs::rename(path.with_extension(n.to_string()), path.with_extension((n + 1).to_string()));
        }
        let _ = fs::hard_link(path, path.with_extension("1"));
    }
    fs::rename(&fresh, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::services::tests::Folder;
    use crate::session::service::spec::ServiceSpec;

    fn state(names: &[&str]) -> State {
        let record = |name: &&str| {
            let spec = ServiceSpec { name: (*name).to_owned(), ..ServiceSpec::default() };
            let definition = Arc::new(Definition { spec, ..Definition::default() });
            Record { definition, units: vec![UnitRecord { wanted: Wanted::Up, ..UnitRecord::default() }] }
        };
        State { services: names.iter().map(record).collect(), ..State::default() }
    }

    #[test]
    fn an_empty_list_never_replaces_another_one_by_accident() {
        let folder = Folder::new();
        let path = folder.path().join("state");
        write(&path, &state(&["web"]), false).expect("written");

        assert!(write(&path, &State::default(), false).is_err());
        assert_eq!(load(&path), state(&["web"]));

        write(&path, &State::default(), true).expect("somebody deleted the last one");
        assert_eq!(load(&path), State::default());
    }

    #[test]
    fn a_damaged_file_gives_way_to_the_generation_before() {
        let folder = Folder::new();
        let path = folder.path().join("state");
        for n in 1..=7 {
            let names: Vec<String> = (0..n).map(|n| format!("s{n}")).collect();
            write(&path, &state(&names.iter().map(String::as_str).collect::<Vec<_>>()), false).expect("written");
        }
        let mut bytes = fs::read(&path).expect("there");
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&path, bytes).expect("damaged");

        assert_eq!(load(&path).services.len(), 6);
        for n in 1..=4 {
            assert_eq!(read(&path.with_extension(n.to_string())).expect("kept").services.len(), 7 - n);
        }
        assert!(!path.with_extension("5").exists());
    }

    #[test]
    fn what_was_cut_short_is_never_taken_for_a_list() {
        let folder = Folder::new();
        let path = folder.path().join("state");
        write(&path, &state(&["web", "db"]), false).expect("written");
        let whole = fs::read(&path).expect("there");
        for len in 0..whole.len() {
            fs::write(&path, &whole[..len]).expect("cut");
            assert!(read(&path).is_err(), "{len} bytes");
        }
    }
}
