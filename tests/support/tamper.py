"""Ways to falsify an audit trail, as somebody with every right in the database could."""

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

NIL = "00000000-0000-0000-0000-000000000000"


@dataclass
class Forger:
    """One attempt on one chain, in a transaction that is rolled back afterwards."""

    connection: AsyncConnection
    chain: UUID
    other: UUID
    random: Random

    async def run(self, sql: str, **values: Any) -> Any:
        return await self.connection.execute(
            text(sql), {"chain": self.chain, "other": self.other, **values}
        )

    async def length(self) -> int:
        found = await self.run("SELECT max(seq) FROM audit_seals WHERE chain = :chain")
        return int(found.scalar_one())

    async def pick(self, count: int = 1, *, below: int = 0) -> list[Any]:
        """Some links, in order: rows with seq, entry_id and hash."""
        length = await self.length() - below
        seqs = sorted(self.random.sample(range(1, length + 1), count))
        found = await self.run(
            "SELECT seq, entry_id, hash FROM audit_seals WHERE chain = :chain AND seq = ANY(:seqs)"
            " ORDER BY seq",
            seqs=seqs,
        )
        return list(found.all())

    async def reseal(self, since: int = 1) -> None:
        """Hash the chain anew from link ``since``, and set its head: a perfect rewriting."""
        previous = (
            await self.run(
                "SELECT hash FROM audit_seals WHERE chain = :chain AND seq = :seq", seq=since - 1
            )
        ).scalar_one_or_none() or "0" * 64
        rows = await self.run(
            "SELECT s.seq, audit_canonical(e) FROM audit_seals s JOIN audit_entries e"
            " ON e.id = s.entry_id WHERE chain = :chain AND seq >= :since ORDER BY seq",
            since=since,
        )
        seq = since - 1
        for seq, words in rows.all():
            hashed = await self.run(
                "UPDATE audit_seals SET hash = audit_hash(:previous, :words)"
                " WHERE chain = :chain AND seq = :seq RETURNING hash",
                previous=previous, words=words, seq=seq,
            )  # fmt: skip
            previous = hashed.scalar_one()
        await self.run(
            "UPDATE audit_heads SET seq = :seq, hash = :hash WHERE chain = :chain",
            seq=seq, hash=previous,
        )  # fmt: skip

    async def renumber(self, since: int, by: int) -> None:
        """Move all links from ``since`` on."""
        # beyond all others first, because numbers are unique at every moment
        await self.run(
            "UPDATE audit_seals SET seq = seq + 1000000 WHERE chain = :chain AND seq >= :since",
            since=since,
        )
        await self.run(
            "UPDATE audit_seals SET seq = seq - 1000000 + :by"
            " WHERE chain = :chain AND seq >= 1000000",
            by=by,
        )

    async def new_entry(self) -> UUID:
        """A well-formed entry with details, in no chain."""
        made = uuid4()
        await self.run(
            "INSERT INTO audit_entries (id, client_id, at, actor_kind, action, activity, operation,"
            " subject_type, trace, digest) VALUES (:id, :client, now(), 'user', 'zone.update',"
            " 'crud', 'update', 'zone', '', audit_hash('salt', '{}'))",
            id=made, client=self.client,
        )  # fmt: skip
        await self.run(
            "INSERT INTO audit_details VALUES (:id, :client, 'salt', '{}')",
            id=made, client=self.client,
        )  # fmt: skip
        return made

    async def drop(self, entry_id: UUID, *tables: str) -> None:
        keys = {"audit_seals": "entry_id", "audit_details": "entry_id", "audit_entries": "id"}
        for table in tables or keys:
            await self.run(f"DELETE FROM {table} WHERE {keys[table]} = :id", id=entry_id)

    @property
    def client(self) -> UUID | None:
        return None if str(self.chain) == NIL else self.chain


EDITS = {
    "at": "at + interval '1 microsecond'",
    "actor_kind": "'device'",
    "actor_id": "gen_random_uuid()",
    "session_id": "gen_random_uuid()",
    "action": "action || 'd'",
    "activity": "CASE activity WHEN 'crud' THEN 'sync' ELSE 'crud' END",
    "operation": "CASE operation WHEN 'read' THEN 'update' ELSE 'read' END",
    "subject_type": "subject_type || ' '",
    "subject_id": "gen_random_uuid()",
    "trace": "trace || '0'",
    "digest": "reverse(digest)",
}


