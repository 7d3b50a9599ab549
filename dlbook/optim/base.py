"""What every optimizer does around its update: walk over groups and parameters, keep state, refuse bad input.

An optimizer's own file then holds its update twice, and nothing else: once for one tensor, to be read beside
the paper, and once for a list of tensors through ``torch._foreach_*``, which starts one kernel for many
tensors. The subclass says::

    check(group)                                # raises ValueError on an option out of range
    start(param, group)                         # the state of a parameter before its first step
    update(param, grad, state, group)           # one step of one tensor, in place
    update_many(params, grads, states, group)   # the same step of many tensors on one device, of one dtype

Two kinds of state are so common that their frame stands here once: `VelocityOptimizer` keeps a velocity,
`MomentsOptimizer` the two moments of Adam. Their subclasses say the step and nothing else.

``foreach=None`` takes the list form on CUDA, where starting kernels is what costs time. On the CPU it takes
the tensors one by one, so that a tensor is still in the cache when the next operation reads it. torch's own
fused kernels, one for a whole update, are faster than both (`benchmarks/optimizers.py` measures how much);
they cannot be read. Names in the state (``exp_avg`` and the like) are torch's.

>>> class Signs(TensorOptimizer):
...     def update(self, param, grad, state, group):
...         param.sub_(grad.sign(), alpha=group["lr"])
>>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
>>> optimizer = Signs([weight], {"lr": 0.5}, foreach=False)
>>> weight.square().sum().backward()
>>> optimizer.step(); weight.tolist()
[0.5, -1.5]
"""

import abc
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from dlbook.checks import require_at_least, require_in

Params = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]
Group = dict[str, Any]
State = dict[str, Any]
Tensors = list[Tensor]
Betas = tuple[float, float]


class TensorOptimizer(torch.optim.Optimizer, abc.ABC):
    """An optimizer that treats each parameter by itself.

    Args:
        params: parameters, or groups of them as dicts whose options override `defaults`.
        defaults: options with their values, `lr` among them.
        foreach: True: lists of tensors at once; False: one by one; None: lists on CUDA.

    Raises:
        ValueError: an option is out of range in any group.
    """

    def __init__(self, params: Params, defaults: dict[str, Any], foreach: bool | None = None) -> None:
        super().__init__(params, {**defaults, "foreach": foreach})

    def add_param_group(self, param_group: Group) -> None:
        """Add a group, at construction or later.

        Raises:
            ValueError: an option is out of range; nothing is added then.
        """
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        try:
            for name in {"lr", "weight_decay", "eps"} & group.keys():
                require_at_least(name, group[name], 0)
            for name in {"momentum", "alpha"} & group.keys():
                require_in(name, group[name], 0, 1, "[)")
            self.check(group)
            for param in group["params"]:
                if not param.is_floating_point():
                    raise ValueError(
                        f"expected real floating-point parameters, got {param.dtype} {list(param.shape)}; "
                        "leave it out"
                    )
        except ValueError:
            self.param_groups.pop()
            raise

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state.

        Raises:
            ValueError: the state is another kind of optimizer's, or it is for other groups.
        """
        own = self.defaults.keys() - {"differentiable"}  # torch adds this one when it loads or unpickles
        for group in state_dict["param_groups"]:
            missing = own - group.keys()
            if missing:
                raise ValueError(
                    f"expected the state of {type(self).__name__}, got one without "
                    f"{', '.join(sorted(missing))}; "
                    "build the optimizer that the state was saved from"
                )
        super().load_state_dict(state_dict)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option that only this optimizer has is out of range."""

    def start(self, param: Tensor, group: Group) -> State:
        """Return the state of `param` before its first step."""
        return {}

    @abc.abstractmethod
    def update(self, param: Tensor, grad: Tensor, state: State, group: Group) -> None:
        """Take one step with one tensor, in place; `grad` is left as it is."""

    def update_many(self, params: Tensors, grads: Tensors, states: list[State], group: Group) -> None:
        """Take the same step with many tensors; one by one unless the subclass knows better."""
        for param, grad, state in zip(params, grads, states, strict=True):
            self.update(param, grad, state, group)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step with every parameter that has a gradient; the others stay, and so does their state.

        Args:
            closure: computes the loss and its gradients anew, if given.

        Returns:
            What the closure returned, or None.

        Raises:
            ValueError: a gradient is sparse.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            params = [param for param in group["params"] if param.grad is not None]
            states = [self._state_of(param, group) for param in params]
            for batch in _batches(params, states, group["foreach"]):
                if batch is None:
                    for param, state in zip(params, states, strict=True):
                        self.update(param, param.grad, state, group)
                else:
                    self.update_many(batch[0], [param.grad for param in batch[0]], batch[1], group)
        return loss

    def _state_of(self, param: Tensor, group: Group) -> State:
        if param.grad.layout != torch.strided:
            raise ValueError(
                f"expected a dense gradient, got {param.grad.layout}; give the embedding sparse=False"
            )
        state = self.state.get(param)
        if state is None:
            state = self.state[param] = self.start(param, group)
        return state


