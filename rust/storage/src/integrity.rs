//! Whether a store is sound.

use recollect_model::{ErrorCode, Result};

use crate::connection::Connection;

/// What libSQL finds wrong, at most a hundred findings of each check.
pub(crate) fn findings(connection: &Connection) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    collect(&mut findings, |findings| {
        connection.for_each("PRAGMA integrity_check(100)", &[], |row| {
            let finding = row.text_ref(0)?;
            if finding != "ok" {
                findings.push(finding.to_owned());
            }
            Ok(())
        })
    })?;
    collect(&mut findings, |findings| {
        connection.for_each("PRAGMA foreign_key_check", &[], |row| {
            if findings.len() < 200 {
                let (table, parent) = (row.text_ref(0)?, row.text_ref(2)?);
                let row = row.optional_integer(1)?.map_or_else(String::new, |rowid| format!(" {rowid}"));
                findings.push(format!("row{row} of {table} refers to a row of {parent} that is not there"));
            }
            Ok(())
        })
    })?;
    Ok(findings)
}

/// A check that stops at damage has found something.
fn collect(findings: &mut Vec<String>, check: impl FnOnce(&mut Vec<String>) -> Result<()>) -> Result<()> {
    match check(findings) {
        Err(error) if error.code() == ErrorCode::Corrupt => {
            findings.push(error.to_string());
            Ok(())
        }
        outcome => outcome,
    }
}
