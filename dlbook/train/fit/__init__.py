"""What makes a network fit the machine and the task: batch size, activation checkpointing, freezing."""
