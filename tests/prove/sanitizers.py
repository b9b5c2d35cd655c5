"""Prove that memory and threads are used soundly, as far as the sanitizers of this machine can see.

The tests of the crates run under address sanitizer (with leaks), thread sanitizer, valgrind's memcheck and Miri. The C
code of the engine is instrumented with the Rust code; Miri interprets Rust only, so it gets what never calls the
engine. Each tool is first shown a program with known faults, in Rust and in C: a tool that does not report them has
proven nothing. What a tool needs and does not find here is said, never installed.

    python tests/prove/sanitizers.py [address] [thread] [memcheck] [miri]

What was built stays in ``target/sanitize-*``; a run that finds nothing there compiles the engine for each tool. The
last line is ``sanitizers: ok ...`` (status 0) when every fault was reported, nothing else was, and address sanitizer
saw all tests of the storage crate; else ``sanitizers: short ...`` (status 1). See docs/internals/sanitizers.md.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

SCALES = False

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "build" / "prove"
PLACE = RESULTS / "sanitizers"
TARGET = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
TRIPLE = f"{platform.machine()}-unknown-linux-gnu"
# All builds and runs together, and one test program.
BUDGET_SECONDS = 15 * 60
PATIENCE_SECONDS = 150
# The tools look at every access, whatever the optimiser left; little optimisation keeps the engine's build short.
PROFILE = ("--config", 'profile.dev.package."*".opt-level=1')

REPORT = re.compile(
    r"^(?:==\d+==)?(?:ERROR|WARNING): (?:Address|Thread|Leak)Sanitizer: .*"
    r"|^==\d+== (?:Invalid|Conditional|Use of|Mismatched|Source and|Process terminating|Syscall param).*"
    r"|^error: (?:Undefined Behavior|memory leaked|the evaluated program).*",
    re.MULTILINE,
)
# What an interpreter does not know is no fault of the program.
UNSUPPORTED = re.compile(r"^error: unsupported operation: .*", re.MULTILINE)
PASSED = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed", re.MULTILINE)

# What may stay allocated: a part of the name of a function on the way to it, and why. None wider than one test program.
FAILED_OPEN = "it fails opens on purpose, and libsql 0.10.0 does not close what SQLite failed to open"
MAY_LEAK = {
    "failing_disk_loses_the_handle::": FAILED_OPEN,
    "faults_are_typed::": FAILED_OPEN,
    "without_references": "it makes texts that live as long as its process",
}

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


@dataclass(frozen=True)
class Work:
    """One command that builds test programs: which crates, and what is asked of them."""

    crates: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    rustflags: str = ""
    note: str = ""
    # Of an interpreter: a test that takes it minutes.
    skipped: str = ""


@dataclass
class Tool:
    """One sanitizer, as it is here."""

    name: str
    missing: str = ""
    cargo: tuple[str, ...] = ("cargo",)
    environment: dict[str, str] = field(default_factory=dict)
    rustflags: str = ""
    wrapper: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    works: tuple[Work, ...] = ()

    @property
    def is_interpreter(self) -> bool:
        """Whether it runs what cargo names instead of compiling it."""
        return self.name == "miri"

    def variables(self, work: Work | None = None) -> dict[str, str]:
        """The environment of its builds and runs."""
        flags = f"{self.rustflags} {work.rustflags if work else ''}".strip()
        inherited = {name: value for name, value in os.environ.items() if name != "CARGO_ENCODED_RUSTFLAGS"}
        return inherited | self.environment | {"CARGO_TERM_COLOR": "never"} | ({"RUSTFLAGS": flags} if flags else {})

    def build_arguments(self) -> tuple[str, ...]:
        """What every cargo command of it says."""
        if self.wrapper:  # It takes the programs of the other tests.
            return ("--target-dir", str(TARGET))
        return (*PROFILE, "--target", TRIPLE, "--target-dir", str(TARGET / f"sanitize-{self.name}"))


@dataclass
class Row:
    """One line of the table."""

    tool: str
    what: str
    tests: int = 0
    failed: int = 0
    findings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    not_run: str = ""
    # Of a program with a fault: whether the tool is to report it.
    expects: bool | None = None

    @property
    def is_good(self) -> bool:
        """Whether it says what it has to."""
        if self.not_run:
            return False
        if self.expects is not None:
            return bool(self.findings) == self.expects
        return bool(self.tests) and not self.findings and not self.failed

    @property
    def is_wrong(self) -> bool:
        """Whether it breaks the proof: all that is not good but a run that time ended before anything was found."""
        if self.expects is not None:
            return not self.is_good
        return bool(self.findings or self.failed) or not (self.is_good or self.not_run)

    def complain(self, what: str) -> None:
        """Enters what is wrong beside the reports of the tool; a fault is found only by a report."""
        if self.expects is None:
            self.findings.append(what)
        else:
            self.not_run = what


def said(*command: str) -> str | None:
    """What a program answers, or none if it is not there or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, cwd=ROOT).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def runtime_of(toolchain: str, letter: str) -> bool:
    """Whether the toolchain (``+name``, or empty for the usual one) brings the runtime of a sanitizer."""
    sysroot = said("rustc", *filter(None, [toolchain]), "--print", "sysroot")
    folder = Path(sysroot or "/nonexistent") / "lib" / "rustlib" / TRIPLE / "lib"
    return any(folder.glob(f"librustc-*_rt.{letter}san.a"))


