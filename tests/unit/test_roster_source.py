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


def read_all(path: Path) -> None:
    with opened(path) as entries:
        for entry in entries.values():
            entry.open().read()


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


@pytest.mark.parametrize("how", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_packed_unusually_is_refused(tmp_path: Path, how: int) -> None:
    """These unpack a whole block at once, whatever its size."""
    file = tmp_path / "roster.zip"
    with zipfile.ZipFile(file, "w", how) as target:
        target.writestr("users.csv", b"sourcedId\n")
    assert "unusual way" in reason(file)


@pytest.mark.parametrize(
    ("offset", "value"),
    [(6, b"\xff"), (28, b"\0\0"), (42, b"\xff\xff\xff\xff")],
    ids=["version", "no name", "place"],
)
def test_a_damaged_directory_of_a_zip_is_told(tmp_path: Path, offset: int, value: bytes) -> None:
    """Each makes another error in the library; each is one of ours."""
    path = archive(tmp_path, "users.csv", "orgs.csv")
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + offset
    data[at : at + len(value)] = value
    path.write_bytes(data)
    with pytest.raises(RosterError):
        read_all(path)


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    """Whoever may put files into the folder may not have others read."""
    folder, outside = tmp_path / "set", tmp_path / "secret.csv"
    folder.mkdir()
    outside.write_text("sourcedId\n")
    (folder / "orgs.csv").write_text("sourcedId\n")
    (folder / "same.csv").symlink_to(folder / "orgs.csv")
    with opened(folder) as entries:
        assert sorted(entries) == ["orgs", "same"]
    (folder / "users.csv").symlink_to(outside)
    assert "leads out of the folder" in reason(folder)
