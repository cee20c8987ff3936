"""What we know: the tables and the invariants that the database itself keeps. Imports nothing of ours."""

from models.base import Base, Role, metadata
from models.cases import Answer, AnyWait, Case, CaseStatus, EntryKind, LedgerEntry, Run, Series, Wait, WaitKind
from models.intake import Import, ImportLine
from models.papers import Document, DocumentStatus, Letter, LetterStatus, Standing
from models.people import (
    Business,
    DeclaredConflict,
    Institution,
    Mandate,
    Person,
    PersonIndex,
    Product,
    RecordedCertificate,
    SealingKey,
    User,
    UserRole,
)

__all__ = [
    "Answer",
    "AnyWait",
    "Base",
    "Business",
    "Case",
    "CaseStatus",
    "DeclaredConflict",
    "Document",
    "DocumentStatus",
    "EntryKind",
    "Import",
    "ImportLine",
    "Institution",
    "LedgerEntry",
    "Letter",
    "LetterStatus",
    "Mandate",
    "Person",
    "PersonIndex",
    "Product",
    "RecordedCertificate",
    "Role",
    "Run",
    "SealingKey",
    "Series",
    "Standing",
    "User",
    "UserRole",
    "Wait",
    "WaitKind",
    "metadata",
]
