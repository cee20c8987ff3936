"""Read-only views of the records: cases, pipelines, inbox, runs, reports, verification."""
