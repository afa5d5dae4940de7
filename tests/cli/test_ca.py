"""`sync2gear ca`: certificates that OpenSSL accepts, keys that are closed, roots that roll."""

import json
import socket
import ssl
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from sync2gear_cli.failures import Failure
from sync2gear_cli.main import app
from sync2gear_cli.tls import authority, certificates, names

CLIENT, DEVICE = "0190aaaa-0000-7000-8000-000000000001", "0190aaaa-0000-7000-8000-00000000000d"


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["ca", *arguments], env={"S2G_DATA_DIR": str(folder)})


def say(folder: Path, *arguments: str) -> Any:
    """The JSON answer of a command that must work."""
    done = run(folder, *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def refused(folder: Path, *arguments: str) -> str:
    done = run(folder, *arguments)
    assert done.exit_code == 1, done.stdout
    assert done.stderr.startswith("error: ")
    return done.stderr


@contextmanager
def server(certificate: Path, key: Path) -> Iterator[int]:
    """A TLS server that shakes hands and hangs up."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                link, _ = listener.accept()
                try:
                    context.wrap_socket(link, server_side=True).close()
                except OSError:  # the client does not trust us
                    link.close()

        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        yield port
        over.set()
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join(5)


def greet(port: int, bundle: str, name: str = "127.0.0.1") -> None:
    """Shake hands as a client that trusts ``bundle``; ssl.SSLCertVerificationError otherwise."""
    context = ssl.create_default_context(cadata=bundle)
    # what Python 3.13 asks for by itself (RFC 5280 to the letter)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with (
        socket.create_connection(("127.0.0.1", port)) as link,
        context.wrap_socket(link, server_hostname=name),
    ):
        pass


def test_from_nothing_to_certificates_that_openssl_accepts(tmp_path: Path) -> None:
    assert "no_authority" in refused(tmp_path, "issue")
    root = say(tmp_path, "init")["root"]
    assert "authority_exists" in refused(tmp_path, "init")
    made = say(tmp_path, "issue", "--name", "sound.lan", "--name", "10.9.8.7")["certificates"]
    assert [one["name"] for one in made] == ["api", "broker"]
    bundle = run(tmp_path, "trust").stdout
    for one in made:
        assert {"localhost", "127.0.0.1", "::1", "sound.lan", "10.9.8.7"} <= set(one["names"])
        file = Path(one["file"])
        with server(file, file.with_suffix(".key")) as port:
            for name in ("localhost", "127.0.0.1", "sound.lan"):
                greet(port, bundle, name)
            with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
                greet(port, bundle, "another.lan")
    shown = say(tmp_path, "show")
    assert shown["roots"][0]["fingerprint"] == root["fingerprint"]
    assert (shown["roll"], shown["due"]) == ("none", {})
    assert [one["signed_by"] for one in shown["certificates"]] == ["current", "current"]
    table = run(tmp_path, "show").stdout
    assert root["fingerprint"] in table
    assert "sound.lan" in table


def test_what_is_secret_is_closed(tmp_path: Path) -> None:
    say(tmp_path, "init")
    say(tmp_path, "issue")
    folder = tmp_path / "tls"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in folder.iterdir():
        secret = "PRIVATE KEY" in file.read_text()
        assert not secret or stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert {file.name for file in folder.iterdir() if "PRIVATE KEY" in file.read_text()} == {
        "root.pem", "api.key", "broker.key",
    }  # fmt: skip


def test_the_root_vouches_for_this_installation_only(tmp_path: Path) -> None:
    say(tmp_path, "init", "--name", "sound.example.com")
    assert say(tmp_path, "issue", "--name", "eu.sound.example.com")["certificates"]
    refusal = refused(tmp_path, "issue", "--name", "bank.example")
    assert "may not vouch for bank.example" in refusal
    assert "ca roll --name bank.example" in refusal
    # and a thief of its key gets no further: OpenSSL refuses what our own check would let through
    folder = tmp_path / "tls"
    root = certificates.read_signed((folder / "root.pem").read_text())
    forged = certificates.make_server(root, ["bank.example"], datetime.now(UTC), 10)
    (tmp_path / "forged.crt").write_text(forged.certificate_pem())
    (tmp_path / "forged.key").write_text(forged.key_pem())
    bundle = (folder / "trust.pem").read_text()
    with (
        server(tmp_path / "forged.crt", tmp_path / "forged.key") as port,
        pytest.raises(ssl.SSLCertVerificationError, match="subtree violation"),
    ):
        greet(port, bundle, "bank.example")


def test_a_roll_has_no_gap(tmp_path: Path) -> None:
    say(tmp_path, "init")
    say(tmp_path, "issue")
    folder = tmp_path / "tls"
    files = authority.server_files(folder, "api")
    only_old = run(tmp_path, "trust").stdout
    assert "no_next_root" in refused(tmp_path, "roll", "--switch")
    assert "no_old_root" in refused(tmp_path, "roll", "--finish")

    assert say(tmp_path, "roll")["roll"] == "prepared"
    assert "roll_begun" in refused(tmp_path, "roll")
    both = run(tmp_path, "trust").stdout
    assert both.count("BEGIN CERTIFICATE") == 2
    with server(*files) as port:
        greet(port, only_old)
        greet(port, both)

    assert say(tmp_path, "roll", "--switch")["roll"] == "switched"
    with server(*files) as port:
        greet(port, both)
        with pytest.raises(ssl.SSLCertVerificationError):
            greet(port, only_old)

    assert "roll_not_over" in refused(tmp_path, "roll")
    assert say(tmp_path, "roll", "--finish")["roll"] == "none"
    only_new = run(tmp_path, "trust").stdout
    assert only_new.count("BEGIN CERTIFICATE") == 1
    assert only_new != only_old
    with server(*files) as port:
        greet(port, only_new)


def test_a_switch_that_was_cut_short_is_repeated_or_healed(tmp_path: Path) -> None:
    say(tmp_path, "init")
    say(tmp_path, "issue")
    folder, now = tmp_path / "tls", datetime.now(UTC)
    authority.prepare_roll(folder, now, days=100)
    # killed after it wrote the old root and before it renamed the next
    root = certificates.read((folder / "root.pem").read_text())[0]
    (folder / "old.crt").write_text(certificates.pem(root))
    assert [one.role for one in authority.trusted(folder)] == ["current", "next"]
    # killed after it renamed, before the servers got theirs
    (folder / "next.pem").replace(folder / "root.pem")
    assert set(authority.due(folder, now)) == {"api", "broker"}
    assert {one.signed_by for one in authority.servers(folder)} == {"old"}
    assert "old_root_in_use" in refused(tmp_path, "roll", "--finish")
    say(tmp_path, "renew")
    assert {one.signed_by for one in authority.servers(folder)} == {"current"}
    say(tmp_path, "roll", "--finish")


def test_renewal_comes_in_time_and_keeps_the_names(tmp_path: Path) -> None:
    say(tmp_path, "init")
    assert set(authority.due(tmp_path / "tls", datetime.now(UTC))) == {"api", "broker"}
    first = say(tmp_path, "issue", "--name", "sound.lan")["certificates"]
    assert say(tmp_path, "renew")["certificates"] == []
    folder, later = tmp_path / "tls", datetime.now(UTC) + timedelta(days=61)
    assert set(authority.due(folder, later)) == {"api", "broker"}
    again = say(tmp_path, "renew", "--within", "100")["certificates"]
    assert [one["names"] for one in again] == [one["names"] for one in first]
    assert {one["fingerprint"] for one in again}.isdisjoint(one["fingerprint"] for one in first)
    # a machine that got another address
    (folder / "names").write_text("sound.lan\n10.1.2.3\n")
    assert authority.due(folder, datetime.now(UTC))["api"] == "it lacks 10.1.2.3"


def test_a_device_gets_its_certificate_into_its_credential(tmp_path: Path) -> None:
    say(tmp_path, "init")
    credential = tmp_path / "counter.json"
    known = {"client": CLIENT, "device": DEVICE, "secret": "s", "mqtt_url": "mqtts://x"}
    credential.write_text(json.dumps(known))
    said = say(tmp_path, "device", "--credential", str(credential))
    written = json.loads(credential.read_text())
    assert known.items() <= written.items()
    assert written["ca"] == (tmp_path / "tls" / "trust.pem").read_text()
    assert stat.S_IMODE(credential.stat().st_mode) == 0o600
    pair = certificates.read_signed(written["certificate"] + written["key"])
    assert certificates.fingerprint(pair.certificate) == said["fingerprint"]
    root = authority.trusted(tmp_path / "tls")[0].certificate
    assert certificates.is_signed_by(pair.certificate, root)
    for text in ("", "[]", "{}"):
        credential.write_text(text)
        assert "no_credential" in refused(tmp_path, "device", "--credential", str(credential))
    assert "no_credential" in refused(tmp_path, "device", "--credential", str(tmp_path / "none"))


def test_the_root_is_handed_out_in_the_forms_that_phones_take(tmp_path: Path) -> None:
    fingerprint = say(tmp_path, "init")["root"]["fingerprint"]
    der, bundle = tmp_path / "root.cer", tmp_path / "roots.pem"
    assert fingerprint in run(tmp_path, "trust", "--out", str(der)).stdout
    assert (
        ssl.DER_cert_to_PEM_cert(der.read_bytes()).strip() == run(tmp_path, "trust").stdout.strip()
    )
    assert run(tmp_path, "trust", "--out", str(bundle)).exit_code == 0
    assert "file_exists" in refused(tmp_path, "trust", "--out", str(bundle))
    assert "bad_file" in refused(tmp_path, "trust", "--out", str(tmp_path / "no" / "where"))


def test_damage_is_said_in_words(tmp_path: Path) -> None:
    say(tmp_path, "init")
    root = tmp_path / "tls" / "root.pem"
    root.write_text("garbage")
    assert "damaged" in refused(tmp_path, "issue")
    say_other = tmp_path / "other"
    say(say_other, "init")
    other = (say_other / "tls" / "root.pem").read_text()
    say(say_other, "roll")
    key = (say_other / "tls" / "next.pem").read_text().partition("-----BEGIN PRIVATE")
    root.write_text(other.partition("-----BEGIN PRIVATE")[0] + key[1] + key[2])
    assert "not that of the certificate" in refused(tmp_path, "show")
    (tmp_path / "file").write_text("")
    assert "tls_folder" in refused(tmp_path / "file", "init")


def test_wrong_usage_is_told_apart(tmp_path: Path) -> None:
    say(tmp_path, "init")
    for arguments in (
        ("issue", "web"),
        ("issue", "--name", "no name"),
        ("roll", "--switch", "--finish"),
        ("roll", "--switch", "--name", "x.lan"),
        ("issue", "--days", "0"),
    ):
        assert run(tmp_path, *arguments).exit_code == 2, arguments


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("shop.local", True), ("local", True), ("a.b.lan", True), ("*.shop.lan", True),
        ("notlocal", False), ("local.example", False), ("10.1.2.3", True), ("fd00::1", True),
        ("8.8.8.8", False), ("2001:db8::1", False), ("172.32.0.1", False),
    ],
)  # fmt: skip
def test_what_is_of_this_network(name: str, inside: bool) -> None:
    permitted = [*names.LOCAL, *map(str, names.PRIVATE)]
    assert names.is_within(names.parse(name), permitted) is inside


@pytest.mark.parametrize("text", ["", "a b", "-a", "a..b", "x" * 64, "é.lan", "a/b", "*"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(ValueError, match="neither a host name nor an address"):
        names.parse(text)


def test_this_machine_knows_its_names() -> None:
    own = names.own()
    assert [str(name) for name in own[:3]] == ["localhost", "127.0.0.1", "::1"]
    assert len(own) == len(set(own))
    out = names.outward()
    assert out is None or out in own


def test_two_who_change_the_folder_take_turns(tmp_path: Path) -> None:
    order: list[str] = []
    with authority.held(tmp_path):
        other = threading.Thread(target=lambda: _hold(tmp_path, order))
        other.start()
        order.append("first")
        other.join(0.2)
        assert order == ["first"]
    other.join(5)
    assert order == ["first", "second"]


def _hold(folder: Path, order: list[str]) -> None:
    with authority.held(folder):
        order.append("second")


def test_nothing_but_a_failure_leaves_the_lock(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no authority"), authority.held(tmp_path):
        authority.trusted(tmp_path)
