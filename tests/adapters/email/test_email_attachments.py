"""Files that go with a message, through a real mail server."""

from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from mail_servers import Sink, message, smtp_server
from python_calamine import CalamineWorkbook

from connector.exports.files import write_workbook
from connector.exports.tables import Column, Sheet
from connector.model import Attachment
from connector.ports.mail import Channel

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS = [("Northwind", 1), ("=Kärki Oy", 5)] * 400


def workbook(folder: Path) -> bytes:
    columns = (Column("account", "Account", lambda row: row[0]), Column("value", "Rating", lambda row: row[1]))
    write_workbook(folder / "out.xlsx", [Sheet("Answers", columns, ROWS)], ZoneInfo("Europe/Helsinki"))
    return (folder / "out.xlsx").read_bytes()


def test_a_workbook_arrives_beside_both_texts_and_opens(make: Callable[..., Channel], tmp_path: Path) -> None:
    sink = Sink()
    with smtp_server(sink) as port:
        make(port).prepare(
            message(attachments=(Attachment("afterword-2026-11.xlsx", workbook(tmp_path), XLSX),))
        ).send()

    mail = message_from_bytes(sink.arrived[-1].content, policy=default)
    assert isinstance(mail, EmailMessage)
    assert mail.get_content_type() == "multipart/mixed"
    texts, file = mail.iter_parts()
    assert [part.get_content_type() for part in texts.iter_parts()] == ["text/plain", "text/html"]
    assert (file.get_content_type(), file.get_filename()) == (XLSX, "afterword-2026-11.xlsx")
    assert file.get_content_disposition() == "attachment"
    rows = CalamineWorkbook.from_filelike(BytesIO(file.get_content())).get_sheet_by_name("Answers").to_python()
    assert rows == [["Account", "Rating"], *[list(row) for row in ROWS]]
    assert mail["Content-Language"] == "fi"
    assert max(len(line) for line in sink.arrived[-1].content.split(b"\r\n")) <= 998
