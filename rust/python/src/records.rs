//! Answers of the core as records of `recollect.records`, built positionally.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use recollect_engine::{CheckReport, Checkpoint, StoreStats, TextPiece};
use recollect_model::{
    AddWarning, Added, Change, Content, Deleted, DeletedMany, Hit, Item, Kind, Page, Project, Purged, SearchAnswer,
    Space, Swept, Version,
};

use crate::classes::classes;
use crate::model::hex;
use crate::times;
use crate::{json, store::PyStore};

type Object<'py> = PyResult<Bound<'py, PyAny>>;

fn texts<'py>(py: Python<'py>, texts: &[String]) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, texts)
}

/// A tuple of what `each` makes of every value.
pub(crate) fn tuple<'py, T>(
    py: Python<'py>,
    values: &[T],
    each: impl Fn(Python<'py>, &T) -> Object<'py>,
) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, values.iter().map(|value| each(py, value)).collect::<PyResult<Vec<_>>>()?)
}

/// A `Rule`, `Doc` or `Ref`.
pub(crate) fn item<'py>(py: Python<'py>, item: &Item) -> Object<'py> {
    let fields = &item.fields;
    let any = |value: Bound<'py, PyAny>| value;
    let mut arguments: Vec<Bound<'py, PyAny>> = Vec::with_capacity(24);
    macro_rules! push {
        ($($value:expr),* $(,)?) => { $(arguments.push(any($value.into_pyobject(py)?.into_any()));)* };
    }
    let created_at = times::to_python(py, item.created_at)?;
    // Most items were never updated.
    let updated_at =
        if item.updated_at == item.created_at { created_at.clone() } else { times::to_python(py, item.updated_at)? };
    push!(
        item.id.to_string(),
        item.version,
        fields.key.as_deref(),
        fields.project.as_str(),
        texts(py, &fields.tags)?,
        json::object_to_python(py, &fields.metadata)?,
        fields.channel.as_deref(),
        fields.tier.as_str(),
        fields.priority,
        fields.source.as_deref(),
        fields.trust.as_str(),
        times::optional_to_python(py, fields.valid_from)?,
        times::optional_to_python(py, fields.valid_until)?,
        times::optional_to_python(py, fields.expires_at)?,
        created_at,
        item.created_by.as_str(),
        updated_at,
        item.updated_by.as_str(),
        times::optional_to_python(py, item.deleted_at)?,
    );
    let classes = classes(py)?;
    let class = match &item.content {
        Content::Rule(rule) => {
            push!(rule.text.as_str(), texts(py, &rule.applies_to)?, texts(py, &rule.modes)?);
            arguments.push(rule.always_on.into_pyobject(py)?.to_owned().into_any());
            &classes.rule
        }
        Content::Doc(doc) => {
            push!(
                doc.path.as_deref(),
                doc.title.as_deref(),
                doc.media_type.as_str(),
                hex(&doc.content_hash),
                doc.text.as_str()
            );
            &classes.doc
        }
        Content::Ref(reference) => {
            push!(
                reference.target.as_str(),
                reference.target_kind.as_str(),
                reference.note.as_str(),
                times::optional_to_python(py, reference.checked_at)?,
                reference.state.as_str()
            );
            &classes.reference
        }
    };
    class.bind(py).call1(PyTuple::new(py, arguments)?)
}

fn warning<'py>(py: Python<'py>, warning: &AddWarning) -> Object<'py> {
    let class = classes(py)?.add_warning.bind(py);
    match warning {
        AddWarning::NearDuplicate { id, similarity } => {
            let message =
                format!("{id} says nearly the same: {:.0} % of the word pairs are shared", similarity * 100.0);
            class.call1(("near_duplicate", message, id.to_string(), *similarity, PyTuple::empty(py)))
        }
        AddWarning::FieldsKept { fields } => {
            let message = format!("equal content was there already, and it keeps its own {}", fields.join(", "));
            class.call1(("fields_kept", message, py.None(), py.None(), PyTuple::new(py, fields)?))
        }
        AddWarning::NotEmbedded => {
            let message = "no vector was stored for the item: search by meaning cannot find it";
            class.call1(("not_embedded", message, py.None(), py.None(), PyTuple::empty(py)))
        }
    }
}

