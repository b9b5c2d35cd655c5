"""Ctrl-C while an embedder of the caller runs ends the call as Ctrl-C does everywhere in Python."""

import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from time import sleep

import numpy as np
import pytest
from numpy.typing import NDArray

import recollect


class Slow:
    name = "slow"
    dimension = 4

    def embed_documents(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        sleep(10)
        return np.ones((len(texts), 4), dtype=np.float32)

    def embed_queries(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        return self.embed_documents(texts)


def test_interrupt_in_an_embedder_is_a_keyboard_interrupt_and_writes_nothing(store_path: Path) -> None:
    with recollect.open(store_path, embedder=Slow()) as store:
        with pytest.raises(KeyboardInterrupt):
            store.rules.add("a rule that takes long")
        assert store.stats().seq == 0
        assert store.rules.count() == 0


def test_exit_in_an_embedder_is_an_exit(store_path: Path) -> None:
    class Leaving(Slow):
        def embed_documents(self, texts: Sequence[str], /) -> NDArray[np.float32]:
            raise SystemExit(len(texts))

    with recollect.open(store_path, embedder=Leaving()) as store:
        with pytest.raises(SystemExit):
            store.rules.add("a rule")
        assert store.rules.count() == 0


def test_error_of_an_embedder_is_the_cause_of_what_is_raised(store_path: Path) -> None:
    class Failing(Slow):
        def embed_documents(self, texts: Sequence[str], /) -> NDArray[np.float32]:
            raise ConnectionError(len(texts))

    with recollect.open(store_path, embedder=Failing()) as store:
        with pytest.raises(recollect.EmbedderError) as raised:
            store.rules.add("a rule")
        assert isinstance(raised.value.__cause__, ConnectionError)
        assert raised.value.retryable
