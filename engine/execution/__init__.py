"""How a case goes on: replay, claims, external calls, issuing, files."""
