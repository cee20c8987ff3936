"""A letter from its template: subject, plain text for an old phone, and simple HTML of the same words.

`<letter>/<language>.txt` begins with `Subject: …` and a blank line. Blank lines part paragraphs; lines that begin with
`- ` are a list; a paragraph that is nothing but the fact `link` becomes a button. No logic, as in documents. Where a letter
has a `<language>.html` of its own beside it, that is its HTML.

The fact `provisional`, years whose days off no decree fixes yet, adds to any letter that its dates in them may still move.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from documents.enclosure import JSON, DocumentError
from documents.templating import TEMPLATES, fill

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f]")


class LetterWithoutSubject(DocumentError):
    """A letter's template does not begin with `Subject: …` and a blank line."""


@dataclass(frozen=True)
class Written:
    """A letter as it goes out: the same words three times."""

    subject: str
    text: str
    html: str


def write(letter_template: str, facts: Mapping[str, JSON], language: str, *, root: Path = TEMPLATES) -> Written:
    """The letter of this folder ("nib_legalization/letters/receipt") with these facts.

    A fact stays on its line: line breaks and control characters in it become spaces, so that no name can add a
    paragraph, a list or a mail header. Raises MissingFact, LetterWithoutSubject or another DocumentError.
    """
    name = f"{letter_template}/{language}.txt"
    one_line = {key: _on_one_line(value) for key, value in facts.items()}
    filled = fill(name, {"language": language, **one_line}, root=root, html=False)
    head, _, rest = filled.partition("\n\n")
    subject = head.removeprefix("Subject:").strip()
    if not head.startswith("Subject:") or "\n" in head or not subject:
        raise LetterWithoutSubject(f"{name} begins with 'Subject: …' and a blank line")
    if facts.get("provisional"):
        said = {"language": language, "provisional": facts["provisional"]}
        rest += f"\n\n{fill(f'provisional.{language}.txt', said, html=False)}"
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", rest) if part.strip()]
    link = one_line.get("link")
    blocks = [_block(paragraph, link if isinstance(link, str) else None) for paragraph in paragraphs]
    if (root / f"{letter_template}/{language}.html").exists():
        html = fill(
            f"{letter_template}/{language}.html", {**one_line, "language": language, "subject": subject}, root=root
        )
    else:
        html = fill("letter.html", {"language": language, "subject": subject, "blocks": list(blocks)}, root=root)
    return Written(subject, "\n\n".join(paragraphs) + "\n", html)


def _on_one_line(value: JSON) -> JSON:
    if isinstance(value, str):
        return _BIDI.sub("", _CONTROL.sub(" ", value)).strip()
    if isinstance(value, list):
        return [_on_one_line(item) for item in value]
    if isinstance(value, dict):
        return {key: _on_one_line(item) for key, item in value.items()}
    return value


def _block(paragraph: str, link: str | None) -> dict[str, JSON]:
    """What letter.html prints of a paragraph: a link, a list or lines, the two others being empty."""
    lines: list[JSON] = [*paragraph.split("\n")]
    links: list[JSON] = []
    lists: list[JSON] = []
    paragraphs: list[JSON] = []
    if link is not None and paragraph == link and urlsplit(link).scheme in {"http", "https"}:
        links.append(link)
    elif all(line.startswith("- ") for line in paragraph.split("\n")):
        lists.append([line.removeprefix("- ") for line in paragraph.split("\n")])
    else:
        paragraphs.append(lines)
    return {"links": links, "lists": lists, "paragraphs": paragraphs}
