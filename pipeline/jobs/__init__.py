"""Long work as tasks that yield events, in this process or in a spawned worker."""
