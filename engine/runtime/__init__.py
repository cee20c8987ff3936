"""Settings, database, keys, files, leases and number series, on which all work stands."""
