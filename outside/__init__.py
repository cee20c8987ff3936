"""Who we talk to: a protocol for each outside body, and the adapters that speak it.

========================  ==================================================================
`errors`                  the ways in which a call can end badly, each with its next move
`oss`                     what we ask of OSS (NIB filings), by hand or by machine; `file_once`
`oss_http`                OSS over HTTP; `oss_answers` is the strict reading of what it says
`channels`                letters: `Message`, `Receipt`, `Channel`
`mail`, `folder`          letters by SMTP, and as `.eml` files in a folder
========================  ==================================================================

An adapter keeps no state of a case and opens no transaction: the engine calls it between two
transactions and records what it returns or raises. After an end that is unknown the engine looks
up before it files again; `errors.OutsideError.look_up_first` says when that is.

Personal numbers leave this package only in request bodies. They are never in a URL, a log line,
a `repr` or an exception.
"""
