"""Python's standard library and openssl alone: verify_a_record.py BUNDLE VKEY CHAIN-SEQUENCE."""

import json
import re
import subprocess
import sys
import tempfile
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile


def root_by_proof(leaf: bytes, place: int, size: int, proof: list[str]) -> bytes:
    last = size - 1  # RFC 9162, 2.1.3.2
    for each in map(b64decode, proof):
        turn = place & 1 or place == last
        leaf = sha256(b"\1" + (each + leaf if turn else leaf + each)).digest()
        while turn and place and not place & 1:
            place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1
    return b"" if last else leaf


def root_of_all(trees: list[tuple[int, bytes]], leaves: list[bytes], size: int) -> bytes:
    for one in [*((1, leaf) for leaf in leaves), (0, b"")]:  # RFC 9162, 2.1.1
        while len(trees) > 1 and (not one[0] or trees[-1][0] == trees[-2][0]):
            (more, right), (many, left) = trees.pop(), trees.pop()
            trees.append((many + more, sha256(b"\1" + left + right).digest()))
        trees += [one] if one[0] else []
    return trees[0][1] if trees[0][0] == size else b""


def is_signed(text: str, signatures: str, vkey: str) -> bool:
    name, key_id, key = vkey.split("+", 2)
    blobs = map(b64decode, re.findall(rf"^— {re.escape(name)} (\S+)$", signatures, re.MULTILINE))
    made = next((each[4:] for each in blobs if each[:4].hex() == key_id), b"")
    public = bytes.fromhex("302a300506032b6570032100") + b64decode(key)[1:]  # RFC 8410
    command = "openssl pkeyutl -verify -rawin -in text -sigfile made -pubin -keyform DER -inkey key"
    with tempfile.TemporaryDirectory() as folder:
        for file, content in (("text", text.encode()), ("made", made), ("key", public)):
            Path(folder, file).write_bytes(content)
        run = subprocess.run(command.split(), cwd=folder, capture_output=True, check=False)
        return run.returncode == 0


with ZipFile(sys.argv[1]) as bundle:
    text, _, signatures = bundle.read("checkpoint").decode().rpartition("\n\n")
    retired = json.loads(bundle.read("about.json")).get("retired", {}).get("subtrees", ())
    rows = [json.loads(line) for line in bundle.read("records.jsonl").splitlines()]
leaves = [sha256(f"\0{r['chain']} {r['sequence']}\n{r['body']}".encode()).digest() for r in rows]
at = [f"{row['chain']}-{row['sequence']}" for row in rows].index(sys.argv[3])
_, size, root = text.split("\n")[:3]
if "proof" in rows[at]:
    found = root_by_proof(leaves[at], rows[at]["leaf"], int(size), rows[at]["proof"])
else:  # a bundle without proofs has all leaves, and subtrees of those whose records were retired
    found = root_of_all([(n, b64decode(each)) for n, each in retired], leaves, int(size))
good = found == b64decode(root) and is_signed(text + "\n", signatures, sys.argv[2])
print("The record is in the signed log." if good else "NOT PROVEN.")
sys.exit(not good)
