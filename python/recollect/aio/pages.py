"""Lists, page by page."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeVar

from recollect.records import Doc, Page, Ref, Rule

__all__ = ["PAGE_ITEMS", "walk"]

ItemT = TypeVar("ItemT", Rule, Doc, Ref)

PAGE_ITEMS: Final = 200
"""Long enough that the cost of a call disappears, short enough that a page of documents stays in bounds."""


async def walk(page_after: Callable[[str | None], Awaitable[Page[ItemT]]]) -> AsyncIterator[ItemT]:
    """Yields the items of all pages; a page is fetched when the one before is used up.

    Args:
        page_after: Fetches the page after a cursor, and the first one after None.
    """
    cursor: str | None = None
    while True:
        page = await page_after(cursor)
        for item in page.items:
            yield item
        cursor = page.next_cursor
        if cursor is None:
            return
