"""The suite's modules are helpers by their names, and tests by what they assert."""

import pytest

for theme in ("reading", "conditions", "writing", "failing", "setup"):
    pytest.register_assert_rewrite(f"crm_contract_{theme}")
