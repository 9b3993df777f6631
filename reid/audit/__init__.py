"""Who did what, when, why and about whom: one chained log beside the galleries. Knows no page and no command."""

from reid.audit.log import AuditLog, log_path
from reid.audit.rows import Entry, Row

__all__ = ["AuditLog", "Entry", "Row", "log_path"]
