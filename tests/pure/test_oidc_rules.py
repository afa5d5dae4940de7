"""What of a sign-in provider's word is believed."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from sync2gear_platform.identity import oidc
from sync2gear_platform.identity.oidc import Attempt, OidcRefused, ProviderDown, Sealer, UnknownKey

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = int(NOW.timestamp())
ISSUER = "https://login.example"
CLIENT = "shop"
NONCE = "a nonce of ours"
RSA = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()


def jwk(key: Any, **more: str) -> dict[str, Any]:
    kinds = {
        rsa.RSAPrivateKey: jwt.algorithms.RSAAlgorithm,
        ec.EllipticCurvePrivateKey: jwt.algorithms.ECAlgorithm,
        ed25519.Ed25519PrivateKey: jwt.algorithms.OKPAlgorithm,
    }
    kind = next(algorithm for kind, algorithm in kinds.items() if isinstance(key, kind))
    public: dict[str, Any] = json.loads(kind.to_jwk(key.public_key()))  # type: ignore[attr-defined]  # each has it
    return {**public, **more}


def signed(
    key: Any = RSA, algorithm: str = "RS256", kid: str | None = "one", **changes: Any
) -> str:
    claims = {
        "iss": ISSUER, "sub": "4711", "aud": CLIENT, "iat": AT, "exp": AT + 300, "nonce": NONCE,
        **changes,
    }  # fmt: skip
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid} if kid else None)


def read(token: object, keys: list[object] | None = None) -> dict[str, Any]:
    return oidc.read_id_token(
        token,
        [jwk(RSA, kid="one")] if keys is None else keys,
        issuer=ISSUER,
        client_id=CLIENT,
        nonce=NONCE,
        now=NOW,
    )


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RS256"), (RSA, "PS512"), (CURVE, "ES256"), (EDWARDS, "EdDSA")],
)
@pytest.mark.parametrize("kid", ["one", None])
def test_an_honest_token_is_believed(key: Any, algorithm: str, kid: str | None) -> None:
    keys: list[object] = ["junk", jwk(OTHER, kid="two"), jwk(key, kid="one", use="sig")]
    claims = read(signed(key, algorithm, kid, email="a@b.example"), keys)
    assert claims["sub"] == "4711"
    assert read(signed(key, algorithm, kid, aud=[CLIENT, "x"], azp=CLIENT), keys)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": ISSUER + "/"},
        {"aud": "another shop"},
        {"aud": ["another shop"]},
        {"aud": [CLIENT, "another shop"]},
        {"aud": [CLIENT, "another shop"], "azp": "another shop"},
        {"azp": "another shop"},
        {"aud": 7},
        {"nonce": "another"},
        {"nonce": ["a nonce of ours"]},
        {"exp": AT - 61},
        {"exp": "soon"},
        {"exp": True},
        {"iat": AT + 61},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": "nül"},
        {"sub": "a\0b"},
        *({name: None} for name in ("iss", "sub", "aud", "iat", "exp", "nonce")),
    ],
    ids=str,
)
def test_a_claim_that_is_not_in_order_is_not_believed(changes: dict[str, Any]) -> None:
    assert read(signed())
    with pytest.raises(OidcRefused):
        read(signed(**changes))


def test_unsigned_and_wrongly_signed_tokens_are_not_believed() -> None:
    public = jwk(RSA, kid="one")
    shared = jwk(RSA)["n"].encode()
    good = signed()
    head, body, signature = good.split(".")
    none = urlsafe_b64encode(b'{"alg":"none","kid":"one"}').decode().rstrip("=")
    listed = urlsafe_b64encode(b'{"alg":["RS256"],"kid":"one"}').decode().rstrip("=")
    for token in (
        jwt.encode(jwt.decode(good, options={"verify_signature": False}), None, algorithm="none"),
        f"{none}.{body}.",
        f"{none}.{body}.{signature}",
        f"{listed}.{body}.{signature}",
        f"{head}.{body}.",
        f"{head}.{body}.{signature[:-4]}AAAA",
        signed(OTHER),
        signed(shared, "HS256"),
        "",
        "a.b.c",
        "x" * 20_000,
        None,
        7,
        {"id": "token"},
    ):
        with pytest.raises(OidcRefused):
            read(token, [public, {**public, "kty": "oct", "k": "AAAA"}])


def test_a_key_of_another_kind_or_use_has_not_signed() -> None:
    for key in (
        jwk(RSA, kid="two"),
        jwk(RSA, kid="one", use="enc"),
        jwk(RSA, kid="one", alg="PS256"),
        jwk(CURVE, kid="one"),
    ):
        with pytest.raises(UnknownKey):
            read(signed(), [key])


def test_a_key_that_is_too_short_or_broken_is_not_believed() -> None:
    short = rsa.generate_private_key(65537, 1024)
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = signed(short)
    with pytest.raises(OidcRefused):
        read(token, [jwk(short, kid="one")])
    with pytest.raises(OidcRefused):
        read(signed(), [{"kty": "RSA", "kid": "one", "n": "!", "e": []}])


@pytest.mark.parametrize(
    ("claims", "email"),
    [
        ({"email": "a@b.example", "email_verified": True}, "a@b.example"),
        ({"email": "a@b.example", "email_verified": "true"}, "a@b.example"),
        ({"email": "a@b.example", "email_verified": False}, ""),
        ({"email": "a@b.example", "email_verified": "false"}, ""),
        ({"email": "a@b.example", "email_verified": 1.5}, ""),
        ({"email": "a@b.example"}, ""),
        ({"email": ["a@b.example"], "email_verified": True}, ""),
        ({"email": "a@b.example\0", "email_verified": True}, ""),
        ({"email": "\ud800@b.example", "email_verified": True}, ""),
        ({"email": "x" * 400 + "@b.example", "email_verified": True}, ""),
    ],
)
def test_only_a_verified_address_counts(claims: dict[str, Any], email: str) -> None:
    assert oidc.identity({"iss": ISSUER, "sub": "4711", **claims}).email == email


@pytest.mark.parametrize(
    ("domains", "email", "trusted"),
    [
        (["b.example"], "a@b.example", True),
        (["b.example"], "a@B.Example", True),
        (["b.example"], "a@sub.b.example", False),
        (["b.example"], "a@evilb.example", False),
        (["b.example"], "a@b.example@evil.example", False),
        (["b.example"], "b.example", False),
        (["b.example"], "@b.example", False),
        (["*"], "a@anything.example", True),
        (["*"], "", False),
        ([], "a@b.example", False),
    ],
)
def test_a_provider_speaks_for_its_domains_only(
    domains: list[str], email: str, trusted: bool
) -> None:
    assert oidc.speaks_for(domains, email) is trusted


words = st.text("abcXYZ019-_", min_size=43, max_size=43)


@given(words, words, words)
def test_an_attempt_comes_back_only_with_its_state_and_in_time(a: str, b: str, c: str) -> None:
    sealer, attempt = Sealer("x" * 32), Attempt(a, b, c)
    sealed = sealer.seal(attempt, NOW)
    assert sealer.open(sealed, a, NOW + timedelta(minutes=9)) == attempt
    assert b not in sealed
    for key, value, state, at in (
        ("x" * 32, sealed, a, NOW + timedelta(minutes=11)),
        ("x" * 32, sealed, a[:-1] + "!", NOW),
        ("x" * 32, sealed, "", NOW),
        ("x" * 32, sealed[:-2], a, NOW),
        ("x" * 32, "", a, NOW),
        ("x" * 32, "ümlaut", a, NOW),
        ("y" * 32, sealed, a, NOW),
    ):
        with pytest.raises(OidcRefused):
            Sealer(key).open(value, state, at)


DESCRIPTION = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize?tenant=1",
    "token_endpoint": "https://token.example/",
    "jwks_uri": f"{ISSUER}/jwks",
}


def test_a_description_is_read_and_the_browser_is_sent_with_pkce() -> None:
    found = oidc.endpoints(DESCRIPTION, ISSUER)
    assert (found.client_auth, found.userinfo) == ("basic", "")
    post = {**DESCRIPTION, "token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert oidc.endpoints(post, ISSUER).client_auth == "post"
    attempt = Attempt("state & more", NONCE, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    address = oidc.authorization_url(
        found.authorization, attempt, client_id=CLIENT, redirect_uri="https://us.example/back/"
    )
    query = parse_qs(urlsplit(address).query)
    assert query["tenant"] == ["1"]
    assert query["state"] == ["state & more"]
    # RFC 7636, appendix B
    assert query["code_challenge"] == ["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"]
    assert attempt.verifier not in address


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": "http://login.example/token"},
        {"token_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": ["https://login.example/jwks"]},
        {"userinfo_endpoint": "http://login.example/"},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
    ids=str,
)
def test_a_description_that_leads_elsewhere_is_not_followed(changes: dict[str, Any]) -> None:
    with pytest.raises(ProviderDown):
        oidc.endpoints({**DESCRIPTION, **changes}, ISSUER)
