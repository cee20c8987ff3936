"""What people read of the records: views, inbox, reports, verification."""
