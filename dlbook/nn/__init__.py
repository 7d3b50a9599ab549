"""Building blocks that two or more papers use; each file names its own paper.

How a `forward` saves memory, said here once; the code refers to it by a word.

**rebind.** A tensor is freed when its last name is gone. In ``out = bn3(conv3(out))`` the name `out` holds
the narrow map until BN has made the wide one, so that three maps exist at a time. On two lines, ``out =
conv3(out)`` and ``out = bn3(out)``, the narrow map is free before BN begins, and only two do.

**no list.** A network that collects the outputs of its stages in a list keeps all of them. So a network runs
``x = stage(x)``, and `dlbook.measure.feature_maps` collects them where somebody asks.

**shortcut last.** In evaluation a block runs its branch first and its projection last, because the
projection's output would lie in memory while the branch runs. In training it is the other way round: the
backward pass goes from the last line to the first, so a projection that ran first gets its gradient last,
when the branch's maps are free.
"""
