"""Every operation of the engine has a seeded fault, and a check of `test_engine` that finds it."""

from dlbook.browser.bundle import engine_sources, engine_text
from dlbook.browser.export import packed
from tests.browser.engine_runs import in_node
from tests.browser.networks import built, case
from tests.browser.test_engine import check_learning, check_losses, check_operations
from tests.browser.torch_operations import OPERATIONS

# what it breaks: (a piece of the engine's text, what stands there instead)
OPERATION_FAULTS = {
    "multiply: the second row": ("s12 += q * y", "s12 += p * y"),
    "multiply: the last columns": ("if (left > 3) C[under + 3] += s13", "if (left > 4) C[under + 3] += s13"),
    "turned": ("out[j * rows + i]", "out[i * columns + j]"),
    "the way back: order": ("other.order - one.order", "one.order - other.order"),
    "the way back: adding up": ("target[i] += values[i]", "target[i] = values[i]"),
    "relu": ("(v) => (v > 0 ? 1 : 0))", "() => 1)"),
    "leaky_relu": ("(v > 0 ? 1 : slope)", "(v > 0 ? 1 : 0)"),
    "sigmoid": ("y * (1 - y))", "y * (1 + y))"),
    "tanh": ("1 - y * y", "1 - v * v"),
    "silu": ("(1 + v * (1 - logistic(v)))", "(1 + v * logistic(v))"),
    "gelu": ("below(v) + (v * Math.exp((-v * v) / 2))", "below(v) - (v * Math.exp((-v * v) / 2))"),
    "erf": ("(2 * n + 1)", "(2 * n - 1)"),
    "add": ("a.data[i] + b.data[i % n]", "a.data[i] + b.data[0]"),
    "add, back": ("to[i % n] += g[i];", "to[i % n] = g[i];"),
    "mul, back": ("toB[i % n] += g[i] * a.data[i]", "toB[i % n] += g[i] * b.data[i % n]"),
    "linear, back": (
        "turned(w.data, 0, E, D), 0, gradient(x)",
        "turned(w.data, 0, D, E), 0, gradient(x)",
    ),
    "matmul": ("turned(b.data, i * k * n, k, n)", "turned(b.data, 0, k, n)"),
    "matmul, back": ("toB, i * k * n, k, n, m)", "toB, 0, k, n, m)"),
    "reshape": (
        "tensor(x.data, shape, [x], (g) => addUp(gradient(x), g))",
        "tensor(x.data, shape, [], null)",
    ),
    "flatten": ("slice(0, first), count(x.shape.slice(first, last + 1))", "slice(0, first), count(x.shape.slice(first, last))"),
    "unflatten": ("x.shape[axis] / known", "x.shape[axis]"),
    "picked, back": ("to[places[i]] += g[i]", "to[i] += g[i]"),
    "permute": ("order.map((axis) => x.shape[axis]), places", "order.map((axis) => x.shape[axis]), places.reverse()"),
    "slice": ("start + i * step)", "start + i)"),
    "select": ("start: index, stop: index + 1", "start: index + 1, stop: index + 2"),
    "pad": ("Array(before).fill(-1), ...range", "Array(before).fill(0), ...range"),
    "expand": ("along(x, 0, Array(times).fill(0))", "along(x, 0, Array(times).fill(-1))"),
    "concat": ("before += sides[i];", ""),
    "mean": ("sum / over", "sum / (over + 1)"),
    "mean, back": ("Math.floor(i / (over * inner)) * inner", "0"),
    "softmax": ("Math.exp(row[j] / temperature - all)", "Math.exp(row[j] - all)"),
    "softmax, back": ("(out[j] * (g[j] - all)) / temperature", "out[j] * (g[j] - all)"),
    "log_softmax, back": ("(g[j] - Math.exp(out[j]) * all) / temperature", "g[j] / temperature"),
    "l2_normalise, back": ("dot(g, out) : 0", "0 : 0"),
    "attention": ("Math.sqrt(q.shape[last])", "q.shape[last]"),
    "cross_entropy": ("i * K + label", "i * K + i"),
    "conv2d: padding": ("r * stride[0] + i - padding[0]", "r * stride[0] + i"),
    "conv2d: stride": ("s * stride[1] + j", "s * stride[0] + j"),
    "conv2d: groups": ("(b * all + g * C) * H * W", "b * all * H * W"),
    "conv2d: bias": ("gradient(bias)[Math.floor(i / places) % O]", "gradient(bias)[i % O]"),
    "conv2d: images": ("windows(gradient(x), image, back, byPlace, true)", "windows(gradient(x), image, back, byTap, true)"),
    "max_pool2d": ("x.data[place] > x.data[best]", "x.data[place] < x.data[best]"),
    "max_pool2d, back": ("to[chosen[at]] += g[at]", "to[at] += g[at]"),
    "avg_pool2d": ("i * stride - padding + kernel), kernel]", "i * stride - padding + kernel), 1]"),
    "avg_pool2d, back": ("+= g[at] / (high * wide)", "+= g[at]"),
    "adaptive": ("Math.ceil(((i + 1) * side) / parts)", "Math.floor(((i + 1) * side) / parts)"),
    "batch_norm": ("out.data[i] * gamma.data[c] + beta.data[c]", "out.data[i] * gamma.data[c]"),
    "batch_norm, back": ("g[at] - all - y[at] * along", "g[at] - all"),
    "batch_norm_evaluation": ("training ? null : state", "null"),
    "layer_norm": ("[1, rows, D]), rows, eps", "[1, D, rows]), D, eps"),
}  # fmt: skip
LOSS_FAULTS = {
    "detach": ("tensor(x.data, x.shape);", "tensor(x.data, x.shape, [x], (g) => addUp(gradient(x), g));"),
}
LEARNING_FAULTS = {
    "running variance": ("(variances[c] * n) / (n - 1)", "variances[c]"),
    "running mean": ("momentum * (means[c] - state.mean[c])", "(1 - momentum) * (means[c] - state.mean[c])"),
    "SGD: the first step": ("steps > 1 ? momentum * velocity[i] + slope : slope", "momentum * velocity[i] + (1 - momentum) * slope"),
    "SGD: decay": ("const slope = g[i] + decay * p[i];\n      velocity", "const slope = g[i] - decay * p[i];\n      velocity"),
    "Adam: first average": ("(rate / one) * first[i]", "rate * first[i]"),
    "Adam: second average": ("Math.sqrt(second[i]) / two + eps", "Math.sqrt(second[i]) + eps"),
    "Adam: decay": ("apart ? g[i] : g[i] + decay * p[i]", "g[i]"),
    "AdamW: decay": ("p[i] *= 1 - rate * decay", "p[i] *= 1 - decay"),
    "clearing": ("p.grad = null", "p.grad = p.grad"),
    "float32": ("getFloat32(at + 4 * i, true)", "getFloat32(at + 4 * i, false)"),
    "a batch norm's options": ("{ ...options, training }", "{ training, eps: 1e-2 }"),
    "the mode": ("special[name](read, options, images.shape[0], training)", "special[name](read, options, images.shape[0], true)"),
}  # fmt: skip
LEARNING = ("normalised", "resnet, option A", "convnet", "resnet, option B")  # SGD, SGD, Adam, AdamW


