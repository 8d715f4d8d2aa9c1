"""A pack with a defect does not start: file, line, what is wrong, what was expected (3.3).

Here are the defects of whole files, and what the other ``test_policy_lint_*`` share: a
defect is one change to a copy of the school pack. ``at`` is a piece of the line that must
be named, as it stands after the change; its first line counts.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from authz.errors import PolicyError
from authz.policy.load import load

SCHOOL = Path(__file__).resolve().parents[2] / "policies" / "school"
MODEL, POLICY, CATALOGUE = "model.conf", "policy.csv", "catalogue.toml"


class Defect(NamedTuple):
    """``old`` is replaced by ``new``; the error stands at ``at`` and says ``says``."""

    file: str
    old: str
    new: str
    at: str
    says: str


def rule(new: str, says: str, *, old: str = "p, dpo-log, dpo, read, access_log") -> Defect:
    """A defect of the line of ``dpo-log``, or of another one."""
    return Defect(POLICY, old, new, new, says)


def condition(text: str, says: str) -> Defect:
    """A defect in the condition of ``teacher-read``."""
    return Defect(
        POLICY, "service*, r.rel.teaches, allow", f"service*, {text}, allow", "teacher-read", says
    )


def refusal(text: str, says: str) -> Defect:
    """A defect in the condition of ``withdrawn``, a refusal."""
    old = 'r.pair.basis == "consent" && !r.rel.consented && !r.rel.self'
    return Defect(POLICY, old, text, "p, withdrawn", says)


def catalogue(old: str, new: str, says: str, at: str = "") -> Defect:
    return Defect(CATALOGUE, old, new, at or new, says)


def model(old: str, new: str, says: str, at: str = "") -> Defect:
    return Defect(MODEL, old, new, at or new, says)


def named(defects: Mapping[str, Defect]) -> list[Any]:
    """The defects of a table as parameters of a test."""
    return [pytest.param(defect, id=name) for name, defect in defects.items()]


def check(folder: Path, defect: Defect) -> None:
    """AssertionError where the damaged pack starts, or says something else."""
    pack = shutil.copytree(SCHOOL, folder / "school")
    path = pack / defect.file
    text = path.read_text("utf-8")
    assert text.count(defect.old) == 1, "the table does not fit the pack"
    text = text.replace(defect.old, defect.new)
    path.write_text(text, "utf-8", newline="")
    assert defect.at in text, "the line is not there"
    line = text[: text.index(defect.at)].count("\n") + 1
    with pytest.raises(PolicyError) as caught:
        load(pack)
    assert defect.says.lower() in str(caught.value).lower()
    assert caught.value.where == f"{path}:{line}"
    assert "xpected" in str(caught.value)


INVISIBLE = {
    f"{name} in {file}": Defect(file, old, f"{old}{character}", old, "the invisible character")
    for file, old in ((POLICY, "p, custody"), (MODEL, "e = some"), (CATALOGUE, "[reasons.custody]"))
    for name, character in {
        "NUL": "\0",
        "bell": "\a",
        "form feed": "\f",
        "lone return": "\rx",
        "NEL": "\x85",
        "line separator": "\u2028",
        "right to left": "\u202e",
        "isolate": "\u2066",
        "byte order mark": "\ufeff",
        "soft hyphen": "\u00ad",
    }.items()
}


@pytest.mark.parametrize("defect", named(INVISIBLE))
def test_an_invisible_character_stops_the_start(tmp_path: Path, defect: Defect) -> None:
    check(tmp_path, defect)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A copy of the school pack, to be damaged."""
    return shutil.copytree(SCHOOL, tmp_path / "school")


@pytest.mark.parametrize("file", [MODEL, POLICY, CATALOGUE])
def test_a_missing_file_is_named(pack: Path, file: str) -> None:
    (pack / file).unlink()
    with pytest.raises(PolicyError, match=r"A pack is model\.conf"):
        load(pack)


