//! The whole content of a store in one number.

use recollect_engine::Store;
use recollect_model::{Call, Result};

/// The number of the last commit, and a digest of every row of every table, but for the times at which the steps of
/// the schema were applied.
pub fn fingerprint(store: &Store) -> Result<(u64, String)> {
    let call = Call::unlimited();
    let snapshot = store.database().read(&call)?;
    let mut digest = blake3::Hasher::new();
    let tables = snapshot.query(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'migrations' ORDER BY name",
        &[],
        |row| row.text(0),
    )?;
    for table in tables {
        let columns =
            snapshot.query_dynamic(&format!("SELECT name FROM pragma_table_info('{table}')"), &[], |row| {
                Ok(format!("quote(\"{}\")", row.text(0)?))
            })?;
        digest.update(table.as_bytes());
        let rows = format!("SELECT {} FROM \"{table}\"", columns.join(" || ',' || "));
        snapshot.for_each_dynamic(&rows, &[], |row| {
            digest.update(row.text_ref(0)?.as_bytes()).update(b"\n");
            Ok(())
        })?;
    }
    let seq = snapshot
        .query_one("SELECT seq FROM meta", &[], |row| row.unsigned(0))?
        .ok_or_else(|| recollect_model::Error::corrupt("the store says nothing of itself"))?;
    Ok((seq, digest.finalize().to_hex().to_string()))
}
