"""A folder or a zip that is not believed (page 4.2)."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from authz.directory.roster import source
from authz.directory.roster.source import opened
from authz.errors import RosterError


def archive(path: Path, *names: str, data: bytes = b"sourcedId\n") -> Path:
    file = path / "roster.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name in names:
            target.writestr(name, data)
    return file


def reason(path: Path) -> str:
    with pytest.raises(RosterError) as caught, opened(path):
        pass
    return str(caught.value)


def test_a_zip_may_have_its_files_in_one_folder(tmp_path: Path) -> None:
    names = ("set/users.csv", "set/orgs.csv", "set/README.txt", "__MACOSX/set/._users.csv")
    with opened(archive(tmp_path, *names)) as entries:
        assert sorted(entries) == ["orgs", "users"]


def test_files_in_several_folders_are_refused(tmp_path: Path) -> None:
    assert "several folders" in reason(archive(tmp_path, "a/users.csv", "b/orgs.csv"))


def test_a_folder_in_a_folder_is_refused(tmp_path: Path) -> None:
    assert "several folders" in reason(archive(tmp_path, "a/b/users.csv"))


@pytest.mark.parametrize("name", ["../users.csv", "/users.csv", "a/../../users.csv", "c:users.csv"])
def test_a_path_that_leads_out_of_the_zip_is_refused(tmp_path: Path, name: str) -> None:
    assert "leads out of it" in reason(archive(tmp_path, name))


def test_a_zip_bomb_is_refused_unread(tmp_path: Path) -> None:
    path = archive(tmp_path, "users.csv", data=bytes(source.RATIO_FROM + 1))
    assert "compressed more than 200 times" in reason(path)


def test_a_zip_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "MAX_BYTES", 10)
    assert "unpacks to more than" in reason(archive(tmp_path, "users.csv", "orgs.csv"))


def test_a_zip_of_many_files_is_refused(tmp_path: Path) -> None:
    names = (f"{number}.csv" for number in range(source.MAX_ENTRIES + 1))
    assert "more than 1000 files" in reason(archive(tmp_path, *names))


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, "users.csv")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= source.ENCRYPTED
    path.write_bytes(data)
    assert "encrypted" in reason(path)


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "roster.zip"
    with zipfile.ZipFile(path, "w") as target:
        link = zipfile.ZipInfo("users.csv")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        target.writestr(link, "/etc/passwd")
    assert "holds a link" in reason(path)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "users.csv").touch()
    (tmp_path / "USERS.CSV").touch()
    assert "has this file twice" in reason(tmp_path)


def test_an_empty_folder_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    assert "no CSV file" in reason(tmp_path)
    assert "no such folder" in reason(tmp_path / "nowhere")


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text("sourcedId\n")
    assert "neither a folder nor a zip" in reason(file)
