#!/usr/bin/env python3
"""Measure what int8 costs a linear classifier: scikit-learn's digits, enlarged, through a model without classes.

MODEL is a folder as timm saves it. vit-convert makes an f32 model and two int8 models of it, one calibrated on
CROPS (photographs, not digits). For each, a logistic regression is fitted to the features of the first 1437
digits, and tested on the other 360.
"""
import argparse
import pathlib
import subprocess
import tempfile

import numpy
from PIL import Image
import sklearn.datasets
import sklearn.linear_model
import sklearn.pipeline
import sklearn.preprocessing


def write_digits(folder, digits, size):
    for index, image in enumerate(digits.images):
        grey = numpy.clip(image * 255 / 16, 0, 255).astype("uint8")
        enlarged = Image.fromarray(grey).resize((size, size), Image.Resampling.BICUBIC)
        enlarged.convert("RGB").save(folder / f"{index:04d}.png")


def features(options, more, images, folder):
    subprocess.run([options.vit_convert, options.model, "-o", folder / "model.vit", "--img-size",
                    str(options.img_size), "--quiet", "--no-self-test", *more], check=True)
    subprocess.run([options.vit_infer, folder / "model.vit", images, "--features", folder / "f.npy",
                    "--format", "csv", "-o", folder / "records.csv"], check=True)
    return numpy.load(folder / "f.npy")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path, metavar="MODEL")
    parser.add_argument("crops", type=pathlib.Path, metavar="CROPS")
    parser.add_argument("--img-size", type=int, default=112)
    parser.add_argument("--vit-convert", default="vit-convert")
    parser.add_argument("--vit-infer", default="vit-infer")
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
            x = features(options, more, folder / "images", folder)
            probe = sklearn.pipeline.make_pipeline(
                sklearn.preprocessing.StandardScaler(),
                sklearn.linear_model.LogisticRegression(max_iter=2000, C=0.1))
            probe.fit(x[train], digits.target[train])
            print(f"{name:20} {100 * probe.score(x[test], digits.target[test]):.2f} %", flush=True)


if __name__ == "__main__":
    main()