async def edit(f: Forger) -> None:
    """One field of one entry."""
    [link] = await f.pick()
    column = f.random.choice(sorted(EDITS))
    await f.run(f"UPDATE audit_entries SET {column} = {EDITS[column]} WHERE id = :id",
                id=link.entry_id)  # fmt: skip


async def edit_hash(f: Forger) -> None:
    [link] = await f.pick()
    await f.run("UPDATE audit_seals SET hash = reverse(hash) WHERE entry_id = :id",
                id=link.entry_id)  # fmt: skip


async def edit_details(f: Forger) -> None:
    [link] = await f.pick()
    change = f.random.choice(("body = body || ' '", "salt = reverse(salt) || '0'",
                              "body = replace(body, 'Zone', 'Bone') || ''''"))  # fmt: skip
    await f.run(f"UPDATE audit_details SET {change} WHERE entry_id = :id", id=link.entry_id)


async def swap_details(f: Forger) -> None:
    one, two = await f.pick(2)
    await f.run(
        "UPDATE audit_details d SET salt = o.salt, body = o.body FROM audit_details o"
        " WHERE (d.entry_id, o.entry_id) IN ((:one, :two), (:two, :one))",
        one=one.entry_id, two=two.entry_id,
    )  # fmt: skip


async def delete_details(f: Forger) -> None:
    [link] = await f.pick()
    await f.drop(link.entry_id, "audit_details")


async def delete_entry(f: Forger) -> None:
    [link] = await f.pick()
    await f.drop(link.entry_id, *f.random.choice(
        (("audit_entries",), ("audit_entries", "audit_details"))))  # fmt: skip


async def delete_seal(f: Forger) -> None:
    [link] = await f.pick(below=1)
    await f.drop(link.entry_id, "audit_seals")


async def delete_all_of_one(f: Forger) -> None:
    [link] = await f.pick(below=1)
    await f.drop(link.entry_id)


async def delete_and_close_the_gap(f: Forger) -> None:
    [link] = await f.pick(below=1)
    await f.drop(link.entry_id)
    await f.renumber(link.seq + 1, -1)


async def delete_and_rewrite(f: Forger) -> None:
    """The perfect crime but for the anchors: one entry less, all hashes made anew."""
    [link] = await f.pick(below=1)
    await f.drop(link.entry_id)
    await f.renumber(link.seq + 1, -1)
    await f.reseal(link.seq)


async def edit_and_rewrite(f: Forger) -> None:
    [link] = await f.pick()
    await f.run("UPDATE audit_entries SET actor_id = gen_random_uuid() WHERE id = :id",
                id=link.entry_id)  # fmt: skip
    await f.reseal(link.seq)


async def reorder(f: Forger) -> None:
    """Two entries change places, each keeping the other's hash or taking its own along."""
    one, two = await f.pick(2)
    for link, partner in ((one, uuid4()), (two, one.entry_id), (one, two.entry_id)):
        await f.run(
            "UPDATE audit_seals SET entry_id = :entry WHERE chain = :chain AND seq = :seq",
            entry=partner, seq=link.seq,
        )  # fmt: skip
    if f.random.random() < 0.5:
        for link, partner in ((one, two), (two, one)):
            await f.run("UPDATE audit_seals SET hash = :hash WHERE chain = :chain AND seq = :seq",
                        hash=partner.hash, seq=link.seq)  # fmt: skip


async def reorder_and_rewrite(f: Forger) -> None:
    await reorder(f)
    await f.reseal()


async def truncate(f: Forger) -> None:
    """The last links go; the head stays where it was."""
    [link] = await f.pick()
    await _cut(f, link.seq)


async def truncate_and_move_the_head(f: Forger) -> None:
    [link] = await f.pick()
    await _cut(f, link.seq)
    await f.reseal(max(1, link.seq - 1))


async def _cut(f: Forger, since: int) -> None:
    rows = await f.run(
        "DELETE FROM audit_seals WHERE chain = :chain AND seq >= :since RETURNING entry_id",
        since=since,
    )
    for (entry_id,) in rows.all():
        await f.drop(entry_id, "audit_details", "audit_entries")


async def vanish(f: Forger) -> None:
    """The whole chain, its head included."""
    await _cut(f, 1)
    await f.run("DELETE FROM audit_heads WHERE chain = :chain")


async def insert_unsealed(f: Forger) -> None:
    await f.new_entry()


