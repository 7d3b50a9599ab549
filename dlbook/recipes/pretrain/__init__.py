"""Batches of several views of each image, without labels."""
