"""Adapters to systems outside, chosen by the settings: OSS, SiHalal, BNSP, messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from engine.errors import Refused
from engine.runtime.settings import Settings
from outside.bnsp import Bnsp, ManualBnsp
from outside.channels import Channel
from outside.oss import ManualOss, Oss
from outside.sihalal import ManualSiHalal, SiHalal

# The channels, in the order tried for a person who chose none; each with the address that it needs.
ADDRESSED_BY = {"mail": "email", "whatsapp": "phone", "sms": "phone"}
CHANNELS = tuple(ADDRESSED_BY)


@dataclass
class Adapters:
    """The adapters in use. ``whatsapp`` and ``sms`` are None where no gateway is set."""

    oss: Oss
    mail: Channel
    whatsapp: Channel | None = None
    sms: Channel | None = None
    sihalal: SiHalal = field(default_factory=ManualSiHalal)
    bnsp: Bnsp = field(default_factory=ManualBnsp)


def adapters_of(settings: Settings) -> Adapters:
    """Return the adapters that the settings name; without a URL an office is dealt with by hand."""
    return Adapters(
        oss=_oss(settings),
        mail=_mail(settings),
        whatsapp=_whatsapp(settings),
        sms=_sms(settings),
        sihalal=_sihalal(settings),
        bnsp=_bnsp(settings),
    )


def _oss(settings: Settings) -> Oss:
    if settings.oss_url is None or settings.oss_token is None:
        return ManualOss()
    from outside.oss_http import HttpOss

    return HttpOss(settings.oss_url, settings.oss_token.get_secret_value(), timeout=settings.oss_timeout)


def _sihalal(settings: Settings) -> SiHalal:
    if settings.sihalal_url is None or settings.sihalal_token is None:
        return ManualSiHalal()
    from outside.sihalal_http import HttpSiHalal

    token = settings.sihalal_token.get_secret_value()
    return HttpSiHalal(settings.sihalal_url, token, timeout=settings.sihalal_timeout)


def _bnsp(settings: Settings) -> Bnsp:
    if settings.bnsp_url is None or settings.bnsp_token is None:
        return ManualBnsp()
    from outside.bnsp_http import HttpBnsp

    return HttpBnsp(settings.bnsp_url, settings.bnsp_token.get_secret_value(), timeout=settings.bnsp_timeout)


def _whatsapp(settings: Settings) -> Channel | None:
    if settings.whatsapp_url is None or settings.whatsapp_token is None:
        return None
    from outside.gateway_http import HttpWhatsApp

    return HttpWhatsApp(settings.whatsapp_url, settings.whatsapp_token.get_secret_value())


def _sms(settings: Settings) -> Channel | None:
    if settings.sms_url is None or settings.sms_token is None:
        return None
    from outside.gateway_http import HttpSms

    return HttpSms(settings.sms_url, settings.sms_token.get_secret_value())


def _mail(settings: Settings) -> Channel:
    url = urlsplit(settings.letters_url)
    if url.scheme == "folder":
        from outside.folder import FolderChannel

        return FolderChannel(settings.path(settings.letters_url.removeprefix("folder://")))
    if url.scheme in ("smtp", "smtps") and url.hostname:
        from outside.mail import SmtpChannel

        return SmtpChannel(
            url.hostname,
            url.port or (465 if url.scheme == "smtps" else 25),
            username=unquote(url.username) if url.username else None,
            password=unquote(url.password) if url.password else None,
            security="ssl" if url.scheme == "smtps" else "none" if "plain" in url.query else "starttls",
        )
    raise Refused(
        f"JALUR_LETTERS_URL must be folder://… , smtp://… or smtps://…, not {url.scheme}://…",
        for_people=f"JALUR_LETTERS_URL harus berupa folder://…, smtp://…, atau smtps://…, bukan {url.scheme}://…",
    )
