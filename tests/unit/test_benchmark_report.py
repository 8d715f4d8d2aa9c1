"""The report of the benchmark tells what was met, what failed, and what is kept."""

from pathlib import Path

import pytest

from benchmarks import charts, report, results
from benchmarks.client import message
from benchmarks.install_peers import requirements
from benchmarks.results import Chart, Section, Table, Target, target
from benchmarks.timing import in_turn, once, timing


@pytest.fixture
def section() -> Section:
    found = Section("made-up", "A made-up section", "What it is.")
    found.tables = [Table("A table", ["engine", "µs"], [["a|b", "1.00"]])]
    found.charts = [Chart("made-up", "Engines", "µs", bars={"ours": 1.0, "other": 100.0})]
    found.targets = [
        target("at most 10", 12.5, 10),
        target("at least 3", 4, 3, at_least=True),
        target("never", None, 1),
    ]
    found.problems = ["other: not available"]
    found.machine = {"time": "2026-11-22 10:00 UTC", "load": "0.1 0.1 0.1"}
    return found


def test_a_section_is_read_back_as_it_was_kept(
    section: Section, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    section.keep()
    assert results.kept("made-up") == section
    results.forget("made-up")
    assert results.kept("made-up") is None


def test_the_page_says_what_was_missed_and_what_failed(
    section: Section, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path / "RESULTS.md")
    monkeypatch.setattr(report, "CHARTS", tmp_path / "charts")
    report.written([section])
    page = (tmp_path / "RESULTS.md").read_text("utf-8")
    assert "| at most 10 | 12.50 | **not met** |" in page
    assert "| at least 3 | 4.00 | met |" in page
    assert "| never | not measured | not measured |" in page
    assert "1 of 3 targets are not met" in page
    assert "- other: not available" in page
    assert "| a\\|b | 1.00 |" in page
    assert (tmp_path / "charts/made-up.svg").exists()


def test_a_chart_is_text_for_light_and_dark_and_always_the_same(
    section: Section, tmp_path: Path
) -> None:
    first = charts.draw(section.charts[0], tmp_path).read_text("utf-8")
    again = charts.draw(section.charts[0], tmp_path).read_text("utf-8")
    assert first == again
    assert ">other</text>" in first.replace("\n", "")
    assert "prefers-color-scheme: dark" in first
    assert "<script" not in first
    assert "http://" not in first.replace("http://www.w3.org", "")


def test_growth_is_drawn_as_lines(tmp_path: Path) -> None:
    chart = Chart("grown", "Growth", "µs", lines={"ours": [(10, 1.0), (1000, 1.1)]}, x="lines")
    assert ">ours</text>" in charts.draw(chart, tmp_path).read_text("utf-8").replace("\n", "")


def test_targets_compare_as_they_say() -> None:
    assert target("x", 0.5, 0.5) == Target("x", "0.50", met=True)
    assert target("x", 19_999, 20_000, at_least=True).met is False


def test_contestants_take_turns_until_their_time_is_over() -> None:
    seen: list[str] = []
    times = in_turn({n: once(lambda n=n: seen.append(n)) for n in "ab"}, 0.01)  # type: ignore[misc]
    assert set(times) == {"a", "b"}
    assert times["a"].low <= times["a"].p50 <= times["a"].high
    assert seen[:3] == ["a", "b", "a"]
    assert timing([3.0, 1.0, 2.0]).p50 == 2.0


def test_a_lock_is_taken_apart_by_requirement() -> None:
    text = "# made\na==1 \\\n    --hash=sha256:1\nb==2 \\\n    --hash=sha256:2 \\\n"
    text += "    --hash=sha256:3\n"
    assert [block.split()[0] for block in requirements(text)] == ["a==1", "b==2"]
    assert requirements(text)[1].count("--hash") == 2


def test_a_message_is_one_whole_request() -> None:
    head, _, body = message("/x", {"ก": 1}, {"Authorization": "Bearer t"}).partition(b"\r\n\r\n")
    assert body.decode() == '{"ก": 1}'
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"Authorization: Bearer t" in head
