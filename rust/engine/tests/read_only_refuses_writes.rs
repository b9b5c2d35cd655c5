//! A store that was opened for reading answers, and refuses every write with one kind of error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use recollect_model::{ErrorCode, Kind, Patch, Scope};
use support::{DIMENSION, Place, add, assert_sound, code, found, get, in_project, rule, seq, set_text, unlimited};

#[test]
fn every_write_is_refused_and_every_read_answers() {
    let place = Place::new();
    let writer = place.open();
    let (id, gone) =
        (add(&writer, in_project(rule("write tests first"), "acme")).id, add(&writer, rule("commit often")).id);
    writer.delete(Kind::Rule, gone, None, &unlimited()).unwrap();
    let store = place.open_read_only();
    let chunk = store.embeddings(&[id], &unlimited()).unwrap().chunks[0];
    let refused = [
        code(store.add(Kind::Rule, vec![rule("another rule")], None, &unlimited())),
        code(store.add(Kind::Rule, vec![in_project(rule("write tests first"), "acme")], None, &unlimited())),
        code(store.update(Kind::Rule, id, &set_text("another text"), None, None, &unlimited())),
        code(store.delete(Kind::Rule, id, None, &unlimited())),
        code(store.restore(Kind::Rule, gone, &unlimited())),
        code(store.revert(Kind::Rule, id, 1, None, &unlimited())),
        code(store.put_embeddings(&[chunk], &support::vectors(&[1.0; DIMENSION]), &unlimited())),
        code(store.create_channel("board", &unlimited())),
        code(store.rename_project("acme", "acne", &unlimited())),
        code(store.move_project("acme", "beta", &unlimited())),
        code(store.delete_project("acme", true, &unlimited())),
        code(store.checkpoint(&unlimited())),
    ];
    assert_eq!(refused, [ErrorCode::PermissionDenied; 12]);
    // What would change nothing needs no right to change.
    assert_eq!(store.update(Kind::Rule, id, &Patch::default(), None, None, &unlimited()).unwrap().version, 1);

    assert_eq!(seq(&store), 3);
    assert_eq!(found(&store, "tests", Scope::Everywhere), [id]);
    assert_eq!(get(&store, id).fields.project, "acme");
    assert_sound(&store);
    let later = add(&writer, rule("what was added later")).id;
    assert!(found(&store, "what was added later", Scope::Everywhere).contains(&later), "it follows the writer");
    store.close(&unlimited()).unwrap();
    assert_eq!(code(store.seq(&unlimited())), ErrorCode::Closed);
    assert_eq!(seq(&writer), 4);
}
