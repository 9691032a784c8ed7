"""Invented people and what happened to them as rows of the standard objects, and such rows as people again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters.sandbox.people.companies import Details, KnownCompany, Standing, TownCompany, TownPerson
from adapters.sandbox.people.happenings import Case, Deal, Meeting, PhoneCall
from adapters.sandbox.people.places import industries, places
from adapters.sandbox.salesforce.org.field_values import moment_of
from adapters.sandbox.salesforce.org.org import PretendOrg

Row = dict[str, Any]

_TYPES: dict[Standing, str] = {
    "customer": "Customer - Direct",
    "channel": "Customer - Channel",
    "former": "Other",
    "prospect": "Prospect",
    "partner": "Technology Partner",
}
_STATUSES = {"new": "New", "working": "Working", "escalated": "Escalated", "closed": "Closed"}
_STAGES = (
    "Prospecting",
    "Qualification",
    "Needs Analysis",
    "Value Proposition",
    "Proposal/Price Quote",
    "Negotiation/Review",
)


def account_row(company: TownCompany, about: Details) -> Row:
    """A company as a row of Account."""
    return {
        "Name": company.name,
        "Type": _TYPES[company.standing],
        "ParentId": company.parent.id if company.parent else None,
        "BillingStreet": about.street,
        "BillingCity": company.city,
        "BillingPostalCode": about.postal_code,
        "BillingCountry": company.place.country,
        "Phone": about.phone,
        "Website": f"https://www.{company.domain}",
        "Industry": company.industry.name,
        "NumberOfEmployees": about.employees,
        "AnnualRevenue": about.revenue,
        "Rating": about.warmth,
        "Description": about.about,
        "Ownership": "Subsidiary" if company.parent else "Private",
        "OwnerId": company.owner,
        "CreatedDate": company.since,
        "LastModifiedDate": about.modified,
    }


def contact_row(company: TownCompany, person: TownPerson) -> Row:
    """Somebody as a row of Contact."""
    return {
        "AccountId": company.id,
        "FirstName": person.first,
        "LastName": person.last,
        "Title": person.title,
        "Department": person.department,
        "Email": person.email,
        "Phone": person.phone,
        "MailingCity": company.city,
        "MailingCountry": company.place.country,
        "LeadSource": person.source,
        "HasOptedOutOfEmail": person.opted_out,
        "Language__c": person.language,
        "OwnerId": company.owner,
        "CreatedDate": person.joined,
        "LastModifiedDate": person.modified,
    }


def case_row(case: Case) -> Row:
    """A row of Case."""
    row: Row = {"AccountId": case.company.id, "ContactId": case.contact, "Subject": case.subject}
    row |= {"Priority": case.priority, "Origin": case.origin, "Type": case.kind, "Reason": case.reason}
    row |= {"CreatedDate": case.opened, "OwnerId": case.owner, "Status": _STATUSES[case.status]}
    row |= {"LastModifiedDate": case.modified}
    if case.status == "escalated":
        row |= {"IsEscalated": True}
    if case.note:
        row |= {"Description": case.note}
    return row | ({"ClosedDate": case.closed} if case.status == "closed" else {})


def call_row(call: PhoneCall) -> Row:
    """A call as a row of Task."""
    row: Row = {"WhatId": call.company.id, "WhoId": call.contact, "TaskSubtype": "Call", "Type": "Call"}
    row |= {"OwnerId": call.company.owner, "Subject": call.subject, "Priority": "Normal"}
    row |= {"CallType": "Outbound" if call.outbound else "Inbound", "ActivityDate": call.due, "CreatedDate": call.began}
    if call.ended is None:
        return row | {"Status": "Not Started"}
    of_held_call = {"Status": "Completed", "CallDurationInSeconds": call.seconds, "CompletedDateTime": call.ended}
    return row | of_held_call | {"LastModifiedDate": call.ended}


def meeting_row(meeting: Meeting) -> Row:
    """A meeting as a row of Event."""
    return {
        "WhatId": meeting.company.id,
        "WhoId": meeting.contact,
        "Subject": meeting.subject,
        "Location": meeting.place,
        "StartDateTime": meeting.starts,
        "EndDateTime": meeting.ends,
        "ShowAs": "Busy",
        "EventSubtype": "Event",
        "Type": "Meeting",
        "OwnerId": meeting.company.owner,
        "CreatedDate": meeting.booked,
        "LastModifiedDate": meeting.booked,
    }


def deal_row(deal: Deal) -> Row:
    """A deal as a row of Opportunity."""
    open_or_lost = _STAGES[deal.step] if deal.won is None else "Closed Lost"
    return {
        "AccountId": deal.company.id,
        "ContactId": deal.contact,
        "Name": deal.name,
        "Amount": deal.amount,
        "Type": "New Customer" if deal.fresh else "Existing Customer - Upgrade",
        "OwnerId": deal.company.owner,
        "CreatedDate": deal.opened,
        "StageName": "Closed Won" if deal.won else open_or_lost,
        "CloseDate": deal.decided,
        "LastModifiedDate": deal.moved,
    }


def known_company(org: PretendOrg, account_id: str) -> KnownCompany:
    """A seeded account with its contacts, for the seeding of another CRM; raises LookupError when it is not there."""
    row = org.get("Account", account_id)
    if row is None:
        raise LookupError(f"no account {account_id!r}")
    since = moment_of(row["CreatedDate"])
    place = next(country for country in places() if country.country == row["BillingCountry"])
    form = max((candidate for candidate in place.forms if row["Name"].endswith(f" {candidate}")), key=len, default="")
    company = TownCompany(
        name=row["Name"],
        stem=row["Name"].removesuffix(form).strip(),
        domain=row["Website"].removeprefix("https://www."),
        place=place,
        industry=industries()[row["Industry"]],
        city=row["BillingCity"],
        standing=next(standing for standing, kind in _TYPES.items() if kind == row["Type"]),
        since=since,
        until=org.clock.now(),
        owner="",
    )
    people = tuple(_person(contact) for contact in org.rows("Contact", AccountId=account_id))
    return KnownCompany(company, _details(row), people)


def _details(row: Mapping[str, Any]) -> Details:
    return Details(
        employees=int(row["NumberOfEmployees"]),
        street=row["BillingStreet"],
        postal_code=row["BillingPostalCode"],
        phone=row["Phone"],
        revenue=row["AnnualRevenue"],
        warmth=row.get("Rating"),
        about=row.get("Description"),
        modified=_stamp(row, "LastModifiedDate"),
    )


def _person(row: Mapping[str, Any]) -> TownPerson:
    return TownPerson(
        first=row["FirstName"],
        last=row["LastName"],
        title=row["Title"],
        department=row["Department"],
        email=row.get("Email"),
        phone=row["Phone"],
        source=row["LeadSource"],
        opted_out=bool(row["HasOptedOutOfEmail"]),
        language=row.get("Language__c"),
        joined=_stamp(row, "CreatedDate"),
        modified=_stamp(row, "LastModifiedDate"),
    )


def _stamp(row: Mapping[str, Any], name: str) -> datetime:
    return moment_of(row[name])
