"""Templates get finished facts and hold no logic; this module reads them so, and refuses any that do more.

Allowed are `{% extends %}`, `{% block %}`, `{% for x in list %}`, `{% if fact %}` on a plain name, `{{ fact }}`,
`{{ office.name }}` and the filters of `words`. A fact that is missing, null or not text is an error, never a blank.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    FileSystemLoader,
    StrictUndefined,
    TemplateSyntaxError,
    nodes,
)
from jinja2.exceptions import TemplateNotFound, UndefinedError
from jinja2.sandbox import SandboxedEnvironment

from documents.enclosure import JSON, DocumentError, MissingFact
from documents.formats import FILTERS

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
SHARED = "shared"

_PLAIN: tuple[type[nodes.Node], ...] = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name)


class TemplateHasLogic(DocumentError):
    """A template does more than print facts; the fact belongs into the pipeline, finished."""

    def __init__(self, template: str, offences: list[str]) -> None:
        super().__init__(f"{template} holds logic: {'; '.join(offences)}. Give it a finished fact instead")
        self.template = template
        self.offences = offences


def offences(source: str) -> list[str]:
    """What in a template's source goes beyond printing facts, line by line; empty when it is clean."""
    tree = SandboxedEnvironment(autoescape=True).parse(source)
    return [f"line {node.lineno}: {offence}" for node, offence in _offences_in(tree)]


def _offences_in(node: nodes.Node) -> Iterator[tuple[nodes.Node, str]]:
    offence = _offence_of(node)
    if offence:
        yield node, offence
    for child in node.iter_child_nodes():
        yield from _offences_in(child)


def _offence_of(node: nodes.Node) -> str | None:
    """Why this one node is not allowed, or None when it is."""
    kind = type(node).__name__
    if isinstance(node, _PLAIN):
        return None
    if isinstance(node, nodes.Extends):
        return None if isinstance(node.template, nodes.Const) else "extends something computed"
    if isinstance(node, nodes.Const):
        return None if isinstance(node.value, str) else "a computed constant"
    if isinstance(node, nodes.Block):
        return "a required or scoped block" if node.required else None
    if isinstance(node, nodes.For):
        plain = isinstance(node.target, nodes.Name) and _is_fact(node.iter)
        simple = plain and not (node.test or node.else_ or node.recursive)
        return None if simple else "a for that is not `for x in list`"
    if isinstance(node, nodes.If):
        plain = isinstance(node.test, nodes.Name)
        return None if plain and not node.elif_ else "an if on more than a plain name"
    if isinstance(node, nodes.Getattr):
        return None if _is_fact(node.node) else "an attribute of something computed"
    if isinstance(node, nodes.Filter):
        known = node.name in FILTERS and node.node is not None and _is_fact(node.node)
        return None if known and not (node.args or node.kwargs) else f"the filter {node.name!r}"
    return f"{kind}"


def _is_fact(node: nodes.Node) -> bool:
    """`fact` or `fact.part`."""
    return isinstance(node, nodes.Name) or (isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name))


class _LogicFreeLoader(BaseLoader):
    """Reads a template once, and refuses it there and then if it holds logic."""

    def __init__(self, loader: BaseLoader) -> None:
        self._loader = loader

    def get_source(self, environment: Any, template: str) -> tuple[str, str | None, Any]:
        source, filename, up_to_date = self._loader.get_source(environment, template)
        if found := offences(source):
            raise TemplateHasLogic(template, found)
        return source, filename, up_to_date


class _SharedLoader(FileSystemLoader):
    """Find beneath `shared/` the words that a kind has in several pipelines.

    The template's name stays that of the pipeline, since every PDF embeds it: a paper made again is the same bytes.
    """

    def get_source(self, environment: Any, template: str) -> tuple[str, str, Any]:
        _, _, kind = template.partition("/")
        return super().get_source(environment, f"{SHARED}/{kind}")


class _FactEnvironment(SandboxedEnvironment):
    """A dot reads a key of a fact and nothing else: no method, no attribute, whatever the object has."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return self.undefined(obj=obj, name=attribute)


def _printable(value: object) -> object:
    """Only text and whole numbers are printed; None, booleans, lists and floats are unfinished facts."""
    if isinstance(value, (str, StrictUndefined)) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise TypeError(f"a {type(value).__name__} was to be printed, which is not a finished fact")


@lru_cache(maxsize=16)
def environment(root: Path = TEMPLATES, *, html: bool = True) -> SandboxedEnvironment:
    """Make the environment of a folder of templates; the house's own and the shared ones stand behind it."""
    folders = [root] if root == TEMPLATES else [root, TEMPLATES]
    loaders = [*(FileSystemLoader(folder) for folder in folders), _SharedLoader(TEMPLATES)]
    loader = _LogicFreeLoader(ChoiceLoader(loaders))
    made = _FactEnvironment(
        loader=loader,
        undefined=StrictUndefined,
        autoescape=html,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.clear()
    made.filters = dict(FILTERS)
    made.tests = {}
    return made


def fill(name: str, facts: Mapping[str, JSON], *, root: Path = TEMPLATES, html: bool = True) -> str:
    """The template's text with these facts.

    Raises MissingFact for a fact that is absent, null where it is printed, or of the wrong shape; TemplateHasLogic
    and DocumentError for a template that is not fit to be used.
    """
    try:
        return environment(root, html=html).get_template(name).render(dict(facts))
    except UndefinedError as problem:
        raise MissingFact(name, str(problem.message)) from problem
    except (TypeError, ValueError) as problem:
        raise MissingFact(name, str(problem)) from problem
    except TemplateNotFound as problem:
        raise DocumentError(f"there is no template {problem.name} beneath {root}") from problem
    except TemplateSyntaxError as problem:
        raise DocumentError(f"{name}, line {problem.lineno}: {problem.message}") from problem
