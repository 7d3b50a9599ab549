"""What came before deep learning in vision: features that people made, and the linear machine behind them.

HOG, a dense SIFT and SURF's box filters describe a picture, Fisher vectors gather a picture's descriptors
into one vector, and a linear support vector machine tells the vectors apart.

>>> import torch
>>> from dlbook.classical.hog import hog
>>> hog(torch.rand(2, 1, 32, 32)).shape
torch.Size([2, 324])
"""
