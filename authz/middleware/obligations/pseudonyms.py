"""Pseudonyms in place of the ids of people: keyed, and stable for one contract (2.7)."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from authz.errors import SettingError

LEAST_SECRET: Final = 32
_KEPT: Final = 18
"""Bytes of the digest that make a pseudonym: two people share one with a chance of 2⁻¹⁴⁴."""


@dataclass(frozen=True, slots=True)
class PseudonymKey:
    """A secret and the contract it is used for: another contract sees other pseudonyms.

    SettingError where the secret has fewer than 32 bytes, or the contract no name.
    """

    secret: bytes = field(repr=False)
    contract: str

    def __post_init__(self) -> None:
        if len(self.secret) < LEAST_SECRET:
            raise SettingError(f"It needs {LEAST_SECRET} bytes or more.", where="secret")
        if not self.contract:
            raise SettingError("It is required.", where="contract")

    def pseudonym(self, person: str) -> str:
        """What stands for this person under this contract."""
        contract = self.contract.encode()
        said = len(contract).to_bytes(8, "big") + contract + person.encode(errors="surrogatepass")
        digest = hmac.new(self.secret, said, sha256).digest()
        return "~" + urlsafe_b64encode(digest[:_KEPT]).decode()
