"""Codes of an authenticator app and recovery codes, as values."""

from base64 import b32encode
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync2gear_platform.identity import totp

RFC_SECRET = b32encode(b"12345678901234567890").decode()
secrets = st.binary(min_size=totp.SECRET_BYTES, max_size=totp.SECRET_BYTES).map(totp.secret_of)
moments = st.floats(1.6e9, 4.1e9).map(lambda at: datetime.fromtimestamp(at, UTC))


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_vectors_of_rfc_6238(seconds: int, code: str) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    assert totp.matching_step(RFC_SECRET, code, now) == seconds // 30
    assert totp.matching_step(RFC_SECRET, f" {code[:3]} {code[3:]} ", now) == seconds // 30


@given(secrets, moments, st.integers(-5, 5))
def test_a_code_counts_one_step_early_and_late_and_no_more(
    secret: str, now: datetime, off: int
) -> None:
    step = totp.step_at(now) + off
    code = pyotp.TOTP(secret).generate_otp(step)
    found = totp.matching_step(secret, code, now)
    if abs(off) <= 1:
        assert found is not None
        assert pyotp.TOTP(secret).generate_otp(found) == code
    elif found is not None:  # two steps in a million have the same code
        assert pyotp.TOTP(secret).generate_otp(found) == code
        assert abs(found - totp.step_at(now)) <= 1


@given(secrets, moments)
def test_a_step_lasts_thirty_seconds(secret: str, now: datetime) -> None:
    begin = now.replace(microsecond=0) - timedelta(seconds=int(now.timestamp()) % 30)
    assert totp.step_at(begin) == totp.step_at(begin + timedelta(seconds=29.999))
    assert totp.step_at(begin + timedelta(seconds=30)) == totp.step_at(begin) + 1


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "-12345", "1e4567"])
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert totp.matching_step(RFC_SECRET, code, datetime.fromtimestamp(59, UTC)) is None


@given(secrets, st.text(max_size=60))
def test_an_app_reads_the_address(secret: str, label: str) -> None:
    read = pyotp.parse_uri(totp.uri(secret, label or "x"))
    assert isinstance(read, pyotp.TOTP)
    assert (read.secret, read.issuer, read.digits, read.interval) == (secret, "sync2gear", 6, 30)


def test_the_picture_is_a_plain_svg() -> None:
    secret = totp.secret_of(bytes(range(20)))
    root = ElementTree.fromstring(totp.picture(totp.uri(secret, "anna@bäckerei.example")))
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert names == {"svg", "g", "path"}
    assert {key for element in root.iter() for key in element.attrib} <= {
        "width", "height", "transform", "fill", "stroke", "d",
    }  # fmt: skip


randoms = st.binary(min_size=totp.RECOVERY_BYTES, max_size=totp.RECOVERY_BYTES)


@given(randoms)
def test_a_recovery_code_may_be_typed_as_people_type(random: bytes) -> None:
    code = totp.recovery_code(random)
    assert len(code) == 29
    typed = (code, code.upper(), code.replace("-", ""), code.replace("-", " ") + "\n",
             code.replace("0", "O").replace("1", "l"))  # fmt: skip
    assert {totp.recovery_hash(t) for t in typed} == {totp.recovery_hash(code)}
    assert all(totp.is_recovery_code(t) for t in typed)
    assert not totp.is_recovery_code(code[:-1])


@given(randoms, randoms)
def test_different_randomness_makes_different_codes(one: bytes, other: bytes) -> None:
    used = 2**125 - 1
    alike = int.from_bytes(one) & used == int.from_bytes(other) & used
    assert (totp.recovery_code(one) == totp.recovery_code(other)) == alike


@pytest.mark.parametrize("text", ["", "123456", "u" * 25, "abcde-fghjk", "x" * 400])
def test_what_has_not_the_form_of_a_recovery_code(text: str) -> None:
    assert not totp.is_recovery_code(text)
