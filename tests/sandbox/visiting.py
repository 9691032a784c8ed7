"""How the tests of the pages look at them without a server: whichever pretend CRM they belong to."""

from urllib.parse import urlencode

from adapters.sandbox.web import App, Request, Response


def get(app: App, target: str, cookie: str = "") -> Response:
    return app.handle(Request("GET", target, {"cookie": cookie} if cookie else {}))


def text(app: App, target: str, cookie: str = "") -> str:
    answer = get(app, target, cookie)
    assert answer.status == 200, answer.body[:300]
    return answer.body.decode()


def post(app: App, target: str, cookie: str = "", **form: str) -> Response:
    headers = {"content-type": "application/x-www-form-urlencoded", "cookie": cookie}
    return app.handle(Request("POST", target, headers, urlencode(form).encode()))
