"""Who we talk to: a protocol for each outside body, and the adapters that speak it.

========================  ==================================================================
`errors`                  the ways in which a call can end badly, each with its next move
`once`                    what every office is asked in: a request of its own reference, handed in once
`oss`                     what we ask of OSS (NIB filings), by hand or by machine; `file_once`
`sihalal`                 what we ask of SiHalal: a halal application's receipt, and its certificate
`bnsp`                    what we ask of BNSP: certificate blanks for what a pleno decided
`http_office`             an office over HTTP, distrusted; `http_answers` is the strict reading of it
`oss_http`, …             each office over HTTP: its addresses and its answers
`channels`                letters: `Message`, `Receipt`, `Channel`
`mail`, `folder`          letters by SMTP, and as `.eml` files in a folder
========================  ==================================================================

An adapter keeps no state of a case and opens no transaction: the engine calls it between two
transactions and records what it returns or raises. After an end that is unknown the engine looks
up before it files again; `errors.OutsideError.look_up_first` says when that is.

Personal numbers leave this package only in request bodies. They are never in a URL, a log line,
a `repr` or an exception.
"""
