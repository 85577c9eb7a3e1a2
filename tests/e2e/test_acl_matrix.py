# SPDX-License-Identifier: Apache-2.0
"""Permissions x operations x identities, compared cell by cell with what the real ZooKeeper 3.9 answered."""
import collections
import itertools
import pathlib
import re

import pytest

import acl_matrix

GOLDEN = pathlib.Path(__file__).with_name("acl_matrix.golden")
CONFIG = {"extendedTypesEnabled": "true"}


def golden():
    """{(permission, identity): {operation: result}}"""
    table = collections.defaultdict(dict)
    for line in GOLDEN.read_text().splitlines():
        permission, identity, operation, result = re.split(r"  +", line, maxsplit=3)
        table[permission.strip(), identity.strip()][operation.strip()] = result
    return table


TABLE = golden()


def test_the_table_is_whole():
    assert set(TABLE) == set(itertools.product(acl_matrix.PERMISSIONS, acl_matrix.IDENTITIES))
    assert all(set(cells) == set(acl_matrix.OPERATIONS) for cells in TABLE.values())
    assert sum(len(cells) for cells in TABLE.values()) >= 700


@pytest.mark.only_ours("the table is of 3.9")
@pytest.mark.parametrize("identity", acl_matrix.IDENTITIES)
@pytest.mark.parametrize("permission", acl_matrix.PERMISSIONS)
def test_the_cells_are_zookeepers(start_server, permission, identity):
    ours = acl_matrix.run(start_server(CONFIG).address, permission, identity)
    wrong = {name: (result, TABLE[permission, identity][name]) for name, result in ours.items()
             if result != TABLE[permission, identity][name]}
    assert not wrong, f"(ours, ZooKeeper's): {wrong}"
