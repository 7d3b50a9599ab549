"""What an epoch of training in the page costs: `python benchmarks/page_training.py`, in Chromium.

The engine of `dlbook.browser` trains for one epoch of 1,600 digits, 50 batches of 32, on the page's own
thread, at the processor's speed and four times slower, as the browser's tools imitate a telephone. Told are
the seconds that pass, and the processor seconds of the page's process (the browser slows a page by keeping
its processor busy, so both grow). Networks: the cover's ConvNet and the ResNet chapter's twenty layers.
"""

import argparse
import json
from pathlib import Path

import torch
from playwright.sync_api import sync_playwright
from torch import nn

from dlbook.browser import digits as page_digits
from dlbook.browser.bundle import engine_text
from dlbook.browser.export import graph_of
from dlbook.browser.torch_run import he_start
from dlbook.data import mnist5k
from dlbook.models import resnet

SEED = 0
CHROMIUM = "/usr/bin/chromium"
STEPS, BATCH = 50, 32
THROTTLES = (1, 4)
TRAIN = """([setup, images, labels, steps]) => {
  const set = { images: Uint8Array.from(images), labels: Uint8Array.from(labels), top: 60 };
  const run = engine().training(setup, set, set), begin = performance.now();
  let report = null;
  for (let i = 0; i < steps; i++) report = run.step();
  return { seconds: (performance.now() - begin) / 1000, loss: report.loss };
}"""


def networks() -> dict[str, nn.Module]:
    """The networks that the pages train."""
    stages = resnet.Config(resnet.BasicBlock, (3, 3, 3), (4, 8, 16), "cifar", "A", num_classes=10)
    conv = lambda a, b: (nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    return {
        "cover: two convolutions": nn.Sequential(*conv(1, 8), *conv(8, 16), nn.Flatten(), nn.Linear(144, 10)),
        "ResNet-20, 4-8-16 wide": resnet.ResNet(stages, in_channels=1),
    }


def run() -> dict[str, list[dict]]:
    """{network: for each throttle its seconds, processor seconds and last loss}."""
    train = mnist5k("train")
    places = page_digits.chosen(train.labels)[: page_digits.CLASSES * page_digits.TRAIN]
    pixels = nn.functional.avg_pool2d(page_digits.levels(train.images[places]).float(), 2)
    images, labels = (pixels * 4).to(torch.uint8).flatten().tolist(), train.labels[places].tolist()
    table = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        for name, model in networks().items():
            setup = {"graph": graph_of(model, pixels[:4] / 15), "start": he_start(model), "seed": SEED}
            setup |= {"batch": BATCH, "optimiser": {"kind": "sgd", "rate": 0.03, "momentum": 0.9}}
            asked = [setup, images, labels, STEPS]
            table[name] = [_measured(browser, asked, throttle) for throttle in THROTTLES]
        browser.close()
    return table


def _measured(browser, asked, throttle):
    page = browser.new_page()
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable")
    tools.send("Emulation.setCPUThrottlingRate", {"rate": throttle})
    spent = lambda: next(
        each["value"]
        for each in tools.send("Performance.getMetrics")["metrics"]
        if each["name"] == "ProcessTime"
    )
    page.add_script_tag(content=engine_text())
    before = spent()
    told = page.evaluate(TRAIN, asked)
    told |= {"throttle": throttle, "processor": spent() - before}
    page.close()
    return told


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE")
    given, table = parser.parse_args(), run()
    for name, rows in table.items():
        for row in rows:
            print(
                f"{name:26} x{row['throttle']}  {row['seconds']:6.2f} s an epoch, processor "
                f"{row['processor']:6.2f} s, last loss {row['loss']:.3f}"
            )
    if given.json:
        given.json.write_text(json.dumps(table, indent=1) + "\n", "utf8")


if __name__ == "__main__":
    main()
