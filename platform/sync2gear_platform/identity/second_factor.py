"""Use cases of the second factor: an authenticator app, and codes for when it is lost.

All are about the person who acts; ``ctx`` is in the system's door. Who may call those that change
something has proved anew who it is (``routes``).
"""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, update
from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.identity import mail, service, totp
from sync2gear_platform.identity.passwords import Passwords
from sync2gear_platform.identity.tables import RecoveryCode, SecondFactor, User
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal

MAX_TRIES: Final = 10
TRIES_WINDOW: Final = timedelta(hours=1)
"""Wrong codes of an app, from wherever, by somebody who knows the password: with three of a million
codes good at a time, even odds take more than two years. Recovery codes go on working."""


class OtpRequired(Refusal):
    """The password is right: now send a code of your authenticator app too, or a recovery code."""

    kind = "unauthenticated"
    code = "otp_required"


class WrongOtp(Refusal):
    """This code is wrong, or was used before: wait for the next one."""

    kind = "unauthenticated"
    code = "wrong_otp"


class TooManyCodes(Refusal):
    """Too many wrong codes: wait an hour, or use a recovery code."""

    kind = "limited"
    code = "too_many_codes"


class SecondFactorOn(Refusal):
    """Your second factor is on already: switch it off before you set up another app."""

    kind = "conflict"
    code = "totp_enabled"


class SecondFactorOff(Refusal):
    """You have no second factor: set one up first."""

    kind = "conflict"
    code = "totp_disabled"


class NotConfirmed(Refusal):
    """This is not the code that the app shows now: check the time of your telephone."""

    code = "wrong_otp"


Verdict = Literal["passed", "needed", "wrong", "limited"]

REFUSALS: Final[dict[Verdict, type[Refusal]]] = {
    "needed": OtpRequired,
    "wrong": WrongOtp,
    "limited": TooManyCodes,
}


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether a code passed; ``recovery``: it was a recovery code, which is used up now."""

    verdict: Verdict
    recovery: bool = False

    @property
    def refusal(self) -> Refusal:
        """Why it did not pass."""
        kind = REFUSALS[self.verdict]
        if kind is TooManyCodes:
            return kind(retry_after=int(TRIES_WINDOW.total_seconds()))
        return kind()


@dataclass(frozen=True, slots=True)
class Status:
    """Since when there is a second factor, and how many recovery codes are left."""

    since: datetime | None
    codes_left: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What an app takes in, by hand or as a picture."""

    secret: str
    uri: str
    picture: str


async def status(ctx: Ctx, user_id: UUID) -> Status:
    """How it stands."""
    row = await ctx.db.get(SecondFactor, user_id)
    if row is None or row.confirmed_at is None:
        return Status(None, 0)
    left = select(func.count()).select_from(RecoveryCode).where(_unused(user_id))
    return Status(row.confirmed_at, (await ctx.db.exec(left)).one())


async def is_on(ctx: Ctx, user_id: UUID) -> bool:
    """Whether this person signs in with a second factor."""
    return (await status(ctx, user_id)).since is not None


async def check(ctx: Ctx, user_id: UUID, code: str | None) -> Proof:
    """Whether ``code`` passes for this person now; it counts, and works once.

    Whatever the verdict, the transaction must commit: the counter of wrong codes is in it. The
    row's lock makes tries at once take turns.
    """
    if code is None:
        return Proof("needed" if await is_on(ctx, user_id) else "passed")
    row = await ctx.db.get(SecondFactor, user_id, with_for_update=True, populate_existing=True)
    if row is None or row.confirmed_at is None:
        return Proof("passed")
    if totp.is_recovery_code(code):
        used = (
            update(RecoveryCode)
            .where(_unused(user_id), col(RecoveryCode.code_hash) == totp.recovery_hash(code))
            .values(used_at=ctx.now)
            .returning(col(RecoveryCode.id))
            .execution_options(synchronize_session=False)
        )
        found = (await ctx.db.execute(used)).first() is not None
        return Proof("passed", recovery=True) if found else Proof("wrong")
    if ctx.now - row.tries_since > TRIES_WINDOW:
        row.tries, row.tries_since = 0, ctx.now
    if row.tries >= MAX_TRIES:
        return Proof("limited")
    step = totp.matching_step(ctx.vault.open(row.secret), code, ctx.now)
    if step is None or step <= row.last_step:
        row.tries += 1
        return Proof("wrong")
    row.last_step, row.tries = step, 0
    return Proof("passed")


