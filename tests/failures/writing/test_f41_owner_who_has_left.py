"""A task is given to somebody who still works there, and says whom it passed over."""

from environment import AFTER_CASE, DAY, HOUR, UNHAPPY, Environment
from incidents import words

NEXT = UNHAPPY + 'assign = ["account_owner", "bo@acme.example"]\n'


def leave(env: Environment, rep: str) -> None:
    """Let somebody leave: the CRM takes no new task for them."""
    if words(env, "Account") == "Account":
        env.org.update("User", rep, {"IsActive": False})
    else:
        env.org.archive_owner(rep)  # type: ignore[attr-defined]  # HubSpot's own verb


def owner_of_the_task(env: Environment) -> str:
    (task,) = env.tasks()
    return str(task.get("OwnerId") or task.get("hubspot_owner_id"))


def unhappy(env: Environment) -> dict[str, str]:
    """Let a customer of Ann's be unhappy; Bo is next in line. Returns who they are."""
    env.configure(AFTER_CASE + NEXT)
    people = {"ann": env.rep("Ann Aalto", "ann@acme.example"), "bo": env.rep("Bo Berg", "bo@acme.example")}
    account = env.account("Northwind", owner=people["ann"])
    env.close_case(env.case(account, env.contact(account, "Maria Virtanen", "maria@nw.example")))
    env.later(HOUR)
    env.later(DAY)
    return people


def test_whoever_left_before_is_passed_over_and_named(either: Environment) -> None:
    people = unhappy(either)
    leave(either, people["ann"])
    either.later(HOUR)
    either.answer(either.mailbox.mails[0], 1)
    assert either.lap().exit_code == 0
    assert owner_of_the_task(either) == people["bo"]
    (task,) = either.tasks()
    assert "Ann Aalto is no longer active" in str(task.get("Description") or task.get("hs_task_body"))


def test_whoever_leaves_before_the_task_could_be_made_is_passed_over_too(either: Environment) -> None:
    people = unhappy(either)
    either.org.faults.fail(503, {"message": "busy"}, path=r"composite/sobjects|tasks/batch", times=50)
    either.answer(either.mailbox.mails[0], 1)
    either.lap()
    either.org.faults.clear()
    leave(either, people["ann"])
    either.later(2 * HOUR)
    assert owner_of_the_task(either) == people["bo"]
