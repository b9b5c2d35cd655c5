//! A file system that turns read-only under an open store, as Linux does with one that has failed: typed errors, no
//! hang, and what was acknowledged is there when it can be written again.
//!
//! It takes an ext4 file system in a file, mounted where nobody else sees it. Where that is not allowed, or there is no
//! `mkfs.ext4`, the test says so and proves nothing. (An ordinary remount to read-only is refused by the system as long
//! as a store has files open for writing.)
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr, reason = "tests")]

#[path = "support/child.rs"]
mod child;
mod support;

use std::process::Command;
use std::time::Duration;

use recollect_model::{Error, ErrorCode};
use recollect_storage::{Database, OpenOptions};
use support::{Place, insert, make_table, stored, unlimited};

/// Mounts the file system on the store's folder, lets the role work until it is read-only, mounts it anew, and lets the
/// second role look.
const SCRIPT: &str = "
    mkfs.ext4 -q -F \"$IMAGE\" && mount -o loop \"$IMAGE\" \"$FOLDER\" || { echo cannot mount; exit 1; }
    {role} || exit 1
    umount \"$FOLDER\" && e2fsck -p \"$IMAGE\" >&2; mount -o loop \"$IMAGE\" \"$FOLDER\" || exit 1
    {look}
    status=$?
    umount \"$FOLDER\"
    exit $status";

#[test]
fn a_file_system_that_turns_read_only_is_told_of_and_takes_nothing_that_was_acknowledged() {
    let (place, images) = (Place::new(), Place::new());
    let image = images.folder().join("image");
    std::fs::File::create(&image).unwrap().set_len(16 << 20).unwrap();
    let program = std::env::current_exe().unwrap();
    let look = format!("'{}' role_looks --exact --ignored --nocapture --test-threads=1", program.display());
    let script = SCRIPT.replace("{look}", &look);
    let mut command = child::shell("role_loses_its_disk", &place.path(), &["unshare", "-m"], &script);
    let output = match command.env("IMAGE", &image).env("FOLDER", place.folder()).output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("skipped: unshare cannot be run: {error}");
            return;
        }
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    if said.contains("cannot mount") || complaint.starts_with("unshare:") {
        eprintln!("skipped: no file system can be mounted here: {complaint}");
        return;
    }
    assert!(output.status.success() && said.contains("looked: 40 rows"), "{said}{complaint}");
}

#[test]
#[ignore = "a role in `a_file_system_that_turns_read_only_is_told_of_and_takes_nothing_that_was_acknowledged`"]
fn role_loses_its_disk() {
    let Some(path) = child::store() else { return };
    let store = Database::open(OpenOptions::file(&path), &unlimited()).unwrap();
    make_table(&store);
    for n in 0..40 {
        store.write(&unlimited(), |transaction| insert(transaction, n)).unwrap();
    }
    let rows: Vec<i64> = (0..40).collect();
    let refused = Command::new("mount").args(["-o", "remount,ro"]).arg(path.parent().unwrap()).output().unwrap();
    assert!(!refused.status.success(), "files are open for writing");
    assert_eq!(stored(&store), rows);
    let failed = Command::new("mount").args(["-o", "remount,abort"]).arg(path.parent().unwrap()).output().unwrap();
    assert!(failed.status.success(), "{failed:?}");

    let call = unlimited().with_timeout(Duration::from_secs(10));
    let first = store.write(&call, |transaction| insert(transaction, 99)).unwrap_err();
    assert_eq!(first.code(), ErrorCode::Io, "{first:?}");
    let is_typed = |error: &Error| [ErrorCode::Io, ErrorCode::PermissionDenied].contains(&error.code());
    for outcome in [
        store.write(&call, |transaction| insert(transaction, 99)).map(|_| ()),
        store.checkpoint(&call).map(|_| ()),
        store.erase(&call).map(|_| ()),
        store.read(&call).map(|_| ()),
    ] {
        let error = outcome.unwrap_err();
        assert!(is_typed(&error) && error.message().contains("the handle is lost"), "{error:?}");
    }
    store.close(&call).unwrap();
    drop(store);
    let again = Database::open(OpenOptions::file(&path), &call).map(|_| ()).unwrap_err();
    assert!(is_typed(&again), "{again:?}");
}

#[test]
#[ignore = "a role in `a_file_system_that_turns_read_only_is_told_of_and_takes_nothing_that_was_acknowledged`"]
fn role_looks() {
    let Some(path) = child::store() else { return };
    let store = Database::open(OpenOptions::file(&path), &unlimited()).unwrap();
    assert_eq!(store.integrity(&unlimited()).unwrap(), Vec::<String>::new());
    assert_eq!(stored(&store), (0..40).collect::<Vec<i64>>());
    store.write(&unlimited(), |transaction| insert(transaction, 40)).unwrap();
    println!("looked: 40 rows");
}
