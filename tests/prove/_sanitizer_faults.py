"""The program with known faults, in Rust and in C, that each sanitizer must report. `sanitizers.py` builds it."""

__all__ = ["FAULTS_IN_C", "FAULTS_IN_RUST", "FAULTS_MANIFEST"]

FAULTS_IN_RUST = """\
use std::{hint::black_box, thread};

unsafe extern "C" {
    fn read_freed() -> i32;
    fn read_behind() -> i32;
    fn branch_on_unset() -> i32;
    fn count(times: i32);
}

static mut COUNT: u32 = 0;

fn on_two_threads(work: fn()) {
    let others = [thread::spawn(work), thread::spawn(work)];
    others.into_iter().for_each(|other| other.join().unwrap());
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("freed-rust") => {
            let value = Box::into_raw(Box::new(7));
            unsafe { drop(Box::from_raw(value)) };
            black_box(unsafe { value.read_volatile() });
        }
        Some("behind-rust") => {
            let values = black_box(vec![1_u8; 16]);
            black_box(unsafe { values.as_ptr().add(16).read_volatile() });
        }
        Some("leak-rust") => black_box(Box::leak(black_box(Box::new([7_u64; 100])))).fill(0),
        Some("race-rust") => on_two_threads(|| {
            for _ in 0..1000 {
                let count = &raw mut COUNT;
                unsafe { count.write_volatile(count.read_volatile() + 1) };
            }
        }),
        Some("freed-c") => drop(black_box(unsafe { read_freed() })),
        Some("behind-c") => drop(black_box(unsafe { read_behind() })),
        Some("unset-c") => drop(black_box(unsafe { branch_on_unset() })),
        Some("race-c") => on_two_threads(|| unsafe { count(1000) }),
        _ => on_two_threads(|| drop(black_box(vec![1_u8; 16]))),
    }
}
"""

FAULTS_IN_C = """\
#include <stdlib.h>
int read_freed(void) { volatile int *value = malloc(sizeof *value); *value = 7; free((void *)value); return *value; }
int read_behind(void) { volatile char values[16] = {0}; volatile int end = 16; return values[end]; }
int branch_on_unset(void) { volatile int *value = malloc(sizeof *value); if (*value) rand(); return 0; }
static volatile int total;
void count(int times) { while (times--) total++; }
"""

FAULTS_MANIFEST = """\
[package]
name = "faults-to-find"
version = "0.0.0"
edition = "2024"

[workspace]

[profile.dev]
opt-level = 1
debug = "line-tables-only"
"""
