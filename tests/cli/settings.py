"""Settings of the small runs that the tests of the command start."""

SMALL = ("trainer.epochs=3", "data.limit=400", "data.batch_size=50", "output.tensorboard=false")
TINY = ("trainer.epochs=1", "data.limit=80", "data.batch_size=20", "output.tensorboard=false")
