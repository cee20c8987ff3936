"""SiHalal over HTTP: the adapter, and the strict reading of SiHalal's own bodies."""

from __future__ import annotations

import re
from datetime import date
from functools import partial

from outside.errors import CannotTell, TryLater, WrongPerson
from outside.http_adapter import HttpAdapter, Reading
from outside.http_answers import Answer, Body, HeldPaper, checked_holder, checked_pdf, reasons_of
from outside.sihalal import SH_PATTERN, CertificateResult, HalalApplication, Owner, ReceiptResult
from outside.submission import Fault, checked_result


class Receipt(HeldPaper):
    """BPJPH's receipt of documents (STTD)."""

    receipt_number: str
    issued_on: date


class Certificate(HeldPaper):
    """The certificate (SH), with the numbers of its fatwa (KH) and receipt (STTD)."""

    certificate_number: str
    kh_number: str
    receipt_number: str
    issued_on: date


class Receipts(Body):
    """The receipts of a business's open applications."""

    receipts: list[Receipt]


class Certificates(Body):
    """The certificates for a receipt: none yet, or one."""

    certificates: list[Certificate]


class HttpSiHalal(HttpAdapter):
    """SiHalal through an HTTP gateway.

    ==================================  ===============================================================
    call                                body
    ==================================  ===============================================================
    `POST /applications`                `Answer` with a `Receipt`
    `GET /applications/{reference}`     `Answer` with a `Receipt`
    `POST /receipts/searches`           `Receipts`, asked with NIK and NIB: open applications only
    `POST /certificates/searches`       `Certificates`, asked with NIK and the number of the receipt
    ==================================  ===============================================================
    """

    name = "sihalal"
    label = "SiHalal"

    def hand_in(self, application: HalalApplication) -> ReceiptResult:
        """Hand in an application under its own reference.

        Raises:
            TryLater, EndUnknown, CannotTell, WrongPerson, RefusedOutside: see `outside.errors`.
        """
        owner = application.owner
        result = self._hand_in("/applications", application, self._reading(owner))
        return checked_result(owner.name, result, application.reference)

    def look_up(self, reference: str, owner: Owner) -> ReceiptResult | None:
        """Return the result of an application; None where SiHalal says that it never took one.

        Raises:
            TryLater, CannotTell, WrongPerson: see `outside.errors`.
        """
        return self._look_up("/applications", reference, self._reading(owner))

    def receipt(self, owner: Owner) -> ReceiptResult:
        """Search for the receipt by NIK and NIB.

        Raises:
            TryLater: there is none yet.
            CannotTell, WrongPerson: see `outside.errors`.
        """
        asked = {"national_id": owner.national_id, "nib": owner.nib}
        found = self._search_one(
            "/receipts/searches", asked, Receipts, lambda body: body.receipts, about=f"NIB {owner.nib}", what="STTD"
        )
        if found is None:
            raise TryLater(
                f"{self.source} has no receipt for NIB {owner.nib} yet",
                for_people="SiHalal belum menerbitkan STTD. Periksa di laman SiHalal, lalu catat bila sudah ada.",
            )
        return self._received(found, owner)

    def certificate(self, receipt_number: str, owner: Owner) -> CertificateResult:
        """Search for the certificate by the receipt.

        Raises:
            TryLater: there is none yet.
            CannotTell, WrongPerson: see `outside.errors`.
        """
        asked = {"national_id": owner.national_id, "receipt_number": receipt_number}
        found = self._search_one(
            "/certificates/searches",
            asked,
            Certificates,
            lambda body: body.certificates,
            about=f"STTD {receipt_number}",
            what="SH",
        )
        if found is None:
            raise TryLater(
                f"{self.source} has no certificate for STTD {receipt_number} yet",
                for_people="BPJPH belum menerbitkan sertifikat. Periksa di laman SiHalal, lalu catat bila sudah terbit.",
            )
        if found.receipt_number != receipt_number:
            raise WrongPerson(f"{self.source} answered STTD {receipt_number} with another application's certificate")
        return self._certified(found, owner)

    def _reading(self, owner: Owner) -> Reading[Receipt, ReceiptResult]:
        return Reading(Answer[Receipt], partial(self._received, owner=owner), self._returned)

    def _received(self, receipt: Receipt, owner: Owner) -> ReceiptResult:
        holder = checked_holder(receipt, owner.national_id, source=self.source, what="STTD")
        number = receipt.receipt_number.strip()
        if not 2 <= len(number) <= 64:
            raise CannotTell(
                f"{self.source} answered with an STTD of {len(number)} characters",
                for_people="Nomor STTD dari SiHalal tidak dapat dibaca. Petugas perlu memeriksanya di laman SiHalal.",
            )
        pdf = checked_pdf(receipt, source=self.source, what="STTD", where=self.label)
        return ReceiptResult(
            outcome="received",
            source=self.source,
            number=number,
            issued_on=receipt.issued_on,
            holder_name=holder,
            pdf=pdf,
        )

    def _returned(self, faults: list[Fault]) -> ReceiptResult | None:
        reasons = reasons_of(faults)
        if reasons is None:
            return None
        return ReceiptResult(outcome="returned", source=self.source, reason=reasons[0], faults=reasons[1])

    def _certified(self, found: Certificate, owner: Owner) -> CertificateResult:
        holder = checked_holder(found, owner.national_id, source=self.source, what="certificate")
        if not re.fullmatch(SH_PATTERN, found.certificate_number):
            raise CannotTell(
                f"{self.source} answered with a certificate number that is not ID and 17 digits",
                for_people="Nomor dari SiHalal bukan nomor SH (ID dan 17 angka), mungkin nomor KH. Petugas perlu "
                "memeriksanya di laman SiHalal.",
            )
        kh_number = found.kh_number.strip()
        if not 2 <= len(kh_number) <= 64 or re.fullmatch(SH_PATTERN, kh_number):
            raise CannotTell(
                f"{self.source} answered with a number where that of the fatwa belongs that can't be one",
                for_people="Nomor KH dari SiHalal tidak dapat dibaca. Petugas perlu memeriksanya di laman SiHalal.",
            )
        return CertificateResult(
            source=self.source,
            number=found.certificate_number,
            kh_number=kh_number,
            issued_on=found.issued_on,
            holder_name=holder,
            pdf=checked_pdf(found, source=self.source, what="sertifikat", where=self.label),
        )
