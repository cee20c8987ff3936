"""What every door shares: who asks, sign-in, pages, problems."""
