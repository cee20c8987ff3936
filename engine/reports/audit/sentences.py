"""The sentences of findings, with places for their facts; the catalogue translates them."""

CASE_COLUMN = "{column} is {is_now}, and was {told} by its entries"
CASE_SUBJECT = "its subject is another one than it was opened for"
CASE_KEY = "the key of its person is gone, and nobody was erased"
CASE_GONE = "rows of {table} belong to a case that is gone (id {case_id})"

DOCUMENT_NUMBER = "{key} bears the number {number}, and was issued as {issued}"
DOCUMENT_FILE = "the file of {key} ({number}) is not the one that was issued"
DOCUMENT_UNISSUED = "{key} bears the number {number}, which no entry gave it"
DOCUMENT_STATUS = "{key} is {status}, and was {expected} by its entries"
DOCUMENT_GONE = "{key} was issued as {issued}, and is gone"

ANSWER_UNREADABLE = "the answer to {key} can't be read: it was changed"
ANSWER_UNKNOWN = "the answer to {key} stands in no entry"
ANSWER_CHANGED = "the answer to {key} is not the one that was given"
ANSWER_GONE = "the answer to {key} is gone"

ROW_UNKNOWN = "{row} stands in no entry"
ROW_CHANGED = "{row} is not what entry {seq} has"
ROW_CHANGED_SINCE = "{row} is not what was written, and what entry {seq} is to have"
ROW_BACK = "{row} was removed by entry {seq}, and is there"
ROW_GONE = "{row} is gone; entry {seq} has it"

NUMBER_ODD = "{number} is no number of a series"
NUMBER_GAP = "{number} was drawn, and nothing bears it"
NUMBER_TWICE = "{number} is borne {times} times"
NUMBER_UNDRAWN = "{number} was never drawn"

OFFICE_MISSING = "entry {seq} of the office's ledger is missing"
OFFICE_UNFOLLOWED = "entry {seq} of the office's ledger does not follow the one before it"
OFFICE_CHANGED = "entry {seq} of the office's ledger: its content is not what was hashed"
OFFICE_CUT = "the office's ledger ends after {found} entries, and not where its chain's end says"
OFFICE_ROW_UNKNOWN = "{row} stands in no entry of the office's ledger"
OFFICE_ROW_CHANGED = "{row} is not what entry {seq} of the office's ledger has"
OFFICE_ROW_BACK = "{row} was removed by entry {seq} of the office's ledger, and is there"
OFFICE_ROW_GONE = "{row} is gone; entry {seq} of the office's ledger has it"
RUN_GONE = "run/{run} is gone, and entries of cases name it"
TRIGGER = "the trigger {name} is not in force"

FILE_LINK = "{key} is linked to another file: {path}"
FILE_GONE = "the file {path} is gone"
FILE_CHANGED = "the file {path} is not what was stored"

SENTENCES = tuple(words for name, words in list(globals().items()) if name.isupper())
