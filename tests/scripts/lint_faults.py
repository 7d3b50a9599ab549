"""A chapter that passes the linter, and the faults that each of its rules has to find in it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FRONT = ROOT / "chapters" / "front"
WORDS = "The shortcut carries the signal past the layers, and the layers learn what is left of it. " * 70
TEMPLATE = (ROOT / "chapters" / "_template.md").read_text("utf8")
CHAPTER = TEMPLATE.replace("It does: its loss", f"{WORDS}\n\nIt does: its loss")  # as long as a chapter is
BIB = "@inproceedings{he2016deep,\n title={Deep residual learning}\n}\n"
CELL = "```{code-cell} ipython3\n"
SENTENCE = "- A shortcut lets signal and gradient pass, {eq}`eq-template-residual`."
DERIVE = CHAPTER[CHAPTER.index("```{exercise} The right gain") : CHAPTER.index("```{exercise} Does it hold")]
SOLUTION = DERIVE[DERIVE.index("```{solution-start}") :]
RUN = CELL + "pass\n```\n"
PICTURE = CHAPTER[CHAPTER.index(CELL + "---\ntags: [hide-input]\nmystnb:") :].split("```\n")[0]
LAST = "- write the residual block from memory, and find two faults that hide in it.\n"
ROW = "| $d$ | width of a layer |\n"
BLOCK = CELL + "---\ntags: [teach]\n---\nbook.source(R.BasicBlock)\n"
CHOICES = CHAPTER[CHAPTER.index("1. Both learn") : CHAPTER.index("\n```\n\n```{answer}")]
ANSWER = "The one with shortcuts. The plain one keeps $\\ln 10$, the loss of somebody who guesses.\n"
SUMMARY = CHAPTER[CHAPTER.index("## Summary") : CHAPTER.index("## Review cards")]
CARD = CHAPTER[CHAPTER.index("```{review-card} What is left") : CHAPTER.index("```{review-card} Which term")]
FACT = "One sixth: the weights keep a third, and ReLU drops half of that."


def also(text):
    """One more sentence in the summary's list."""
    return f"{SENTENCE}\n\n{text}"


