"""`login`, `logout`, `whoami`: a session with one platform, kept per profile."""

import os
import sys
import time
from typing import Annotated, Any

import typer

from sync2gear_cli import commands, output, session
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.failures import SIGNED_OUT, Failure
from sync2gear_cli.output import AsJson
from sync2gear_cli.session import Connection, Profile

app = commands.new()


@app.command(
    epilog=commands.examples(
        "sync2gear login --email kim@example.com",
        "sync2gear --profile shop login --url https://sound.example.com",
        "sync2gear login --email kim@example.com < password.txt",
    )
)
def login(
    ctx: typer.Context,
    url: Annotated[
        str | None,
        typer.Option(help=f"The platform's address, by default {session.DEFAULT_URL}."),
    ] = None,
    email: Annotated[str | None, typer.Option(help="Who you are; asked for when missing.")] = None,
    as_json: AsJson = False,
) -> None:
    """Log in and keep the session.

    The password is asked for, or taken from S2G_PASSWORD, or read as one line from stdin; it is
    never an argument, which other users of the machine could see. So is the code of whoever has a
    second factor: S2G_OTP, or the next line.
    """
    address = session.checked_url(url or os.environ.get("S2G_URL") or session.DEFAULT_URL)
    if session.is_exposed(address):
        output.note(f"warning: {address} is not encrypted; the password can be read on the way")
    name = email or _ask_email()
    with Api(Connection(address)) as api:
        began = int(time.time())
        answer = _begin(api, {"email": name, "password": _password()})
    profile = Profile(
        url=address,
        email=answer["user"]["email"],
        client=(answer["client"] or {}).get("name", "no client"),
        token=answer["access"],
        expires_at=began + int(answer["expires_in"]),
        refresh=answer["refresh"],
    )
    kept = session.profile_name(ctx.obj)
    session.keep(kept, profile)
    if as_json:
        output.emit(
            {
                "profile": kept,
                "url": address,
                "expires_at": profile.expires_at,
                **{key: answer[key] for key in ("user", "client", "role", "permissions")},
            }
        )
    else:
        output.line(f"Logged in to {address} as {profile.email} ({profile.client}).")


@app.command()
def logout(ctx: typer.Context, as_json: AsJson = False) -> None:
    """End the session of this profile, at the platform and on this machine."""
    name = session.profile_name(ctx.obj)
    profile = session.load().get(name)
    ended = profile is not None and _end(Connection(profile.url, profile.token, name))
    forgotten = session.forget(name)
    if as_json:
        output.emit({"profile": name, "logged_out": forgotten, "ended": ended})
    else:
        output.line("Logged out." if forgotten else f"Nobody was logged in (profile {name}).")


@app.command()
def whoami(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Say who is logged in, where and as what."""
    with open_api(ctx.obj) as api:
        me = api.get("/auth/me/")
        url = api.connection.url
    if as_json:
        output.emit({"url": url, **me})
    else:
        user, client = me["user"], me["client"]
        where = f" of {client['name']}" if client else ""
        output.line(f"{user['email']} ({user['name']}), {me['role']}{where} at {url}")


def _end(connection: Connection) -> bool:
    """Whether the platform was told; a machine that cannot reach it forgets all the same."""
    try:
        with Api(connection) as api:
            api.post("/auth/logout/", {})
    except Failure as failure:
        if failure.status != SIGNED_OUT:
            output.note(f"warning: forgotten here, not ended at the platform: {failure.detail}")
        return failure.status == SIGNED_OUT
    return True


def _ask_email() -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter("needed where nobody can be asked", param_hint="--email")
    return str(typer.prompt("E-mail", err=True))


def _begin(api: Api, body: dict[str, str]) -> Any:
    """The session that ``body`` gets, with a code where one is asked for."""
    try:
        return api.post("/auth/login/", body)
    except Failure as failure:
        if failure.code != "otp_required":
            raise
    otp = _secret("S2G_OTP", "Code of your authenticator app, or a recovery code", "code")
    return api.post("/auth/login/", {**body, "otp": otp})


def _password() -> str:
    return _secret("S2G_PASSWORD", "Password", "password")


def _secret(variable: str, question: str, what: str) -> str:
    """From the environment, a hidden prompt, or one line of stdin."""
    if given := os.environ.get(variable):
        return given
    if sys.stdin.isatty():
        return str(typer.prompt(question, hide_input=True, err=True))
    read = sys.stdin.readline(1000).rstrip("\r\n")
    if not read:
        raise typer.BadParameter(f"set {variable} or write it to stdin", param_hint=what)
    return read
