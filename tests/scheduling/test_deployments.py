"""A case carried to its end by a real server and a real worker, from what prefect.yaml says and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from engine.people.accounts import add_user
from engine.people.intake import importing
from engine.reports.audit.whole_audit import audit_records
from models import CaseFile, Digest, Run
from scheduling.server import environment, started
from tests.scheduling.conftest import ROOT, PrefectApi, eventually, program, running
from tests.scheduling.small_office import NATIONAL_ID, OWNER, PHONE, TO_THE_END, SmallOffice

pytestmark = [pytest.mark.prefect, pytest.mark.slow]


def test_a_case_is_carried_through_a_real_deployment(small: SmallOffice, tmp_path: Path) -> None:
    """`prefect deploy --all`, a process worker, and a run after each answer: the case ends, and Prefect shows how."""
    office = small.office
    [case] = small.open()
    add_user(office, "adi", ["administrator"])
    with started(office.settings) as url:
        api = PrefectApi(office, url)
        env = {**small.environment, **environment(office.settings, url), "PREFECT_WORKER_QUERY_SECONDS": "1"}
        api.post("/work_pools/", name="jalur", type="process")
        deploy(env)
        for name in ("nib-legalization/advance", "delivery/send"):  # theirs would do what ours are to do
            api.pause(name)
        worker = [program("prefect"), "worker", "start", "--pool", "jalur", "--type", "process"]
        with running(worker, env, tmp_path / "worker.log", cwd=tmp_path):
            schedule = {"cron": "* * * * *", "timezone": "Asia/Jakarta"}
            escalation = api.get("/deployments/name/escalation/settle")
            api.send(f"/deployments/{escalation['id']}/schedules", [{"schedule": schedule, "active": True}])

            first = api.trigger("nib-legalization/advance")
            run = api.ended(first)
            assert (run["state"]["type"], run["state"]["name"]) == ("COMPLETED", "Waiting")
            assert run["name"] == "nib-legalization: ready cases"
            assert {"nib-legalization", case} <= set(run["tags"])
            eventually(lambda: len(api.task_runs(first)) == 2, 10, "both steps are task runs")
            tasks = api.task_runs(first)
            assert set(tasks) == {f"{case} confirm_receipt#1", f"{case} examine#1"}
            assert {task["state"]["type"] for task in tasks.values()} == {"COMPLETED"}
            assert not any(task["tags"] for task in tasks.values())  # each would cost a slot asked for over HTTP
            [artifact] = api.post("/artifacts/filter", artifacts={"flow_run_id": {"any_": [first]}})
            assert json.loads(artifact["data"]) == [{"case": case, "from": "opened#1", "to": "dossier_check#1"}]

            for key, by, data in TO_THE_END:
                small.answer(case, key, by, data)
                last = api.trigger("nib-legalization/advance", cases=[case])
                assert api.ended(last)["state"]["type"] == "COMPLETED"
            assert api.ended(last)["state"]["name"] == "Completed"

            # A file of businesses becomes cases: more than twenty advance as one task run a chunk.
            taken = api.trigger("intake/take-over", import_id=upload(small, 1, 41), pipeline="nib-legalization")
            sent = api.trigger("delivery/send")
            assert "cases opened" in api.ended(taken)["state"]["message"]
            assert api.ended(sent)["state"]["message"].startswith("4 sent, 0 bounced")
            registered = api.trigger("intake/take-over", import_id=upload(small, 41, 43))
            assert api.ended(registered)["state"]["message"] == "2 accepted, 0 unchanged, 0 refused"
            renewed = api.ended(api.trigger("renewal/renew"))["state"]
            assert renewed["message"] == "0 due, 0 opened, 0 reminded, 0 skipped, 0 failed"

            # A process that dies reaches the administrators by the next delivery, though it left no word of its own.
            died = api.trigger("renewal/renew")
            os.kill(eventually(lambda: process_of(died), 30, "the worker starts a process"), signal.SIGKILL)
            assert api.ended(died)["state"]["type"] == "CRASHED"
            assert api.ended(api.trigger("delivery/send"))["state"]["type"] == "COMPLETED"
            [swept] = api.post("/flow_runs/filter", flow_runs={"parent_flow_run_id": {"any_": [taken]}})
            assert [name.split()[0::2] for name in api.task_runs(swept["id"])] == [["advance", "cases"]]

            scheduled = eventually(
                lambda: scheduled_run(api, escalation["id"]), 120, "a cron run appears and completes"
            )
            assert "escalation" in scheduled["tags"]
    with office.db.reading() as session:
        assert session.exec(select(CaseFile.outcome).where(CaseFile.number == case)).one() == "legalized"
        assert audit_records(office, session, [case]).findings == []
        runs = {run.flow_run_id: run for run in session.exec(select(Run).where(Run.kind == "flow"))}
        told = select(Digest.text).where(col(Digest.occasion).startswith("alert"))
        assert ["renewal: Crashed" in text for text in session.exec(told)] == [True]
    assert (runs[died].state, runs[died].by) == ("failed", "prefect (unattributed)")
    assert runs[first].by == "prefect (unattributed)"
    assert runs[scheduled["id"]].by == "prefect (schedule)"
    assert_nothing_personal(tmp_path)


def upload(small: SmallOffice, first: int, end: int) -> int:
    """Hand in some rows of the example file; return the upload's number."""
    lines = (ROOT / "examples/businesses.csv").read_bytes().splitlines(keepends=True)
    with small.office.run("cli", by="budi") as run:
        return importing.upload(small.office, run, name="usaha.csv", content=b"".join(lines[:1] + lines[first:end]))


def deploy(env: dict[str, str]) -> None:
    """Register what prefect.yaml describes."""
    command = [program("prefect"), "--no-prompt", "deploy", "--all"]
    done = subprocess.run(command, env=env | {"PATH": "/usr/bin:/bin"}, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def process_of(flow_run: str) -> int | None:
    """The process that the worker started for a run, once it is there."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"PREFECT__FLOW_RUN_ID={flow_run}".encode() in (process / "environ").read_bytes():
                return int(process.name)
    return None


def scheduled_run(api: PrefectApi, deployment: str) -> dict[str, Any] | None:
    """The first run that a schedule made and that has completed."""
    wanted = {"deployment_id": {"any_": [deployment]}, "state": {"type": {"any_": ["COMPLETED"]}}}
    found = api.post("/flow_runs/filter", flow_runs=wanted)
    return next((run for run in found if run["auto_scheduled"]), None)


def assert_nothing_personal(home: Path) -> None:
    """Neither numbers nor names nor addresses are in anything that Prefect keeps."""
    kept = [file for file in (home / "var/prefect").rglob("*") if file.is_file()] + [home / "worker.log"]
    assert any(file.name == "prefect.db" for file in kept)
    for file in kept:
        content = file.read_bytes()
        for secret in (NATIONAL_ID, PHONE, OWNER, "Jl. Santoso", "sri@contoh.example"):
            assert secret.encode() not in content, f"{secret} is in {file}"
