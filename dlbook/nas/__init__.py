"""Architecture search: search spaces and searches, one file each."""
