"""What every piece of work is handed: settings, database, keys, files, numbers."""
