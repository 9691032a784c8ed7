"""The query language: what it finds, how pages come, and what is refused in the vendor's words."""

from datetime import timedelta

import pytest
from simple_salesforce import exceptions
from simple_salesforce.format import format_soql


@pytest.fixture
def people(org):
    """Two accounts with three contacts, one of them without an account."""
    acme = org.insert("Account", {"Name": "Acme", "Industry": "Energy", "AnnualRevenue": 10})
    beta = org.insert("Account", {"Name": "beta & sons"}, at=org.clock.now() - timedelta(days=40))
    ids = [
        org.insert("Contact", {"LastName": last, "FirstName": first, "AccountId": account, "Email": email})
        for last, first, account, email in (
            ("O'Dell", "Maria", acme, "maria@acme.example"),
            ("Virtanen", "Åke", beta, "Ake@beta.example"),
            ("Solo", None, None, None),
        )
    ]
    return acme, beta, ids


def names(records):
    return [record["Name"] for record in records]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (r"LastName = 'o\'dell'", ["Maria O'Dell"]),
        ("Email = null", ["Solo"]),
        ("Email != 'maria@acme.example'", ["Solo", "Åke Virtanen"]),
        ("Name LIKE '%o%'", ["Maria O'Dell", "Solo"]),
        ("Account.Name LIKE 'BETA%'", ["Åke Virtanen"]),
        ("Account.Industry IN ('Energy', 'Retail')", ["Maria O'Dell"]),
        ("Email NOT IN ('maria@acme.example') AND (FirstName = null OR LastName = 'x')", ["Solo"]),
        ("NOT (Email = 'ake@BETA.example')", ["Maria O'Dell", "Solo"]),
        ("AccountId IN (SELECT Id FROM Account WHERE Name = 'acme')", ["Maria O'Dell"]),
        ("CreatedDate = TODAY AND Account.CreatedDate < LAST_N_DAYS:30", ["Åke Virtanen"]),
        ("CreatedDate >= 2026-03-02T11:00:00.999+02:00 AND Name != null", ["Maria O'Dell", "Solo", "Åke Virtanen"]),
        ("CreatedDate > 2026-03-02T09:00:00Z", []),
        ("IsDeleted = true", []),
        ("LastName > 'P' AND LastName < 'V'", ["Solo"]),
    ],
)
def test_where(http, people, where, expected):
    assert names(http.found(f"SELECT Name FROM Contact WHERE {where} ORDER BY Name")) == expected  # noqa: S608


def test_parents_are_nested_and_null_when_the_lookup_is_empty(http, people, org):
    rows = http.found("SELECT Name, Account.Name, Account.Owner.Name FROM Contact ORDER BY LastName")
    assert rows[0]["Account"]["Name"] == "Acme"
    assert rows[0]["Account"]["attributes"]["type"] == "Account"
    assert rows[0]["Account"]["Owner"]["Name"] == "Ada Admin"
    assert rows[1]["Account"] is None


def test_polymorphic_parents_have_the_fields_of_name_only(http, people, org):
    _, _, (maria, *_) = people
    org.insert("Task", {"Subject": "Call", "WhoId": maria})
    (row,) = http.found("SELECT Subject, Who.Name, Who.Type, Who.Email, Owner.Name, What.Name FROM Task")
    assert row["Who"] == row["Who"] | {"Name": "Maria O'Dell", "Type": "Contact", "Email": "maria@acme.example"}
    assert row["What"] is None
    refused = http.query("SELECT Who.Department FROM Task")
    assert refused.json()[0]["errorCode"] == "INVALID_FIELD"
    assert "No such column 'Department' on entity 'Name'" in refused.json()[0]["message"]


def test_order_puts_nulls_first_unless_told_otherwise(http, people):
    ordered = "SELECT Name FROM Contact ORDER BY Email "
    assert names(http.found(ordered)) == ["Solo", "Åke Virtanen", "Maria O'Dell"]
    assert names(http.found(ordered + "DESC")) == ["Maria O'Dell", "Åke Virtanen", "Solo"]
    assert names(http.found(ordered + "NULLS LAST LIMIT 1 OFFSET 1")) == ["Maria O'Dell"]


