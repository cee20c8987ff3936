"""Adapters to outside bodies and to mail, each behind a protocol.

An adapter keeps no state of a case and opens no transaction: the engine calls it between two transactions and records
what it returns or raises. Personal numbers leave this package in request bodies only: never in a URL, a log line, a
`repr` or an exception.
"""
