"""Networks that run and train in the page: a small engine in JavaScript, and what writes networks for it.

============================  ===================================================================
random.js                     random numbers from a seed; `random_numbers` repeats them in Python
tensor.js                     tensors, the way back of gradients, the product of two matrices
operations.js, maps.js        the operations, each with its gradient
optimisers.js                 SGD with momentum, Adam, AdamW
network.js                    a network as `export` writes it
training.js, worker.js        a run that goes on step by step, beside the page
============================  ===================================================================

`bundle` joins these files into the text that a figure carries. `torch_run` trains in torch from the same
seed, batches and faults, so that a figure can show what torch would have said.
"""
