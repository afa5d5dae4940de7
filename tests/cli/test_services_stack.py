"""What a machine runs follows its environment: private services, or those that exist already."""

import stat
from pathlib import Path

import pytest

from sync2gear_cli.services import stack
from sync2gear_cli.services.process import ServiceError
from sync2gear_cli.tls import names


def test_by_default_everything_is_private(tmp_path: Path) -> None:
    plan = stack.compose(tmp_path, {"PATH": "/bin"})
    assert plan.database
    assert plan.broker
    environment = plan.environment
    assert environment["PATH"] == "/bin"
    assert environment["S2G_DATABASE_URL"].startswith("postgresql://sync2gear_app:")
    assert environment["S2G_DATABASE_ADMIN_URL"].startswith("postgresql://sync2gear_owner:")
    assert environment["S2G_MQTT_URL"].startswith("mqtt://platform:")
    assert environment["S2G_MQTT_DEVICE_URL"] == f"mqtt://127.0.0.1:{plan.broker.device_port}"
    assert environment["S2G_MQTT_PASSWORD_FILE"].startswith(str(tmp_path))
    assert environment["S2G_MEDIA_URL"] == f"file://{tmp_path}/media"
    assert environment["S2G_PUBLIC_URL"] == f"http://127.0.0.1:{environment['S2G_HTTP_PORT']}"
    assert [program.name for program in stack.services(plan)] == ["postgres", "mosquitto"]
    ports = {plan.http_port, plan.database.port, plan.broker.device_port, plan.broker.platform_port}
    assert len(ports) == 4
    assert not ports & {5432, 1883}


def test_secrets_are_made_once_and_closed(tmp_path: Path) -> None:
    first, second = (stack.compose(tmp_path, {}).environment for _ in range(2))
    assert first == second
    assert len(first["S2G_SECRET_KEY"]) >= 43
    for path in tmp_path.rglob("secrets/*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_services_that_exist_are_used_and_not_started(tmp_path: Path) -> None:
    given = {
        "S2G_DATABASE_URL": "postgresql://app@db/x",
        "S2G_DATABASE_ADMIN_URL": "postgresql://owner@db/x",
        "S2G_MQTT_URL": "mqtt://platform:secret@broker:1884",
        "S2G_MEDIA_URL": "file:///srv/media",
        "S2G_SECRET_KEY": "k" * 40,
        "S2G_ENV": "prod",
        "S2G_LOG_LEVEL": "",
    }
    plan = stack.compose(tmp_path, given)
    assert (plan.database, plan.broker) == (None, None)
    assert stack.services(plan) == []
    assert plan.environment["S2G_MQTT_DEVICE_URL"] == "mqtt://broker:1884"
    assert "S2G_MQTT_PASSWORD_FILE" not in plan.environment
    assert "S2G_LOG_LEVEL" not in plan.environment
    for name, value in given.items():
        assert plan.environment.get(name, "") == value


def test_devices_are_told_an_address_that_they_can_reach(tmp_path: Path) -> None:
    given = {"S2G_HTTP_HOST": "0.0.0.0", "S2G_PUBLIC_URL": "http://music.example:8080/"}
    plan = stack.compose(tmp_path, given)
    assert plan.broker
    assert plan.broker.device_host == "0.0.0.0"
    assert plan.environment["S2G_MQTT_DEVICE_URL"] == (
        f"mqtt://music.example:{plan.broker.device_port}"
    )


def test_others_are_let_in_over_tls_only(tmp_path: Path) -> None:
    plan = stack.compose(tmp_path, {}, lan=True)
    assert plan.broker
    assert plan.broker.tls
    assert (plan.http_host, plan.broker.device_host) == ("127.0.0.1", "127.0.0.1")
    assert (plan.https_host, plan.broker.tls.host) == ("0.0.0.0", "0.0.0.0")
    own = names.outward()
    assert plan.url == f"https://{own}:{plan.https_port}"
    assert plan.environment["S2G_MQTT_DEVICE_URL"] == f"mqtts://{own}:{plan.broker.tls.port}"
    assert plan.environment["S2G_TLS_CA"] == str(tmp_path / "tls" / "trust.pem")


def test_the_operators_certificates_are_used_and_none_are_made(tmp_path: Path) -> None:
    given = {"S2G_TLS_CERT": "/etc/x.crt", "S2G_TLS_KEY": "/etc/x.key"}
    plan = stack.compose(tmp_path, given)
    assert plan.tls_folder is None
    assert plan.broker
    assert plan.broker.tls
    assert (plan.broker.tls.certificate, plan.broker.tls.key) == (
        Path("/etc/x.crt"), Path("/etc/x.key"),
    )  # fmt: skip
    assert "S2G_TLS_CA" not in plan.environment
    with pytest.raises(ServiceError, match="belong together"):
        stack.compose(tmp_path, {"S2G_TLS_CERT": "/etc/x.crt"})
    with pytest.raises(ServiceError, match="whose certificates"):
        stack.compose(tmp_path, {**given, "S2G_MQTT_REQUIRE_CERTIFICATE": "true"})


def test_a_wrong_port_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="S2G_HTTP_PORT"):
        stack.compose(tmp_path, {"S2G_HTTP_PORT": "http"})