def has_source_of_std(toolchain: str) -> bool:
    """Whether the toolchain can build the standard library."""
    sysroot = said("rustc", *filter(None, [toolchain]), "--print", "sysroot")
    return (Path(sysroot or "/nonexistent") / "lib/rustlib/src/rust/library/Cargo.lock").is_file()


def instrumented(name: str, toolchain: str) -> Tool:
    """Address or thread sanitizer with that toolchain, C and Rust alike."""
    symbolizers = [shutil.which("llvm-symbolizer"), *sorted(map(str, Path("/usr/bin").glob("llvm-symbolizer-*")))]
    symbolizer = next(filter(None, symbolizers), "")
    flags = f"-fsanitize={name} -fno-omit-frame-pointer -g"
    short = name[0].upper() + "SAN"
    environment = {
        f"CFLAGS_{TRIPLE.replace('-', '_')}": flags,
        "FAULTS_CFLAGS": flags,
        f"{short}_SYMBOLIZER_PATH": symbolizer,
    }
    if not toolchain:
        # The flag that chooses a sanitizer is not stable; the compiler of the releases takes it all the same.
        environment["RUSTC_BOOTSTRAP"] = "1"
    cargo = ("cargo", *filter(None, [toolchain]))
    return Tool(name, cargo=cargo, environment=environment, rustflags=f"-Zsanitizer={name} -Cforce-frame-pointers=yes")


def address() -> Tool:
    """Address sanitizer with leak sanitizer, on the crates that use the engine or have ``unsafe`` of their own."""
    for toolchain in ("", "+nightly"):
        if runtime_of(toolchain, "a"):
            tool = instrumented("address", toolchain)
            tool.environment["ASAN_OPTIONS"] = "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1"
            suppressions = PLACE / "may-leak.txt"
            suppressions.write_text("".join(f"leak:{name}\n" for name in MAY_LEAK), encoding="utf-8")
            tool.environment["LSAN_OPTIONS"] = f"suppressions={suppressions}:print_suppressions=0"
            tool.faults = ("freed-rust", "behind-rust", "leak-rust", "freed-c", "behind-c")
            tool.works = (Work(("storage",)), Work(("faults", "vector")), Work(("engine",)))
            return tool
    return Tool("address", missing=f"no Rust toolchain here has librustc-*_rt.asan.a for {TRIPLE}")


def thread() -> Tool:
    """Thread sanitizer, which must see the standard library's locks and therefore builds that, too."""
    for toolchain in ("", "+nightly"):
        if runtime_of(toolchain, "t") and has_source_of_std(toolchain):
            tool = instrumented("thread", toolchain)
            tool.environment["TSAN_OPTIONS"] = "halt_on_error=0:second_deadlock_stack=1"
            tool.faults = ("race-rust", "race-c")
            tool.works = (
                Work(("storage",), ("-Zbuild-std",)),
                Work(("engine",), ("-Zbuild-std",)),
            )
            return tool
    reason = (
        "needs a toolchain with the source of the standard library: rustup component add --toolchain nightly rust-src"
    )
    return Tool("thread", missing=reason)


def memcheck() -> Tool:
    """Memcheck of valgrind, which alone sees what was never written, on the programs of the other tests; it is slow."""
    if said("valgrind", "--version") is None:
        return Tool("memcheck", missing="valgrind is not installed")
    tests = ("open_and_reopen", "statements_are_reused", "values_come_back", "writes_are_whole")
    return Tool(
        "memcheck",
        environment={"PROPTEST_CASES": "4", "RUST_TEST_THREADS": "1"},
        wrapper=("valgrind", "--leak-check=no", "--error-exitcode=9"),
        faults=("freed-rust", "behind-rust", "freed-c", "unset-c"),
        works=(Work(("storage",), ("--lib", *(part for test in tests for part in ("--test", test)))),),
    )


