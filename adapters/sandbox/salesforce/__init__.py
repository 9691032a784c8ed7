"""A pretend Salesforce: an org in memory that speaks the vendor's REST, OAuth, Tooling and Bulk protocols."""

from adapters.sandbox.salesforce.app import Salesforce
from adapters.sandbox.salesforce.errors import RequestError, RowError, SalesforceError
from adapters.sandbox.salesforce.org.schema import Field

__all__ = ["Field", "RequestError", "RowError", "Salesforce", "SalesforceError"]
