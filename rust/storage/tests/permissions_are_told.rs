//! Files and folders that may not be written are told of as such, and what can be read is read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr, reason = "tests")]

#[path = "support/child.rs"]
mod child;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use recollect_model::{ErrorCode, Result};
use recollect_storage::Database;
use support::{Place, insert, make_table, options, read_only, stored, unlimited};

/// What became of opening for writing, and of opening for reading.
fn opened(path: &Path) -> String {
    let said = |outcome: Result<Database>| match outcome {
        Ok(store) => format!("{} rows", stored(&store).len()),
        Err(error) => {
            assert!(!error.hint().is_empty());
            error.code().as_str().to_owned()
        }
    };
    let writing = said(Database::open(options(path), &unlimited()));
    format!("{writing}, {}", said(Database::open(read_only(path), &unlimited())))
}

#[test]
#[ignore = "a role in the tests of this file"]
fn role_opens() {
    let Some(path) = child::store() else { return };
    println!("done: {}", opened(&path));
}

/// A closed store of three rows.
fn store() -> Place {
    let place = Place::new();
    let store = place.open();
    make_table(&store);
    for n in 0..3 {
        store.write(&unlimited(), |transaction| insert(transaction, n)).unwrap();
    }
    store.close(&unlimited()).unwrap();
    place
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// What the role says, run by nobody: permissions do not bind root. None, with the reason, where that cannot be.
fn as_nobody(place: &Place, script: &str) -> Option<String> {
    let wrapper: &[&str] = if fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
    {
        &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
    } else {
        &[]
    };
    run(place, wrapper, script)
}

fn run(place: &Place, wrapper: &[&str], script: &str) -> Option<String> {
    let output = match child::shell("role_opens", &place.path(), wrapper, script).output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("skipped: {wrapper:?} cannot be run: {error}");
            return None;
        }
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.contains("cannot begin") || complaint.contains("setpriv:") || complaint.contains("Permission denied\n") {
        eprintln!("skipped: {said}{complaint}");
        return None;
    }
    let (_, rest) = said.split_once("done:").unwrap_or_else(|| fail(&format!("{said}{complaint}")));
    Some(rest.lines().next().unwrap().trim().to_owned())
}

#[expect(clippy::panic, reason = "a test may panic")]
fn fail(problem: &str) -> ! {
    panic!("{problem}")
}

fn check(said: Option<String>, wanted: &str) {
    if let Some(said) = said {
        assert_eq!(said, wanted);
    }
}

#[test]
fn a_file_that_may_not_be_read_is_denied() {
    let place = store();
    mode(place.folder(), 0o777);
    mode(&place.path(), 0o000);
    check(as_nobody(&place, "exec {role}"), "permission_denied, permission_denied");
}

#[test]
fn a_file_that_may_not_be_written_is_read() {
    let place = store();
    mode(place.folder(), 0o777);
    for suffix in ["", "-wal", "-shm"] {
        mode(&place.folder().join(format!("store.db{suffix}")), 0o444);
    }
    for suffix in [".gate", ".lock"] {
        mode(&place.folder().join(format!("store.db{suffix}")), 0o666);
    }
    check(as_nobody(&place, "exec {role}"), "permission_denied, 3 rows");
}

#[test]
fn a_folder_that_may_not_be_written_is_read_with_the_files_that_are_there() {
    let place = store();
    mode(place.folder(), 0o555);
    check(as_nobody(&place, "exec {role}"), "permission_denied, 3 rows");
    mode(place.folder(), 0o755);
    // Without them they would have to be made.
    fs::remove_file(place.folder().join("store.db-shm")).unwrap();
    fs::remove_file(place.folder().join("store.db-wal")).unwrap();
    mode(place.folder(), 0o555);
    check(as_nobody(&place, "exec {role}"), "permission_denied, permission_denied");
    mode(place.folder(), 0o755);
}

#[test]
fn a_file_system_that_is_mounted_for_reading_is_read() {
    let place = store();
    let script = format!(
        "mount --bind '{0}' '{0}' && mount -o remount,bind,ro '{0}' || {{ echo cannot begin; exit 1; }}; exec {{role}}",
        place.folder().display()
    );
    check(run(&place, &["unshare", "-rm"], &script), "permission_denied, 3 rows");
    assert_eq!(stored(&place.open()), [0, 1, 2]);
}

#[test]
fn a_lock_file_that_cannot_be_one_is_told_of() {
    let place = store();
    for suffix in [".gate", ".lock"] {
        let lock = place.folder().join(format!("store.db{suffix}"));
        fs::remove_file(&lock).unwrap();
        fs::create_dir(&lock).unwrap();
        let error = Database::open(options(&place.path()), &unlimited()).err().unwrap();
        assert_eq!(error.code(), ErrorCode::Io, "{error:?}");
        assert!(error.message().contains(&format!("store.db{suffix}")), "{error}");
        fs::remove_dir(&lock).unwrap();
    }
    assert_eq!(stored(&place.open()), [0, 1, 2]);
}
