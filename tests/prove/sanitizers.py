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
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.prove._sanitizer_faults import FAULTS_IN_C, FAULTS_IN_RUST, FAULTS_MANIFEST
from tests.prove._sanitizer_tools import (
    PLACE,
    RESULTS,
    ROOT,
    Tool,
    Work,
    address,
    memcheck,
    miri,
    thread,
)

SCALES = False

# All builds and runs together, and one test program.
BUDGET_SECONDS = 15 * 60
PATIENCE_SECONDS = 150

REPORT = re.compile(
    r"^(?:==\d+==)?(?:ERROR|WARNING): (?:Address|Thread|Leak)Sanitizer: .*"
    r"|^==\d+== (?:Invalid|Conditional|Use of|Mismatched|Source and|Process terminating|Syscall param).*"
    r"|^error: (?:Undefined Behavior|memory leaked|the evaluated program).*",
    re.MULTILINE,
)
# What an interpreter does not know is no fault of the program.
UNSUPPORTED = re.compile(r"^error: unsupported operation: .*", re.MULTILINE)
PASSED = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed", re.MULTILINE)


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
