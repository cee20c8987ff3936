"""What happens. One file, or one folder, is one real-world process, read from top to bottom."""
