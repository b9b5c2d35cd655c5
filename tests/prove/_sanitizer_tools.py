"""The sanitizers, as they are on this machine: how each builds and runs, and on what. `sanitizers.py` uses them."""

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["PLACE", "RESULTS", "ROOT", "TARGET", "Tool", "Work", "address", "memcheck", "miri", "said", "thread"]

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "build" / "prove"
PLACE = RESULTS / "sanitizers"
TARGET = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
TRIPLE = f"{platform.machine()}-unknown-linux-gnu"
# The tools look at every access, whatever the optimiser left; little optimisation keeps the engine's build short.
PROFILE = ("--config", 'profile.dev.package."*".opt-level=1')

# What may stay allocated: a part of the name of a function on the way to it, and why. None wider than one test program.
FAILED_OPEN = "it fails opens on purpose, and libsql 0.10.0 does not close what SQLite failed to open"
MAY_LEAK = {
    "failing_disk_loses_the_handle::": FAILED_OPEN,
    "faults_are_typed::": FAILED_OPEN,
    "without_references": "it makes texts that live as long as its process",
}


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
