"""Invented people and what happened to them as records of a portal."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from adapters.sandbox.hubspot.portal.property_values import from_python, to_ms
from adapters.sandbox.people.companies import Details, Standing, TownCompany, TownPerson
from adapters.sandbox.people.happenings import Case, Deal, Meeting, PhoneCall

Row = dict[str, Any]

_TYPES: dict[Standing, str] = {"channel": "RESELLER", "former": "OTHER", "prospect": "PROSPECT", "partner": "PARTNER"}
_LIFECYCLES: dict[Standing, str] = {
    "customer": "customer",
    "channel": "customer",
    "former": "other",
    "partner": "other",
}
_WARMTH = {"Hot": "opportunity", "Warm": "salesqualifiedlead"}
_LEADS = {"Web": "NEW", "Phone Inquiry": "CONNECTED", "Partner Referral": "IN_PROGRESS"}
_SOURCES = {"Email": "EMAIL", "Phone": "PHONE", "Web": "FORM"}
_DEAL_STAGES = (
    "appointmentscheduled",
    "qualifiedtobuy",
    "presentationscheduled",
    "decisionmakerboughtin",
    "decisionmakerboughtin",
    "contractsent",
)
FIELD_WORK = ("Breakdown", "Installation")
"""The reasons for which somebody has to drive there."""


@dataclass(frozen=True)
class ServicePipeline:
    """A pipeline of tickets: the id of the stage for each state of a case, and of the one for those that were called off."""

    pipeline: str
    stages: dict[str, str]
    called_off: str

    def stage(self, case: Case) -> str:
        """The stage in which a case stands."""
        off = case.status == "closed" and case.priority == "Low" and case.reason in FIELD_WORK
        return self.called_off if off else self.stages[case.status]


def company_row(company: TownCompany, about: Details) -> Row:
    """A company."""
    return {
        "name": company.name,
        "domain": company.domain,
        "website": f"https://www.{company.domain}",
        "type": _TYPES.get(company.standing),
        "lifecyclestage": _LIFECYCLES.get(company.standing) or _WARMTH.get(about.warmth or "", "lead"),
        "industry": company.industry.name,
        "description": about.about,
        "phone": about.phone,
        "address": about.street,
        "zip": about.postal_code,
        "city": company.city,
        "country": company.place.country,
        "timezone": company.place.zone,
        "numberofemployees": about.employees,
        "annualrevenue": about.revenue,
        "hubspot_owner_id": company.owner,
        "hs_parent_company_id": company.parent.id if company.parent else None,
        "created": company.since,
        "modified": about.modified,
    }


def contact_row(company: TownCompany, person: TownPerson) -> Row:
    """Somebody who works for a company."""
    prospect = company.standing == "prospect"
    return {
        "firstname": person.first,
        "lastname": person.last,
        "jobtitle": person.title,
        "email": person.email,
        "phone": person.phone,
        "company": company.name,
        "city": company.city,
        "country": company.place.country,
        "hs_language": person.language.lower() if person.language else None,
        "hs_email_optout": True if person.opted_out else None,
        "lifecyclestage": _LIFECYCLES.get(company.standing, "lead"),
        "hs_lead_status": _LEADS.get(person.source, "ATTEMPTED_TO_CONTACT") if prospect else None,
        "hubspot_owner_id": company.owner,
        "created": person.joined,
        "modified": person.modified,
    }


def ticket_row(case: Case, pipeline: ServicePipeline) -> Row:
    """A ticket; nobody owns one without an owner's id."""
    row: Row = {"subject": case.subject, "content": case.note, "source_type": _SOURCES[case.origin]}
    row |= {
        "hs_pipeline": pipeline.pipeline,
        "hs_pipeline_stage": pipeline.stage(case),
        "hubspot_owner_id": case.owner or None,
    }
    row |= {"hs_ticket_priority": "URGENT" if case.status == "escalated" else case.priority.upper()}
    row |= {"hs_ticket_category": _category(case), "created": case.opened, "modified": case.modified}
    row |= {"hs_v2_date_entered_current_stage": case.opened if case.status == "new" else case.modified}
    if case.closed is None:
        return row
    took = to_ms(case.closed) - to_ms(case.opened)
    return row | {"closed_date": case.closed, "time_to_close": took}


def email_row(case: Case) -> Row:
    """The mail with which a ticket began."""
    return _activity(case.company, case.opened, case.opened) | {
        "hs_email_subject": case.subject,
        "hs_email_text": f"Hello,\n\n{case.subject}. Could you look into it?\n\nThank you",
        "hs_email_direction": "INCOMING_EMAIL",
        "hs_email_status": "SENT",
    }


def call_row(call: PhoneCall, ended: datetime) -> Row:
    """A call that was held."""
    return _activity(call.company, call.began, ended) | {
        "hs_call_title": call.subject,
        "hs_call_direction": "OUTBOUND" if call.outbound else "INBOUND",
        "hs_call_status": "COMPLETED",
        "hs_call_duration": call.seconds * 1000,
    }


def planned_row(call: PhoneCall) -> Row:
    """A call that is planned: a task to call, due on its day at five in the afternoon, UTC."""
    return _activity(call.company, datetime.combine(call.due, time(17), UTC), call.began) | {
        "hs_task_subject": call.subject,
        "hs_task_type": "CALL",
        "hs_task_status": "NOT_STARTED",
        "hs_task_priority": "NONE",
        "hs_task_is_completed": 0,
    }


def meeting_row(meeting: Meeting, now: datetime) -> Row:
    """A meeting, in the past or ahead of `now`."""
    return _activity(meeting.company, meeting.starts, meeting.booked) | {
        "hs_meeting_title": meeting.subject,
        "hs_meeting_location": meeting.place,
        "hs_meeting_start_time": meeting.starts,
        "hs_meeting_end_time": meeting.ends,
        "hs_meeting_outcome": "COMPLETED" if meeting.ends <= now else "SCHEDULED",
    }


def deal_row(deal: Deal) -> Row:
    """A deal in the usual pipeline."""
    ended = "closedwon" if deal.won else "closedlost"
    guessed = datetime.combine(deal.decided, time(), UTC)
    return {
        "dealname": deal.name,
        "amount": deal.amount,
        "dealtype": "newbusiness" if deal.fresh else "existingbusiness",
        "pipeline": "default",
        "dealstage": _DEAL_STAGES[deal.step] if deal.won is None else ended,
        "closedate": guessed if deal.won is None else deal.moved,
        "hs_is_closed": deal.won is not None,
        "hs_is_closed_won": bool(deal.won),
        "hs_v2_date_entered_current_stage": deal.moved,
        "hubspot_owner_id": deal.company.owner,
        "created": deal.opened,
        "modified": deal.moved,
    }


def _activity(company: TownCompany, at: datetime, logged: datetime) -> Row:
    return {"hs_timestamp": from_python(at), "hubspot_owner_id": company.owner, "created": logged}


def _category(case: Case) -> str:
    if case.reason == "Feedback":
        return "FEATURE_REQUEST"
    return "GENERAL_INQUIRY" if case.kind == "Other" else "PRODUCT_ISSUE"
