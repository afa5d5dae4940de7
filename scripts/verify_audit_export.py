#!/usr/bin/env python3
"""Verify a whole exported chain of the audit trail: `verify_audit_export.py < audit.jsonl`.

Needs nothing but Python: read it, and trust no program of ours.
"""

import hashlib
import json
import sys


def sha256(text: str) -> str:
    """The SHA-256 of ``text`` in UTF-8, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


chains: dict[str, tuple[int, str]] = {}
for number, line in enumerate(sys.stdin.buffer, 1):
    entry = json.loads(line)
    seq, previous = chains.get(entry["chain"], (0, "0" * 64))
    facts = json.loads(
        entry["canonical"]
    )  # id, client, at, actor kind and id, session, action, ...
    if entry["seq"] != seq + 1:
        sys.exit(f"line {number}: entry {seq + 1} is missing")
    if entry["hash"] != sha256(previous + entry["canonical"]):
        sys.exit(f"line {number}: altered, or in another place")
    # a body of null was erased, which an entry `audit.erase` further down explains
    if entry["body"] is not None and facts[-1] != sha256(entry["salt"] + entry["body"]):
        sys.exit(f"line {number}: details altered")
    chains[entry["chain"]] = entry["seq"], entry["hash"]
for chain, (seq, head) in chains.items():
    sys.stdout.write(f"{chain}: {seq} entries, head {head}\n")
