"""Letters from templates: a subject, plain text, and HTML with the same words.

`<letter>/<language>.txt` begins with `Subject: …` and a blank line. Blank lines part paragraphs; lines with `- ` are a
list; a paragraph of the fact `link` alone becomes a button. `<language>.html`, where it exists, replaces the made HTML.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from documents.enclosure import JSON
from documents.errors import LetterWithoutSubject
from documents.templating import TEMPLATES, fill

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f]")


@dataclass(frozen=True)
class WrittenLetter:
    """A letter as it is sent: subject, plain text, and the same text as HTML."""

    subject: str
    text: str
    html: str


def write_letter(
    letter_template: str, facts: Mapping[str, JSON], language: str, *, root: Path = TEMPLATES
) -> WrittenLetter:
    """Write the letter of a template folder ("nib_legalization/letters/receipt").

    Line breaks and control characters in a fact become spaces, so that no name can add a paragraph, a list or a mail
    header. The fact `provisional` lists years whose holidays no decree fixes yet; it adds a note that dates may move.

    Raises:
        MissingFact: the template prints a fact that is missing, null or of the wrong shape.
        LetterWithoutSubject: the template does not begin with a subject and a blank line.
        DocumentError: the template does not exist or cannot be used.
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
    return WrittenLetter(subject, "\n\n".join(paragraphs) + "\n", html)


def _on_one_line(value: JSON) -> JSON:
    if isinstance(value, str):
        return _BIDI.sub("", _CONTROL.sub(" ", value)).strip()
    if isinstance(value, list):
        return [_on_one_line(item) for item in value]
    if isinstance(value, dict):
        return {key: _on_one_line(item) for key, item in value.items()}
    return value


def _block(paragraph: str, link: str | None) -> dict[str, JSON]:
    """Return a paragraph for letter.html as a link, a list or lines; the other two are empty."""
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
