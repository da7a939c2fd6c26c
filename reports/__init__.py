"""The report: its model, its event log and its renderers."""
