"""The web app: one package for each door (api, check, desk), and what they share (common)."""
