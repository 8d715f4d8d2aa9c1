"""Signed notes: the published examples of the format, and whatever anybody may send."""

from __future__ import annotations

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from authz.audit import note
from authz.audit.note import Checkpoint, Note, Verifier
from authz.errors import AuditDamagedError, AuthzError, MalformedError

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
PUBLISHED = """\
If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6\
KE6RyyBwJnAM=
— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd\
1RvMc+QQ=
"""
"""The example of Go's golang.org/x/mod/sumdb/note, which the format comes from."""
KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3)]
NAME = "log.example/authz"
CHECKPOINT = Checkpoint(NAME, 12, bytes(range(32)), "2026-11-22T13:15:00.000000Z")
ROOT = b64encode(CHECKPOINT.root).decode()
LINES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
TEXTS = st.lists(LINES, min_size=1, max_size=5).map(lambda lines: "\n".join(lines) + "\n")
NAMES = LINES.filter(note.is_name)


def test_the_published_example_verifies() -> None:
    found = note.parse(PUBLISHED)
    known = [note.verifier(PETER), note.verifier(ENOCH)]
    assert str(found) == PUBLISHED
    assert note.signers(found, known) == tuple(known)
    assert [each.vkey for each in known] == [PETER, ENOCH]


def test_the_published_example_with_a_letter_changed_does_not() -> None:
    found = note.parse(PUBLISHED.replace("answer", "Answer"))
    with pytest.raises(AuditDamagedError, match="PeterNeumann"):
        note.signers(found, [note.verifier(PETER)])


def test_a_key_that_is_not_known_says_nothing() -> None:
    signed = note.sign(str(CHECKPOINT), NAME, KEYS[:1])
    assert note.signers(signed, [note.public(NAME, KEYS[1])]) == ()
    assert note.signers(signed, [note.public("other", KEYS[0])]) == ()


def test_a_checkpoint_has_the_lines_of_the_format() -> None:
    time = "time 2026-11-22T13:15:00.000000Z"
    assert str(CHECKPOINT) == f"{NAME}\n12\n{ROOT}\n{time}\n"
    assert note.checkpoint(str(CHECKPOINT)) == CHECKPOINT


@given(TEXTS, NAMES, st.integers(1, 3))
def test_what_is_signed_is_read_and_verified(text: str, name: str, count: int) -> None:
    signed = note.sign(text, name, KEYS[:count])
    assert note.parse(str(signed)) == signed
    known = tuple(note.public(name, key) for key in KEYS)
    assert note.signers(signed, known) == known[:count]
    for key in known:
        assert note.verifier(key.vkey) == key


@given(st.text(max_size=80) | st.binary(max_size=80).map(lambda octets: octets.decode("latin-1")))
def test_whatever_is_read_was_spelled_so(source: str) -> None:
    for candidate in (source, PUBLISHED[:100] + source, source + PUBLISHED[95:]):
        try:
            found = note.parse(candidate)
        except MalformedError:
            continue
        assert str(found) == candidate


@given(st.integers(0, len(PUBLISHED) - 1), st.characters())
def test_one_character_of_the_note_changed(at: int, other: str) -> None:
    source = PUBLISHED[:at] + other + PUBLISHED[at + 1 :]
    known = (note.verifier(PETER), note.verifier(ENOCH))
    try:
        signers = note.signers(note.parse(source), known)
    except AuthzError:
        return
    assert source == PUBLISHED or signers != known


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32), st.lists(LINES, max_size=3))
def test_checkpoints_are_read_as_written(size: int, root: bytes, others: list[str]) -> None:
    lines = tuple(line for line in others if not line.startswith("time "))
    made = Checkpoint(NAME, size, root, "2026-11-22T13:15:00.000000Z", lines)
    assert note.checkpoint(str(made)) == made


@pytest.mark.parametrize(
    "source",
    [
        "",
        "\n\n",
        "text\n",
        "text\n\n",
        "text\n\n— a AAAAAAA=",
        "text\n\n— a AAAAAAA=\n\n",
        "text\n\n- a AAAAAAA=\n",
        "text\n\n— a+b AAAAAAA=\n",
        "text\n\n— AAAAAAA=\n",
        "text\n\n— a AAAA\n",
        "text\n\n— a AAAAAAB=\n",
        "text\n\n— a AAAAAAA\n",
        "text\n\n— a  AAAAAAA=\n",
        "te\rxt\n\n— a AAAAAAA=\n",
        "te\x7fxt\n\n— a AAAAAAA=\n",
        "te\ud800xt\n\n— a AAAAAAA=\n",
        "\n\n— a AAAAAAA=\n",
        "text\n\n" + "— a AAAAAAA=\n" * 101,
        "t" * 1_000_000 + "\n\n— a AAAAAAA=\n",
    ],
)
def test_what_is_no_note_is_refused(source: str) -> None:
    with pytest.raises(MalformedError, match="no signed note"):
        note.parse(source)


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"\n1\n{ROOT}\n",
        f"{NAME}\n1\n{ROOT}",
        f"{NAME}\n01\n{ROOT}\n",
        f"{NAME}\n-1\n{ROOT}\n",
        f"{NAME}\n+1\n{ROOT}\n",
        f"{NAME}\n١\n{ROOT}\n",
        f"{NAME}\n{2**63}\n{ROOT}\n",
        f"{NAME}\n{'9' * 5000}\n{ROOT}\n",
        f"{NAME}\n1\n{ROOT[:-4]}\n",
        f"{NAME}\n1\n{ROOT}\n\n",
        f"{NAME}\n1\n{ROOT}\ntime \n",
        f"{NAME}\n1\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedError, match="no checkpoint"):
        note.checkpoint(text)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a+b",
        PETER[:-4],
        PETER.replace("+ARpc", "+AhpC"),
        PETER.replace("PeterNeumann", "Peter Neumann"),
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("PeterNeumann", "Petra"),
    ],
)
def test_what_is_no_public_key_is_refused(vkey: str) -> None:
    with pytest.raises(MalformedError, match="public key"):
        note.verifier(vkey)


@pytest.mark.parametrize(
    ("text", "name"), [("", "a"), ("a", "a"), ("a\r\n", "a"), ("a\n", "a b"), ("a\n", "")]
)
def test_what_could_not_be_read_is_not_signed(text: str, name: str) -> None:
    with pytest.raises(ValueError, match="no text of a note"):
        note.sign(text, name, KEYS)


def test_a_key_that_is_no_point_signs_nothing() -> None:
    known = Verifier("a", b"\xff" * 32)
    made = Note("text\n", (note.Signature("a", known.id, bytes(64)),))
    with pytest.raises(AuditDamagedError):
        note.signers(made, [known])
