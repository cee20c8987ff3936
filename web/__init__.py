"""What people click: the check, the API, and later the desk and the portal."""
