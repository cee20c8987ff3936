"""The measurements that the documents quote: ``python -m tests.bench`` (`make bench`)."""
