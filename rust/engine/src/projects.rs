//! Projects: listing, renaming, moving and deleting whole subtrees.

use recollect_model::{Call, Error, Operation, Project, Result, check_project};
use recollect_storage::rows::{items, projects};

use crate::store::Store;

impl Store {
    /// The projects that hold live items.
    ///
    /// # Errors
    ///
    /// Whatever reading fails with.
    pub fn projects(&self, call: &Call) -> Result<Vec<Project>> {
        projects::list(&*self.database.read(call)?)
    }

    /// Gives a project another name, under the same parent; what is below it comes along. Returns the new path.
    ///
    /// # Errors
    ///
    /// `NotFound`; `AlreadyExists` if there is a project of the new path; `InvalidInput` for the root or a bad name.
    pub fn rename_project(&self, path: &str, name: &str, call: &Call) -> Result<String> {
        if name.contains('/') {
            return Err(
                Error::invalid(format!("{name:?} is a path, not a name")).with_hint("use move to change the parent")
            );
        }
        let new_path = match path.rsplit_once('/') {
            Some((parent, _)) => format!("{parent}/{name}"),
            None => name.to_owned(),
        };
        self.set_project_path(path, new_path, call)
    }

    /// Puts a project, and what is below it, under another parent. Returns the new path.
    ///
    /// # Errors
    ///
    /// As [`Self::rename_project`]; `InvalidInput` for a parent inside the project itself.
    pub fn move_project(&self, path: &str, parent: &str, call: &Call) -> Result<String> {
        check_project(parent)?;
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        let is_inside = parent == path || parent.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        if is_inside && !path.is_empty() {
            return Err(Error::invalid(format!("{path:?} cannot be moved into itself")));
        }
        let new_path = if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") };
        self.set_project_path(path, new_path, call)
    }

    fn set_project_path(&self, path: &str, new_path: String, call: &Call) -> Result<String> {
        check_project(path)?;
        check_project(&new_path)?;
        if path.is_empty() || new_path.is_empty() {
            return Err(Error::invalid("the root has no name and no parent"));
        }
        self.commit(call, |commit| {
            let transaction = commit.transaction;
            if new_path != path {
                projects::forget_empty(transaction, &new_path)?;
            }
            let moved = projects::subtree(transaction, path)?;
            if moved.is_empty() {
                return Err(Error::not_found(format!("there is no project {path:?}")));
            }
            if new_path == path {
                return Ok(new_path);
            }
            if projects::subtree(transaction, &new_path)?.iter().any(|taken| !moved.contains(taken)) {
                return Err(Error::already_exists(format!("there is a project {new_path:?} already")).with_hint(
                    "choose another name, or move the items one by one; deleted items hold their project too",
                ));
            }
            projects::rename(transaction, path, &new_path)?;
            for longer in projects::paths(transaction, &new_path)? {
                check_project(&longer)?;
            }
            for project in moved {
                for (row, kind) in projects::items(transaction, project)? {
                    commit.log(Some(row), Some(kind), Operation::Moved);
                }
            }
            Ok(new_path)
        })
    }

    /// Deletes the items of a project softly, in one commit, and returns how many. With `recursive`, those of the
    /// projects below it too; without, such projects are an error.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Conflict` if there are projects below it and `recursive` is not set.
    pub fn delete_project(&self, path: &str, recursive: bool, call: &Call) -> Result<u64> {
        check_project(path)?;
        self.commit(call, |commit| {
            let transaction = commit.transaction;
            let own = projects::find(transaction, path)?;
            let subtree = projects::subtree(transaction, path)?;
            if subtree.is_empty() {
                return Err(Error::not_found(format!("there is no project {path:?}")));
            }
            let mut rows = Vec::new();
            for project in subtree {
                let live = projects::live_items(transaction, project)?;
                if Some(project) != own && !live.is_empty() && !recursive {
                    return Err(Error::conflict(format!("there are items in projects below {path:?}"))
                        .with_hint("pass recursive=True to delete those too"));
                }
                rows.extend(live);
            }
            let mut deleted = 0;
            for row in rows {
                call.check()?;
                if let Some(stored) = items::by_row(transaction, row)? {
                    self.delete_stored(commit, &stored)?;
                    deleted += 1;
                }
            }
            Ok(deleted)
        })
    }
}
