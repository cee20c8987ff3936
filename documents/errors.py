"""Errors of making a document: each message says which document, why, and the next move."""


class DocumentError(Exception):
    """A document cannot be made as asked."""


class MissingFact(DocumentError):
    """A fact that the template prints was not given, is null, or has the wrong shape."""

    def __init__(self, template: str, reason: str) -> None:
        super().__init__(f"{template} cannot be written: {reason}. See the table in templates/README.md")
        self.template = template
        self.reason = reason


class ReservedFact(DocumentError):
    """A fact was given under a name that the renderer itself fills in."""

    def __init__(self, template: str, names: list[str]) -> None:
        super().__init__(f"{template}: facts may not be named {', '.join(names)}: the renderer fills these in")
        self.template = template
        self.names = names


class UnprintableText(DocumentError):
    """The facts hold characters that the packaged fonts do not draw."""

    def __init__(self, template: str, characters: str) -> None:
        codes = ", ".join(f"U+{ord(character):04X}" for character in characters)
        super().__init__(f"{template}: the packaged fonts have no letters for {codes}; ask for a Latin spelling")
        self.template = template
        self.characters = characters


class TemplateHasLogic(DocumentError):
    """A template does more than print facts; a fact is finished before a template gets it."""

    def __init__(self, template: str, offences: list[str]) -> None:
        super().__init__(f"{template} holds logic: {'; '.join(offences)}. Give it a finished fact instead")
        self.template = template
        self.offences = offences


class LetterWithoutSubject(DocumentError):
    """A letter's template does not begin with `Subject: …` and a blank line."""


class UnusableKey(DocumentError):
    """The key or certificate cannot sign the office's documents."""