def broken(fault):
    """The engine with one fault."""
    old, new = fault
    source = engine_sources()
    assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in the engine"
    return engine_text(source.replace(old, new))


def found(answer, check):
    """Whether a check sees that something is wrong."""
    if "error" in answer:
        return True
    try:
        check(answer)
    except AssertionError:
        return True
    return False


def missed(faults, cases, check):
    """The faults that a check does not see; the engine without a fault passes it."""
    healthy, *answers = in_node(cases, [engine_text(), *map(broken, faults.values())])
    assert not found(healthy, check)
    return [name for name, answer in zip(faults, answers) if not found(answer, check)]


def learning(answer):
    """All networks of `LEARNING`."""
    for name, told in zip(LEARNING, answer["learning"]):
        check_learning(told, name)


def test_faults_of_operations_are_seen():
    check = lambda answer: check_operations(answer["operations"])
    assert missed(OPERATION_FAULTS, {"operations": True}, check) == []


def test_a_leaking_stop_gradient_is_seen():
    assert missed(LOSS_FAULTS, {"losses": True}, lambda answer: check_losses(answer["losses"])) == []


def test_faults_of_learning_are_seen():
    cases = {"learning": [{**case(name), "steps": 10} for name in LEARNING]}
    assert missed(LEARNING_FAULTS, cases, learning) == []


def test_every_operation_has_a_fault():
    """The names of the faults begin with those of the operations, or of what several are made from."""
    named = {name.split(",")[0].split(":")[0] for name in OPERATION_FAULTS}
    assert set(OPERATIONS) - {"scale"} <= named  # scale is mul


def test_float16_and_int8_are_read_as_python_wrote_them():
    """The page's numbers are those that were compared in torch."""
    model, *_ = built("resnet, option A")
    for kind in ("int8", "float16"):
        told = in_node({"learning": [{**case("resnet, option A", kind), "steps": 0}]})["learning"][0]["after"]
        for name, values in model.named_parameters():
            assert told[name] == packed(name, values.detach(), kind)[2].flatten().tolist(), (kind, name)