def test_without_order_by_there_is_no_order_to_rely_on(http, org):
    ids = [org.insert("Account", {"Name": name}) for name in "ABC"]
    found = [row["Id"] for row in http.found("SELECT Id FROM Account")]
    assert sorted(found) == ids != found


def test_counts_and_groups(http, people):
    count = http.query("SELECT COUNT() FROM Contact").json()
    assert (count["totalSize"], count["records"]) == (3, [])
    (total,) = http.found("SELECT COUNT(Id), MAX(Name) last FROM Account")
    assert (total["expr0"], total["last"], total["attributes"]["type"]) == (2, "beta & sons", "AggregateResult")
    grouped = http.found("SELECT AccountId, COUNT(Id) n FROM Contact GROUP BY AccountId")
    assert sorted((row["AccountId"] is None, row["n"]) for row in grouped) == [(False, 1), (False, 1), (True, 1)]


def test_children_in_the_select_list(http, people):
    (acme,) = http.found("SELECT Name, (SELECT LastName FROM Contacts) FROM Account WHERE Name = 'Acme'")
    assert [each["LastName"] for each in acme["Contacts"]["records"]] == ["O'Dell"]


@pytest.mark.parametrize(
    ("soql", "code", "words"),
    [
        ("SELECT Foo FROM Account", "INVALID_FIELD", "No such column 'Foo' on entity 'Account'. If you are attempting"),
        ("SELECT Id FROM Foo", "INVALID_TYPE", "sObject type 'Foo' is not supported."),
        ("SELECT Foo.Id FROM Contact", "INVALID_FIELD", "Didn't understand relationship 'Foo' in field path."),
        ("SELECT Id FROM Case WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
        (
            "SELECT Id FROM Case WHERE IsClosed = true AND Id != null OR Id = null",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        ("SELECT Id Name FROM Account", "MALFORMED_QUERY", "only aggregate expressions use field aliasing"),
        ("SELECT Id FROM Account WHERE Name = 'a\\x'", "MALFORMED_QUERY", "Illegal character sequence"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY", "LIMIT"),
        (
            "SELECT Id FROM Account WHERE CreatedDate > '2026-01-01T00:00:00Z'",
            "INVALID_FIELD",
            "value of filter criterion for field 'CreatedDate' must be of type dateTime and should not be enclosed in quotes",
        ),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
    ],
)
def test_refusals_in_the_vendors_words(http, soql, code, words):
    answer = http.query(soql)
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == code
    assert words in answer.json()[0]["message"]


def test_the_place_of_an_unknown_column_is_shown(http):
    message = http.query("SELECT Id, Foo FROM Account").json()[0]["message"]
    assert message.startswith("\nSELECT Id, Foo FROM Account\n           ^\nERROR at Row:1:Column:12\n")


def test_pages_end_with_done_and_simple_salesforce_follows_them(sf, http, org):
    org.load("Contact", ({"LastName": f"N{number:05d}"} for number in range(4_100)))
    first = http.query("SELECT Id FROM Contact ORDER BY LastName").json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (4_100, False, 2_000)
    assert first["nextRecordsUrl"].endswith("-2000")
    assert len({row["Id"] for row in sf.query_all_iter("SELECT Id FROM Contact")}) == 4_100
    assert sf.query_all("SELECT Id FROM Contact LIMIT 4050")["totalSize"] == 4_050


def test_a_page_may_be_shorter_than_asked(http, org):
    org.load("Case", ({"Subject": f"S{number}"} for number in range(900)))
    org.rows_per_page = 700
    assert len(http.found("SELECT Id FROM Case")) == 700
    small = http.api(
        "GET", "query", params={"q": "SELECT Id FROM Case"}, headers={"Sforce-Query-Options": "batchSize=10"}
    )
    assert len(small.json()["records"]) == 200


def test_wide_records_make_shorter_pages(http, org):
    org.load("Case", ({"Subject": f"S{number}"} for number in range(2_000)))
    names = ", ".join(field["name"] for field in http.api("GET", "sobjects/Case/describe").json()["fields"])
    assert len(http.found(f"SELECT {names} FROM Case")) < 2_000  # noqa: S608


def test_a_locator_dies_with_its_session_and_is_refused_after_two_days(http, org, anyone):
    org.load("Contact", ({"LastName": f"N{number}"} for number in range(2_500)))
    url = http.query("SELECT Id FROM Contact").json()["nextRecordsUrl"]
    anyone.headers["Authorization"] = f"Bearer {org.oauth.open(org.integration_id).token}"
    other = anyone.get(anyone.url + url, timeout=300)
    assert (other.status_code, other.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")
    assert http.get(http.url + url, timeout=300).status_code == 200
    org.clock.advance(timedelta(days=3))
    assert http.get(http.url + url, timeout=300).status_code == 400


def test_only_ten_locators_stay_open(http, org):
    org.load("Contact", ({"LastName": f"N{number}"} for number in range(2_001)))
    urls = [http.query("SELECT Id FROM Contact").json()["nextRecordsUrl"] for _ in range(11)]
    assert [http.get(http.url + url, timeout=300).status_code for url in (urls[0], urls[1])] == [400, 200]


def test_query_all_adds_the_deleted_and_the_archived(http, org):
    gone = org.insert("Contact", {"LastName": "Gone"})
    org.delete("Contact", gone)
    org.load("Task", [{"Subject": "Old", "IsArchived": True, "Status": "Completed"}, {"Subject": "New"}])
    assert http.found("SELECT Id FROM Contact WHERE IsDeleted = true") == []
    assert [row["Id"] for row in http.found("SELECT Id FROM Contact WHERE IsDeleted = true", deleted=True)] == [gone]
    assert len(http.found("SELECT Id FROM Task")) == 1
    assert len(http.found("SELECT Id FROM Task", deleted=True)) == 2


def test_the_keyset_of_stamp_and_id_walks_through_ties(http, org):
    org.load("Contact", ({"LastName": f"N{number}"} for number in range(120)))
    seen, bound = [], "SystemModstamp >= 2026-01-01T00:00:00Z"
    while rows := http.found(
        f"SELECT Id, SystemModstamp FROM Contact WHERE {bound} ORDER BY SystemModstamp, Id LIMIT 50"  # noqa: S608
    ):
        seen += [row["Id"] for row in rows]
        stamp = rows[-1]["SystemModstamp"].replace("+0000", "Z")
        bound = f"(SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > '{seen[-1]}'))"
    assert len(seen) == len(set(seen)) == 120


def test_simple_salesforce_raises_its_own_errors(sf):
    with pytest.raises(exceptions.SalesforceMalformedRequest) as caught:
        sf.query("SELECT Nope FROM Account")
    assert caught.value.content[0]["errorCode"] == "INVALID_FIELD"


def test_too_long_an_address_is_refused_with_a_page_of_html(http):
    answer = http.query(
        "SELECT Id FROM Account WHERE Name IN (" + ",".join(f"'{'x' * 90}{n}'" for n in range(300)) + ")"  # noqa: S608
    )
    assert answer.status_code == 414
    assert "Bad Message 414" in answer.text


@pytest.mark.parametrize(
    "name", ["O'Dell", 'say "hi"', "back\\slash", "100%", "a_b", "line\nbreak", "käse 🧀", "\\'", "\\%"]
)
def test_what_simple_salesforce_escapes_is_read_back(http, org, name):
    for other in (name, "axb", "100x", "other"):
        org.insert("Account", {"Name": other})
    exact = format_soql("SELECT Name FROM Account WHERE Name = {}", name)
    assert names(http.found(exact)) == [name]
    like = format_soql("SELECT Name FROM Account WHERE Name LIKE '{:like}%'", name)
    assert names(http.found(like)) == [name]