# rule, what is replaced, by what: the spoilt chapter has to set off that rule alone.
FAULTS = [
    ("front-matter", "format_name: myst", "format_name: markdown"),
    ("front-matter", "  name: python3\n", "  name: julia\n"),
    ("front-form", "    format_name: myst", "    format_name: myst\n    format_version: 0.13"),
    ("front-form", "jupytext:\n", "jupytext:\n  formats: md:myst\n"),
    (
        "description",
        CHAPTER[CHAPTER.index("    description") : CHAPTER.index("---\n\n# A")],
        "    description: no\n",
    ),
    ("description", "A whole chapter in miniature,", "A whole $L$ chapter,"),
    ("headings", "### A ReLU in place", "### A ReLU in place\n\n##### Too deep"),
    ("headings", "## Is it the depth?", "# Is it the depth?"),
    ("opening", CHAPTER[CHAPTER.index("A network of twenty") : CHAPTER.index("```{admonition} After")], ""),
    ("objectives", LAST, ""),
    ("objectives", ":class: objectives\n\n", "\n"),
    ("glance", ":class: glance\n\n", "\n"),
    ("glance", "**Data**: MNIST-5k", "**Digits**: MNIST-5k"),
    ("sections", "## What people get wrong", "## Misconceptions"),
    ("sections", "## The ledger", "## All numbers"),
    ("order", SUMMARY, ""),  # the summary comes first: see `spoilt`
    ("order", BLOCK + "```\n", ""),  # the package's code comes before the picture
    ("further-reading", "- {cite:t}`he2016deep`, Section 3.1 and Table 2", "The paper"),
    ("reading-form", "- {cite:t}`he2016deep`, Section", "- {cite:p}`he2016deep`, Section"),
    ("reading-form", "- {cite:t}`he2016deep`, Section", "- A book.\n- {cite:t}`he2016deep`, Section"),
    (
        "decision-table",
        CHAPTER[CHAPTER.index("| Situation |") : CHAPTER.index("## Exercises")],
        "Always.\n\n",
    ),
    ("length", WORDS, ""),
    ("equations", SENTENCE, also("$$\nx = y\n$$")),
    ("equations", SENTENCE, also("```{math}\nx = y\n```")),
    ("symbols", ROW, ""),  # used, and in no table
    ("symbols", ROW, ROW + "| $d$ | depth of a network |\n"),  # twice in the chapter's table
    ("symbols", ROW, ROW + "| $\\eta$ | height of a hill |\n"),  # it is the learning rate
    ("symbols", ROW, ROW + "| $q$ | a letter that nobody uses |\n"),
    ("symbols", SENTENCE, also("Here $\\eta$ is the height of a hill.")),
    ("symbols", SENTENCE, also("Shortcuts, with $d$ the number of shortcuts, help.")),
    ("citations", "- {cite:t}`he2016deep`", "- {cite:t}`he2016wrong`"),
    ("citations", '"28.54 %", "he2016deep"', '"28.54 %", "he2016wrong"'),
    ("references", "sum, so that equation {eq}`eq-template-residual`", "sum, so that {eq}`eq-template-lost`"),
    (
        "references",
        "stays high ({numref}`fig-template-failure`)",
        "is high ({numref}`a <fig-template-lost>`)",
    ),
    ("labels", "## Summary", "(eq-template-fade)=\n## Summary"),
    ("definitions", "A layer that adds its input to what it computes.", "It " + "adds " * 30 + "it."),
    ("definitions", "what it computes.\n```\n", "what it computes\n```\n"),
    ("definitions", "A {term}`residual layer` adds", "A residual layer adds"),
    ("definitions", SENTENCE, also("```{define} residual layer\nAnother one.\n```")),
    ("terms", SENTENCE, also("A {term}`good layer <lost layer>` helps.")),
    ("images", SENTENCE, also("![plot.png](plot.png)")),
    ("images", SENTENCE, also("```{figure} plot.svg\n:name: fig-template-two\nA caption.\n```")),
    ("foreign", SENTENCE, also("![A line that goes up](https://example.org/line.svg)")),
    ("foreign", SENTENCE, also('<script src="//example.org/a.js"></script>')),
    ("absolute-path", "ledger = page.ledger", "ledger = page.ledger\npath = '/home/me/data'"),
    ("python", "kept = x.clone()", "kept ="),
    ("begin", 'page = book.begin("template", seed=0)', 'page = book.begin("other", seed=0)'),
    ("begin", 'page = book.begin("template", seed=0)', 'page = Page("template", seed=0)'),
    ("begin", "two = book.over", 'page = book.begin("template")\ntwo = book.over'),
    ("end", "page.end()\n```\n", "page.end()\n```\n\n" + RUN),
    ("device", "page.device", "'cpu'"),
    ("seeds", "two = book.over_seeds(shallow)", "two = [shallow(seed) for seed in range(3)]"),
    ("seeds", "two = book.over_seeds(shallow)", "for seed in range(3):\n    two = shallow(seed)"),
    ("cell-form", BLOCK, BLOCK.replace("ipython3", "python3")),
    ("cell-form", BLOCK, CELL + ":tags: [hide-output]\n\nbook.source(R.BasicBlock)\n"),
    ("set-up", "---\ntags: [hide-input]\n---\nimport torch", "import torch"),
    ("fold-tags", "tags: [hide-input, checks]\n---\nledger", "tags: [checks]\n---\nledger"),
    ("fold-tags", "tags: [teach]", "tags: [teach, hide-input]"),
    ("fold-tags", "book.source(R.BasicBlock)", "book.source(R.BasicBlock)\n" * 31),
    ("fold-tags", BLOCK, (BLOCK + "```\n\n") * 8 + BLOCK),
    ("imports", "import torch.nn.functional as F", "from torch.nn import functional as F"),
    ("fences", SENTENCE, also(":::{note}\nSo.\n:::")),
    ("fences", SENTENCE, also("````{note}\nSo.\n````")),
    ("exercise-form", ":label: ex-template-1\n\n", ":label: ex-template-1\n"),
    ("bug-form", "**Symptom: accuracy is too low.**", "**Symptom.**"),
    ("bug-form", "**Symptom: accuracy is too low.**", "**Symptom: accuracy is too low; it rains.**"),
    ("bug-form", "**Check.** A block must", "**Test.** A block must"),
    ("bug-form", "**Fix.** Pass the flag", "Then the **Fix.** Pass the flag"),
    ("inserted", "{glue:text}`template-two`", "{glue:text}`template-three`"),
    ("inserted", 'page.insert("two", two, "{:.2f}")', 'page.insert("two", two)\npage.insert("two", 0.5)'),
    ("inserted", 'insert="he-plain34"', 'insert="he-plain"'),
    ("figures", 'image: {alt: "Training loss over steps: the plain', 'image: {alt: "figure.svg", old: "'),
    ("figures", 'caption: "Twenty plain layers do not learn; with', 'old: "'),
    ("figures", "kept = x.clone()", "def draw():\n    plt.plot([1])\n\nkept = x.clone()\ndraw()"),
    ("figures", "two = book.over_seeds(shallow)", "two = book.over_seeds(shallow)\nbook.panels('a')"),
    ("panels", 'caption: "Twenty plain layers', 'caption: "Left: twenty plain layers'),
    ("panels", 'alt: "Training loss over steps: the plain', 'alt: "In the right panel the plain'),
    ("widgets", "kept = x.clone()", "from ipywidgets import interact\nkept = x.clone()"),
    ("widgets", "kept = x.clone()", "kept = x.clone()\nCurves(title='a')"),
    ("widgets", "tags: [hide-input, widget]", "tags: [hide-input]"),
    ("ledger", "ledger.check(", "check("),
    ("ledger-names", 'ledger.below("two plain layers learn"', 'ledger.below("twenty plain layers do not"'),
    ("source", "book.source(R.BasicBlock)", "R.BasicBlock"),
    ("reference-check", "torchvision", "library"),
    ("predict", ":class: predict\n:name: predict-template-shortcut\n", ""),
    ("predict", "```{answer} 2", "```{note}"),
    ("predict", "```{answer} 2", "```{answer} 5"),
    ("predict", "```{answer} 2", "```{answer} two"),
    ("predict", ":name: predict-template-shortcut\n", ""),
    ("predict", ":name: predict-template-shortcut", ":name: predict-resnet-shortcut"),
    ("predict", CHOICES, "1. The plain one.\n2. The other one."),
    ("predict", CHOICES, "The plain one or the other one?"),
    ("predict", CHOICES, f"{CHOICES}\n\n____ nats"),
    ("predict", f"{CHOICES}\n```\n\n```{{answer}} 2", "____ nats\n```\n\n```{answer} some"),
    ("predict", ANSWER, ""),
    ("review-cards", ":name: card-template-signal\n", ""),
    ("review-cards", ":name: card-template-signal", ":name: card-other-signal"),
    ("review-cards", CARD, ""),  # five are left
    ("review-cards", CARD, "".join(CARD.replace("-signal", f"-{i}") for i in range(8))),
    ("review-cards", "{review-card} What is left of a signal's mean square", "{review-card} What is left? A"),
    ("review-cards", "with PyTorch's initialisation?", "with PyTorch's initialisation"),
    ("review-cards", "with PyTorch's initialisation?", "with `torch`'s initialisation?"),
    ("review-cards", FACT, ""),
    ("review-cards", FACT, "One sixth, and so on. " * 10),
    ("review-cards", FACT, "See {eq}`eq-template-fade`."),
    ("review-cards", FACT, "See [the data](front/data.md)."),
    ("review-cards", "## Further reading\n", "## Further reading\n\n" + CARD.replace("-signal", "-late")),
    ("bug-clinic", "### The shortcut that is never taken\n\n", ""),
    ("bug-clinic", CHAPTER[CHAPTER.index(CELL + "x = torch.tensor([-1.0") :].split("```\n")[0] + "```\n", ""),
    ("exercises", "Does it hold on the test set? (apply)", "Does it hold?"),
    ("exercises", DERIVE, ""),
    ("solutions", SOLUTION, ""),
    ("solutions", "assert accuracy > 70", "print(70)"),
    ("solutions", "ex-template-3\n:class: dropdown\n", "ex-template-3\n"),
    ("numbers", SENTENCE, also("A sum helps by 3.5 points.")),
    ("numbers", SENTENCE, also("A sum halves the error, to 24 %.")),
    ("numbers", SENTENCE, also("A sum takes 12 seconds.")),
    ("numbers", SENTENCE, also("A sum is 3 times faster.")),
    ("numbers", "| plain is enough |", "| plain, 91.2 |"),
]


def spoilt(rule, old, new):
    """The chapter with one fault. A part that is to stand too early is put before its neighbour."""
    text = CHAPTER.replace(old, new)
    if rule == "order":
        place = "## Exercises" if old == SUMMARY else PICTURE
        text = text.replace(place, f"{old}\n{place}")
    if rule == "reference-check":  # two cells compare with torch
        text = text.replace("nn.Linear(2048, 2048, bias=False)(x)", "layer(x)")
    return text
