"""What no line of the product may do: shells, eval, pickle, SQL made of text, weak hashes and weak chance (ruff's S rules)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("cli", "demo", "documents", "engine", "flows", "models", "outside", "rules", "scheduling", "web", "scripts")
# Each was looked at: our own XMP is parsed again, addresses that are refused are named, a grade is called PASS,
# a trigger is made of constants, a setting is asked.
LOOKED_AT = {
    ("documents/finishing.py", "S314"): 2,
    ("engine/runtime/settings.py", "S104"): 1,
    ("flows/halal_regular/decisions.py", "S105"): 1,
    ("flows/product_curation/decisions.py", "S105"): 1,
    ("models/triggers.py", "S608"): 1,
    ("scheduling/server.py", "S310"): 1,
}
PLANTED = {
    "S102": "exec(typed)",
    "S301": "import pickle; pickle.loads(typed)",
    "S307": "eval(typed)",
    "S311": "import random; random.randint(1, 9)",
    "S324": "import hashlib; hashlib.md5(typed)",
    "S501": "import httpx; httpx.get('https://x', verify=False)",
    "S506": "import yaml; yaml.load(typed)",
    "S602": "import subprocess; subprocess.run(typed, shell=True)",
    "S605": "import os; os.system(typed)",
    "S608": "found = 'SELECT * FROM account WHERE name = ' + typed",
    "S701": "import jinja2; jinja2.Environment()",
}


def found_by_ruff(*options: str, source: str | None = None) -> list[tuple[str, str]]:
    """Return file and rule of each fault that our own configuration of ruff finds."""
    asked = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "json", *options]
    done = subprocess.run(asked, cwd=ROOT, input=source, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    faults = json.loads(done.stdout)
    return [(str(Path(one["filename"]).relative_to(ROOT)), str(one["code"])) for one in faults]


def test_each_kind_is_refused_where_it_is_written() -> None:
    """The configuration of `make check` bites: a line of each kind in a module of ours is found."""
    for code, line in PLANTED.items():
        found = found_by_ruff("--stdin-filename", "engine/planted.py", "-", source=f"def f(typed):\n    {line}\n")
        assert ("engine/planted.py", code) in found, code


def test_nothing_is_let_through_but_what_was_looked_at() -> None:
    """With every exemption in the source set aside, the list above is all that is left."""
    found = found_by_ruff("--ignore-noqa", "--select", "S", "--ignore", "S101,S603", *PRODUCT)
    assert {one: found.count(one) for one in sorted(set(found))} == LOOKED_AT
