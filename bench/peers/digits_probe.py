#!/usr/bin/env python3
"""Measure what int8 costs a linear classifier: scikit-learn's digits, enlarged, through a model without classes.

MODEL is a folder as timm saves it. vit-convert makes an f32 model and two int8 models of it, one calibrated on
CROPS (photographs, not digits). For each, a logistic regression is fitted to the features of the first 1437
digits, and tested on the other 360.
"""
import argparse
import pathlib
import tempfile

import numpy
from PIL import Image
import sklearn.datasets
import sklearn.linear_model
import sklearn.pipeline
import sklearn.preprocessing

from our_features import add_options, our_features


def write_digits(folder, digits, size):
    for index, image in enumerate(digits.images):
        grey = numpy.clip(image * 255 / 16, 0, 255).astype("uint8")
        enlarged = Image.fromarray(grey).resize((size, size), Image.Resampling.BICUBIC)
        enlarged.convert("RGB").save(folder / f"{index:04d}.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path, metavar="MODEL")
    parser.add_argument("crops", type=pathlib.Path, metavar="CROPS")
    add_options(parser, img_size=112)
    options = parser.parse_args()

    digits = sklearn.datasets.load_digits()
    train, test = slice(0, 1437), slice(1437, None)
    int8 = ["--quantize", "int8"]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "images").mkdir()
        write_digits(folder / "images", digits, options.img_size)
        for name, more in [("f32", []), ("int8", int8),
                           ("int8, calibrated", [*int8, "--calibrate", options.crops])]:
            x = our_features(options, more, [folder / "images"], folder)
            probe = sklearn.pipeline.make_pipeline(
                sklearn.preprocessing.StandardScaler(),
                sklearn.linear_model.LogisticRegression(max_iter=2000, C=0.1))
            probe.fit(x[train], digits.target[train])
            print(f"{name:20} {100 * probe.score(x[test], digits.target[test]):.2f} %", flush=True)


if __name__ == "__main__":
    main()
