"""Where a partition's rows go: under which name it is fenced, and what a record of it is. The rest needs a broker."""

import pytest

from stream.settings import Settings
from stream.store import Store
from stream.transactions import Out


@pytest.mark.parametrize("name", ["0", "17", "wide"])
async def test_each_partition_of_each_deployment_is_fenced_by_its_own_name(name: str) -> None:
    """Deployments on one broker and partitions never fence each other; two workers of one partition always do."""

    def names_of(prefix: str) -> str:
        return str(Store(Settings(topic_prefix=prefix), name)._producer._txn_manager.transactional_id)

    assert names_of("") == f"anbu-{name}" == names_of("")
    assert names_of("test.") == f"test.anbu-{name}"


def test_a_record_goes_to_a_partition_by_its_key_unless_told() -> None:
    """State has its partition's number; alerts go by household, as any consumer's partitioner would have it."""
    assert Out("alerts", b"h1", b"{}").partition is None
    assert Out("state", b"meta", b"", 3).partition == 3
