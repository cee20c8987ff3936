"""Whom this office talks to, as the settings say: OSS by hand or by HTTP, letters by SMTP or into a folder."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from engine.errors import Refused
from engine.settings import Settings
from outside.channels import Channel
from outside.oss import ManualOss, Oss


@dataclass
class Contacts:
    """The adapters in use."""

    oss: Oss
    mail: Channel


def contacts_of(settings: Settings) -> Contacts:
    """Return the adapters that the settings name."""
    return Contacts(oss=_oss(settings), mail=_mail(settings))


def _oss(settings: Settings) -> Oss:
    if settings.oss_url is None or settings.oss_token is None:
        return ManualOss()
    from outside.oss_http import HttpOss

    return HttpOss(settings.oss_url, settings.oss_token.get_secret_value(), timeout=settings.oss_timeout)


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
    raise Refused(f"JALUR_LETTERS_URL must be folder://… , smtp://… or smtps://…, not {url.scheme}://…")
