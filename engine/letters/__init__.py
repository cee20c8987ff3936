"""Letters, digests and alerts: their queue, channels and outbox."""