async def insert_at_the_end(f: Forger) -> None:
    """With a hash of the forger's own making, and the head moved."""
    made, seq = await f.new_entry(), await f.length() + 1
    await f.run("INSERT INTO audit_seals VALUES (:chain, :seq, :id, audit_hash('', :guess))",
                seq=seq, id=made, guess=str(made))  # fmt: skip
    await f.run("UPDATE audit_heads SET seq = :seq, hash = audit_hash('', :guess)"
                " WHERE chain = :chain", seq=seq, guess=str(made))  # fmt: skip


async def insert_in_the_middle(f: Forger) -> None:
    [link] = await f.pick()
    made = await f.new_entry()
    await f.renumber(link.seq, 1)
    await f.run("INSERT INTO audit_seals VALUES (:chain, :seq, :id, :hash)",
                seq=link.seq, id=made, hash=link.hash)  # fmt: skip


async def insert_and_rewrite(f: Forger) -> None:
    seq = (await f.pick())[0].seq
    made = await f.new_entry()
    await f.renumber(seq, 1)
    await f.run("INSERT INTO audit_seals VALUES (:chain, :seq, :id, '')", seq=seq, id=made)
    await f.reseal(seq)


async def give_away(f: Forger) -> None:
    """An entry becomes another chain's, with its details or without."""
    [link] = await f.pick()
    client = None if str(f.other) == NIL else f.other
    await f.run("UPDATE audit_entries SET client_id = :client WHERE id = :id",
                id=link.entry_id, client=client)  # fmt: skip
    if f.random.random() < 0.5:
        await f.run("UPDATE audit_details SET client_id = :client WHERE entry_id = :id",
                    id=link.entry_id, client=client)  # fmt: skip


async def foreign_details(f: Forger) -> None:
    await f.run("INSERT INTO audit_details VALUES (gen_random_uuid(), :client, 'salt', '{}')",
                client=f.client)  # fmt: skip


async def foreign_link(f: Forger) -> None:
    """The last link names an entry that another client wrote."""
    mine, f.chain, f.other = f.chain, f.other, f.chain
    made = await f.new_entry()
    f.chain, f.other = mine, f.chain
    await f.run("UPDATE audit_seals SET entry_id = :id WHERE chain = :chain AND seq = :seq",
                id=made, seq=await f.length())  # fmt: skip


async def move_head(f: Forger) -> None:
    change = f.random.choice(("seq = seq + 1", "hash = reverse(hash)", "seq = seq - 1"))
    await f.run(f"UPDATE audit_heads SET {change} WHERE chain = :chain")


Deed = Callable[[Forger], Awaitable[None]]

DEEDS: dict[Deed, tuple[frozenset[str], frozenset[str]]] = {
    deed: (frozenset(kinds.split()), frozenset(blind.split()))
    for deed, kinds, blind in (
        (edit, "entry_altered", "counting"),
        (edit_hash, "entry_altered", "counting details"),
        (edit_details, "details_altered", "counting chain"),
        (swap_details, "details_altered", "counting chain"),
        (delete_details, "details_missing", "counting chain"),
        (delete_entry, "entry_missing", ""),
        (delete_seal, "gap", ""),
        (delete_all_of_one, "gap", ""),
        (delete_and_close_the_gap, "entry_altered", "details"),
        (delete_and_rewrite, "rewritten truncated", "counting chain details anchorless"),
        (edit_and_rewrite, "rewritten", "counting chain details anchorless"),
        (reorder, "entry_altered", "counting details"),
        (reorder_and_rewrite, "rewritten", "counting chain details anchorless"),
        (truncate, "head", "details"),
        (truncate_and_move_the_head, "truncated", "counting chain details anchorless"),
        (vanish, "chain_missing", "counting chain details anchorless"),
        (insert_unsealed, "unsealed", "counting chain details"),
        (insert_at_the_end, "entry_altered", "counting details"),
        (insert_in_the_middle, "entry_altered", "details"),
        (insert_and_rewrite, "rewritten truncated", "counting chain details anchorless"),
        (give_away, "entry_foreign", "counting details"),
        (foreign_details, "details_foreign", "counting chain details"),
        (foreign_link, "entry_foreign", "counting"),
        (move_head, "head", "details"),
    )
}
"""Deed -> the kinds of fault of which one must be found, and the weaker checkers that miss it."""


@asynccontextmanager
async def forging(engine: Any, chain: UUID, other: UUID, seed: int) -> Any:
    """A superuser's transaction without triggers, rolled back at the end."""
    async with engine.connect() as connection:
        transaction = await connection.begin()
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield Forger(connection, chain, other, Random(seed))
        await transaction.rollback()
