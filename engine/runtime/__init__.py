"""Settings, database, keys, files, number series, leases: the ground on which all work stands."""
