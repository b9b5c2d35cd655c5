//! The store, as a class. Every method reads its arguments, enters the core, and builds records from the answer.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PySequence, PyTuple};
use recollect_engine::{Paging, Store};
use recollect_model::{Call, Error};

use crate::argument::{Argument, optional_text, text};
use crate::classes::classes;
use crate::enter::{Limits, enter};
use crate::errors::OrRaise;
use crate::exit::Inside;
use crate::parameters::{self, limits};
use crate::{arrays, drafts, filters, opening, patch, records};

type Any<'a, 'py> = &'a Bound<'py, PyAny>;
type Object<'py> = PyResult<Bound<'py, PyAny>>;
type Tuple<'py> = PyResult<Bound<'py, PyTuple>>;

/// An open store.
#[pyclass(name = "Store", module = "recollect", frozen, weakref)]
pub(crate) struct PyStore {
    store: Store,
    is_closed: AtomicBool,
}

#[pymethods]
impl PyStore {
    #[staticmethod]
    #[pyo3(signature = (path, *, read_only, create, durability, timeout, readers, project, principal, sweep, embedder, space, require_space))]
    #[expect(clippy::too_many_arguments, reason = "they are the parameters of the Python function")]
    fn open<'py>(
        py: Python<'py>,
        path: Any<'_, 'py>,
        read_only: Any<'_, 'py>,
        create: Any<'_, 'py>,
        durability: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        readers: Any<'_, 'py>,
        project: Any<'_, 'py>,
        principal: Any<'_, 'py>,
        sweep: Any<'_, 'py>,
        embedder: Any<'_, 'py>,
        space: Any<'_, 'py>,
        require_space: bool,
    ) -> PyResult<Self> {
        let _inside = Inside::enter(py)?;
        let options = opening::options(
            path,
            read_only,
            create,
            durability,
            timeout,
            readers,
            project,
            principal,
            sweep,
            embedder,
            space,
            require_space,
        );
        let options = options.or_raise(py)?;
        // As with the exceptions: later it may be too late to import them.
        classes(py)?;
        let limits = Limits { timeout: timeout.clone(), cancel: None };
        let store = enter(py, &limits, |call| Store::open(options, call))?;
        Ok(Self { store, is_closed: AtomicBool::new(false) })
    }

    fn add_many<'py>(
        &self,
        py: Python<'py>,
        kind: Any<'_, 'py>,
        drafts: Any<'_, 'py>,
        vectors: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> Tuple<'py> {
        let _inside = Inside::enter(py)?;
        let kind = parameters::kind(kind).or_raise(py)?;
        let drafts =
            drafts.cast::<PySequence>().map_err(|_| Error::invalid("drafts must be a sequence")).or_raise(py)?;
        let is_batch = drafts.len()? > 1;
        let mut prepared = Vec::with_capacity(drafts.len()?);
        for (number, draft) in drafts.try_iter()?.enumerate() {
            let draft = drafts::from_python(kind, &draft?).map_err(|error| {
                let message = if is_batch { format!("item {number}: {error}") } else { error.to_string() };
                Error::new(error.code(), message).with_hint(error.hint().to_owned())
            });
            prepared.push(draft.or_raise(py)?);
        }
        let vectors = parameters::vectors(vectors).or_raise(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.add(kind, prepared, vectors, call))?;
        records::tuple(py, &answer, |py, added| records::added(py, kind, added))
    }

    #[expect(clippy::too_many_arguments, reason = "they are the parameters of the Python method")]
    fn get<'py>(
        &self,
        py: Python<'py>,
        kind: Any<'_, 'py>,
        id: Any<'_, 'py>,
        key: Any<'_, 'py>,
        project: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> Object<'py> {
        let _inside = Inside::enter(py)?;
        let (kind, locator) = parameters::locator(kind, id, key, project).or_raise(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.get(kind, &locator, call))?;
        records::item(py, &answer)
    }

    #[expect(clippy::too_many_arguments, reason = "they are the parameters of the Python method")]
    fn list<'py>(
        &self,
        py: Python<'py>,
        kind: Any<'_, 'py>,
        filters: Any<'_, 'py>,
        order: Any<'_, 'py>,
        descending: Any<'_, 'py>,
        limit: Any<'_, 'py>,
        cursor: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> Object<'py> {
        let _inside = Inside::enter(py)?;
        let kind = parameters::kind(kind).or_raise(py)?;
        let filter = filters::from_python(filters).or_raise(py)?;
        let cursor = optional_text("cursor", cursor).or_raise(py)?;
        let paging = Paging {
            order: filters::order(order).or_raise(py)?,
            descending: Argument::new("descending", descending).boolean().or_raise(py)?,
            limit: Argument::new("limit", limit).size().or_raise(py)?,
            cursor: cursor.as_deref(),
        };
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.list(kind, &filter, &paging, call))?;
        records::page(py, &answer)
    }

    fn count<'py>(
        &self,
        py: Python<'py>,
        kind: Any<'_, 'py>,
        filters: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> PyResult<u64> {
        let _inside = Inside::enter(py)?;
        let kind = parameters::kind(kind).or_raise(py)?;
        let filter = filters::from_python(filters).or_raise(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.count(kind, &filter, call))?;
        Ok(answer)
    }

    #[expect(clippy::too_many_arguments, reason = "they are the parameters of the Python method")]
    fn update<'py>(
        &self,
        py: Python<'py>,
        kind: Any<'_, 'py>,
        id: Any<'_, 'py>,
        version: Any<'_, 'py>,
        patch: Any<'_, 'py>,
        vectors: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> Object<'py> {
        let _inside = Inside::enter(py)?;
        let (kind, id) = (parameters::kind(kind).or_raise(py)?, parameters::id(id).or_raise(py)?);
        let version = parameters::version(version).or_raise(py)?;
        let patch = patch::from_python(patch).or_raise(py)?;
        let vectors = parameters::vectors(vectors).or_raise(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.update(kind, id, &patch, version, vectors.as_ref(), call))?;
        records::item(py, &answer)
    }

    fn delete<'py>(
        &self,
        py: Python<'py>,
        kind: Any<'_, 'py>,
        id: Any<'_, 'py>,
        version: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> Object<'py> {
        let _inside = Inside::enter(py)?;
        let (kind, id) = (parameters::kind(kind).or_raise(py)?, parameters::id(id).or_raise(py)?);
        let version = parameters::version(version).or_raise(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.delete(kind, id, version, call))?;
        records::deleted(py, &answer)
    }

    fn restore<'py>(
        &self,
        py: Python<'py>,
        kind: Any<'_, 'py>,
        id: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> Object<'py> {
        let _inside = Inside::enter(py)?;
        let (kind, id) = (parameters::kind(kind).or_raise(py)?, parameters::id(id).or_raise(py)?);
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.restore(kind, id, call))?;
        records::item(py, &answer)
    }

    #[expect(clippy::too_many_arguments, reason = "they are the parameters of the Python method")]
    fn delete_many<'py>(
        &self,
        py: Python<'py>,
        kind: Any<'_, 'py>,
        filters: Any<'_, 'py>,
        expected: Any<'_, 'py>,
        dry_run: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> Object<'py> {
        let _inside = Inside::enter(py)?;
        let kind = parameters::kind(kind).or_raise(py)?;
        let filter = filters::from_python(filters).or_raise(py)?;
        let expected = Argument::new("expected", expected).optional(Argument::size).or_raise(py)?;
        let expected = expected.map(|count| count as u64);
        let dry_run = Argument::new("dry_run", dry_run).boolean().or_raise(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.delete_many(kind, &filter, expected, dry_run, call))?;
        records::deleted_many(py, &answer)
    }

    fn purge<'py>(
        &self,
        py: Python<'py>,
        kind: Any<'_, 'py>,
        ids: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> Tuple<'py> {
        let _inside = Inside::enter(py)?;
        let (kind, ids) = (parameters::kind(kind).or_raise(py)?, parameters::ids(ids).or_raise(py)?);
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.purge(kind, &ids, call))?;
        records::tuple(py, &answer, records::purged)
    }

    fn sweep<'py>(&self, py: Python<'py>, timeout: Any<'_, 'py>, cancel: Any<'_, 'py>) -> Object<'py> {
        let _inside = Inside::enter(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.sweep(call))?;
        records::swept(py, answer)
    }

    fn history<'py>(
        &self,
        py: Python<'py>,
        kind: Any<'_, 'py>,
        id: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> Tuple<'py> {
        let _inside = Inside::enter(py)?;
        let (kind, id) = (parameters::kind(kind).or_raise(py)?, parameters::id(id).or_raise(py)?);
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.history(kind, id, call))?;
        records::tuple(py, &answer, records::version)
    }

    #[expect(clippy::too_many_arguments, reason = "they are the parameters of the Python method")]
    fn revert<'py>(
        &self,
        py: Python<'py>,
        kind: Any<'_, 'py>,
        id: Any<'_, 'py>,
        to: Any<'_, 'py>,
        version: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> Object<'py> {
        let _inside = Inside::enter(py)?;
        let (kind, id) = (parameters::kind(kind).or_raise(py)?, parameters::id(id).or_raise(py)?);
        let to = Argument::new("to", to).version().or_raise(py)?;
        let version = parameters::version(version).or_raise(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.revert(kind, id, to, version, call))?;
        records::item(py, &answer)
    }

    fn split<'py>(&self, py: Python<'py>, text: Any<'_, 'py>, media_type: Any<'_, 'py>) -> Tuple<'py> {
        let _inside = Inside::enter(py)?;
        let text = self::text("text", text).or_raise(py)?;
        let media_type = self::text("media_type", media_type).or_raise(py)?;
        let answer = enter(py, &Limits::none(py), |_| self.store.split(&text, &media_type))?;
        records::tuple(py, &answer, records::piece)
    }

    fn split_sections<'py>(&self, py: Python<'py>, text: Any<'_, 'py>) -> Tuple<'py> {
        let _inside = Inside::enter(py)?;
        let text = self::text("text", text).or_raise(py)?;
        let answer = enter(py, &Limits::none(py), |_| self.store.split_sections(&text))?;
        records::tuple(py, &answer, records::piece)
    }

    fn projects<'py>(&self, py: Python<'py>, timeout: Any<'_, 'py>, cancel: Any<'_, 'py>) -> Tuple<'py> {
        let _inside = Inside::enter(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.projects(call))?;
        records::tuple(py, &answer, records::project)
    }

    fn rename_project<'py>(
        &self,
        py: Python<'py>,
        path: Any<'_, 'py>,
        name: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> PyResult<String> {
        let _inside = Inside::enter(py)?;
        let path = text("path", path).or_raise(py)?;
        let name = text("name", name).or_raise(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.rename_project(&path, &name, call))?;
        Ok(answer)
    }

    fn move_project<'py>(
        &self,
        py: Python<'py>,
        path: Any<'_, 'py>,
        parent: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> PyResult<String> {
        let _inside = Inside::enter(py)?;
        let path = text("path", path).or_raise(py)?;
        let parent = text("parent", parent).or_raise(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.move_project(&path, &parent, call))?;
        Ok(answer)
    }

    fn delete_project<'py>(
        &self,
        py: Python<'py>,
        path: Any<'_, 'py>,
        recursive: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> PyResult<u64> {
        let _inside = Inside::enter(py)?;
        let path = text("path", path).or_raise(py)?;
        let recursive = Argument::new("recursive", recursive).boolean().or_raise(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.delete_project(&path, recursive, call))?;
        Ok(answer)
    }

    fn create_channel<'py>(
        &self,
        py: Python<'py>,
        name: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> PyResult<bool> {
        let _inside = Inside::enter(py)?;
        let name = text("name", name).or_raise(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.create_channel(&name, call))?;
        Ok(answer)
    }

    fn channels<'py>(&self, py: Python<'py>, timeout: Any<'_, 'py>, cancel: Any<'_, 'py>) -> Tuple<'py> {
        let _inside = Inside::enter(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.channels(call))?;
        PyTuple::new(py, answer)
    }

    fn tiers<'py>(&self, py: Python<'py>, timeout: Any<'_, 'py>, cancel: Any<'_, 'py>) -> Tuple<'py> {
        let _inside = Inside::enter(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.tiers(call))?;
        PyTuple::new(py, answer)
    }

    fn changes<'py>(
        &self,
        py: Python<'py>,
        since: Any<'_, 'py>,
        limit: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> Tuple<'py> {
        let _inside = Inside::enter(py)?;
        let since = Argument::new("since", since).size().or_raise(py)? as u64;
        let limit = Argument::new("limit", limit).size().or_raise(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.changes(since, limit, call))?;
        records::tuple(py, &answer, records::change)
    }

    #[expect(clippy::too_many_arguments, reason = "they are the parameters of the Python method")]
    fn search<'py>(
        &self,
        py: Python<'py>,
        query: Any<'_, 'py>,
        vector: Any<'_, 'py>,
        kinds: Any<'_, 'py>,
        project: Any<'_, 'py>,
        tags: Any<'_, 'py>,
        k: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> Object<'py> {
        let _inside = Inside::enter(py)?;
        let query = parameters::query(query, vector, kinds, project, tags, k).or_raise(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.search(&query, call))?;
        records::search_result(py, &answer)
    }

    /// Chunk ids and item places as uint32, vectors as float32, and the dimension.
    #[expect(clippy::type_complexity, reason = "a tuple of arrays")]
    fn get_embeddings<'py>(
        &self,
        py: Python<'py>,
        ids: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>, Bound<'py, PyBytes>, usize)> {
        let _inside = Inside::enter(py)?;
        let ids = parameters::ids(ids).or_raise(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.embeddings(&ids, call))?;
        Ok((
            arrays::to_bytes(py, &answer.chunks, u32::to_ne_bytes)?,
            arrays::to_bytes(py, &answer.items, u32::to_ne_bytes)?,
            arrays::to_bytes(py, &answer.vectors, f32::to_ne_bytes)?,
            answer.dimension,
        ))
    }

    fn put_embeddings<'py>(
        &self,
        py: Python<'py>,
        chunks: Any<'_, 'py>,
        vectors: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> PyResult<usize> {
        let _inside = Inside::enter(py)?;
        let chunks = arrays::unsigned("chunks", chunks).or_raise(py)?;
        let vectors = arrays::vectors("vectors", vectors).or_raise(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        enter(py, &limits, |call| self.store.put_embeddings(&chunks, &vectors, call))
    }

    fn missing_embeddings<'py>(
        &self,
        py: Python<'py>,
        limit: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> Tuple<'py> {
        let _inside = Inside::enter(py)?;
        let limit = Argument::new("limit", limit).size().or_raise(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.missing_embeddings(limit, call))?;
        PyTuple::new(py, answer)
    }

    fn stats<'py>(&self, py: Python<'py>, timeout: Any<'_, 'py>, cancel: Any<'_, 'py>) -> Object<'py> {
        let _inside = Inside::enter(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.stats(call))?;
        records::store_stats(py, self, &answer)
    }

    fn check<'py>(
        &self,
        py: Python<'py>,
        repair: Any<'_, 'py>,
        timeout: Any<'_, 'py>,
        cancel: Any<'_, 'py>,
    ) -> Object<'py> {
        let _inside = Inside::enter(py)?;
        let repair = Argument::new("repair", repair).boolean().or_raise(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.check(repair, call))?;
        records::check_report(py, &answer)
    }

    fn checkpoint<'py>(&self, py: Python<'py>, timeout: Any<'_, 'py>, cancel: Any<'_, 'py>) -> Object<'py> {
        let _inside = Inside::enter(py)?;
        let limits = limits(timeout, cancel).or_raise(py)?;
        let answer = enter(py, &limits, |call| self.store.checkpoint(call))?;
        records::checkpoint(py, answer)
    }

    /// The seconds it takes to sum the vectors of the index once.
    fn scan_seconds(&self, py: Python<'_>) -> PyResult<f64> {
        let _inside = Inside::enter(py)?;
        enter(py, &Limits::none(py), |call| self.store.scan_seconds(call))
    }

    fn close(&self, py: Python<'_>, timeout: Any<'_, '_>) -> PyResult<()> {
        let _inside = Inside::enter(py)?;
        let limits = Limits { timeout: timeout.clone(), cancel: None };
        enter(py, &limits, |call| self.store.close(call))?;
        self.is_closed.store(true, Ordering::Release);
        Ok(())
    }

    #[getter]
    fn closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    #[getter]
    pub(crate) fn path(&self) -> Option<String> {
        self.store.database().path().map(|path| path.display().to_string())
    }

    #[getter]
    fn read_only(&self) -> bool {
        self.store.database().is_read_only()
    }

    #[getter]
    pub(crate) fn schema_version(&self) -> u32 {
        self.store.database().schema_version()
    }

    #[getter]
    fn default_project(&self) -> &str {
        self.store.default_project()
    }

    #[getter]
    fn uuid(&self) -> String {
        self.store.uuid_text()
    }

    #[getter]
    fn space<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let _inside = Inside::enter(py)?;
        let space = enter(py, &Limits::none(py), |call| self.store.space(call))?;
        space.map(|space| records::space(py, &space)).transpose()
    }

    #[getter]
    fn embeds(&self) -> bool {
        self.store.embeds()
    }
}

impl Drop for PyStore {
    /// Closes without the interpreter's lock, which closing waits and checkpoints too long to keep.
    fn drop(&mut self) {
        if !self.closed() {
            // Nothing refers to the store, so no call is running, and none is attached any more once the interpreter
            // is gone.
            let _closed = Python::try_attach(|py| py.detach(|| self.store.close(&Call::unlimited())));
        }
    }
}
