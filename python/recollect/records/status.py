"""What a store says about itself."""

from dataclasses import dataclass
from datetime import timedelta

from recollect.records.record import Record

__all__ = [
    "CheckReport",
    "Checkpoint",
    "CheckpointStats",
    "GuardStats",
    "IndexStats",
    "ReaderStats",
    "Space",
    "StoreStats",
]


@dataclass(frozen=True, slots=True)
class Space(Record):
    """An embedding space: what makes vectors comparable.

    Attributes:
        name: The name of the model, or the caller's name for it.
        revision: The revision of the model; empty if it has none.
        dimension: The number of components of a vector.
        weights_hash: BLAKE3-256 of the model's files in hexadecimal, where they are known.
    """

    name: str
    revision: str
    dimension: int
    weights_hash: str | None


@dataclass(frozen=True, slots=True)
class ReaderStats(Record):
    """The pool of read connections.

    Attributes:
        max: How many there may be.
        open: How many there are.
        in_use: How many are at work.
        waits: How often a call had to wait for one.
        waited: How long all of them waited together.
    """

    max: int
    open: int
    in_use: int
    waits: int
    waited: timedelta


@dataclass(frozen=True, slots=True)
class GuardStats(Record):
    """The lock that lets one process at a time write or checkpoint.

    Attributes:
        acquisitions: How often this process got it.
        waits: How often it had to wait.
        waited: How long it waited in all.
    """

    acquisitions: int
    waits: int
    waited: timedelta


@dataclass(frozen=True, slots=True)
class CheckpointStats(Record):
    """The checkpoints that this process ran.

    Attributes:
        done: How many moved the whole log into the database file.
        busy: How many could not, because a reader held an older state.
        frames: How many pages they moved.
    """

    done: int
    busy: int
    frames: int


@dataclass(frozen=True, slots=True)
class IndexStats(Record):
    """The vector index in memory.

    Attributes:
        seq: The change it is as of.
        chunks: The chunks it knows.
        live: Those that a search may find.
        bytes: The memory it takes.
    """

    seq: int
    chunks: int
    live: int
    bytes: int


@dataclass(frozen=True, slots=True, repr=False)
class StoreStats(Record):
    """What a store holds and how it is doing.

    Attributes:
        path: The database file; None in memory.
        schema_version: The number of the last migration.
        seq: The number of the last change.
        rules: Live rules.
        docs: Live docs.
        refs: Live refs.
        deleted: Deleted items that can still be restored.
        chunks: Live chunks.
        vectors: Stored vectors of live chunks.
        projects: Projects.
        tags: Distinct tags.
        file_bytes: The size of the database file.
        wal_bytes: The size of its write-ahead log.
        space: The embedding space, if there is one.
        readers: The pool of read connections.
        guard: The lock of the writers.
        checkpoints: The checkpoints of this process.
        index: The vector index in memory.
    """

    path: str | None
    schema_version: int
    seq: int
    rules: int
    docs: int
    refs: int
    deleted: int
    chunks: int
    vectors: int
    projects: int
    tags: int
    file_bytes: int
    wal_bytes: int
    space: Space | None
    readers: ReaderStats
    guard: GuardStats
    checkpoints: CheckpointStats
    index: IndexStats

    def __repr__(self) -> str:
        space = self.space.name if self.space else None
        return (
            f"StoreStats({self.path or ':memory:'!r}, rules={self.rules}, docs={self.docs}, refs={self.refs}, "
            f"chunks={self.chunks}, vectors={self.vectors}, seq={self.seq}, space={space!r}, "
            f"file_bytes={self.file_bytes})"
        )


@dataclass(frozen=True, slots=True)
class CheckReport(Record):
    """What an examination of the whole store found.

    Attributes:
        ok: Whether nothing is wrong.
        problems: What is wrong, in words; after a repair, what could not be repaired.
        items: How many items were looked at.
        chunks: How many chunks.
        vectors: How many vectors.
        changes: How many entries of the change log.
        repaired: What was repaired, in words.
    """

    ok: bool
    problems: tuple[str, ...]
    items: int
    chunks: int
    vectors: int
    changes: int
    repaired: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint(Record):
    """The result of moving the write-ahead log into the database file.

    Attributes:
        busy: Whether something kept it from moving everything.
        log_frames: The pages in the log.
        checkpointed_frames: Those of them that are in the database file now.
    """

    busy: bool
    log_frames: int
    checkpointed_frames: int
