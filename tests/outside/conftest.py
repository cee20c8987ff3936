"""The people and servers of these tests.

There is no `__init__.py` in this folder: it would shadow our package `outside`.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from outside.channels import Attachment, Message, message_id_for
from outside.oss import Filing
from outside.oss_http import HttpOss
from tests.outside.misbehaving_oss import MisbehavingOss


@pytest.fixture
def server() -> Iterator[MisbehavingOss]:
    """An OSS that does neither remember references nor refuse second NIBs: double filings show."""
    with MisbehavingOss(forgetful=True) as server:
        yield server


@pytest.fixture
def careful_server() -> Iterator[MisbehavingOss]:
    """An OSS that remembers references, and gives one NIB a person."""
    with MisbehavingOss() as server:
        yield server


@pytest.fixture(scope="session")
def authorities() -> ssl.SSLContext:
    """This machine's certificate authorities, read once: it takes 40 ms."""
    return ssl.create_default_context()


@pytest.fixture
def oss(server: MisbehavingOss, authorities: ssl.SSLContext) -> Iterator[HttpOss]:
    """Our adapter to `server`, with the patience that a busy machine needs."""
    with HttpOss(server.url, server.token, timeout=5, largest_answer=100_000, tls=authorities) as oss:
        yield oss


@pytest.fixture
def hasty_oss(server: MisbehavingOss, authorities: ssl.SSLContext) -> Iterator[HttpOss]:
    """Our adapter to `server`, out of patience after 0.2 s: for calls that are meant to fail."""
    with HttpOss(server.url, server.token, timeout=0.2, largest_answer=100_000, tls=authorities) as oss:
        yield oss


@pytest.fixture
def careful_oss(careful_server: MisbehavingOss, authorities: ssl.SSLContext) -> Iterator[HttpOss]:
    """Our adapter to `careful_server`."""
    with HttpOss(careful_server.url, careful_server.token, timeout=5, tls=authorities) as oss:
        yield oss


@pytest.fixture
def filing() -> Filing:
    """Siti Aminah's filing for her crackers."""
    return Filing(
        reference="NIB-2026-000123/oss_filing#1",
        owner_name="Siti Aminah",
        national_id="3578014107900001",
        tax_id=None,
        business_name="Kerupuk Bu Siti",
        address="Jl. Kenjeran 12, Surabaya",
        region_code="35.78",
        industry_code="10794",
        industry_code_version="KBLI 2020",
        risk_level="R",
        capital_rupiah=15_000_000,
        annual_sales_rupiah=96_000_000,
        email="siti@example.com",
        phone="+6281234567890",
        signed_statement_at=datetime(2026, 3, 2, 1, 0, tzinfo=UTC),
    )


@pytest.fixture
def letter() -> Message:
    """The letter that tells Siti Aminah of her NIB, with its PDF."""
    return Message(
        message_id=message_id_for("NIB-2026-000123/nib_issued#1", "diskopukm.example"),
        sender="Dinas Koperasi dan UKM <surat@diskopukm.example>",
        to_name="Siti Nurbaya Aminah, S.E.",
        to_address="siti@example.com",
        subject="Selamat, NIB Anda telah terbit — “Kerupuk Bu Siti” 🎉",
        text="Yth. Ibu Siti,\n\n.\nNIB Anda telah terbit… selamat!\n",
        html="<p>NIB Anda telah terbit… selamat!</p>",
        attachments=(
            Attachment(
                "NIB Kerupuk “Bu Siti”.pdf", b"%PDF-1.7\n\x00\xff\r\n.\r\nnot the end\r\n%%EOF", "application/pdf"
            ),
        ),
        written_at=datetime(2026, 3, 2, 1, 0, tzinfo=UTC),
    )
