//! Other processes for a test: the test's own program, run again with one of its tests as the role to play.
#![allow(dead_code, reason = "no test file uses all of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const STORE: &str = "RECOLLECT_TEST_STORE";

/// Starts the test of that name, which must be ignored otherwise, in a process of its own.
pub fn start(role: &str, store: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([role, "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(STORE, store)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the child starts")
}

/// In the child: the store to use. None when somebody runs the ignored tests by hand.
pub fn store() -> Option<PathBuf> {
    std::env::var_os(STORE).map(PathBuf::from)
}

/// The lines of the child that begin with that word, without it, as they come.
pub fn said(child: &mut Child, word: &'static str) -> impl Iterator<Item = String> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.map_while(Result::ok).filter_map(move |line| {
        // The first line of a test follows its name without a break.
        line.split_once(word).map(|(_, rest)| rest.trim().to_owned())
    })
}

/// The command that runs a role through a shell, which can limit it, mount a file system for it, or change who it is;
/// `{role}` in the script stands for the role's own command.
pub fn shell(role: &str, store: &Path, wrapper: &[&str], script: &str) -> Command {
    let program = std::env::current_exe().unwrap();
    let run = format!("'{}' {role} --exact --ignored --nocapture --test-threads=1", program.display());
    let line = script.replace("{role}", &run);
    let words: Vec<&str> = wrapper.iter().copied().chain(["sh", "-c", &line]).collect();
    let (first, rest) = words.split_first().unwrap();
    let mut command = Command::new(first);
    command.args(rest).env(STORE, store).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
