"""Parts that all doors share: access, sign-in, pages, problems."""
