#!/usr/bin/env python3
"""Write crops of the photographs that scikit-image and scikit-learn ship: FOLDER/calibration and FOLDER/held-out.

The two folders show different photographs. A crop has 15 to 100 % of a photograph's area, and sides in a ratio
of 3:4 to 4:3. Needs numpy, pillow, scikit-image and scikit-learn.
"""
import argparse
import math
import pathlib

import numpy
from PIL import Image
import skimage.data
import sklearn.datasets


def photographs():
    motorcycle = skimage.data.stereo_motorcycle()[0]
    china = sklearn.datasets.load_sample_image("china.jpg")
    flower = sklearn.datasets.load_sample_image("flower.jpg")
    data = skimage.data
    return {"calibration": {"coffee": data.coffee(), "china": china, "motorcycle": motorcycle,
                            "camera": data.camera()},
            "held-out": {"astronaut": data.astronaut(), "chelsea": data.chelsea(),
                         "rocket": data.rocket(), "flower": flower, "coins": data.coins()}}


def crop(image, random):
    height, width = image.shape[:2]
    while True:
        area = random.uniform(0.15, 1) * height * width
        ratio = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if w <= width and h <= height:
            x, y = random.integers(width - w + 1), random.integers(height - h + 1)
            return Image.fromarray(image[y:y + h, x:x + w]).convert("RGB")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--calibration", type=int, default=64, help="number of crops (64)")
    parser.add_argument("--held-out", type=int, default=200, help="number of crops (200)")
    options = parser.parse_args()
    random = numpy.random.default_rng(0)
    counts = {"calibration": options.calibration, "held-out": options.held_out}
    for part, images in photographs().items():
        folder = options.folder / part
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(counts[part]):
            name = list(images)[index % len(images)]
            crop(images[name], random).save(folder / f"{name}-{index:03d}.png")


if __name__ == "__main__":
    main()
