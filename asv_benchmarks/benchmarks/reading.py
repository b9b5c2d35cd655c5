"""Reading items by id."""

from statistics import median
from time import perf_counter

from .corpus import paragraphs, shuffled
from .stores import Folder

ITEMS = 10_000


class GetById:
    """Bound: at most 15 microseconds for a rule, through the Python API."""

    timeout = 300

    def setup(self) -> None:
        self.folder = Folder()
        self.store = self.folder.open(embedder=None)
        added = self.store.rules.add_many(paragraphs(ITEMS))
        self.ids = shuffled([one.id for one in added])

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def track_get_p50_us(self) -> float:
        """The median of 10,000 gets in random order, of a store that was read before."""
        get = self.store.rules.get
        for id in self.ids:
            get(id)
        times = []
        for id in self.ids:
            begun = perf_counter()
            get(id)
            times.append(perf_counter() - begun)
        return median(times) * 1e6

    track_get_p50_us.unit = "us"
