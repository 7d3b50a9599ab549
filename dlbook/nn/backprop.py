"""Backpropagation by hand: layers that know their own way back (Rumelhart, Hinton and Williams, "Learning
representations by back-propagating errors", Nature 323, 1986).

Each layer has two halves. `forward` computes and keeps what the way back will need. `backward` gets the
gradient of the loss by the layer's output and returns the gradient by its input. A network runs the first
halves from the first layer to the last, and the second halves from the last to the first::

    z = x W^T + b         dL/dW = delta^T x,  dL/db = sum over the batch of delta,  dL/dx = delta W
    a = f(z)              dL/dz = dL/da * f'(z)                         delta is dL/dz, of shape [B, units]

There is no autograd here: it would find the same numbers from the forward halves alone.

Departures from the paper

1. The paper adds up the errors of all cases; our losses are means over the batch.
2. Its units are all logistic and its error is squared. Here a layer may have another function, and the
   softmax with cross-entropy stands beside the squared error.
3. Its second form of update has momentum; `step` is plain gradient descent.

>>> w = torch.tensor([[2.0, -1.0]])
>>> network = LayeredNetwork([Linear(w, torch.zeros(1)), Sigmoid()], SquaredError())
>>> loss = network.gradients(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0]]))
>>> loss.item(), network.layers[0].weight_grad.tolist()
(0.125, [[-0.125, -0.25]])
"""

import torch
from torch import Tensor

from dlbook.checks import require
from dlbook.nn.cross_entropy import cross_entropy, cross_entropy_gradient


class Linear:
    """Weighted sums and biases: x [B, in] -> z [B, out].

    Args:
        weight: [out, in]; `step` changes it in place.
        bias: [out]; likewise.

    Raises:
        ValueError: the shapes do not fit.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        fits = weight.ndim == 2 and bias.shape == weight.shape[:1]
        got = f"{list(weight.shape)} and {list(bias.shape)}"
        require(fits, "weight [out, in] and bias [out]", got, "one row of weights and one bias a unit")
        self.weight, self.bias = weight, bias

    def forward(self, x: Tensor) -> Tensor:
        """Compute z = x W^T + b and keep x."""
        self.x = x
        return x @ self.weight.T + self.bias

    def backward(self, delta: Tensor) -> Tensor:
        """Keep the gradients of weight and bias; return dL/dx from delta = dL/dz."""
        self.weight_grad = delta.T @ self.x
        self.bias_grad = delta.sum(dim=0)
        return delta @ self.weight

    def step(self, learning_rate: float) -> None:
        """Move weight and bias against their gradients."""
        self.weight -= learning_rate * self.weight_grad
        self.bias -= learning_rate * self.bias_grad


class Sigmoid:
    """The logistic function 1 / (1 + e^-z) of each number."""

    def forward(self, z: Tensor) -> Tensor:
        """Compute a = sigmoid(z) and keep it."""
        self.a = torch.sigmoid(z)
        return self.a

    def backward(self, gradient: Tensor) -> Tensor:
        """Multiply dL/da by the slope a (1 - a), which the output alone tells."""
        return gradient * self.a * (1 - self.a)


class Tanh:
    """The hyperbolic tangent of each number."""

    def forward(self, z: Tensor) -> Tensor:
        """Compute a = tanh(z) and keep it."""
        self.a = torch.tanh(z)
        return self.a

    def backward(self, gradient: Tensor) -> Tensor:
        """Multiply dL/da by the slope 1 - a^2."""
        return gradient * (1 - self.a**2)


class ReLU:
    """The larger of z and 0, for each number."""

    def forward(self, z: Tensor) -> Tensor:
        """Compute max(0, z) and keep where z is positive."""
        self.on = z > 0
        return z.clamp(min=0)

    def backward(self, gradient: Tensor) -> Tensor:
        """Let dL/da through where the unit is on."""
        return gradient * self.on


class SquaredError:
    """Half the squared distance to the target, averaged over the batch."""

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of outputs and targets [B, units], and keep their difference."""
        fits = output.shape == target.shape
        require(fits, f"targets {list(output.shape)}", f"{list(target.shape)}", "one number for each output")
        self.difference = output - target
        return self.difference.square().sum(dim=1).mean() / 2

    def backward(self) -> Tensor:
        """Return dL/d output."""
        return self.difference / len(self.difference)


class SoftmaxCrossEntropy:
    """Softmax and cross-entropy as one step, so that nothing overflows and the gradient is p - y."""

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss of logits [B, K] and labels [B], and keep both."""
        self.logits, self.labels = logits, labels
        return cross_entropy(logits, labels)

    def backward(self) -> Tensor:
        """Return dL/d logits."""
        return cross_entropy_gradient(self.logits, self.labels)


class LayeredNetwork:
    """Layers in a row, and a loss at the end.

    Args:
        layers: from the input on.
        loss: `SquaredError`, `SoftmaxCrossEntropy` or another with both halves.
    """

    def __init__(self, layers: list, loss: SquaredError | SoftmaxCrossEntropy) -> None:
        self.layers, self.loss = layers, loss

    def forward(self, x: Tensor) -> Tensor:
        """Run the forward halves, first layer first: inputs [B, in] -> outputs [B, out]."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def gradients(self, x: Tensor, target: Tensor) -> Tensor:
        """Go forward and all the way back; the layers keep their gradients. Return the loss.

        Args:
            x: inputs, [B, in].
            target: what the loss compares the outputs with: labels [B], or numbers [B, out].
        """
        loss = self.loss.forward(self.forward(x), target)
        gradient = self.loss.backward()
        for layer in reversed(self.layers):
            gradient = layer.backward(gradient)
        self.input_gradient = gradient
        return loss

    def step(self, learning_rate: float) -> None:
        """Move every weight against its gradient, when all gradients are there."""
        for layer in self.layers:
            if isinstance(layer, Linear):
                layer.step(learning_rate)
