"""The vault: what it seals opens under any of its keys and under no other; keys of its own."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from sync2gear_platform.kit.vault import Locked, Vault
from sync2gear_platform.settings import Settings

# The same in every process of a test run, which names its tests by them.
OLD, NEW = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))
STRONG = SecretStr("k" * 40)


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_what_is_sealed_opens_and_cannot_be_read(secret: str) -> None:
    sealed = Vault([NEW]).seal(secret)
    assert Vault([OLD, NEW]).open(sealed) == secret
    assert len(secret) < 3 or secret not in sealed
    assert sealed != Vault([NEW]).seal(secret)


def test_the_first_key_seals_and_all_of_them_open() -> None:
    before = Vault([OLD]).seal("secret")
    both = Vault([NEW, OLD])
    after = both.reseal(before)
    assert before.startswith(Vault([OLD]).prefix)
    assert after.startswith(both.prefix)
    assert Vault([NEW]).open(after) == "secret"
    with pytest.raises(Locked, match="S2G_VAULT_KEYS"):
        Vault([NEW]).open(before)


@pytest.mark.parametrize("text", ["", "plain text", "s1", "s1.abc", "s1.abc.def", "s2.a.b"])
def test_what_was_never_sealed_is_refused(text: str) -> None:
    with pytest.raises(Locked):
        Vault([NEW]).open(text)


def test_a_changed_text_is_refused() -> None:
    sealed = Vault([NEW]).seal("secret")
    for at in range(12, len(sealed), 7):
        other = "A" if sealed[at] != "A" else "B"
        with pytest.raises(Locked):
            Vault([NEW]).open(sealed[:at] + other + sealed[at + 1 :])


@pytest.mark.parametrize(
    "keys", ["change-me", "", ",", "k" * 44, f"{NEW},", NEW[:-2], f"{NEW},change-me"]
)
def test_production_needs_keys_of_its_own(keys: str) -> None:
    if keys == f"{NEW},":
        assert Settings(secret_key=STRONG, vault_keys=SecretStr(keys)).vault_key_list == [NEW]
        return
    with pytest.raises(ValidationError, match="S2G_VAULT_KEYS") as refused:
        Settings(secret_key=STRONG, vault_keys=SecretStr(keys))
    assert NEW not in str(refused.value)


def test_without_any_development_derives_one_from_its_secret_key() -> None:
    one, again = (Settings(env="dev", secret_key=STRONG).vault_key_list for _ in range(2))
    other = Settings(env="dev", secret_key=SecretStr("other")).vault_key_list
    assert one == again != other
    assert Vault(one).open(Vault(again).seal("secret")) == "secret"
    assert "k" * 8 not in repr(Settings(env="dev", vault_keys=SecretStr(f"{NEW},{OLD}")))