def miri() -> Tool:
    """Miri, on what runs without the engine."""
    if said("cargo", "+nightly", "miri", "--version") is None:
        return Tool("miri", missing="not installed: rustup component add --toolchain nightly miri rust-src")
    return Tool(
        "miri",
        cargo=("cargo", "+nightly", "miri"),
        environment={"MIRIFLAGS": "-Zmiri-disable-isolation", "PROPTEST_CASES": "8"},
        faults=("freed-rust", "behind-rust", "race-rust"),
        works=(
            # Miri has the instructions that it compiles for, and all narrower ones.
            Work(("vector",), ("--lib", "--test", "portable"), "-Ctarget-feature=+avx512f", note="all kernels"),
            Work(("chunk",), ("--test", "markdown"), skipped="sections_are_cut_at_headings_only"),
        ),
    )


class Budget:
    """The time that is left for everything."""

    def __init__(self) -> None:
        self.end = time.monotonic() + BUDGET_SECONDS

    def left(self, most: float = BUDGET_SECONDS) -> float:
        """Seconds, at most as many as asked for."""
        return max(1.0, min(most, self.end - time.monotonic()))


def perform(command: list[str], variables: dict[str, str], seconds: float, folder: Path) -> tuple[int | None, str, str]:
    """Run a command: its exit status (none: out of time), its standard output, and everything else it said."""
    # A group of its own, so that what it started ends with it.
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, talk = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        output, talk = process.communicate()
        return None, output, talk
    return process.returncode, output, talk


def programs_in(output: str) -> list[tuple[Path, str]]:
    """The test programs that cargo's messages name, each with the folder of its crate."""
    found = []
    for line in output.splitlines():
        message = json.loads(line) if line.startswith("{") else {}
        if message.get("executable") and (message["profile"]["test"] or message["target"]["name"] == "faults-to-find"):
            found.append((Path(message["executable"]), str(Path(message["manifest_path"]).parent)))
    return found


def watch(tool: Tool, row: Row, command: list[str], variables: dict[str, str], seconds: float, folder: Path) -> None:
    """Run one program under a tool and enter what was reported, by it or by a process that it started."""
    with tempfile.TemporaryDirectory(prefix="recollect-sanitizers-") as reports:
        short = tool.name[0].upper() + "SAN_OPTIONS"
        if tool.wrapper:
            command = [*tool.wrapper, f"--log-file={reports}/report", *command]
        elif not tool.is_interpreter:
            variables = variables | {short: f"{variables[short]}:log_path={reports}/report"}
        status, output, talk = perform(command, variables, seconds, folder)
        texts = [talk, *(path.read_text(errors="replace") for path in sorted(Path(reports).iterdir()))]
    for text in texts:
        for found in REPORT.finditer(text):
            # The line itself and the places beneath it.
            row.findings.append("\n".join(text[found.start() :].splitlines()[:12]))
    if unsupported := UNSUPPORTED.search(talk):
        row.complain(unsupported.group())
        return
    counts = [(int(passed), int(failed)) for passed, failed in PASSED.findall(output)]
    row.tests += sum(passed + failed for passed, failed in counts)
    row.failed += sum(failed for _, failed in counts)
    name = next((Path(word).name for word in command if word.startswith("/")), command[0])
    if status is None:
        row.not_run = f"{name} did not end within {seconds:.0f} s"
    elif status != 0 and not row.findings and not any(failed for _, failed in counts):
        row.complain(f"{name} ended with status {status}: {(talk or output).strip()[-300:]}")
    if any(failed for _, failed in counts):
        row.findings += re.findall(r"^test .* FAILED$|^.* panicked at .*$", output, re.MULTILINE)[:4]


def show_faults(tool: Tool, budget: Budget) -> list[Row]:
    """What the tool says of a program with known faults, and of the same one without."""
    folder = PLACE / "faults"
    (folder / "src").mkdir(parents=True, exist_ok=True)
    (folder / "Cargo.toml").write_text(FAULTS_MANIFEST, encoding="utf-8")
    (folder / "src" / "main.rs").write_text(FAULTS_IN_RUST, encoding="utf-8")
    (folder / "faults.c").write_text(FAULTS_IN_C, encoding="utf-8")
    variables, command = tool.variables(), [*tool.cargo, "run", "--quiet", *tool.build_arguments(), "--"]
    if not tool.is_interpreter:
        in_c = folder / f"faults-{tool.name}.o"
        flags = tool.environment.get("FAULTS_CFLAGS", "-g").split()
        subprocess.run(["cc", *flags, "-O1", "-c", folder / "faults.c", "-o", in_c], check=True)
        standard = [argument for argument in tool.works[0].arguments if argument == "-Zbuild-std"]
        build = [*tool.cargo, "rustc", "--message-format=json", *standard, *tool.build_arguments()]
        build += ["--", f"-Clink-arg={in_c}"]
        status, output, talk = perform(build, variables, budget.left(), folder)
        if status != 0:
            return [Row(tool.name, "faults", not_run=f"the build failed: {talk.strip()[-300:]}", expects=True)]
        command = [str(program) for program, _ in programs_in(output)]
    rows = []
    for fault in ("none", *tool.faults):
        row = Row(tool.name, f"fault: {fault}", expects=fault != "none")
        started = time.monotonic()
        watch(tool, row, [*command, fault], variables, budget.left(PATIENCE_SECONDS), folder)
        row.seconds = time.monotonic() - started
        rows.append(row)
        show(row)
    return rows


