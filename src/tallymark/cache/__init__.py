"""The cache: what may be forgotten at any moment, in memory and in a Valkey that processes share."""
