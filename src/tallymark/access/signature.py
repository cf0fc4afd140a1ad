"""Signatures of links to files: HMAC-SHA256 over what the link leads to, and until when."""

import hmac
from base64 import urlsafe_b64encode

from tallymark.access.vault import derived


class Signatures:
    """Signs links to the files of exports, under a key derived from the installation's secret."""

    def __init__(self, secret: bytes) -> None:
        self._key = derived(secret, "export")

    def sign(self, export_id: str, expires: int) -> str:
        """The signature of the link to an export's file until `expires`, in epoch seconds: 43 letters for URLs."""
        tag = hmac.digest(self._key, f"{export_id}/file\n{expires}".encode("utf-8", "surrogatepass"), "sha256")
        return urlsafe_b64encode(tag).rstrip(b"=").decode("ascii")

    def fits(self, export_id: str, expires: int, given: str) -> bool:
        """Whether this installation made the signature; takes as long for a wrong one as for a right one."""
        return hmac.compare_digest(
            self.sign(export_id, expires).encode("ascii"), given.encode("utf-8", "surrogatepass")
        )
