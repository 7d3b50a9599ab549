"""Supervised methods, one file a method."""
