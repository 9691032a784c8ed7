"""How each kind of operation is called, on a portal with something of everything."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import requests
from hubspot_documents import Operation
from hubspot_wire import Hub

from adapters.sandbox.hubspot import HubSpot, Property


@dataclass
class World:
    """A portal with something of everything, and how to call it."""

    portal: HubSpot
    hub: Hub
    made: int = 0

    def record(self, kind: str) -> str:
        self.made += 1
        values: dict[str, Any] = {"hs_timestamp": "0"} if self.portal.object(kind).engagement else {}
        if self.portal.object(kind).name == "tickets":
            values = {"hs_pipeline_stage": "1"}
        if self.portal.object(kind).name in ("contacts", "companies", "deals", "tickets"):
            values["key"] = self.key()
        made = self.portal.insert(kind, values)
        if kind == "contacts":
            self.portal.update(kind, made, {"email": f"p{self.made}@x.example"})
        return made

    def key(self) -> str:
        self.made += 1
        return f"k{self.made}"

    def joined(self, kind: str) -> tuple[str, str]:
        """A record and another that it is associated with: a company, or a contact where companies do not go."""
        target = "contacts" if kind == "feedback_submissions" else "companies"
        one, other = self.record(kind), self.record(target)
        self.portal.associate(kind, one, target, other)
        return one, other

    def call(self, operation: Operation, *values: str, body: Any = None, **options: Any) -> requests.Response:
        return self.hub.api(operation.method, operation.path(*values), json=body, **options)

    def valid(self, kind: str) -> dict[str, str]:
        if self.portal.object(kind).name == "tickets":
            return {"hs_pipeline_stage": "1"}
        return {"hs_timestamp": "0"} if self.portal.object(kind).engagement else {}


Recipe = Callable[[World, Operation], Iterator[requests.Response]]
RECIPES: dict[str, Recipe] = {}


def recipe(*shapes: str) -> Callable[[Recipe], Recipe]:
    def keep(function: Recipe) -> Recipe:
        RECIPES.update(dict.fromkeys(shapes, function))
        return function

    return keep


def spec(type_id: int = 279) -> dict[str, Any]:
    return {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}


@recipe("GET /crm/objects/*")
def list_records(world, operation):
    ids = [world.joined(operation.kind)[0] for _ in range(2)]
    query = {
        "associations": "companies,contacts",
        "limit": 1,
        "after": str(int(ids[0]) - 1),
        "propertiesWithHistory": "hs_object_id",
    }
    yield world.call(operation, params=query)
    world.portal.archive(operation.kind, ids[0])
    yield world.call(operation, params={"archived": "true"})
    yield world.call(operation, params={"limit": 101})
    yield world.hub.api("GET", operation.path().replace(operation.kind, "butterflies"))


@recipe("POST /crm/objects/*")
def create(world, operation):
    company = world.record("companies")
    plain = world.portal.links.default(world.portal.object(operation.kind), world.portal.object("companies")).type_id
    joins = [{"to": {"id": company}, "types": [spec(plain)]}]
    yield world.call(operation, body={"properties": world.valid(operation.kind), "associations": joins})
    yield world.call(operation, body={"properties": {"colour": "red"}})


@recipe("GET /crm/objects/*/*", "DELETE /crm/objects/*/*")
def one(world, operation):
    yield world.call(operation, world.joined(operation.kind)[0])
    if operation.method == "GET":
        yield world.call(operation, world.joined(operation.kind)[0], params={"associations": "companies,contacts"})
        yield world.call(operation, "7")


@recipe("PATCH /crm/objects/*/*")
def update(world, operation):
    yield world.call(operation, world.record(operation.kind), body={"properties": world.valid(operation.kind)})
    yield world.call(operation, "7", body={"properties": {}})


@recipe("POST /crm/objects/*/search")
def search(world, operation):
    for _ in range(2):
        world.record(operation.kind)
    body = {"limit": 1, "after": "0", "sorts": ["hs_object_id"], "properties": [], "filterGroups": []}
    yield world.call(operation, body=body)
    yield world.call(operation, body={**body, "sorts": ["colour"]})


@recipe("POST /crm/objects/*/batch/read", "POST /crm/objects/*/batch/archive")
def batch_of_ids(world, operation):
    rows = [{"id": world.record(operation.kind)}]
    body = {"inputs": rows, "properties": ["hs_object_id"], "propertiesWithHistory": []}
    yield world.call(operation, body=body)
    if operation.template.endswith("read"):
        yield world.call(operation, body={**body, "inputs": [*rows, {"id": "7"}]})
    yield world.call(operation, body={**body, "inputs": rows * 2})


@recipe("POST /crm/objects/*/batch/create")
def batch_create(world, operation):
    row = {"properties": world.valid(operation.kind), "associations": []}
    yield world.call(operation, body={"inputs": [row]})
    yield world.call(operation, body={"inputs": [{**row, "properties": {"colour": "red"}}]})
    wrong = {"properties": {"hubspot_owner_id": "7"}, "associations": []}
    rows = [{**each, "objectWriteTraceId": str(at)} for at, each in enumerate((row, wrong))]
    yield world.call(operation, body={"inputs": rows})


@recipe("POST /crm/objects/*/batch/update")
def batch_update(world, operation):
    row = {"id": world.record(operation.kind), "properties": world.valid(operation.kind)}
    yield world.call(operation, body={"inputs": [row]})
    yield world.call(operation, body={"inputs": [row, {"id": "7", "properties": {}}]})


@recipe("POST /crm/objects/*/batch/upsert")
def batch_upsert(world, operation):
    row = {"id": world.record(operation.kind), "properties": world.valid(operation.kind)}
    yield world.call(operation, body={"inputs": [row]})
    missing = {"id": "7", "properties": {}, "objectWriteTraceId": "2"}
    yield world.call(operation, body={"inputs": [{**row, "objectWriteTraceId": "1"}, missing]})


@recipe("POST /crm/objects/*/merge")
def merge(world, operation):
    first, second = world.record(operation.kind), world.record(operation.kind)
    yield world.call(operation, body={"primaryObjectId": first, "objectIdToMerge": second})
    yield world.call(operation, body={"primaryObjectId": first})


@recipe("POST /crm/objects/*/gdpr-delete")
def gdpr_delete(world, operation):
    yield world.call(operation, body={"objectId": world.record("contacts")})


@recipe("GET /crm/objects/*/*/associations/*")
def associations_of(world, operation):
    yield world.call(operation, world.joined("contacts")[0], params={"limit": 1})
    yield world.call(operation, "7")


@recipe(
    "PUT /crm/objects/*/*/associations/*/*",
    "PUT /crm/objects/*/*/associations/default/*/*",
    "DELETE /crm/objects/*/*/associations/*/*",
)
def associate(world, operation):
    one, other = world.joined("contacts")
    body = None if "default" in operation.template or operation.method == "DELETE" else [spec()]
    yield world.call(operation, one, other, body=body)


@recipe("POST /crm/associations/*/*/batch/read")
def associations_read(world, operation):
    one, _ = world.joined("contacts")
    yield world.call(operation, body={"inputs": [{"id": one}]})
    yield world.call(operation, body={"inputs": [{"id": one}, {"id": world.record("contacts")}]})


@recipe(
    "POST /crm/associations/*/*/batch/create",
    "POST /crm/associations/*/*/batch/associate/default",
    "POST /crm/associations/*/*/batch/labels/archive",
)
def associations_write(world, operation):
    one, other = world.joined("contacts")
    how = {"type": "contact_to_company"} if "/v3/" in operation.template else {"types": [spec(1)]}
    good = {"from": {"id": one}, "to": {"id": other}, **({} if "default" in operation.template else how)}
    yield world.call(operation, body={"inputs": [good]})
    if operation.template.endswith("create"):
        yield world.call(operation, body={"inputs": [good, {**good, "to": {"id": "7"}}]})


@recipe("POST /crm/associations/*/*/batch/archive")
def associations_archive(world, operation):
    one, other = world.joined("contacts")
    to = (
        {"to": {"id": other}, "type": "contact_to_company"} if "/v3/" in operation.template else {"to": [{"id": other}]}
    )
    yield world.call(operation, body={"inputs": [{"from": {"id": one}, **to}]})


@recipe(
    "GET /crm/associations/*/*/labels",
    "POST /crm/associations/*/*/labels",
    "PUT /crm/associations/*/*/labels",
    "DELETE /crm/associations/*/*/labels/*",
    "GET /crm/associations/*/*/types",
)
def labels(world, operation):
    made = world.portal.new_label("contacts", "companies", world.key())
    bodies = {
        "POST": {"label": "L", "name": world.key(), "inverseLabel": "I"},
        "PUT": {"label": "L", "associationTypeId": made},
    }
    values = [str(made)] if operation.template.endswith("}") else []
    yield world.call(operation, *values, body=bodies.get(operation.method))


def definition(world, **more):
    made = {"name": world.key(), "label": "L", "type": "string", "fieldType": "text", "groupName": "contactinformation"}
    return made | more


@recipe("GET /crm/properties/*", "GET /crm/properties/*/*", "DELETE /crm/properties/*/*")
def properties(world, operation):
    name = world.key()
    world.portal.new_property("contacts", Property(name))
    yield world.call(operation, *([name] if operation.template.endswith("Name}") else []))
    if operation.template.endswith("Name}"):
        yield world.call(operation, "nowhere")


@recipe("POST /crm/properties/*")
def new_property(world, operation):
    written = definition(world)
    yield world.call(operation, body=written)
    yield world.call(operation, body=written)


@recipe("PATCH /crm/properties/*/*")
def change_property(world, operation):
    name = world.key()
    world.portal.new_property("contacts", Property(name))
    yield world.call(operation, name, body={"label": "M"})


@recipe(
    "POST /crm/properties/*/batch/create", "POST /crm/properties/*/batch/read", "POST /crm/properties/*/batch/archive"
)
def batch_of_properties(world, operation):
    names = [{"name": "firstname"}, {"name": "nowhere"}]
    written = [definition(world), definition(world, groupName="nowhere")]
    rows = written if operation.template.endswith("create") else names
    extra = {"archived": False, "dataSensitivity": "non_sensitive"}
    if operation.template.endswith("archive"):
        rows, extra = names[1:], {}
    yield world.call(operation, body={"inputs": rows[:1], **extra})
    if rows is not names[1:]:
        yield world.call(operation, body={"inputs": rows, **extra})


@recipe(
    "GET /crm/properties/*/groups",
    "POST /crm/properties/*/groups",
    "GET /crm/properties/*/groups/*",
    "PATCH /crm/properties/*/groups/*",
    "DELETE /crm/properties/*/groups/*",
)
def groups(world, operation):
    name = world.key()
    world.hub.ok("POST", "crm/properties/2026-03/contacts/groups", json={"name": name, "label": "L"})
    bodies = {"POST": {"name": world.key(), "label": "L"}, "PATCH": {"label": "M"}}
    values = [name] if operation.template.endswith("}") else []
    yield world.call(operation, *values, body=bodies.get(operation.method))


STAGES = [{"label": "In", "displayOrder": 0, "metadata": {"ticketState": "OPEN"}}]


@recipe(*(f"{method} /crm/pipelines/*{rest}" for method in ("GET", "POST") for rest in ("", "/*/stages")))
@recipe(
    *(
        f"{method} /crm/pipelines/*/*{rest}"
        for method in ("GET", "PUT", "PATCH", "DELETE")
        for rest in ("", "/stages/*")
    )
)
@recipe("GET /crm/pipelines/*/*/audit", "GET /crm/pipelines/*/*/stages/*/audit")
def pipelines(world, operation):
    pipeline, stages = world.portal.new_pipeline("tickets", world.key(), {"In": {"ticketState": "OPEN"}})
    path = operation.template.replace("{objectType}", "tickets").replace("{pipelineId}", pipeline)
    path = path.replace("{stageId}", stages["In"]).lstrip("/")
    body = STAGES[0] if "stages" in path else {"label": world.key(), "displayOrder": 1, "stages": STAGES}
    yield world.hub.api(operation.method, path, json=body if operation.method in {"POST", "PUT", "PATCH"} else None)
    yield world.hub.api(operation.method, path.replace("tickets", "tasks"), json=body)


@recipe("GET /crm/owners", "GET /crm/owners/*")
def owners(world, operation):
    made = world.portal.add_owner("P Q", f"{world.key()}@portal.example", teams=["North"])
    gone = world.portal.add_owner("R S", f"{world.key()}@portal.example")
    world.portal.archive_owner(gone)
    values = operation.template.endswith("}")
    yield world.call(operation, *([made] if values else []), params={"limit": 1})
    yield world.call(operation, *([gone] if values else []), params={"archived": "true"})
    yield world.call(operation, *(["7"] if values else []), params={"limit": 0})


@recipe("GET /crm/limits/custom-properties")
def property_limits(world, operation):
    world.portal.configure(custom_properties=10)
    yield world.hub.api("GET", operation.template.lstrip("/"))


@recipe("GET /account-info/details", "GET /account-info/api-usage/daily/private-apps")
def account(world, operation):
    yield world.call(operation)


@recipe("POST /oauth/token", "POST /oauth/token/introspect", "POST /oauth/token/revoke")
def tokens(world, operation):
    client = world.portal.client
    token = world.portal.oauth.offer_refresh_token(client)
    form = {"client_id": client.client_id, "client_secret": client.client_secret}
    renew = {**form, "grant_type": "refresh_token", "refresh_token": token}
    access = world.hub.ok("POST", "oauth/v3/token", data=renew)["access_token"]
    bodies = [renew] if operation.template.endswith("/token") else [{**form, "token": each} for each in (access, token)]
    for body in bodies:
        yield world.hub.api("POST", operation.template.lstrip("/"), data=body)
    yield world.hub.api("POST", operation.template.lstrip("/"), data={**bodies[0], "client_secret": "x"})


@recipe("GET /oauth/access-tokens/*", "GET /oauth/refresh-tokens/*", "DELETE /oauth/refresh-tokens/*")
def told_tokens(world, operation):
    client = world.portal.client
    token = world.portal.oauth.offer_refresh_token(client)
    form = {"client_id": client.client_id, "client_secret": client.client_secret, "refresh_token": token}
    access = world.hub.ok("POST", "oauth/v1/token", data={**form, "grant_type": "refresh_token"})["access_token"]
    yield world.call(operation, access if "access" in operation.template else token)
