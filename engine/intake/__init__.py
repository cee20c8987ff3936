"""Intake: the lists of businesses that districts send, read as they really come. See `importing` for the process."""

from engine.intake.importing import Imported, Remark, UnknownImport, import_file, take_over, upload
from engine.intake.refused import refused_rows, refused_workbook

__all__ = [
    "Imported",
    "Remark",
    "UnknownImport",
    "import_file",
    "refused_rows",
    "refused_workbook",
    "take_over",
    "upload",
]
