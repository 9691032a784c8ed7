"""Answering on the survey page."""

from connector.store.tables import invitation, standing


def test_a_rating_and_a_comment_are_recorded_by_a_post(world):
    token = world.invite()

    reply = world.post(token, {"rating": "4", "comment": "Quick, thank you"})

    assert reply.status_code == 303
    [answer] = world.responses()
    assert (answer.comment, answer.counts, answer.revision, answer.account_id) == (
        "Quick, thank you",
        True,
        1,
        "account1",
    )
    assert world.ratings(answer.id) == {"csat": 4.0}
    thanks = world.http.get(
        reply.headers["location"] if "://" in reply.headers["location"] else world.url + reply.headers["location"],
        timeout=20,
    )
    assert "Quick, thank you" in thanks.text
    assert "Satisfied" in thanks.text
    assert world.answered == ["customer1"]
    assert world.rows(standing)[0].stale_at == world.clock.at
    assert world.rows(invitation)[0].reminder_at is None


def test_nothing_is_recorded_by_looking(world):
    token = world.invite()

    for rest in ("", "?rating=1", "?rating=5", "/thanks", "/unsubscribe"):
        for method in ("GET", "HEAD"):
            assert world.http.request(method, world.link(token, rest), timeout=20).status_code == 200

    assert world.responses() == []
    assert world.answered == []
