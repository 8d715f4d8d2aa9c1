"""Items that wait to be written: in their order, however many."""

from __future__ import annotations

import pytest

from authz.service import spooled
from authz.service.spooled import Spooled


@pytest.mark.parametrize("memory", [1, 1 << 20], ids=["in a file", "in memory"])
def test_what_was_put_comes_back_in_its_order(memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooled, "MEMORY", memory)
    items = [(number, {"name": "มะลิ" * number}) for number in range(50)]
    with Spooled[tuple[int, dict[str, str]]]() as kept:
        assert list(kept) == []
        for each in items:
            kept.put(each)
        assert list(kept) == items
    with pytest.raises(ValueError, match="closed"):
        kept.put(items[0])
