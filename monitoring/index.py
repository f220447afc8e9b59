"""reports/index.html: the one page from which every report is found.

Belongs here: gathering and writing it. Does not belong here: its HTML (index_page).
"""

from pathlib import Path

from ml.files import replace_text
from monitoring.index_page import Watch, index_page
from monitoring.reports import read_reports
from monitoring.review import open_among, read_reviews

INDEX = "index.html"


def write_index(reports: Path) -> Path:
    """Write the page from the reports and reviews in the folder and return its path."""
    found, reviews = read_reports(reports), read_reviews(reports)
    path = reports / INDEX
    replace_text(path, index_page(Watch(found, open_among(found, reviews), reviews)))
    return path
