"""What every method's run shares: from a configuration to a run folder, and from the folder to answers."""
