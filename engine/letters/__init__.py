"""What the office says: queue, channels, outbox, notices, digests, alerts."""
