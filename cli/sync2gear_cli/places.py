"""Where something sounds: zones, floors and locations as people name them in options."""

from typing import Annotated, Any

import typer

from sync2gear_cli import names
from sync2gear_cli.client import Api
from sync2gear_cli.zones import read_state

Zones = Annotated[
    list[str] | None, typer.Option("--zone", "-z", help="Where; may be given several times.")
]
Floors = Annotated[
    list[str] | None, typer.Option("--floor", help="In all zones of this floor; several times.")
]
Locations = Annotated[
    list[str] | None,
    typer.Option("--location", help="In all zones of this location; several times."),
]
Everywhere = Annotated[bool, typer.Option("--all", help="In every zone.")]


class Where:
    """What was named, before anybody is asked: wrong usage is found without a platform."""

    def __init__(
        self,
        zones: list[str] | None,
        floors: list[str] | None,
        locations: list[str] | None,
        *,
        everywhere: bool,
    ) -> None:
        if everywhere == bool(zones or floors or locations):
            raise typer.BadParameter("say where: --zone, --floor, --location NAME, or --all")
        self._named = zones or [], floors or [], locations or []

    def found(self, api: Api) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """The ids for a request's body, and the views of all zones within reach by their ids.

        Failure where a name means nothing or several things.
        """
        zones, floors, locations = self._named
        views = read_state(api)["results"]
        known = {str(view["zone_id"]): view for view in views}
        if not (zones or floors or locations):
            return {"zone_ids": list(known)}, known
        body: dict[str, Any] = {}
        if zones:
            found = names.find_all("zone", views, zones, key="zone_id")
            body["zone_ids"] = [one["zone_id"] for one in found]
        for noun, wanted in (("floor", floors), ("location", locations)):
            if wanted:
                listed = list(api.pages(f"/{noun}s/"))
                body[f"{noun}_ids"] = [o["id"] for o in names.find_all(noun, listed, wanted)]
        return body, known
