"""The contract of `connector.ports.CrmAdapter`: an adapter passes it by subclassing `CrmContract` with a `world` fixture."""

from crm_contract_conditions import ConditionsContract
from crm_contract_failing import FailingContract
from crm_contract_reading import ReadingContract
from crm_contract_setup import SetupContract
from crm_contract_writing import WritingContract


class CrmContract(ReadingContract, ConditionsContract, WritingContract, FailingContract, SetupContract):
    """Everything that the connector relies on, whatever CRM is behind it."""
