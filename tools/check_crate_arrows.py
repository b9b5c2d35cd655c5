"""Checks that the crates import each other only along the arrows of the architecture.

An arrow leads from a crate to what stands directly below it; a crate may name whatever its arrows lead to, also through
other crates. Dependencies of tests and of build scripts count like all others, but for the crates that exist for tests
alone: any crate may test with them, and none may be built with them.
"""

import json
import subprocess
import sys

ARROWS: dict[str, frozenset[str]] = {
    "python": frozenset({"engine"}),
    "engine": frozenset({"query", "storage", "chunk", "embed", "cache", "vector", "text", "filter"}),
    "query": frozenset({"model"}),
    "storage": frozenset({"model"}),
    "chunk": frozenset({"model"}),
    "embed": frozenset({"model"}),
    "cache": frozenset({"model"}),
    "vector": frozenset({"segment"}),
    "text": frozenset({"segment"}),
    "filter": frozenset({"segment"}),
    "segment": frozenset({"model"}),
    "model": frozenset(),
    "faults": frozenset(),
}
# Not to be found in any release.
FOR_TESTS = frozenset({"faults"})
PREFIX = "recollect-"


def reachable(crate: str) -> set[str]:
    """All crates that the arrows lead to from `crate`, itself left out."""
    found: set[str] = set()
    pending = list(ARROWS[crate])
    while pending:
        below = pending.pop()
        if below not in found:
            found.add(below)
            pending.extend(ARROWS[below])
    return found


def violations(packages: list[dict[str, object]]) -> list[str]:
    """One sentence for each crate or dependency that the architecture does not have.

    Args:
        packages: The `packages` of `cargo metadata --no-deps`.
    """
    sentences: list[str] = []
    for package in packages:
        crate = str(package["name"]).removeprefix(PREFIX)
        if crate not in ARROWS:
            sentences.append(f"{package['name']}: the architecture has no such crate")
            continue
        allowed = reachable(crate)
        dependencies = package["dependencies"]
        if not isinstance(dependencies, list):
            raise TypeError(f"cargo metadata lists no dependencies for {package['name']}")
        for dependency in dependencies:
            name = str(dependency["name"])
            below = name.removeprefix(PREFIX)
            if below == name:
                continue
            if below in FOR_TESTS:
                if dependency["kind"] != "dev":
                    sentences.append(f"{package['name']} is built with {name}, which is for tests")
            elif below not in allowed:
                sentences.append(f"{package['name']} imports {name}, against the arrows")
    return sentences


def main() -> int:
    """Prints the violations, and returns 1 if there are any."""
    answer = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1", "--locked"],
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    packages = json.loads(answer)["packages"]
    if not packages:
        print("cargo metadata names no crate", file=sys.stderr)
        return 1
    found = violations(packages)
    for sentence in found:
        print(sentence, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
