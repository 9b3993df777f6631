"""Fine-tunes, measures and publishes networks. Knows `reid`; `reid` knows nothing of it."""
