"""The platform gets another address: every device is told, once, whoever dies on the way."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from support import audio
from support.killing import gate, waiting
from support.leader import Lab, open_lab
from support.live import serving
from support.music import add_zone
from support.services import PostgresServer
from support.stack import Program, eventually, wait_until
from support.world import Tenant
from sync2gear_broker import topics
from sync2gear_broker.messages import DeviceConfig
from sync2gear_platform.library import service as library

OLD, NEW = "http://old.test:8080", "https://new.test:18080"

Told = dict[str, tuple[str, tuple[int, int]]]
"""For each topic of a configuration its address and its version."""


@pytest.fixture
async def lab(postgres: PostgresServer) -> AsyncIterator[Lab]:
    async with open_lab(postgres) as opened:
        yield opened


async def shops(lab: Lab) -> tuple[list[tuple[Tenant, str]], str]:
    """Two tenants with two devices each, and the topic of one that was revoked."""
    devices: list[tuple[Tenant, str]] = []
    for name in ("Acme", "Other"):
        tenant = await lab.world.tenant(name)
        for number in range(2):
            made = await lab.register(tenant, f"{name}-{number}", None)
            devices.append((tenant, made["device"]))
    tenant = devices[0][0]
    gone = (await lab.register(tenant, "gone", None))["device"]
    assert (await tenant.http.delete(f"/api/v1/devices/{gone}/")).status_code == 204
    return devices, topics.build(topics.DEVICE_CONFIG, client=str(tenant.id), device=gone)


async def told(lab: Lab) -> Told:
    """What the broker retains of configurations now."""
    found: Told = {}
    for topic, body in (await lab.retained()).items():
        address = topics.parse(topic)
        if address is not None and address.channel is topics.DEVICE_CONFIG:
            config = DeviceConfig.parse(body)
            found[topic] = config.media_url, (config.epoch, config.rev)
    return found


async def all_told(lab: Lab, url: str, count: int, seconds: float = 30) -> Told:
    """The configurations once ``count`` of them are there and each names ``url``."""

    async def named() -> Told | None:
        found = await told(lab)
        return found if [at for at, _ in found.values()] == [url] * count else None

    found: Told = await eventually(named, f"{count} devices are told {url}", seconds)
    return found


async def test_devices_of_all_tenants_are_told_a_new_address_and_nothing_is_told_twice(
    lab: Lab,
) -> None:
    devices, gone = await shops(lab)
    first = lab.worker(S2G_PUBLIC_URL=OLD)
    before = await all_told(lab, OLD, len(devices))
    first.stop()
    pair = [lab.worker(S2G_PUBLIC_URL=NEW) for _ in range(2)]
    after = await all_told(lab, NEW, len(devices))
    assert before.keys() == after.keys(), "and none that was revoked"
    assert gone not in after
    for topic, (_, version) in after.items():
        assert version > before[topic][1], "an older document would be ignored"
    # what an operator changes then is newer again
    tenant, device = devices[-1]
    answer = await tenant.http.patch(f"/api/v1/devices/{device}/", json={"volume": 40})
    assert answer.status_code == 200, answer.text
    await lab.drained()
    changed = await all_told(lab, NEW, len(devices))
    topic = topics.build(topics.DEVICE_CONFIG, client=str(tenant.id), device=device)
    assert changed[topic][1] > after[topic][1]
    assert {t: v for t, v in changed.items() if t != topic} == {
        t: v for t, v in after.items() if t != topic
    }
    for program in pair:
        program.stop()
    lab.worker(S2G_PUBLIC_URL=NEW)
    await lab.ready()
    assert await all_told(lab, NEW, len(devices)) == changed
    said = [program.log.read_text().count("fleet.moved") for program in lab.workers]
    assert sorted(said[1:3]) == [0, 1], "by whichever of the two led"
    assert said[3] == 0


async def test_restored_configurations_win_over_those_that_devices_still_hold(lab: Lab) -> None:
    devices, _ = await shops(lab)
    lab.worker(S2G_PUBLIC_URL=NEW)
    await all_told(lab, NEW, len(devices))
    lab.workers[0].stop()
    assert lab.world.settings.database_admin_url is not None
    url = lab.world.settings.database_admin_url.get_secret_value()
    with psycopg.connect(url) as connection:  # as docs/operations.md says
        connection.execute(
            "UPDATE installation SET epoch = epoch + 1, generation = NULL, public_url = NULL"
        )
    lab.worker(S2G_PUBLIC_URL=NEW)

    async def of_the_new_epoch() -> bool:
        return [epoch for _, (epoch, _) in (await told(lab)).values()] == [2] * len(devices)

    await eventually(of_the_new_epoch, "all of them are newer", 30)


STAGES = {
    "remembering": "BEFORE UPDATE ON installation FOR EACH ROW",
    "raising": "BEFORE UPDATE ON devices FOR EACH ROW",
    "marking": "BEFORE INSERT ON outbox FOR EACH ROW",
    "committing": "AFTER UPDATE ON devices DEFERRABLE INITIALLY DEFERRED FOR EACH ROW",
}
"""Where a trigger holds the leader up while it tells the new address."""


@pytest.mark.parametrize("stage", STAGES)
async def test_a_leader_killed_while_it_tells_leaves_nothing_half_told(
    lab: Lab, stage: str
) -> None:
    devices, _ = await shops(lab)
    lab.worker(S2G_PUBLIC_URL=OLD)
    before = await all_told(lab, OLD, len(devices))
    lab.workers[0].stop()
    assert lab.world.settings.database_admin_url is not None
    url = lab.world.settings.database_admin_url.get_secret_value()
    with gate(url, STAGES[stage]):
        killed = lab.worker(S2G_PUBLIC_URL=NEW)
        await asyncio.to_thread(wait_until, lambda: waiting(url), f"the leader is at {stage}")
        killed.kill()
        assert await all_told(lab, OLD, len(devices)) == before, "nothing of it is seen"
    # one that had asked for its commit has it now, dead as it is; then the next finds the marks
    lab.worker(S2G_PUBLIC_URL=NEW)
    after = await all_told(lab, NEW, len(devices))
    for topic, (_, version) in after.items():
        assert version > before[topic][1]
    assert len({version for _, version in after.values()}) == 1, "all of them at once"


def speaker(lab: Lab, credential: dict[str, str]) -> Program:
    """A speaker as a process of its own."""
    path, home = lab.folder / "credential.json", lab.folder / "speaker"
    path.touch(0o600)
    path.write_text(json.dumps(credential))
    env = {
        **os.environ,
        "S2G_SPEAKER_CREDENTIAL": str(path),
        "S2G_SPEAKER_DATA_DIR": str(home),
        "S2G_SPEAKER_SINK": "null",
    }
    command = [sys.executable, "-m", "sync2gear_firmware"]
    return Program("speaker", command, env, lab.folder / "speaker.log")


async def test_a_speaker_fetches_what_it_lacks_where_the_platform_is_now(
    lab: Lab, tmp_path: Path
) -> None:
    tenant = await lab.world.tenant()
    zone = await add_zone(tenant)
    gone = "http://127.0.0.1:9"
    first = lab.worker(S2G_PUBLIC_URL=gone)
    await lab.ready()
    made = await lab.register(tenant, "Bar", zone)
    (tmp_path / "a.wav").write_bytes(audio.wav_bytes(audio.sine(2)))
    stock = await library.import_folder(
        lab.world.db, lab.world.app.state.blobs, tenant.id, tmp_path, "Stock"
    )
    await tenant.make("/playback/play/", zone_id=zone, folder_id=str(stock.folder_id))
    sha256 = (await tenant.read("/music/files/"))["results"][0]["sha256"]
    playing = speaker(lab, {**made, "http_url": gone})
    playing.start()
    try:

        async def in_vain() -> bool:
            return "fetch.failed" in playing.log.read_text()

        await eventually(in_vain, "the speaker asks where nobody is")
        first.stop()
        async with serving(lab.world) as at:
            lab.worker(S2G_PUBLIC_URL=at.replace("ws://", "http://"))

            async def held() -> bool:
                return bool([*(lab.folder / "speaker").rglob(sha256)])

            await eventually(held, "the speaker has its music")
    except BaseException as error:
        error.add_note(playing.tail())
        raise
    finally:
        playing.stop()
