"""Takes over the lists of businesses that districts send, as they really come. `importing` has the process."""
