"""What `make gpu` does, the most valuable first, and the seconds that each part is expected to take.

The seconds of a first run are guesses for one GPU of the H100's kind; the recorded runs say what they were.
"""

from dataclasses import dataclass, field

from run_tests import marked

SCALE = {"DLBOOK_SCALE": "gpu"}
ZOO = ("resnet50_v1_5", "vit_b_16", "convnext_t", "efficientnet_b0", "regnet_y_3_2gf")


@dataclass(frozen=True)
class Job:
    """One command.

    Args:
        name: of its result.
        seconds: that it is expected to take.
        command: words after the interpreter; OUT in them becomes the folder of results, CIFAR the images.
        environment: variables that it needs.
        file: what the command itself writes into that folder, whose content joins the result.
        lines: so many last lines of its output are kept.
    """

    name: str
    seconds: float
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    file: str = ""
    lines: int = 12


def notebook(name: str, seconds: float) -> Job:
    """One chapter under nbval with the budgets of a GPU; its ledger is kept."""
    command = ("scripts/gpu_notebook.py", name, f"OUT/ledger-{name}.json")
    return Job(f"notebook-{name}", seconds, command, SCALE, f"ledger-{name}.json", 30)


def zoo(name: str, seconds: float, *words: str, rows: tuple[str, ...] = ZOO) -> Job:
    """The speed of some rows against torchvision and timm, in bfloat16."""
    suffix = "-".join(word.strip("-") for word in words)
    command = ("benchmarks/zoo.py", "--device", "cuda", "--bf16", "--channels-last", *words)
    budget = ("--repeats", "5", "--seconds", "1.5", "--rows", *rows, "--out", "OUT")
    made = "-".join(filter(None, ("zoo-cuda-bf16", suffix, "channels_last"))) + ".json"
    return Job(name, seconds, (*command, *budget), {}, made, 30)


CIFAR = ("benchmarks/cifar94.py", "--json", "OUT/cifar94-table.json")  # --root comes from CIFAR=
# Only their own files: others need packages that such a machine lacks.
CUDA_TESTS = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "cuda", *marked("cuda"))
JOBS = (
    Job("cuda-tests", 90, CUDA_TESTS, lines=60),
    notebook("resnet", 75),
    notebook("fixmatch", 75),
    Job("cifar94", 100, (*CIFAR, "--root", "CIFAR"), {}, "cifar94-table.json"),
    zoo("zoo-bf16", 45),
    zoo("zoo-bf16-compile", 60, "--compile", rows=ZOO[:2]),
    notebook("schedules", 60),
    notebook("optimizers", 45),
    notebook("penalties", 50),
    notebook("activations", 45),
    notebook("adamw", 60),
    notebook("normalisation", 60),
    notebook("dropout", 60),
    notebook("initialisation", 60),
    notebook("augmentation", 60),
    notebook("mixing", 60),
    notebook("alexnet", 60),
    notebook("wide-and-grouped", 60),
    notebook("preact", 45),
    notebook("densenet", 60),
    notebook("channel-attention", 60),
    notebook("mobilenet", 60),
    notebook("efficientnet", 45),
    notebook("regnet", 60),
    notebook("convnext", 60),
    notebook("lineage", 45),
    notebook("deep-learning", 60),
    notebook("imagenet", 60),
    notebook("lenet", 50),
    notebook("backpropagation", 45),
    notebook("pooling", 45),
    notebook("vgg", 45),
    notebook("googlenet", 45),
    notebook("convolution", 30),
    notebook("zoo", 20),
    notebook("data", 15),
    notebook("perceptron", 15),
    notebook("autodiff", 15),
    notebook("draw", 15),
)

# The same jobs in a few minutes of the CPU, so that the day with a GPU holds no surprise.
TINY_ZOO = ("benchmarks/zoo.py", "--rows", "efficientnet_b0", "--side", "32", "--repeats", "1")
TINY_ZOO += ("--seconds", "0.1", "--out", "OUT", "--bf16", "--channels-last", "--limit", "100")
REHEARSAL: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    job.name: (job.command, {}) for job in JOBS
} | {
    "cifar94": ((*CIFAR, "--rehearse"), {}),
    "zoo-bf16": (TINY_ZOO, {}),
    "zoo-bf16-compile": (TINY_ZOO, {}),  # without: compiling C++ takes a minute a model
}
