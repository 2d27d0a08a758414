"""Features of images from this engine, for the scripts that compare what int8 costs."""
import subprocess

import numpy


def add_options(parser, img_size):
    parser.add_argument("--img-size", type=int, default=img_size)
    parser.add_argument("--vit-convert", default="vit-convert")
    parser.add_argument("--vit-infer", default="vit-infer")


def our_features(options, conversion, images, folder):
    """[images, D]. `conversion`: more arguments of vit-convert. `images`: files and folders. Writes to `folder`."""
    subprocess.run([options.vit_convert, options.model, "-o", folder / "model.vit", "--img-size",
                    str(options.img_size), "--quiet", "--no-self-test", *conversion], check=True)
    subprocess.run([options.vit_infer, folder / "model.vit", *images, "--features",
                    folder / "features.npy", "--format", "csv", "-o", folder / "records.csv"], check=True)
    return numpy.load(folder / "features.npy")
