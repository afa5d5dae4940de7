"""Every operation as everybody with every class of id: the whole of it is `make test-access`."""

import sys

import pytest

from support.access_cases import operations
from support.access_check import Checker
from support.access_world import assemble
from support.world import World


@pytest.mark.parametrize(
    "share",
    [
        pytest.param(24, id="sample", marks=pytest.mark.timeout(600)),
        pytest.param(1, id="all", marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
    ],
)
async def test_everybody_reaches_what_the_matrix_says_and_nothing_else(
    world: World, share: int
) -> None:
    seen = operations(world.app)
    assert len(seen) > 100
    checker = Checker(await assemble(world), share)
    report = await checker.run(seen)
    if share == 1:
        sys.stdout.write(f"\n{report.table()}\n")
        assert report.operations == {str(one) for one in seen}
    assert not report.faults, "\n".join(fault for _, fault in report.faults)
