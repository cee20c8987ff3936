"""The replay test: every commit of every ending is cut, and a fresh engine finishes the case. See cutting.py."""
