"""`python -m sync2gear_broker.asyncapi docs/`: writes asyncapi.json and mqtt.md."""

import argparse
import json
import sys
from pathlib import Path

from sync2gear_broker.asyncapi import document, markdown, render
from sync2gear_broker.asyncapi.additive import breaks


def main() -> int:
    """Write both files; refuse, with status 1, to replace a contract that the new one breaks."""
    parser = argparse.ArgumentParser("python -m sync2gear_broker.asyncapi", description=__doc__)
    parser.add_argument("folder", type=Path, help="where asyncapi.json and mqtt.md are written")
    parser.add_argument(
        "--breaking",
        action="store_true",
        help="replace the contract although installed speakers would not understand the new one",
    )
    given = parser.parse_args()
    contract = given.folder / "asyncapi.json"
    if contract.exists() and not given.breaking:
        reasons = breaks(json.loads(contract.read_text(encoding="utf-8")), document())
        if reasons:
            sys.stderr.write("Not written, because only additions are allowed:\n")
            sys.stderr.writelines(f"  {reason}\n" for reason in reasons)
            return 1
    contract.write_text(render(), encoding="utf-8")
    (given.folder / "mqtt.md").write_text(markdown.render(), encoding="utf-8")
    return 0


sys.exit(main())
