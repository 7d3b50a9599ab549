"""Image classification, from a configuration to a run folder."""
