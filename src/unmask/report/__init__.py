"""Stage 6: the answer -> reading. JSON for machines, one HTML file and a few lines for people."""

from unmask.report.schema import schema
from unmask.report.summary import summary
from unmask.report.table import failed_row, short_row, table_row, to_csv
from unmask.report.to_html import to_html
from unmask.report.to_json import to_json
from unmask.report.writers import report_writers

__all__ = [
    "failed_row",
    "report_writers",
    "schema",
    "short_row",
    "summary",
    "table_row",
    "to_csv",
    "to_html",
    "to_json",
]
