"""Person accounts: a feature that an org switches on for good. A person is an account and a contact in one."""

from dataclasses import replace
from typing import TYPE_CHECKING

from adapters.sandbox.salesforce.org.schema import Field

if TYPE_CHECKING:
    from adapters.sandbox.salesforce.org.org import PretendOrg

_FLAG = Field(
    "IsPersonAccount", "boolean", "Is Person Account", createable=False, updateable=False, always_visible=True
)
_CONTACT = Field(
    "PersonContactId",
    "reference",
    "Contact ID",
    length=18,
    createable=False,
    updateable=False,
    always_visible=True,
    refers_to=("Contact",),
)
_EMAIL = Field("PersonEmail", "email", "Email", length=80, always_visible=True)


def switch_on(org: "PretendOrg") -> None:
    """Give accounts and contacts the fields of the feature."""
    for object_name, fields in (("Account", (_FLAG, _CONTACT, _EMAIL)), ("Contact", (_FLAG,))):
        for field in fields:
            org.object(object_name).add(replace(field))


def add(org: "PretendOrg", first: str, last: str, *, email: str, kind: str = "Customer - Direct") -> tuple[str, str]:
    """Make a person; returns the ids of its account and of its contact."""
    row = {"Name": f"{first} {last}", "Type": kind, "IsPersonAccount": True, "PersonEmail": email}
    (account,) = org.load("Account", [row])
    known = {"FirstName": first, "LastName": last, "Email": email, "AccountId": account, "IsPersonAccount": True}
    (contact,) = org.load("Contact", [known])
    org.store.put("Account", {**org.rows("Account", Id=account)[0], "PersonContactId": contact})
    return account, contact
