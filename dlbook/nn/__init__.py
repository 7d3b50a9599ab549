"""Building blocks that two or more papers use; each file names its own paper."""
