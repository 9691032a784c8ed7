"""From an interaction that ends to what the rep sees, and the quiet after it."""

from datetime import timedelta

from databases import BOTH_DATABASES
from environment import AFTER_CASE, DAY, HOUR, UNHAPPY, Environment

NOTHING = {"created": 0, "updated": 0, "refused": 0}


@BOTH_DATABASES
def test_a_closed_case_leads_to_one_mail_fields_and_one_task_and_then_to_nothing(live: Environment) -> None:
    rep = live.org.add_user("Ritva Laine", "ritva@acme.example")
    helper = live.org.add_user("Hal Desk", "hal@acme.example")
    account = live.account("Northwind", owner=rep)
    maria = live.contact(account, "Maria Virtanen", "maria@nw.example")
    case = live.case(account, maria, helper)
    live.advance(HOUR)
    live.close_case(case)
    assert live.later(HOUR).sent == 0
    assert live.later(DAY).sent == 1
    (mail,) = live.mailbox.mails
    assert (mail.to, mail.sender) == ("maria@nw.example", "Acme Care <care@acme.example>")
    live.advance(HOUR)
    live.answer(mail, 1, "Nobody called back.")
    assert live.lap().follow_ups == 1

    shown = live.shows("Account", account)
    assert shown["People"] == 1
    assert shown["Mood"] == "Last answer bad"
    # One answer is no number: the range would be wider than anybody could use.
    assert {"Satisfaction", "Satisfaction_From", "Satisfaction_To"}.isdisjoint(shown)
    assert shown["Summary"].startswith("Maria Virtanen: 1 of 5, very dissatisfied, case ")
    assert "Nobody called back." in shown["Summary"]
    assert "Maria Virtanen" in shown["Attention"]
    assert shown["Details"].startswith(live.web)
    number = live.record("Case", case)["CaseNumber"]
    asked = live.shows("Contact", maria)
    assert asked["Last_Rating"] == f"1 of 5, very dissatisfied, case {number}, 17 Nov 2026"
    assert asked["Last_Asked"].startswith("2026-11-17T10:05:00")

    (task,) = live.tasks()
    assert task["OwnerId"] == rep
    assert task["WhatId"] == account
    assert task["WhoId"] == maria
    assert task["Priority"] == "High"
    assert task["ActivityDate"] == "2026-11-18"
    assert "Maria Virtanen" in task["Subject"]
    assert "1 of 5 (very dissatisfied), " in task["Subject"]
    assert "Nobody called back." in task["Description"]
    assert shown["Details"] in task["Description"]

    live.mark()
    quiet = live.lap()
    written = quiet.as_json()["crm"]["acme"]["written"]
    assert (quiet.exit_code, quiet.sent, quiet.follow_ups) == (0, 0, 0)
    assert {name: written[name] for name in NOTHING} == NOTHING
    assert live.writes == []
    assert live.mailbox.mails == []


@BOTH_DATABASES
def test_calls_meetings_and_won_deals_are_asked_about_where_a_survey_asks(live: Environment) -> None:
    surveys = {"after-call": "call.held", "after-meeting": "meeting.held", "after-deal": "deal.won"}
    live.configure("".join(f'[surveys.{name}]\non = "{on}"\ndelay = "1h"\n' for name, on in surveys.items()) + UNHAPPY)
    live.lap()
    account = live.account("Northwind")
    people = [live.contact(account, f"Person {name}", f"{name}@nw.example") for name in ("call", "meeting", "deal")]
    live.advance(HOUR)
    now = live.clock.now()
    live.org.insert(
        "Task",
        {"WhatId": account, "WhoId": people[0], "Subject": "Renewal", "TaskSubtype": "Call", "Status": "Completed"},
    )
    times = {"StartDateTime": now, "EndDateTime": now + timedelta(minutes=30)}
    live.org.insert("Event", {"WhatId": account, "WhoId": people[1], "Subject": "Review", **times})
    deal = live.org.insert(
        "Opportunity",
        {
            "AccountId": account,
            "ContactId": people[2],
            "Name": "Big",
            "StageName": "Prospecting",
            "CloseDate": now.date(),
        },
    )
    live.org.update("Opportunity", deal, {"StageName": "Closed Won"})
    live.lap()
    live.later(timedelta(hours=2))
    assert sorted(mail.to for mail in live.mailbox.mails) == [
        "call@nw.example",
        "deal@nw.example",
        "meeting@nw.example",
    ]
    live.later(DAY)
    assert len(live.mailbox.mails) == 3
    for mail in list(live.mailbox.mails):
        live.answer(mail, 1, f"From {mail.to}")
    live.lap()
    tasks = live.tasks()
    assert sorted(task["WhoId"] for task in tasks) == sorted(people)
    assert live.shows("Account", account)["People"] == 3
    assert {live.shows("Contact", person)["Last_Rating"].split(",")[0] for person in people} == {"1 of 5"}
    live.mark()
    live.lap()
    assert live.writes == []
    assert [row["Id"] for row in live.tasks()] == [task["Id"] for task in tasks]


@BOTH_DATABASES
def test_a_contact_of_a_prospect_is_not_asked(live: Environment) -> None:
    prospect = live.account("Maybe Ltd", kind="Prospect")
    live.closed_case(prospect, live.contact(prospect, "Pat Maybe", "pat@maybe.example"))
    assert live.lap().not_invited == {"not_a_customer": 1}
    live.later(2 * DAY)
    assert live.mailbox.mails == []


@BOTH_DATABASES
def test_without_a_survey_for_it_nobody_is_asked(live: Environment) -> None:
    live.configure(AFTER_CASE)
    account = live.account("Northwind")
    maria = live.contact(account, "Maria Virtanen", "maria@nw.example")
    live.org.insert(
        "Task", {"WhatId": account, "WhoId": maria, "Subject": "x", "TaskSubtype": "Call", "Status": "Completed"}
    )
    live.lap()
    live.later(2 * DAY)
    assert live.mailbox.mails == []
