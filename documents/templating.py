"""Templates without logic: each is checked when it is loaded, and gets finished facts.

Allowed are `{% extends %}`, `{% block %}`, `{% for x in list %}`, `{% if fact %}` on a plain name, `{{ fact }}`,
`{{ office.name }}` and the filters of `formats`. A fact that is missing, null or not text is an error.
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

from documents.enclosure import JSON
from documents.errors import DocumentError, MissingFact, TemplateHasLogic
from documents.formats import FILTERS

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
SHARED = "shared"

_PLAIN: tuple[type[nodes.Node], ...] = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name)


def offences(source: str) -> list[str]:
    """List the parts of a template's source that do more than print facts, each with its line."""
    tree = SandboxedEnvironment(autoescape=True).parse(source)
    return [f"line {node.lineno}: {offence}" for node, offence in _offences_in(tree)]


def _offences_in(node: nodes.Node) -> Iterator[tuple[nodes.Node, str]]:
    offence = _offence_of(node)
    if offence:
        yield node, offence
    for child in node.iter_child_nodes():
        yield from _offences_in(child)


def _offence_of(node: nodes.Node) -> str | None:
    """Return why this one node is forbidden, or None where it is allowed."""
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
    """Return whether a node is `fact` or `fact.part`."""
    return isinstance(node, nodes.Name) or (isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name))


class _LogicFreeLoader(BaseLoader):
    """Refuses a template that holds logic when it is loaded."""

    def __init__(self, loader: BaseLoader) -> None:
        self._loader = loader

    def get_source(self, environment: Any, template: str) -> tuple[str, str | None, Any]:
        source, filename, up_to_date = self._loader.get_source(environment, template)
        if found := offences(source):
            raise TemplateHasLogic(template, found)
        return source, filename, up_to_date


class _SharedLoader(FileSystemLoader):
    """Finds beneath `shared/` the templates that several pipelines use.

    The template's name stays that of the pipeline, since every PDF embeds it: a reissued paper has the same bytes.
    """

    def get_source(self, environment: Any, template: str) -> tuple[str, str, Any]:
        _, _, kind = template.partition("/")
        return super().get_source(environment, f"{SHARED}/{kind}")


class _FactEnvironment(SandboxedEnvironment):
    """Reads a key of a fact for a dot in a template, and never an attribute or method."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return self.undefined(obj=obj, name=attribute)


def _printable(value: object) -> object:
    """Return text and whole numbers unchanged.

    Raises:
        TypeError: the value is no finished fact (None, a boolean, a list, a float).
    """
    if isinstance(value, (str, StrictUndefined)) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise TypeError(f"a {type(value).__name__} was to be printed, which is not a finished fact")


@lru_cache(maxsize=16)
def environment(root: Path = TEMPLATES, *, html: bool = True) -> SandboxedEnvironment:
    """Make the Jinja environment of a template folder, backed by the packaged templates."""
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
    """Fill in a template with these facts.

    Raises:
        MissingFact: a fact that is printed is missing, null or of the wrong shape.
        TemplateHasLogic: the template does more than print facts.
        DocumentError: the template does not exist or has a syntax error.
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
