"""The sink that nobody hears: renders as if it were heard, in real time or as fast as it can."""

from collections.abc import Callable

from sync2gear_firmware.decoder import Pcm
from sync2gear_firmware.player import Player
from sync2gear_firmware.players.paced import Paced


def _nowhere(_at: int, _pcm: Pcm) -> None:
    """Nobody hears it."""


def null_sink(player: Player, local: Callable[[], int]) -> Paced:
    """A paced sink that throws the frames away."""
    return Paced(player, local, _nowhere)
