"""The `sync2gear` command: its verbs, found without importing what a call does not use."""

from importlib import import_module
from typing import Annotated, Any, Final

import typer
import typer.core
from typer.main import get_command, get_group

from sync2gear_cli import commands
from sync2gear_cli.failures import Failure

VERBS: Final = {
    "up": ("up", "Run everything here: database, broker, platform, dashboard, speakers."),
    "login": ("auth", "Log in and keep the session."),
    "logout": ("auth", "End the session of this profile, at the platform and on this machine."),
    "whoami": ("auth", "Say who is logged in, where and as what."),
    "zones": ("zones", "List the zones: status, what sounds now, volume and speakers."),
    "play": ("playback", "Play music."),
    "pause": ("playback", "Pause the music; announcements still sound."),
    "resume": ("playback", "Go on where the music was paused."),
    "stop": ("playback", "Silence a zone, announcements included."),
    "next": ("playback", "Go to the next track."),
    "previous": ("playback", "Go to the track before."),
    "seek": ("playback", "Go to a position in the track."),
    "volume": ("playback", "Set the volume of a zone."),
    "say": ("say", "Speak an announcement now; the music goes on after it."),
    "announce": (
        "announce",
        "What is kept to be said: list, send, play, try again and remove it.",
    ),
    "queue": ("queue", "Show what is announced and what waits for its turn, or end all of it."),
    "emergency": ("emergencies", "Messages that go above everything else, and the all-clear."),
    "plays": ("plays", "What was asked to be heard, and what became of it."),
    "proof": ("proof", "What was planned beside what was heard: lines, sums, reports, files."),
    "voices": ("voices", "Voices that can speak: list them, hear one."),
    "providers": (
        "providers",
        "Services that speak: list them, add, change, try and remove one.",
    ),
    "forecast": (
        "forecast",
        "Show what a zone will sound, by its venue's clock, and why.",
    ),
    "why": (
        "forecast",
        "Explain why a zone sounds something: the schedule that put it there, and those it beat.",
    ),
    "schedules": (
        "schedules",
        "What is planned: list and show schedules, switch them on and off.",
    ),
    "conflicts": (
        "schedules",
        "List schedules of one priority that meet: what somebody may not have meant.",
    ),
    "channels": (
        "channels",
        "Music and announcements in one list: list, show and preview channels.",
    ),
    "plan": (
        "plan",
        "Show what a document would change, and what would be heard otherwise; nothing is done.",
    ),
    "apply": ("plan", "Make it so: all that a document says, in one step or not at all."),
    "export": (
        "plan",
        "Write the schedules that are there, and all that they need, as a document.",
    ),
    "watch": ("watch", "Show what the zones do, live, until Ctrl-C."),
    "folders": ("music", "Show the music folders, each below the one that it is in."),
    "music": ("shelves", "Bring music in, find it, describe it, and exchange playlists."),
    "users": ("people", "List the people of this client and their roles."),
    "invite": ("people", "Invite somebody to this client by e-mail."),
    "tokens": ("people", "Keys for programs: list, make and revoke them."),
    "admin": ("admin", "All clients, for the installation's own people."),
    "audit": ("audit", "See who did what, and verify that nobody changed it since."),
    "speaker": ("speakers", "Register speakers, run them and remove them."),
    "vault": ("vault", "Make keys for stored secrets, and put the secrets under the newest one."),
    "ca": ("ca", "Certificates of our own: make, issue, renew, replace, hand out."),
}
"""Verb -> the module that has it, and its line in the list."""

_EPILOG: Final = """\b
Exit status: 0 done; 1 refused or failed; 2 wrong usage; 3 not logged in or the
session has ended; 4 the platform cannot be reached; 130 interrupted.

\b
Environment: S2G_URL, S2G_TOKEN (instead of a login), S2G_PROFILE, S2G_PASSWORD,
S2G_CONFIG_DIR (where sessions are kept).

\b
Examples:
  sync2gear up --music ~/Music
  sync2gear login --email kim@example.com
  sync2gear play bar --folder jazz --shuffle
  sync2gear say "We close in ten minutes" --all
"""


class _Verbs(typer.core.TyperGroup):
    """Imports a verb's module when it is called; turns a :class:`Failure` into exit status."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in VERBS:
            return None
        module = import_module(f"sync2gear_cli.{VERBS[cmd_name][0]}")
        if cmd_name == "up":
            return get_command(_single(module.up))
        return get_group(module.app).commands[cmd_name]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(verb, line) for verb, (_, line) in VERBS.items()])

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Failure as failure:
            from sync2gear_cli.output import note

            note(f"error: {failure.detail} ({failure.code})")
            raise typer.Exit(failure.status) from None


def _single(function: Any) -> typer.Typer:
    made = commands.new()
    made.command()(function)
    return made


app = typer.Typer(
    cls=_Verbs,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,  # its tracebacks show local variables: tokens, passwords
    epilog=_EPILOG,
)


@app.callback()
def _root(
    ctx: typer.Context,
    profile: Annotated[
        str | None,
        typer.Option(help="Which login to use (S2G_PROFILE, else 'default').", metavar="NAME"),
    ] = None,
) -> None:
    """Runs and operates sync2gear."""
    ctx.obj = profile
