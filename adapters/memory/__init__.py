"""A complete CRM in memory, with switches for its faults: the fastest implementation of the port."""

from adapters.memory.adapter import MemoryAdapter
from adapters.memory.crm import MemoryCrm
from adapters.memory.faults import MemoryFaults

__all__ = ["MemoryAdapter", "MemoryCrm", "MemoryFaults"]
