"""Keep the newest checkpoint of a log, if the log only grew since the last one.

    python witness.py URL FOLDER VKEY < token

The token needs the scope `audit:read`. The first checkpoint is taken as it is.
"""

from __future__ import annotations

import json
import sys
from base64 import b64decode
from pathlib import Path
from urllib.request import Request, urlopen

from authz.audit import merkle, note
from authz.errors import AuthzError


def get(url: str, token: str = "") -> bytes:
    """What is there; only the proof needs the token."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urlopen(Request(url, headers=headers), timeout=30) as answer:  # noqa: S310 (our own URL)
        content: bytes = answer.read()
    return content


def believed(source: str, key: note.Verifier) -> note.Checkpoint:
    """The checkpoint that the key signed; an error where it did not."""
    found = note.parse(source)
    if not note.signers(found, [key]):
        raise ValueError("It is not signed by that key.")
    return note.checkpoint(found.text)


def main(url: str, folder: Path, vkey: str, token: str) -> None:
    """Take the newest checkpoint, or say why not."""
    key = note.verifier(vkey)
    source = get(f"{url}/api/v1/audit/checkpoint").decode()
    new = believed(source, key)
    kept = folder / "latest"
    if kept.exists():
        old = believed(kept.read_text("utf-8"), key)
        query = f"first={old.size}&second={new.size}"
        told = json.loads(get(f"{url}/api/v1/audit/proof/consistency?{query}", token))
        hashes = [b64decode(each) for each in told["hashes"]]
        grown = merkle.verify_consistency(old.size, new.size, hashes, old.root, new.root)
        if old.origin != new.origin or not grown:
            raise ValueError("THE LOG DOES NOT GO ON FROM THE CHECKPOINT THAT IS KEPT HERE.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{new.size}-{new.time.replace(':', '')}").write_text(source, "utf-8")
    kept.write_text(source, "utf-8")


if __name__ == "__main__":
    try:
        main(sys.argv[1].rstrip("/"), Path(sys.argv[2]), sys.argv[3], sys.stdin.read().strip())
    except (AuthzError, OSError, ValueError, KeyError) as error:
        sys.exit(f"witness: {error}")
