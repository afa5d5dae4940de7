"""OpenID Connect providers on a socket: an honest one of another make, and one that lies on demand.

The liar checks what a real provider checks (client, redirect, PKCE); what it answers is whatever
the test has put into it.
"""

import base64
import hashlib
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sync2gear_cli.services.process import free_port

CLIENT_ID = "sync2gear at shop"
CLIENT_SECRET = "a secret: with+signs/and %"


@contextmanager
def honest_provider(folder: Path) -> Iterator[str]:
    """The issuer of a running ``oidc-provider-mock``, which lets everybody in by name."""
    port = free_port()
    log = (folder / "provider.log").open("wb")
    child = subprocess.Popen(
        [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce"],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        stdout=log,
        stderr=log,
    )
    issuer = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                httpx2.get(f"{issuer}/.well-known/openid-configuration").raise_for_status()
                break
            except httpx2.HTTPError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield issuer
    finally:
        child.terminate()
        child.wait(10)
        log.close()


def let_in(address: str, subject: str) -> str:
    """Be the person at the honest provider who says yes; returns where it sends the browser."""
    answer = httpx2.post(address, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@dataclass
class Liar:
    """A provider. Its tests change what it publishes, signs and answers."""

    issuer: str = ""
    keys: dict[str, Any] = field(default_factory=lambda: {"one": rsa_key()})
    signs_with: str = "one"
    algorithm: str = "RS256"
    claims: dict[str, Any] = field(default_factory=dict)
    """Replaces claims of the next ID tokens; ``None`` removes one."""
    description: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)
    """Raw bodies in place of the answers at these paths."""
    delay: float = 0
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    token: str | None = None
    """The very ID token, in place of a signed one."""

    def authorize(self, address: str) -> str:
        """Say yes as the person whose browser was sent to ``address``; returns the way back."""
        query = {k: v[0] for k, v in parse_qs(urlsplit(address).query).items()}
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT_ID
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        back = query["redirect_uri"]
        return f"{back}?code={code}&state={query['state']}"

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "subject-1",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "email": "anna@example.test",
            "email_verified": True,
            **self.claims,
        }
        claims = {k: v for k, v in claims.items() if v is not None}
        key = self.keys.get(self.signs_with)
        headers = {"kid": self.signs_with}
        return jwt.encode(claims, key, algorithm=self.algorithm, headers=headers)

    def jwks(self) -> dict[str, Any]:
        keys = []
        for kid, key in self.keys.items():
            if isinstance(key, rsa.RSAPrivateKey):
                public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
            elif isinstance(key, ec.EllipticCurvePrivateKey):
                public = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
            else:
                continue
            keys.append({**public, "kid": kid, "use": "sig"})
        return {"keys": keys}

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                **self.description,
            }
        if path == "/jwks":
            return 200, self.jwks()
        if path == "/userinfo":
            return (200, self.userinfo) if authorization == "Bearer at" else (401, {})
        if path == "/token":
            query = self.codes.pop(form.get("code", ""), None)
            if query is None or not self.knows_client(form, authorization):
                return 400, {"error": "invalid_grant"}
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != query["code_challenge"]:
                return 400, {"error": "invalid_grant"}
            assert form["redirect_uri"] == query["redirect_uri"]
            token = self.token if self.token is not None else self.id_token(query["nonce"])
            return 200, {"access_token": "at", "token_type": "Bearer", "id_token": token}
        return 404, {}

    def knows_client(self, form: dict[str, str], authorization: str) -> bool:
        if "client_secret" in form:
            return (form["client_id"], form["client_secret"]) == (CLIENT_ID, CLIENT_SECRET)
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        # RFC 6749, 2.3.1: form-encoded before they are joined
        return [unquote_plus(part) for part in pair.split(":")] == [CLIENT_ID, CLIENT_SECRET]


@contextmanager
def lying_provider() -> Iterator[Liar]:
    """A :class:`Liar` on a socket of its own."""
    liar = Liar()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply({})

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length).decode()
            self.reply({k: v[0] for k, v in parse_qs(body).items()})

        def reply(self, form: dict[str, str]) -> None:
            path = urlsplit(self.path).path
            liar.asked.append(path)
            time.sleep(liar.delay)
            status, body = liar.answer(path, form, self.headers.get("Authorization", ""))
            raw = liar.answers.get(path, json.dumps(body).encode())
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)
            except (BrokenPipeError, ConnectionResetError):
                pass

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    liar.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield liar
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
