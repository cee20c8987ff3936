"""The bench of legal time measures what it says: a crowd whose ledgers, clocks and dates are the engine's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipelines_for_tests.workshop import Workshop


@pytest.mark.slow
def test_a_small_crowd_is_swept_whole_in_every_round(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many due, each round; the chains of all that is touched hold; deriving again moves only what a new day off moves."""
    Workshop(monkeypatch)
    from tests.bench import legal_time, report  # registers its pipeline, which is gone with the workshop
    from tests.bench.crowd import ROUNDS, Crowd
    from tests.bench.ground import Ground

    few, many = legal_time.measure(Ground(tmp_path, postgres), Crowd(cases=3_000, open=300, due=20))
    assert (few["open"], many["open"], many["cases"]) == (300, 3_000, 3_000)
    assert len(few["sweeps"]) == len(many["sweeps"]) == ROUNDS
    assert few["moved"] > 0 and 200 < few["clocks"] < 500
    assert few["verified"] > many["verified"] == 2 * 20 * ROUNDS
    lines = [target["what"] for target in report.targets({"time": [few, many]})]
    assert lines[0] == "find 20 due ones, 300 open of 3,000, postgresql"
    assert lines[-1] == "sweep, 3,000 / 300 open, as many due, postgresql"
    assert len(lines) == 6
