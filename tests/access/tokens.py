"""Tokens of users as issuers make them, and a server that has an issuer's public keys."""

import base64
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

SECRET = "a-secret-of-forty-characters-for-the-tests"


def claims(user: str = "ada", **more: Any) -> dict[str, Any]:
    """What a token says that is good for an hour."""
    now = int(time.time())
    return {"sub": user, "aud": "authenticated", "iat": now, "exp": now + 3_600, "role": "authenticated", **more}


def token(user: str = "ada", role: str | None = None, secret: str = SECRET, **more: Any) -> str:
    """A token as Supabase issues it, with a role in `app_metadata`."""
    said = claims(user, **more)
    if role is not None:
        said["app_metadata"] = {"provider": "email", "tallymark_role": role}
    return jwt.encode(said, secret, "HS256")


def raw(header: Mapping[str, Any] | str, payload: Mapping[str, Any] | str, signature: bytes = b"") -> str:
    """A token of any parts, right or not."""
    parts = (part if isinstance(part, str) else json.dumps(part) for part in (header, payload))
    return ".".join([*(part64(part.encode()) for part in parts), part64(signature)])


def part64(data: bytes) -> str:
    """Bytes in base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Signer:
    """A key pair of an issuer."""

    kid: str
    algorithm: str
    private: Any

    @classmethod
    def new(cls, kid: str, algorithm: str = "ES256") -> "Signer":
        made = {
            "RS256": lambda: rsa.generate_private_key(65_537, 2_048),
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
        }
        return cls(kid, algorithm, made[algorithm]())

    @property
    def jwk(self) -> dict[str, Any]:
        kinds = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}
        told = kinds[self.algorithm].to_jwk(self.private.public_key(), as_dict=True)  # type: ignore[attr-defined]
        return {**told, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    @property
    def pem(self) -> bytes:
        """The public key, as everybody may have it."""
        made: bytes = self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return made

    def sign(self, headers: Mapping[str, Any] | None = None, **said: Any) -> str:
        named = {"kid": self.kid, **(headers or {})}
        return jwt.encode(claims(**said), self.private, self.algorithm, headers=named)


@dataclass
class Issuer:
    """What an issuer's server answers, and how often it was asked. `drip`: a byte at a time, without an end."""

    port: int
    body: bytes = b""
    status: int = 200
    location: str = ""
    drip: bool = False
    asked: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/.well-known/jwks.json"

    def has(self, *signers: Signer) -> None:
        self.status, self.body = 200, json.dumps({"keys": [signer.jwk for signer in signers]}).encode()


@contextmanager
def issuer() -> Iterator[Issuer]:
    """A server of public keys."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here.asked += 1
            self.send_response(here.status)
            if here.location:
                self.send_header("Location", here.location)
            if not here.drip:
                self.send_header("Content-Length", str(len(here.body)))
            self.end_headers()
            self.wfile.write(here.body)
            while here.drip and not here.over.wait(0.2):
                self.wfile.write(b" ")

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # a client that hangs up

    server = Server(("127.0.0.1", 0), Handler)
    here = Issuer(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield here
    finally:
        here.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
