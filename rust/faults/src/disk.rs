//! Watched folders: what is to fail, and what is to be seen.

use std::ffi::{CStr, c_int};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::fault::{Fault, FaultKind, Fired, Operation, Plan};
use crate::folder::{Folder, NodeId};
use crate::image;
use crate::node::Change;
use crate::vfs::explain;

static WATCHED: Mutex<Vec<Arc<Watched>>> = Mutex::new(Vec::new());

/// A folder whose files are watched, until it is dropped.
pub struct Disk {
    watched: Arc<Watched>,
}

/// What a look at a change sees: everything before it has been done, it itself has begun.
pub struct Moment<'m> {
    folder: &'m Folder,
    operation: Operation,
    file: &'m str,
}

type Look = Box<dyn FnMut(&Moment<'_>) + Send>;

/// What the layer knows of a watched folder.
pub(crate) struct Watched {
    state: Mutex<State>,
}

struct State {
    folder: Folder,
    plan: Option<Plan>,
    is_paused: bool,
    is_lying: bool,
    look: Option<Look>,
}

impl Disk {
    /// Watches a folder. What is in it counts as being on the disk. [`crate::install`] comes first, and no file of the
    /// folder is open.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn watch(folder: &Path) -> io::Result<Self> {
        let folder = Folder::read(folder)?;
        let watched = Arc::new(Watched {
            state: Mutex::new(State { folder, plan: None, is_paused: false, is_lying: false, look: None }),
        });
        list().push(Arc::clone(&watched));
        Ok(Self { watched })
    }

    /// Makes calls fail from now on, instead of those of an earlier fault.
    pub fn fail(&self, fault: Fault) {
        self.watched.state().plan = Some(Plan::new(fault));
    }

    /// Has the fault wait, or go on. While it waits no call fails, and none is counted.
    pub fn pause(&self, is_paused: bool) {
        self.watched.state().is_paused = is_paused;
    }

    /// Lifts the fault, and tells which calls failed and how many could have.
    pub fn lift(&self) -> (Vec<Fired>, u64) {
        let plan = self.watched.state().plan.take();
        plan.map_or((Vec::new(), 0), |plan| (plan.fired().to_vec(), plan.counted()))
    }

    /// The calls that failed so far.
    pub fn fired(&self) -> Vec<Fired> {
        self.watched.state().plan.as_ref().map_or_else(Vec::new, |plan| plan.fired().to_vec())
    }

    /// Whether syncs do nothing from now on, and say that they did.
    pub fn lie(&self, is_lying: bool) {
        self.watched.state().is_lying = is_lying;
    }

    /// Has every change looked at from now on, syncs included: after it has begun, before it has an end.
    pub fn look(&self, look: impl FnMut(&Moment<'_>) + Send + 'static) {
        self.watched.state().look = Some(Box::new(look));
    }

    /// Changes so far, syncs included.
    pub fn changes(&self) -> u64 {
        self.watched.state().folder.changes
    }

    /// Writes what a power cut now leaves of the folder into a new folder. What became of each unsynced change is chosen
    /// by the seed; without a seed all of them are lost.
    ///
    /// # Errors
    ///
    /// When the files cannot be written.
    pub fn cut(&self, seed: Option<u64>, into: &Path) -> io::Result<()> {
        image::write(&self.watched.state().folder, seed, into)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        list().retain(|watched| !Arc::ptr_eq(watched, &self.watched));
        self.watched.state().look = None;
    }
}

impl Moment<'_> {
    /// The number of the change, from 1.
    pub const fn number(&self) -> u64 {
        self.folder.changes
    }

    /// What it is.
    pub const fn operation(&self) -> Operation {
        self.operation
    }

    /// The name of the file that is changed, without its folder.
    pub const fn file(&self) -> &str {
        self.file
    }

    /// As [`Disk::cut`], at this moment.
    ///
    /// # Errors
    ///
    /// When the files cannot be written.
    pub fn cut(&self, seed: Option<u64>, into: &Path) -> io::Result<()> {
        image::write(self.folder, seed, into)
    }
}

impl Watched {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the call is to fail, and how.
    pub(crate) fn strike(&self, operation: Operation, file: &str) -> Option<(FaultKind, c_int)> {
        let mut state = self.state();
        if state.is_paused {
            return None;
        }
        let struck = state.plan.as_mut()?.strike(operation, file);
        if let Some((kind, _)) = struck {
            explain(kind);
        }
        struck
    }

    /// How long the index of a database's log is.
    pub(crate) fn index_bytes(&self, database: &str) -> u64 {
        let path = self.state().folder.path.join(format!("{database}-shm"));
        std::fs::metadata(path).map_or(0, |metadata| metadata.len())
    }

    pub(crate) fn opened(&self, name: &str) -> NodeId {
        let mut state = self.state();
        let (id, is_new) = state.folder.opened(name);
        if is_new {
            state.see(Operation::Create, name);
        }
        id
    }

    pub(crate) fn change(&self, id: NodeId, name: &str, change: Change) {
        let operation = match change {
            Change::Write { .. } => Operation::Write,
            Change::Truncate { .. } => Operation::Truncate,
        };
        let mut state = self.state();
        state.folder.change(id, change);
        state.see(operation, name);
    }

    /// A sync, and one of the folder with it.
    pub(crate) fn synced(&self, id: NodeId, name: &str, with_names: bool) {
        let mut state = self.state();
        state.folder.changes += 1;
        state.see(Operation::Sync, name);
        if !state.is_lying {
            state.folder.sync(id, with_names);
        }
    }

    /// A sync failed.
    pub(crate) fn lost(&self, id: NodeId) {
        self.state().folder.lose(id);
    }

    pub(crate) fn removed(&self, name: &str, is_synced: bool) {
        let mut state = self.state();
        let is_synced = is_synced && !state.is_lying;
        state.folder.removed(name, is_synced);
        state.see(Operation::Delete, name);
    }
}

impl State {
    fn see(&mut self, operation: Operation, file: &str) {
        if let Some(look) = &mut self.look {
            look(&Moment { folder: &self.folder, operation, file });
        }
    }
}

fn list() -> MutexGuard<'static, Vec<Arc<Watched>>> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The watched folder that a file lies in, and the file's name there.
pub(crate) fn find(path: &CStr) -> Option<(Arc<Watched>, String)> {
    let path = Path::new(std::ffi::OsStr::from_bytes(path.to_bytes()));
    let (folder, name) = (path.parent()?, path.file_name()?.to_str()?);
    let list = list();
    let watched = list.iter().find(|watched| watched.state().folder.path == folder)?;
    Some((Arc::clone(watched), name.to_owned()))
}
