"""What the connector asks of the world outside: of CRMs and their packages (given on here), and of mail (`mail`)."""

from connector.domain.config.wrong import Missing, Wrong
from connector.ports.adapter_package import (
    COMMON_KEYS,
    AdapterConfig,
    AdapterPackage,
    AdapterTools,
    AdminToken,
    FileKey,
    PackagedText,
    SecretKey,
    SentKey,
    SentSecretKey,
    TextKey,
    UrlKey,
)
from connector.ports.crm import CrmAdapter
from connector.ports.mapping import CrmMapping, MappingSource, Reading
from connector.ports.notes import Note, NoteTaker
from connector.ports.reader import (
    Condition,
    CrmReader,
    FieldSchema,
    ObjectSchema,
    Org,
    Page,
    Position,
    Query,
    Record,
    Usage,
)
from connector.ports.setup import NO_LABELS, CrmSetup, FieldLimit, FieldSpec, Needs, SetupResult, SetupStep
from connector.ports.tools import Budget, Clock, Passes, TokenVault
from connector.ports.writer import BulkWriter, CrmWriter, Write, WriteResult

__all__ = [
    "COMMON_KEYS",
    "NO_LABELS",
    "AdapterConfig",
    "AdapterPackage",
    "AdapterTools",
    "AdminToken",
    "Budget",
    "BulkWriter",
    "Clock",
    "Condition",
    "CrmAdapter",
    "CrmMapping",
    "CrmReader",
    "CrmSetup",
    "CrmWriter",
    "FieldLimit",
    "FieldSchema",
    "FieldSpec",
    "FileKey",
    "MappingSource",
    "Missing",
    "Needs",
    "Note",
    "NoteTaker",
    "ObjectSchema",
    "Org",
    "PackagedText",
    "Page",
    "Passes",
    "Position",
    "Query",
    "Reading",
    "Record",
    "SecretKey",
    "SentKey",
    "SentSecretKey",
    "SetupResult",
    "SetupStep",
    "TextKey",
    "TokenVault",
    "UrlKey",
    "Usage",
    "Write",
    "WriteResult",
    "Wrong",
]