@pytest.mark.parametrize("file", [MODEL, POLICY, CATALOGUE])
def test_a_folder_in_place_of_a_file_is_named(pack: Path, file: str) -> None:
    (pack / file).unlink()
    (pack / file).mkdir()
    with pytest.raises(PolicyError) as caught:
        load(pack)
    assert caught.value.where == str(pack / file)


@pytest.mark.parametrize("file", [MODEL, POLICY, CATALOGUE])
def test_an_empty_file_is_named(pack: Path, file: str) -> None:
    (pack / file).write_text("")
    with pytest.raises(PolicyError) as caught:
        load(pack)
    assert caught.value.where.startswith(str(pack / file))
    assert caught.value.hint


@pytest.mark.parametrize("file", [MODEL, POLICY, CATALOGUE])
def test_what_is_not_utf8_is_named_with_its_line(pack: Path, file: str) -> None:
    (pack / file).write_bytes(b"# one\n# two \xe0\xb8\n" + (pack / file).read_bytes())
    with pytest.raises(PolicyError, match="not UTF-8") as caught:
        load(pack)
    assert caught.value.where == f"{pack / file}:2"


def test_a_file_without_end_is_not_read(pack: Path) -> None:
    with (pack / POLICY).open("a") as file:
        file.writelines("# and so on\n" for _ in range(400_000))
    with pytest.raises(PolicyError, match="larger than 4 MiB"):
        load(pack)


def test_no_pack_at_all(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="There is no such policy pack"):
        load(tmp_path / "nowhere")


def test_a_pack_without_a_permit(pack: Path) -> None:
    path = pack / POLICY
    kept = [line for line in path.read_text("utf-8").splitlines() if not line.endswith("allow")]
    path.write_text("\n".join(kept), "utf-8")
    with pytest.raises(PolicyError) as caught:
        load(pack)
    assert str(path) in caught.value.where


def test_windows_lines_and_a_byte_order_mark_change_nothing(pack: Path) -> None:
    before = load(pack)
    for file in (MODEL, POLICY, CATALOGUE):
        text = (pack / file).read_text("utf-8")
        (pack / file).write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    assert load(pack).digest == before.digest


def test_a_continued_matcher_is_read_whole(pack: Path) -> None:
    path = pack / MODEL
    path.write_text(path.read_text().replace(" && eval", " \\\n   && eval"))
    assert len(load(pack).permits) == len(load(SCHOOL).permits)


def test_the_digest_names_the_text(pack: Path) -> None:
    before = load(pack).digest
    with (pack / POLICY).open("a") as file:
        file.write("# a remark\n")
    assert load(pack).digest != before


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("x = " + "9" * 5000, "It is not TOML"),
        (".".join(["a"] * 20_000) + " = 1", "nested too deeply"),
        ("[" + ".".join(['"a"'] * 20_000) + "]", "nested too deeply"),
        ("x = {" + " . ".join(["a"] * 20_000) + " = 1}", "nested too deeply"),
    ],
    ids=["long number", "long name", "long table", "long name within"],
)
def test_a_catalogue_that_keeps_its_reader_busy_is_refused(
    pack: Path, more: str, says: str
) -> None:
    path = pack / CATALOGUE
    path.write_text(f"{more}\n{path.read_text('utf-8')}", "utf-8")
    with pytest.raises(PolicyError, match=says) as caught:
        load(pack)
    assert caught.value.where == f"{path}:1"


def test_the_line_of_a_defect_is_not_looked_for_without_end(pack: Path) -> None:
    """Within a long text no cut is TOML, and each must be read to see that."""
    path = pack / CATALOGUE
    text = '\n[reasons.more]\nth = "ก"\nen = """' + "a\n" * 20_000 + '"""\n'
    path.write_text(path.read_text("utf-8") + text, "utf-8")
    with pytest.raises(PolicyError, match="names the rule more"):
        load(pack)


def test_a_file_of_a_pack_that_has_no_end_is_not_read(pack: Path) -> None:
    (pack / POLICY).unlink()
    (pack / POLICY).symlink_to("/dev/zero")
    with pytest.raises(PolicyError, match="larger than 4 MiB"):
        load(pack)
