//! No text makes splitting slow: what is quadratic would take minutes here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::time::{Duration, Instant};

use recollect_chunk::{MediaType, Settings, Signature, split};

const BYTES: usize = 1_000_000;

fn filled(part: &str) -> String {
    part.repeat(BYTES / part.len())
}

fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "a",
        "#",
        "# ",
        "- ",
        "-\n",
        "```",
        "```\n",
        " ",
        "\t",
        "\n",
        ">",
        "> ",
        "> - ",
        "+ - * ",
        "1. ",
        "*",
        "_a**b ",
        "`a``b",
        "[",
        "![[]()",
        "[a](",
        "[a]: b\n",
        "<",
        "<a ",
        "|",
        "|a|\n|-|\n",
        "# a\n",
        "# a\nb\n",
        "a\n=\n",
        "---\n",
        "a. ",
        "。",
        "é",
        "a  ",
        "> \n\na\n",
        "\r",
        "a\r\n\r\n",
    ]
    .map(filled)
    .into();
    for markers in ["> ", "+ - * ", "1. ", "> - "] {
        for line in ["a\n", "\na\n", "\n"] {
            texts.push(filled(markers) + &filled(line));
        }
    }
    texts.push(filled("a") + &filled(" ") + "b");
    texts.push(format!("a\n\n{}b", filled("    ")));
    let steps = |step: &str, line: &str| -> String { (0..700).map(|depth| step.repeat(depth) + line).collect() };
    for line in ["a\n", "\na\n"] {
        texts.push(steps("  ", "- a\n") + &filled(line));
        texts.push(steps("> ", "a\n") + &filled(line));
    }
    texts
}

#[test]
fn a_megabyte_of_anything_is_split_in_seconds() {
    for text in texts() {
        for media in [MediaType::Markdown, MediaType::PlainText] {
            let begun = Instant::now();
            split(&text, media, &Settings::default()).unwrap();
            let taken = begun.elapsed();
            let shown: String = text.chars().take(20).collect();
            assert!(taken < Duration::from_secs(10), "{taken:?} for {shown:?}…");
        }
        Signature::of(&text);
    }
}