class VelocityOptimizer(TensorOptimizer):
    """An optimizer that keeps one velocity v for each parameter, of its shape and 0 before the first step.

    Args:
        params: parameters or groups.
        lr: eta >= 0.
        momentum: mu in [0, 1).
        weight_decay: lambda >= 0.
        foreach: as in :class:`TensorOptimizer`.

    Raises:
        ValueError: an option out of range, or a sparse gradient.
    """

    def __init__(
        self,
        params: Params,
        lr: float,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        foreach: bool | None = None,
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}, foreach)

    def start(self, param: Tensor, group: Group) -> State:
        return {"velocity": torch.zeros_like(param)}


class MomentsOptimizer(TensorOptimizer):
    """An optimizer that keeps two moments m and v, 0 before the first step, and the number t of the step.

    Args:
        params: parameters or groups.
        lr: alpha >= 0.
        betas: weights of the past in the two moments, each in [0, 1).
        eps: >= 0, outside the root.
        weight_decay: lambda >= 0.
        foreach: as in :class:`TensorOptimizer`.

    Raises:
        ValueError: an option out of range, or a sparse gradient.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        foreach: bool | None = None,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, options, foreach)

    def check(self, group: Group) -> None:
        betas = group["betas"]
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise ValueError(f"expected betas to be two numbers, got {betas!r}; for instance (0.9, 0.999)")
        for number, beta in enumerate(betas, 1):
            require_in(f"beta {number}", beta, 0, 1, "[)")

    def start(self, param: Tensor, group: Group) -> State:
        return {"step": 0, "exp_avg": torch.zeros_like(param), "exp_avg_sq": torch.zeros_like(param)}

    def advance(self, states: list[State]) -> tuple[Tensors, Tensors, list[int]]:
        """Count one more step of many parameters, and return their m, their v and their t."""
        for state in states:
            state["step"] += 1
        return column(states, "exp_avg"), column(states, "exp_avg_sq"), column(states, "step")


def options(group: Group, *names: str) -> tuple[Any, ...]:
    """Return the values of the named options of a group, in the order of the names."""
    return tuple(group[name] for name in names)


def column(states: list[State], name: str) -> list[Any]:
    """Return one entry of the states of many parameters."""
    return [state[name] for state in states]


def _batches(
    params: list[Tensor], states: list[State], foreach: bool | None
) -> Iterable[tuple[list[Tensor], list[State]] | None]:
    """Sort into lists of one device and dtype each, for multi-tensor calls; [None] says "one by one"."""
    if foreach is None:
        foreach = all(param.is_cuda for param in params)
    if not foreach or not params:
        return [None]
    if len({param.dtype for param in params}) == 1 == len({param.device for param in params}):
        return [(params, states)]
    found: dict[tuple, tuple[list[Tensor], list[State]]] = {}
    for param, state in zip(params, states, strict=True):
        kept = found.setdefault((param.device, param.dtype), ([], []))
        kept[0].append(param)
        kept[1].append(state)
    return found.values()
