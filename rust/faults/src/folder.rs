//! The names of a folder: which are on the disk, and which not yet.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::node::{Change, Node, Pending};

/// The number of a node. A name that was removed and made again leads to another node.
pub(crate) type NodeId = usize;

/// A change of the names that no sync of the folder has followed.
#[derive(Clone)]
pub(crate) enum NameChange {
    Made(String, NodeId),
    Removed(String),
}

/// A folder and its files.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) nodes: Vec<Node>,
    /// The names as programs see them.
    names: HashMap<String, NodeId>,
    /// The names as they were when the folder was last synced.
    pub(crate) durable_names: BTreeMap<String, NodeId>,
    pub(crate) name_changes: Vec<NameChange>,
    /// Changes so far, syncs included.
    pub(crate) changes: u64,
}

impl Folder {
    /// Takes what is in the folder now for being on the disk.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let mut folder = Self {
            path: fs::canonicalize(path)?,
            nodes: Vec::new(),
            names: HashMap::new(),
            durable_names: BTreeMap::new(),
            name_changes: Vec::new(),
            changes: 0,
        };
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let metadata = entry.metadata()?;
                let node = Node::durable(fs::read(entry.path())?, (metadata.dev(), metadata.ino()));
                folder.durable_names.insert(name.clone(), folder.nodes.len());
                folder.names.insert(name, folder.nodes.len());
                folder.nodes.push(node);
            }
        }
        Ok(folder)
    }

    /// The node of a file that was just opened, and whether it was unknown. A file that somebody else made is taken
    /// for unsynced.
    pub(crate) fn opened(&mut self, name: &str) -> (NodeId, bool) {
        let path = self.path.join(name);
        let identity = fs::metadata(&path).map_or((0, 0), |metadata| (metadata.dev(), metadata.ino()));
        if let Some(id) = self.names.get(name)
            && self.nodes.get(*id).is_some_and(|node| node.identity == identity)
        {
            return (*id, false);
        }
        // Read by path while the process holds no lock on it: it is being opened for the first time.
        let bytes = fs::read(&path).unwrap_or_default();
        let mut node = Node::durable(Vec::new(), identity);
        self.changes += 1;
        if !bytes.is_empty() {
            node.pending.push(Pending { number: self.changes, change: Change::Write { offset: 0, bytes } });
        }
        let id = self.nodes.len();
        self.nodes.push(node);
        self.names.insert(name.to_owned(), id);
        self.name_changes.push(NameChange::Made(name.to_owned(), id));
        (id, true)
    }

    pub(crate) fn change(&mut self, id: NodeId, change: Change) {
        self.changes += 1;
        if let Some(node) = self.nodes.get_mut(id) {
            node.pending.push(Pending { number: self.changes, change });
        }
    }

    pub(crate) fn removed(&mut self, name: &str, is_synced: bool) {
        self.changes += 1;
        self.names.remove(name);
        self.name_changes.push(NameChange::Removed(name.to_owned()));
        if is_synced {
            self.sync_names();
        }
    }

    pub(crate) fn sync(&mut self, id: NodeId, with_names: bool) {
        if let Some(node) = self.nodes.get_mut(id) {
            node.sync();
        }
        if with_names {
            self.sync_names();
        }
    }

    pub(crate) fn lose(&mut self, id: NodeId) {
        if let Some(node) = self.nodes.get_mut(id) {
            node.lose();
        }
    }

    fn sync_names(&mut self) {
        for change in std::mem::take(&mut self.name_changes) {
            apply(&mut self.durable_names, &change);
        }
    }

    /// Whether the file was taken away, or moved, by somebody else than libSQL.
    pub(crate) fn is_gone(&self, name: &str) -> bool {
        self.names.contains_key(name) && !self.path.join(name).exists()
    }
}

pub(crate) fn apply(names: &mut BTreeMap<String, NodeId>, change: &NameChange) {
    match change {
        NameChange::Made(name, id) => names.insert(name.clone(), *id),
        NameChange::Removed(name) => names.remove(name),
    };
}
