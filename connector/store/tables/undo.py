"""What taking writes back needs beside the log of writes."""

from sqlalchemy import Column, Integer, String, Table

from connector.store.tables.base import metadata

written_field = Table(
    "written_field",
    metadata,
    Column("connection", String, primary_key=True),
    Column("target", String, primary_key=True, comment="account or contact"),
    Column("name", String, primary_key=True, comment="Our name for what is written."),
    Column("line", Integer, primary_key=True, autoincrement=False, comment="The log's last line before it was so."),
    Column("object", String, nullable=False),
    Column("path", String, nullable=False, comment="The CRM's name of the field."),
    comment="In which field of the CRM each thing of ours was written since when: the log of writes has our names alone.",
)
