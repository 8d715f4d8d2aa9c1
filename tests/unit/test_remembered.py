"""What a function says of a text is kept, but nobody fills the memory with long texts."""

from __future__ import annotations

from authz.recent import remembered


def test_short_texts_are_asked_about_once_and_long_ones_each_time() -> None:
    asked: list[str] = []

    @remembered(2, longest=3)
    def told(text: str) -> int:
        asked.append(text)
        return len(text)

    assert [told("abc"), told("abc"), told("abcd"), told("abcd")] == [3, 3, 4, 4]
    assert asked == ["abc", "abcd", "abcd"]
    for text in ("a", "b", "c", "a"):
        told(text)
    assert asked[3:] == ["a", "b", "c", "a"]
