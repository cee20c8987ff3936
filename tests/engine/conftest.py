"""What stories of the engine share: blank papers, made-up pipelines, an OSS that misbehaves, and everything that is stored."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.deadlines.clock import TurnedClock
from engine.runtime.office import Office
from outside.gateway_http import HttpSms, HttpWhatsApp
from outside.oss_http import HttpOss
from tests.outside.misbehaving_gateway import MisbehavingGateway
from tests.outside.misbehaving_oss import MisbehavingOss
from tests.people import hire_staff, register_business
from tests.pipelines_for_tests.workshop import Workshop
from tests.stories.nib_legalization.conftest import nib as nib
from tests.stories.story import Story

Begin = Callable[..., Story]


@pytest.fixture
def workshop(monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """Where a test makes up its pipelines."""
    return Workshop(monkeypatch)


@pytest.fixture
def begin(office: Office, clock: TurnedClock) -> Begin:
    """Begin stories of made-up pipelines, each with an owner of its own: ``begin("farm-visit")``."""
    begun: list[Story] = []

    def begin(pipeline: str = "farm-visit", **changes: Any) -> Story:
        if not begun:
            hire_staff(office)
        business = register_business(office, f"35081669049562{len(begun) + 20:02d}", **changes)
        begun.append(Story(office, clock, pipeline, business))
        return begun[-1]

    return begin


@pytest.fixture(scope="session")
def authorities() -> ssl.SSLContext:
    """This machine's certificate authorities, read once: it takes 40 ms."""
    return ssl.create_default_context()


@pytest.fixture
def oss(office: Office, authorities: ssl.SSLContext) -> Iterator[MisbehavingOss]:
    """An OSS that gives a NIB to every filing, so that double filings show; the office files there by machine."""
    with MisbehavingOss(forgetful=True) as server:
        office.adapters.oss = HttpOss(server.url, server.token, timeout=5, tls=authorities)
        yield server
        office.adapters.oss.close()


@pytest.fixture
def gateway(office: Office, authorities: ssl.SSLContext) -> Iterator[MisbehavingGateway]:
    """A gateway that forgets ids, so that double messages show; the office sends SMS and WhatsApp through it."""
    with MisbehavingGateway(forgetful=True) as server:
        sms = HttpSms(server.url, server.token, timeout=5, tls=authorities)
        whatsapp = HttpWhatsApp(server.url, server.token, timeout=5, tls=authorities)
        office.adapters.sms, office.adapters.whatsapp = sms, whatsapp
        yield server
        sms.close()
        whatsapp.close()


@pytest.fixture
def hasty(office: Office, oss: MisbehavingOss, authorities: ssl.SSLContext) -> Iterator[None]:
    """The office loses patience with OSS after 0.2 s."""
    office.adapters.oss = HttpOss(oss.url, oss.token, timeout=0.2, tls=authorities)
    yield
    office.adapters.oss.close()
