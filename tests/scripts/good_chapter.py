"""A minimal chapter that every rule of the linter lets pass; the tests spoil it, one rule at a time."""

WORDS = (
    "The shortcut carries the signal past the layers, and the layers learn what is left to learn of it. " * 80
)

CHAPTER = r"""---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
myst:
  html_meta:
    description: Why very deep plain networks train badly, and what a shortcut changes.
---

# Residual networks

Deep plain networks train badly. This chapter fixes them.

```{admonition} After this chapter you can
:class: objectives
- derive the residual block;
- write it from memory;
- say when to use it.
```

```{admonition} At a glance
:class: glance
- **Before you start**: nothing. **Papers**: {cite:p}`he2016deep`. **Data**: digits. **Run time**: {glue:text}`good-seconds` s on two cores.
```

```{code-cell} ipython3
import torch
from dlbook import book
from torch.nn import functional as F

book.begin(seed=0)
ledger = book.Ledger("good")
```

## The idea

WORDS

A block computes the following, where $x$ is its input and $F$ its layers.

```{math}
:label: eq-good-block
y = F(x) + x
```

By {eq}`eq-good-block` and {numref}`fig-good-line` the error is {glue:text}`good-error`, at a rate of $0.1$.

```{admonition} Predict first
:class: predict
Is the slope one?
```

```{dropdown} Answer
It is.
```

```{code-cell} ipython3
---
mystnb:
  image: {alt: "A straight line through the origin"}
  figure: {name: fig-good-line, caption: "The identity, which a shortcut computes."}
---
import matplotlib.pyplot as plt
plt.plot([0, 1], [0, 1]);
```

```{code-cell} ipython3
book.insert("good-error", 0.25)
book.source(book.device)
```

```{code-cell} ipython3
torch.testing.assert_close(F.relu(torch.ones(1)), torch.ones(1))
ledger.check("weights", predicted=6, measured=6)
ledger.cite("error", "24.7 %", citation="he2016deep", where="Table 4")
```

## From the paper to the code

The paper has no bias.

## Bug clinic

### The shortcut is left out

**Symptom.** The loss stays.

```{code-cell} ipython3
assert 1 + 1 == 2
```

**Fix.** Add it.

### The stride is on the wrong layer

**Symptom.** The cost is too small.

```{code-cell} ipython3
assert 2 + 1 == 3
```

**Fix.** Move it.

## What people get wrong

That depth alone helps.

## When to use it

| situation | choice |
|---|---|
| deep | residual |

## Exercises

```{exercise} What is a block? (recall)
:label: ex-good-1
Say it.
```

```{solution-start} ex-good-1
:class: dropdown
```
```{code-cell} ipython3
assert True
```
```{solution-end}
```

```{exercise} Count (apply)
:label: ex-good-2
Count.
```

```{solution-start} ex-good-2
:class: dropdown
```
```{code-cell} ipython3
assert 2 == 2
```
```{solution-end}
```

```{exercise} Derive the gradient (derive)
:label: ex-good-3
Derive it.
```

```{solution-start} ex-good-3
:class: dropdown
```
```{code-cell} ipython3
assert 3 == 3
```
```{solution-end}
```

## Summary

A sum helps.

## Further reading

{cite:t}`he2016deep`, Table 4.

```{code-cell} ipython3
ledger.show()
book.insert_run_time("good-seconds")
```
""".replace("WORDS", WORDS)
