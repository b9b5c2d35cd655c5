//! Which embedding space a store has, and whether vectors belong to it.

use recollect_model::{Error, Result, Space, Timestamp, limits};
use recollect_storage::Connection;
use recollect_storage::rows::spaces;
use recollect_vector::normalise;

use crate::validate;

/// Checks a space that a caller describes.
pub(crate) fn check(space: &Space) -> Result<()> {
    validate::name("space name", &space.name)?;
    if !space.revision.is_empty() {
        validate::name("space revision", &space.revision)?;
    }
    if !(2..=limits::DIMENSION).contains(&space.dimension) {
        return Err(Error::invalid(format!(
            "a space of {} dimensions: from 2 to {} are possible",
            space.dimension,
            limits::DIMENSION
        )));
    }
    Ok(())
}

/// Fails unless the two spaces are one.
pub(crate) fn check_same(active: &Space, wanted: &Space) -> Result<()> {
    let is_other_hash = match (active.weights_hash, wanted.weights_hash) {
        (Some(active), Some(wanted)) => active != wanted,
        _ => false,
    };
    if active.name == wanted.name
        && active.revision == wanted.revision
        && active.dimension == wanted.dimension
        && !is_other_hash
    {
        return Ok(());
    }
    let weights = if is_other_hash && active.name == wanted.name { " (the weights differ)" } else { "" };
    Err(Error::conflict(format!(
        "the store's vectors are of the space {}, not of {}{weights}",
        describe(active),
        describe(wanted)
    ))
    .with_hint("open the store with the embedder it was filled with, or with embedder=None to do without text search"))
}

fn describe(space: &Space) -> String {
    let revision = if space.revision.is_empty() { String::new() } else { format!(" {}", space.revision) };
    format!("{:?}{revision} with {} dimensions", space.name, space.dimension)
}

/// The active space, which is made from `wanted` if there is none yet.
pub(crate) fn active_or_create(
    connection: &Connection,
    wanted: Option<&Space>,
    now: Timestamp,
) -> Result<Option<(u32, Space)>> {
    match (spaces::active(connection)?, wanted) {
        (Some((id, active)), Some(wanted)) => {
            check_same(&active, wanted)?;
            Ok(Some((id, active)))
        }
        (Some(active), None) => Ok(Some(active)),
        (None, Some(wanted)) => Ok(Some((spaces::create(connection, wanted, now)?, wanted.clone()))),
        (None, None) => Ok(None),
    }
}

/// Vectors that a caller brings, one behind the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    /// The components of all of them.
    pub values: Vec<f32>,
    /// The components of one.
    pub dimension: usize,
}

/// Checks vectors that a caller brings: `rows` of the space's dimension, finite and not zero.
pub(crate) fn check_vectors(vectors: &Vectors, rows: usize, space: &Space) -> Result<()> {
    let Vectors { values, dimension } = vectors;
    if *dimension != space.dimension {
        return Err(Error::invalid(format!(
            "the vectors have {dimension} components, those of the space {:?} have {}",
            space.name, space.dimension
        )));
    }
    if values.len() != rows * dimension {
        return Err(Error::invalid(format!(
            "{rows} vectors are needed, one for each chunk, and {} were given",
            values.len() / dimension
        )));
    }
    let mut unit = vec![0.0; *dimension];
    for (row, vector) in values.chunks_exact(*dimension).enumerate() {
        normalise(vector, &mut unit)
            .map_err(|error| Error::invalid(format!("vector {row}: {}", error.message())).with_hint(error.hint()))?;
    }
    Ok(())
}
