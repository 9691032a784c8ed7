"""Ids of rows that are made together: each its own, and in the order in which they are handed out."""

from connector.store.db.engine import new_id, new_ids


def test_a_batch_of_ids_ascends_so_that_its_rows_stand_side_by_side_in_the_indexes():
    ids = new_ids(2_000)
    assert ids == sorted(set(ids))
    assert len({one[:6] for one in ids}) == 1
    assert {len(one) for one in ids} == {len(new_id())}