async def note(ctx: Ctx, proof: Proof) -> None:
    """Write down that a recovery code was used to sign in; ``ctx`` is the person's own."""
    if proof.recovery and ctx.actor.id is not None:
        left = (await status(ctx, ctx.actor.id)).codes_left
        audit.record(ctx, "recovery_code.use", "user", ctx.actor.id, after={"left": left})


def _unused(user_id: UUID) -> ColumnElement[bool]:
    return and_(col(RecoveryCode.user_id) == user_id, col(RecoveryCode.used_at).is_(None))


async def proved(
    ctx: Ctx, passwords: Passwords, *, password: str | None, code: str | None
) -> Refusal | None:
    """Why this is not proof that the person itself acts: its password, or a code of its app."""
    user = await service.myself(ctx)  # those who try at once take turns
    if password is not None:
        right = await passwords.check(password, user.password_hash)
        return None if right else service.WrongPassword()
    if code is None or not await is_on(ctx, user.id):
        return service.WrongPassword("Send your password, or a code of your second factor.")
    proof = await check(ctx, user.id, code)
    if proof.verdict != "passed":
        return Refusal(proof.refusal.detail, kind="forbidden", code=proof.refusal.code)
    return None


async def set_up(ctx: Ctx) -> Offer:
    """A new secret for an app; it counts after :func:`confirm`."""
    user = await service.myself(ctx)
    row = await ctx.db.get(SecondFactor, user.id, with_for_update=True)
    if row is not None and row.confirmed_at is not None:
        raise SecondFactorOn
    secret = totp.secret_of(os.urandom(totp.SECRET_BYTES))
    if row is None:
        row = SecondFactor(user_id=user.id, secret="", tries_since=ctx.now, created_at=ctx.now)
        ctx.db.add(row)
    row.secret = ctx.vault.seal(secret)
    uri = totp.uri(secret, user.email)
    return Offer(secret, uri, totp.picture(uri))


async def confirm(ctx: Ctx, code: str) -> list[str]:
    """Switch the second factor on with a first code of the app; returns the recovery codes."""
    user = await service.myself(ctx)
    row = await ctx.db.get(SecondFactor, user.id, with_for_update=True)
    if row is None:
        raise SecondFactorOff
    if row.confirmed_at is not None:
        raise SecondFactorOn
    step = totp.matching_step(ctx.vault.open(row.secret), code, ctx.now)
    if step is None:
        raise NotConfirmed
    row.confirmed_at, row.last_step, row.tries = ctx.now, step, 0
    codes = await _new_codes(ctx, user.id)
    audit.record(ctx, "totp.enable", "user", user.id)
    await mail.send(ctx, user.email, "totp_enabled", user.locale, name=user.name)
    return codes


async def switch_off(ctx: Ctx) -> None:
    """Sign in with the password alone from now on."""
    user = await service.myself(ctx)
    await forget(ctx, user)
    audit.record(ctx, "totp.disable", "user", user.id)
    await mail.send(ctx, user.email, "totp_disabled", user.locale, name=user.name)


async def forget(ctx: Ctx, user: User) -> None:
    """Remove the second factor of ``user``; for support, too, who writes that down itself."""
    row = await ctx.db.get(SecondFactor, user.id, with_for_update=True)
    if row is None or row.confirmed_at is None:
        raise SecondFactorOff
    await ctx.db.delete(row)
    await ctx.db.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user.id))


async def renew_codes(ctx: Ctx) -> list[str]:
    """New recovery codes; the old ones work no more."""
    user = await service.myself(ctx)
    row = await ctx.db.get(SecondFactor, user.id, with_for_update=True)
    if row is None or row.confirmed_at is None:
        raise SecondFactorOff
    codes = await _new_codes(ctx, user.id)
    audit.record(ctx, "recovery_codes.create", "user", user.id)
    return codes


async def _new_codes(ctx: Ctx, user_id: UUID) -> list[str]:
    await ctx.db.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))
    codes = totp.recovery_codes(
        [os.urandom(totp.RECOVERY_BYTES) for _ in range(totp.RECOVERY_CODES)]
    )
    for code in codes:
        digest = totp.recovery_hash(code)
        ctx.db.add(RecoveryCode(user_id=user_id, code_hash=digest, created_at=ctx.now))
    await ctx.db.flush()
    return codes
