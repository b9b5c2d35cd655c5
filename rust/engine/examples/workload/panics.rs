//! Panics of every thread, also of those whose end nobody waits for.

use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Counts each panic from now on, and says it as before.
pub fn watch() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        usual(panicked);
    }));
}

/// How many there were.
pub fn count() -> usize {
    PANICS.load(Ordering::SeqCst)
}
