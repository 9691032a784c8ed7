"""The reports to the managers, by week and by month."""
