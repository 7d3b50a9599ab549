"""Semi-supervised methods, one file a method."""
