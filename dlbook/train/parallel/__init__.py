"""Training with many processes: data parallel and sharded."""