def look(tool: Tool, work: Work, budget: Budget) -> Row:
    """Build and run the tests of some crates under a tool."""
    row = Row(tool.name, " ".join([*work.crates, *filter(None, [work.note])]))
    started = time.monotonic()
    # With the storage crate beside, whose features of the engine hold for all: else it would be compiled once more.
    crates = work.crates if tool.is_interpreter else dict.fromkeys(("storage", *work.crates))
    packages = [argument for crate in crates for argument in ("-p", f"recollect-{crate}")]
    common = ["test", "--locked", *packages, *work.arguments, *tool.build_arguments()]
    if tool.is_interpreter:
        if work.skipped:
            common += ["--", "--skip", work.skipped]
        watch(tool, row, [*tool.cargo, *common], tool.variables(work), budget.left(), ROOT)
    else:
        build = [*tool.cargo, *common, "--no-run", "--message-format=json"]
        status, output, talk = perform(build, tool.variables(work), budget.left(), ROOT)
        if status is None:
            row.not_run = f"of {BUDGET_SECONDS} s none were left to build; what was built is kept, so run it again"
        elif status != 0:
            row.complain(f"the build failed: {talk.strip()[-300:]}")
        programs = programs_in(output) if status == 0 else []
        for program, folder in [found for found in programs if Path(found[1]).name in work.crates]:
            variables = tool.variables(work) | {"CARGO_MANIFEST_DIR": folder}
            seconds = budget.left(PATIENCE_SECONDS)
            watch(tool, row, [str(program)], variables, seconds, Path(folder))
    row.seconds = time.monotonic() - started
    return row


def show(row: Row) -> None:
    """Print one row of the table and, beneath it, what was found and should not be there."""
    outcome = f"{len(row.findings)} findings"
    if row.expects is not None:
        outcome = "reported" if row.findings else "silent"
    if row.not_run:
        outcome = f"{outcome}, not all run" if row.findings or row.tests else "not run"
    mark = "" if row.is_good else "  <--"
    print(f"{row.tool:<9}{row.what:<28}{row.tests:>6}{row.seconds:>8.0f} s  {outcome}{mark}", flush=True)
    for text in filter(None, [row.not_run, *([] if row.expects else row.findings[:5])]):
        print("\n".join(f"    {line[:150]}" for line in text.splitlines()[:12]), flush=True)


def main() -> int:
    """Look with every tool that is here, write ``build/prove/sanitizers.json``, and return the exit status."""
    makers = {"address": address, "thread": thread, "memcheck": memcheck, "miri": miri}
    names = sys.argv[1:] or list(makers)
    if unknown := set(names) - set(makers):
        raise SystemExit(f"there is no tool {', '.join(sorted(unknown))}; there are: {', '.join(makers)}")
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    budget, rows = Budget(), list[Row]()
    print(f"{'tool':<9}{'crate, or fault to find':<28}{'tests':>6}{'time':>10}  outcome", flush=True)
    for name in names:
        tool = makers[name]()
        if tool.missing:
            rows.append(Row(name, "", not_run=tool.missing))
            show(rows[-1])
            continue
        rows += show_faults(tool, budget)
        for work in tool.works:
            rows.append(look(tool, work, budget))
            show(rows[-1])
    is_storage_clean = any(row.is_good for row in rows if (row.tool, row.what) == ("address", "storage"))
    wrong = [row for row in rows if row.is_wrong]
    absent = [f"{row.tool} {row.what}".strip() for row in rows if row.not_run and row.expects is None]
    is_ok = is_storage_clean and not wrong
    reported = sum(row.is_good for row in rows if row.expects)
    findings = sum(len(row.findings) for row in rows if row.expects is None)
    summary = (
        f"{sum(row.tests for row in rows)} tests, {findings} findings, "
        f"{reported} of {sum(row.expects is True for row in rows)} faults reported"
        f"{'; not run: ' + ', '.join(absent) if absent else ''}"
    )
    report = {"ok": is_ok, "rows": [{**asdict(row), "good": row.is_good} for row in rows]}
    (RESULTS / "sanitizers.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"sanitizers: {'ok' if is_ok else 'short'} {summary}")
    return 0 if is_ok else 1


if __name__ == "__main__":
    sys.exit(main())