/// An `Added`.
pub(crate) fn added<'py>(py: Python<'py>, kind: Kind, added: &Added) -> Object<'py> {
    let warnings = tuple(py, &added.warnings, warning)?;
    let id = added.id.to_string();
    classes(py)?.added.bind(py).call1((id, kind.as_str(), added.key.as_deref(), added.version, added.created, warnings))
}

/// A `Page`.
pub(crate) fn page<'py>(py: Python<'py>, page: &Page) -> Object<'py> {
    classes(py)?.page.bind(py).call1((tuple(py, &page.items, item)?, page.next_cursor.as_deref()))
}

/// A `Deleted`.
pub(crate) fn deleted<'py>(py: Python<'py>, deleted: &Deleted) -> Object<'py> {
    let until = times::to_python(py, deleted.undo_until)?;
    classes(py)?.deleted.bind(py).call1((deleted.id.to_string(), deleted.version, until))
}

/// A `DeletedMany`.
pub(crate) fn deleted_many<'py>(py: Python<'py>, deleted: &DeletedMany) -> Object<'py> {
    let ids = PyTuple::new(py, deleted.ids.iter().map(ToString::to_string))?;
    let until = times::to_python(py, deleted.undo_until)?;
    classes(py)?.deleted_many.bind(py).call1((ids, until, deleted.dry_run))
}

/// A `Purged`.
pub(crate) fn purged<'py>(py: Python<'py>, purged: &Purged) -> Object<'py> {
    let arguments = (purged.id.to_string(), purged.kind.as_str(), purged.versions, purged.chunks);
    classes(py)?.purged.bind(py).call1(arguments)
}

/// A `Swept`.
pub(crate) fn swept(py: Python<'_>, swept: Swept) -> Object<'_> {
    classes(py)?.swept.bind(py).call1((swept.expired, swept.deleted))
}

/// A `Version`.
pub(crate) fn version<'py>(py: Python<'py>, version: &Version) -> Object<'py> {
    let arguments = (version.operation.as_str(), version.seq, item(py, &version.item)?);
    classes(py)?.version.bind(py).call1(arguments)
}

/// A `Piece`.
pub(crate) fn piece<'py>(py: Python<'py>, piece: &TextPiece) -> Object<'py> {
    let heading = texts(py, &piece.heading)?;
    classes(py)?.piece.bind(py).call1((piece.text.as_str(), heading, piece.start, piece.end))
}

/// A `Project`.
pub(crate) fn project<'py>(py: Python<'py>, project: &Project) -> Object<'py> {
    classes(py)?.project.bind(py).call1((project.path.as_str(), project.rules, project.docs, project.refs))
}

/// A `Change`.
pub(crate) fn change<'py>(py: Python<'py>, change: &Change) -> Object<'py> {
    classes(py)?.change.bind(py).call1((
        change.seq,
        change.ordinal,
        change.item.map(|id| id.to_string()),
        change.kind.map(Kind::as_str),
        change.operation.as_str(),
        times::to_python(py, change.at)?,
        change.by.as_str(),
    ))
}

fn hit<'py>(py: Python<'py>, hit: &Hit) -> Object<'py> {
    let arguments: Vec<Bound<'py, PyAny>> = vec![
        hit.id.to_string().into_pyobject(py)?.into_any(),
        hit.kind.as_str().into_pyobject(py)?.into_any(),
        hit.version.into_pyobject(py)?.into_any(),
        hit.key.as_deref().into_pyobject(py)?.into_any(),
        hit.project.as_str().into_pyobject(py)?.into_any(),
        hit.score.into_pyobject(py)?.into_any(),
        hit.chunk.into_pyobject(py)?.into_any(),
        hit.snippet.as_str().into_pyobject(py)?.into_any(),
        texts(py, &hit.heading)?.into_any(),
        hit.start.into_pyobject(py)?.into_any(),
        hit.end.into_pyobject(py)?.into_any(),
        hit.title.as_deref().into_pyobject(py)?.into_any(),
        hit.path.as_deref().into_pyobject(py)?.into_any(),
        texts(py, &hit.tags)?.into_any(),
        hit.source.as_deref().into_pyobject(py)?.into_any(),
        hit.trust.as_str().into_pyobject(py)?.into_any(),
        hit.priority.into_pyobject(py)?.into_any(),
        times::to_python(py, hit.updated_at)?,
    ];
    classes(py)?.hit.bind(py).call1(PyTuple::new(py, arguments)?)
}

