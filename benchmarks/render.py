"""What a 10 ms block costs a speaker, from the plan to the card, beside a bare linear resampler."""

import gc
import os
import random
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the speaker does, before numpy is there
import numpy as np
from bench import Metric, quantile, report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.hearing import noise_tune
from support.speaker_lab import media_of, wav
from sync2gear_broker import timeline
from sync2gear_broker.messages import Anchor, Block, LiveEvent, Programme, ProgrammeRef, ZoneState
from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware.clock import Line
from sync2gear_firmware.decoder import Pool
from sync2gear_firmware.facts import Score
from sync2gear_firmware.player import Player
from sync2gear_firmware.renderer import Renderer

BLOCK = 480
SECONDS = 60
START = 10**9


def player(folder: Path) -> Player:
    """Two tracks of 20 s that crossfade for 2 s, and every 6 s a call that ducks them."""
    media = []
    for seed, kind in ((1, "music"), (2, "music"), (3, "announcement")):
        tune = noise_tune(seed, 20 if kind == "music" else 2)
        one = media_of(wav(tune), len(tune), kind=kind)
        (folder / one.sha256).write_bytes(wav(tune))
        media.append(one)
    block = Block(id="b", source="s", at=START, items=(0, 1), crossfade=2 * FRAME_RATE)
    programme = Programme(media=tuple(media[:2]), blocks=(block,))
    live = tuple(
        LiveEvent(
            id=f"e{k}", start=START + (3 + 6 * k) * FRAME_RATE, media=media[2], mode="duck",
            fade_in=4800, fade_out=9600,
        )
        for k in range(9)
    )  # fmt: skip
    state = ZoneState(
        zone="00000000-0000-7000-8000-000000000000",
        epoch=1,
        rev=1,
        programmes=(ProgrammeRef(sha256=programme.sha256(), from_=0),),
        anchor=Anchor(at=START, block="b", pos=0),
        live=live,
    )
    pool = Pool(lambda sha: folder / sha, lambda *_: None, budget=64 * 1024 * 1024)
    made = Player(pool, lambda _: None)
    settled = timeline.settle({programme.sha256(): programme}, state)
    made.perform(Score(settled, volume=0.8, held=frozenset(m.sha256 for m in media)))
    made.pool = pool  # type: ignore[attr-defined] # decoded here, not in a thread of its own
    return made


def linear(frames: np.ndarray, at: float, ratio: float, n: int) -> np.ndarray:
    """The cheapest resampler that there is."""
    place = at + ratio * np.arange(n)
    grid = np.arange(len(frames))
    return np.stack([np.interp(place, grid, frames[:, k]) for k in range(2)], axis=1)


def main() -> None:
    """A minute of sound, block by block, decoding apart."""
    with tempfile.TemporaryDirectory() as folder:
        source = player(Path(folder))
        renderer = Renderer(source)
        line = Line("a", 0, START * 1e6 / FRAME_RATE - 600_000)
        chance = random.Random(1)
        costs, bare, cpu = [], [], 0.0
        gc.freeze()  # as the speaker does when it begins
        frames = np.random.default_rng(1).normal(0, 0.1, (600, 2)).astype(np.float32)
        for k in range(SECONDS * 100):
            while source.pool.fill():  # type: ignore[attr-defined] # as above
                continue
            heard = k * 10_000 * (1 + 80e-6) + chance.gauss(0, 300)
            began, worked = time.perf_counter_ns(), time.process_time_ns()
            renderer.block(BLOCK, heard, line)
            cpu += (time.process_time_ns() - worked) / 1e9
            costs.append((time.perf_counter_ns() - began) / 1e6)
            began = time.perf_counter_ns()
            linear(frames, 20.3, 1.0001, BLOCK)
            bare.append((time.perf_counter_ns() - began) / 1e6)
        costs, bare = costs[100:], bare[100:]
        report(
            "render",
            {
                "block_p50": Metric(quantile(costs, 0.5), "ms", quantile(bare, 0.5)),
                "block_p99": Metric(quantile(costs, 0.99), "ms", quantile(bare, 0.99)),
                "share_of_a_core": Metric(cpu / SECONDS * 100, "%"),
            },
            "plan, mix and resample 10 ms; baseline: linear interpolation of the same block alone",
        )


if __name__ == "__main__":
    main()
