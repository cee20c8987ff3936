"""URL fetcher for WeasyPrint that reads template files and `data:` URIs only."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

_MEDIA_TYPES = {
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
}


class ForbiddenAddress(FatalURLFetchingError):  # type: ignore[misc]  # WeasyPrint is untyped
    """A document asked for a file outside of templates/; rendering stops.

    A BaseException like its parent: WeasyPrint swallows ordinary exceptions and goes on without the picture.
    `render` turns it into a DocumentError, so that callers may catch Exception.
    """


class TemplateFetcher(URLFetcher):  # type: ignore[misc]  # WeasyPrint is untyped
    """Serves files beneath the given folders and `data:` URIs."""

    def __init__(self, roots: Sequence[Path]) -> None:
        super().__init__(allowed_protocols={"data"}, allow_redirects=False, fail_on_errors=True)
        self._roots = [root.resolve(strict=True) for root in roots]

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        """Return the file or data of an address.

        Raises:
            ForbiddenAddress: the address is neither a `data:` URI nor a picture, style or font beneath the folders.
        """
        scheme = url.split(":", 1)[0].lower()
        if scheme == "data":
            try:
                response: URLFetcherResponse = super().fetch(url, headers)
            except Exception as problem:
                raise ForbiddenAddress("a data: URI of the document cannot be read") from problem
            return response
        if scheme != "file":
            raise ForbiddenAddress(f"a document may not fetch {url[:120]!r}: only files beneath templates/ and data:")
        return self._file(url)

    def _file(self, url: str) -> URLFetcherResponse:
        parts = urlsplit(url)
        if parts.netloc not in {"", "localhost"}:
            raise ForbiddenAddress(f"a document may not fetch {url[:120]!r}: it names another host")
        try:
            path = Path(unquote(parts.path)).resolve(strict=True)
        except (OSError, ValueError) as problem:
            raise ForbiddenAddress(f"{url[:120]!r} does not exist") from problem
        media_type = _MEDIA_TYPES.get(path.suffix.lower())
        if media_type is None or not path.is_file() or not any(path.is_relative_to(root) for root in self._roots):
            raise ForbiddenAddress(f"a document may not read {url[:120]!r}: it is not a picture, style or font of ours")
        headers: dict[str, Any] = {"Content-Type": media_type}
        return URLFetcherResponse(url, path.read_bytes(), headers)