/// A `SearchResult`.
pub(crate) fn search_result<'py>(py: Python<'py>, answer: &SearchAnswer) -> Object<'py> {
    let scope = answer.scope.as_ref().map(|scope| texts(py, scope)).transpose()?;
    let hits = tuple(py, &answer.hits, hit)?;
    classes(py)?.search_result.bind(py).call1((hits, scope, answer.matched, answer.seq, answer.space.as_str()))
}

/// A `Space`.
pub(crate) fn space<'py>(py: Python<'py>, space: &Space) -> Object<'py> {
    let hash = space.weights_hash.map(|hash| hex(&hash));
    classes(py)?.space.bind(py).call1((space.name.as_str(), space.revision.as_str(), space.dimension, hash))
}

/// A `Checkpoint`.
pub(crate) fn checkpoint(py: Python<'_>, checkpoint: Checkpoint) -> Object<'_> {
    let arguments = (checkpoint.busy, checkpoint.log_frames, checkpoint.checkpointed_frames);
    classes(py)?.checkpoint.bind(py).call1(arguments)
}

/// A `CheckReport`.
pub(crate) fn check_report<'py>(py: Python<'py>, report: &CheckReport) -> Object<'py> {
    let arguments = (
        report.problems.is_empty(),
        texts(py, &report.problems)?,
        report.items,
        report.chunks,
        report.vectors,
        report.changes,
        texts(py, &report.repaired)?,
    );
    classes(py)?.check_report.bind(py).call1(arguments)
}

/// A `StoreStats`.
pub(crate) fn store_stats<'py>(py: Python<'py>, store: &PyStore, stats: &StoreStats) -> Object<'py> {
    let classes = classes(py)?;
    let (database, totals) = (&stats.database, &stats.totals);
    let (readers, guard, done) = (database.readers, database.guard, database.checkpoints);
    let readers_waited = times::duration_to_python(py, readers.waited)?;
    let guard_waited = times::duration_to_python(py, guard.waited)?;
    let index = stats.index;
    let arguments: Vec<Bound<'py, PyAny>> = vec![
        store.path().into_pyobject(py)?.into_any(),
        store.schema_version().into_pyobject(py)?.into_any(),
        stats.seq.into_pyobject(py)?.into_any(),
        totals.rules.into_pyobject(py)?.into_any(),
        totals.docs.into_pyobject(py)?.into_any(),
        totals.refs.into_pyobject(py)?.into_any(),
        totals.deleted.into_pyobject(py)?.into_any(),
        totals.chunks.into_pyobject(py)?.into_any(),
        stats.vectors.into_pyobject(py)?.into_any(),
        totals.projects.into_pyobject(py)?.into_any(),
        totals.tags.into_pyobject(py)?.into_any(),
        database.file_bytes.into_pyobject(py)?.into_any(),
        database.wal_bytes.into_pyobject(py)?.into_any(),
        stats.space.as_ref().map(|found| space(py, found)).transpose()?.into_pyobject(py)?.into_any(),
        classes.reader_stats.bind(py).call1((
            readers.max,
            readers.open,
            readers.in_use,
            readers.waits,
            readers_waited,
        ))?,
        classes.guard_stats.bind(py).call1((guard.acquisitions, guard.waits, guard_waited))?,
        classes.checkpoint_stats.bind(py).call1((done.done, done.busy, done.frames))?,
        classes.index_stats.bind(py).call1((index.seq, index.chunks, index.live, index.bytes))?,
    ];
    classes.store_stats.bind(py).call1(PyTuple::new(py, arguments)?)
}
