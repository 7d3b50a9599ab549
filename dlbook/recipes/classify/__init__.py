"""Batches of labelled images, and how they are augmented."""
