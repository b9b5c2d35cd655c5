"""A store under any sequence of calls agrees with a simple model of it."""

from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

import recollect
from recollect import AlreadyExistsError, ConflictError, NotFoundError

TEXTS = st.sampled_from([f"text {number}" for number in range(8)])
KEYS = st.none() | st.sampled_from(["a", "b"])
PROJECTS = st.sampled_from(["", "p", "p/q"])
TAGS = st.lists(st.sampled_from(["x", "y", "z"]), max_size=2).map(lambda tags: tuple(sorted(set(tags))))


@dataclass(frozen=True)
class Modelled:
    """What the model knows of a rule."""

    text: str
    key: str | None
    project: str
    tags: tuple[str, ...]
    version: int = 1
    deleted: bool = False
    past: tuple["Modelled", ...] = field(default=())


class StoreMachine(RuleBasedStateMachine):
    """Adds, updates, deletes, restores and reverts rules in a store and in the model."""

    known = Bundle("known")

    @initialize()
    def begin(self) -> None:
        self.store = recollect.open(":memory:", embedder=None)
        self.model: dict[str, Modelled] = {}
        self.commits = 0

    def teardown(self) -> None:
        if hasattr(self, "store"):
            assert self.store.check().ok
            self.store.close()

    def _holder(self, key: str | None, project: str) -> str | None:
        """The live rule that has a key."""
        if key is None:
            return None
        return next(
            (
                id_
                for id_, known in self.model.items()
                if (known.key, known.project, known.deleted) == (key, project, False)
            ),
            None,
        )

    def _twin(self, text: str, project: str) -> set[str]:
        """The live rules of equal content."""
        return {
            id_
            for id_, known in self.model.items()
            if (known.text, known.project, known.deleted) == (text, project, False)
        }

    def _next(self, id_: str, **changes: Any) -> Modelled:
        """The model's rule after a change."""
        before = self.model[id_]
        after = replace(before, version=before.version + 1, past=(*before.past, before), **changes)
        self.model[id_] = after
        self.commits += 1
        return after

    @rule(target=known, text=TEXTS, key=KEYS, project=PROJECTS, tags=TAGS)
    def add(self, text: str, key: str | None, project: str, tags: tuple[str, ...]) -> Any:
        holder = self._holder(key, project)
        try:
            added = self.store.rules.add(text, key=key, project=project, tags=tags)
        except AlreadyExistsError:
            assert holder is not None
            assert self.model[holder].text != text
            return multiple()
        if key is not None and holder is not None:
            assert (added.id, added.created) == (holder, False)
            return multiple()
        if key is None and self._twin(text, project):
            assert not added.created
            assert added.id in self._twin(text, project)
            return multiple()
        assert added.created
        self.model[added.id] = Modelled(text, key, project, tags)
        self.commits += 1
        return added.id

    @rule(id_=known, text=TEXTS, key=KEYS, tags=TAGS)
    def update(self, id_: str, text: str, key: str | None, tags: tuple[str, ...]) -> None:
        before = self.model[id_]
        try:
            item = self.store.rules.update(id_, text=text, key=key, tags=tags)
        except NotFoundError:
            assert before.deleted
            return
        except AlreadyExistsError:
            assert self._holder(key, before.project) not in {None, id_}
            return
        assert not before.deleted
        if (text, key, tags) != (before.text, before.key, before.tags):
            before = self._next(id_, text=text, key=key, tags=tags)
        assert item.version == before.version

    @rule(id_=known, offset=st.integers(0, 2))
    def update_with_version(self, id_: str, offset: int) -> None:
        before = self.model[id_]
        try:
            self.store.rules.update(id_, version=before.version + offset, source=f"at {before.version}")
        except NotFoundError:
            assert before.deleted
        except ConflictError:
            assert offset
        else:
            assert not offset
            self._next(id_)

    @rule(id_=known)
    def delete(self, id_: str) -> None:
        try:
            deleted = self.store.rules.delete(id_)
        except NotFoundError:
            assert self.model[id_].deleted
        else:
            assert not self.model[id_].deleted
            assert deleted.version == self._next(id_, deleted=True).version

    @rule(id_=known)
    def restore(self, id_: str) -> None:
        before = self.model[id_]
        try:
            item = self.store.rules.restore(id_)
        except (ConflictError, AlreadyExistsError):
            assert not before.deleted or self._holder(before.key, before.project) is not None
        else:
            assert before.deleted
            assert item.version == self._next(id_, deleted=False).version

    @rule(id_=known, data=st.data())
    def revert(self, id_: str, data: st.DataObject) -> None:
        before = self.model[id_]
        to = data.draw(st.integers(1, before.version))
        old = (*before.past, before)[to - 1]
        try:
            self.store.rules.revert(id_, to)
        except NotFoundError:
            assert before.deleted
        except AlreadyExistsError:
            assert self._holder(old.key, old.project) not in {None, id_}
        else:
            assert not before.deleted
            self._next(id_, text=old.text, key=old.key, project=old.project, tags=old.tags)

    @rule(id_=consumes(known), project=PROJECTS)
    def move(self, id_: str, project: str) -> None:
        before = self.model[id_]
        try:
            self.store.rules.update(id_, project=project)
        except NotFoundError:
            assert before.deleted
        except AlreadyExistsError:
            assert self._holder(before.key, project) not in {None, id_}
        else:
            if project != before.project:
                self._next(id_, project=project)

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "store"):
            return
        live = {id_: known for id_, known in self.model.items() if not known.deleted}
        read = {item.id: item for item in self.store.rules.iterate()}
        assert read.keys() == live.keys()
        for id_, known in live.items():
            item = read[id_]
            assert (item.text, item.key, item.project, item.tags, item.version) == (
                *(known.text, known.key, known.project),
                *(known.tags, known.version),
            )
        for project in ("", "p", "p/*", "*"):
            expected = [
                known
                for known in live.values()
                if project in ("*", known.project) or (project == "p/*" and known.project.startswith("p"))
            ]
            assert self.store.rules.count(project=project) == len(expected)
        for tag in ("x", "y"):
            assert self.store.rules.count(tags=[tag]) == sum(tag in known.tags for known in live.values())
        assert self.store.stats().seq == self.commits


TestStoreModel = StoreMachine.TestCase
TestStoreModel.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
