//! Whatever is stored comes back byte for byte, and what SQL would change on the way is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use proptest::prelude::*;
use recollect_model::ErrorCode;
use recollect_storage::{Database, OpenOptions, Value, params};
use support::{make_table, unlimited};

fn memory() -> Database {
    let store = Database::open(OpenOptions::memory(), &unlimited()).unwrap();
    store
        .write(&unlimited(), |transaction| {
            transaction
                .execute("CREATE TABLE v (id INTEGER PRIMARY KEY, i INTEGER, r REAL, t TEXT, b BLOB) STRICT", &[])
        })
        .unwrap();
    store
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_value_comes_back(
        rows in proptest::collection::vec(
            (any::<i64>(), proptest::num::f64::ANY, "[^\0]*", proptest::collection::vec(any::<u8>(), 0..3_000)), 1..8)
    ) {
        let store = memory();
        store.write(&unlimited(), |transaction| {
            for (integer, real, text, blob) in &rows {
                let real = (!real.is_nan()).then_some(*real);
                transaction.execute(
                    "INSERT INTO v (i, r, t, b) VALUES (?1, ?2, ?3, ?4)", params![*integer, real, text, blob])?;
            }
            Ok(())
        }).unwrap();
        let snapshot = store.read(&unlimited()).unwrap();
        let read = snapshot.query("SELECT i, r, t, b FROM v ORDER BY id", &[], |row| {
            assert_eq!(row.blob(3)?, row.with_blob(3, |bytes| Ok(bytes.to_vec()))?);
            let real = if row.is_null(1)? { None } else { Some(row.real(1)?) };
            Ok((row.integer(0)?, real, row.text(2)?, row.blob(3)?))
        }).unwrap();
        prop_assert_eq!(read.len(), rows.len());
        for (read, wanted) in read.iter().zip(&rows) {
            prop_assert_eq!(read.0, wanted.0);
            prop_assert_eq!(read.1, (!wanted.1.is_nan()).then_some(wanted.1));
            prop_assert_eq!(&read.2, &wanted.2);
            prop_assert_eq!(&read.3, &wanted.3);
        }
    }
}

#[test]
fn what_sql_would_change_is_refused() {
    let store = memory();
    make_table(&store);
    let code = |value: Value<'_>| {
        store
            .write(&unlimited(), |transaction| transaction.execute("INSERT INTO numbers (n) VALUES (?1)", &[value]))
            .err()
            .unwrap()
            .code()
    };
    assert_eq!(code(Value::Text("a\0b")), ErrorCode::InvalidInput);
    assert_eq!(code(Value::Real(f64::NAN)), ErrorCode::InvalidInput);
    assert_eq!(code(Value::Unsigned(1 << 63)), ErrorCode::InvalidInput);
    assert_eq!(support::stored(&store), Vec::<i64>::new());
}

#[test]
fn empty_is_not_null() {
    let store = memory();
    let snapshot = store.read(&unlimited()).unwrap();
    let found = snapshot.query_one("SELECT ?1, ?2, ?3", params!["", Vec::<u8>::new(), None::<&str>], |row| {
        Ok((row.text(0)?, row.blob(1)?, row.optional_text(2)?))
    });
    assert_eq!(found.unwrap(), Some((String::new(), Vec::new(), None)));
}

#[test]
fn a_wrong_number_of_values_is_refused() {
    let store = memory();
    let snapshot = store.read(&unlimited()).unwrap();
    for values in [params![], params![1, 2]] as [&[Value<'_>]; 2] {
        let error = snapshot.query("SELECT ?1", values, |row| row.integer(0)).err().unwrap();
        assert_eq!(error.code(), ErrorCode::Internal);
    }
    assert_eq!(snapshot.query("SELECT 1; SELECT 2", &[], |_| Ok(())).err().unwrap().code(), ErrorCode::Internal);
}
