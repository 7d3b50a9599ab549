"""Batches of a few labelled and many unlabelled images."""
