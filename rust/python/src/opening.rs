//! The options of `open`.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use recollect_engine::{Durability, Location, OpenMode, OpenOptions, StoreOptions};
use recollect_model::{Error, Result, Space};

use crate::argument::{Argument, optional_text, text};
use crate::embedder::PythonEmbedder;
use crate::model::PyStaticModel;

/// Options from arguments.
#[expect(clippy::too_many_arguments, reason = "they are the keyword arguments of open")]
pub(crate) fn options(
    path: &Bound<'_, PyAny>,
    read_only: &Bound<'_, PyAny>,
    create: &Bound<'_, PyAny>,
    durability: &Bound<'_, PyAny>,
    timeout: &Bound<'_, PyAny>,
    readers: &Bound<'_, PyAny>,
    project: &Bound<'_, PyAny>,
    principal: &Bound<'_, PyAny>,
    sweep: &Bound<'_, PyAny>,
    embedder: &Bound<'_, PyAny>,
    space: &Bound<'_, PyAny>,
    require_space: bool,
) -> Result<StoreOptions> {
    let path = optional_text("path", path)?;
    let mut database = path.as_ref().map_or_else(OpenOptions::memory, OpenOptions::file);
    let create = Argument::new("create", create).boolean()?;
    database.mode = if Argument::new("read_only", read_only).boolean()? {
        OpenMode::ReadOnly
    } else {
        OpenMode::ReadWrite { create }
    };
    if matches!((&database.location, database.mode), (Location::Memory, OpenMode::ReadOnly)) {
        return Err(Error::invalid("a store in memory cannot be opened for reading alone: it would stay empty"));
    }
    database.durability = match text("durability", durability)?.as_str() {
        "full" => Durability::Full,
        "normal" => Durability::Normal,
        other => return Err(Error::invalid(format!("{other:?} is no durability; known are: full, normal"))),
    };
    if let Some(seconds) = Argument::new("timeout", timeout).optional(Argument::seconds)? {
        database.lock_timeout = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    }
    database.readers = Argument::new("readers", readers).size()?;
    if !(1..=1024).contains(&database.readers) {
        return Err(Error::invalid(format!("readers is {}; it must be from 1 to 1024", database.readers)));
    }
    let mut options = StoreOptions::new(database);
    options.default_project = text("project", project)?;
    options.principal = text("principal", principal)?;
    options.sweep = Argument::new("sweep", sweep).boolean()?;
    options.require_space = require_space;
    if let Ok(model) = embedder.cast::<PyStaticModel>() {
        options.embedder = Some(model.get().embedder());
    } else if !embedder.is_none() {
        options.embedder = Some(Arc::new(PythonEmbedder::new(embedder)?));
    }
    options.space = Argument::new("space", space).optional(|_| {
        let part =
            |index: usize| space.get_item(index).map_err(|_| Error::invalid("a space is (name, revision, dimension)"));
        Ok(Space {
            name: text("the name of the space", &part(0)?)?,
            revision: text("the revision of the space", &part(1)?)?,
            dimension: Argument::new("the dimension of the space", &part(2)?).size()?,
            weights_hash: None,
        })
    })?;
    Ok(options)
}
