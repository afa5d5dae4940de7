"""Receipts: which live events have reached this speaker, and what it fetched ahead. Pure.

They travel in the retained report, so nothing is lost if nobody listens just now.
"""

from dataclasses import replace

from sync2gear_broker.messages import Receipt
from sync2gear_broker.messages.device import MAX_RECEIPTS, PREFIX_DIGITS
from sync2gear_firmware.known import State, frame_at


def noted(state: State, now: int) -> State:
    """``state`` with a receipt of each live event of its zone, and of its media once that is here.

    What was received stays noted when the event is over: the report is made a little later.
    """
    frame = frame_at(state, now)
    if state.zone is None or frame is None:
        return state
    known = {receipt.event: receipt for receipt in state.receipts}
    held = state.held - state.broken
    for live in state.zone.live:
        old = known.get(live.id) or Receipt(event=live.id, received=frame)
        if old.cached is None and live.media.sha256 in held:
            old = old.model_copy(update={"cached": frame})
        known[live.id] = old
    receipts = tuple(known.values())[-MAX_RECEIPTS:]
    return state if receipts == state.receipts else replace(state, receipts=receipts)


def prefetched(state: State) -> tuple[str, ...]:
    """What of the prefetch list can be played, in its order, by the beginnings of the hashes."""
    if state.prefetch is None:
        return ()
    playable = state.held - state.broken
    found = (item.sha256 for item in state.prefetch.items if item.sha256 in playable)
    return tuple(dict.fromkeys(sha[:PREFIX_DIGITS] for sha in found))
