#!/usr/bin/env python3
"""Compare what int8 costs here and in the peers: cosines of features to timm's in float32.

MODEL is a folder as timm saves it, of a model without classes or with them (features are then what the head
reads). CROPS is what photo_crops.py wrote: every engine calibrates on CROPS/calibration, if it can, and is
measured on CROPS/held-out. Prints one row per engine: the mean, the 5th lowest and the lowest cosine.
"""
import argparse
import pathlib
import sys
import tempfile

import numpy
import torch
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools/fixtures"))
import torchvision_cpu  # noqa: E402,F401  before timm
import timm  # noqa: E402
import timm.data  # noqa: E402

from export import write_int8_onnx, write_onnx  # noqa: E402
from our_features import add_options, our_features  # noqa: E402


class Features(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model.forward_head(self.model.forward_features(x), pre_logits=True)


def images(folder, transform):
    return numpy.stack([transform(Image.open(path).convert("RGB")).numpy()
                        for path in sorted(folder.iterdir())])


def in_parts(run, x):
    return numpy.concatenate([run(x[i:i + 1]) for i in range(len(x))])


def openvino_model(model, x):
    import openvino

    return openvino.convert_model(model, example_input=torch.from_numpy(x[:1]),
                                  input=[list(x[:1].shape)])


def openvino_features(model, x):
    import openvino

    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return in_parts(lambda part: compiled({0: part})[0], x)


def nncf_features(model, calibration, x):
    """NNCF's preset for transformers, with its default strength of smoothing, and with 0.5."""
    import nncf

    for alpha in (None, 0.5):
        advanced = nncf.AdvancedQuantizationParameters()
        if alpha is not None:
            advanced.smooth_quant_alphas = nncf.AdvancedSmoothQuantParameters(matmul=alpha)
        data = nncf.Dataset([calibration[i:i + 1] for i in range(len(calibration))])
        quantized = nncf.quantize(openvino_model(model, x), data,
                                  model_type=nncf.ModelType.TRANSFORMER,
                                  subset_size=len(calibration), advanced_parameters=advanced)
        yield f"OpenVINO, NNCF{'' if alpha is None else f', smoothing {alpha}'}", openvino_features(
            quantized, x)


def onnx_features(model, x, folder):
    import onnxruntime

    write_onnx(model, torch.from_numpy(x[:1]), folder / "f32.onnx")
    write_int8_onnx(folder / "f32.onnx", folder / "int8.onnx")
    session = onnxruntime.InferenceSession(str(folder / "int8.onnx"))
    return in_parts(lambda part: session.run(None, {"x": part})[0], x)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path, metavar="MODEL")
    parser.add_argument("crops", type=pathlib.Path, metavar="CROPS")
    add_options(parser, img_size=224)
    options = parser.parse_args()

    model = timm.create_model(f"local-dir:{options.model}", pretrained=True, img_size=options.img_size)
    config = timm.data.resolve_data_config(model=model)
    config["input_size"] = (3, options.img_size, options.img_size)
    transform = timm.data.create_transform(**config)
    model = Features(model.eval())
    calibration = images(options.crops / "calibration", transform)
    held_out = images(options.crops / "held-out", transform)
    with torch.inference_mode():
        expected = in_parts(lambda part: model(torch.from_numpy(part)).numpy(), held_out)
    expected = expected.astype("float64")

    def report(name, found):
        cosines = numpy.sort((expected * found).sum(1) / numpy.linalg.norm(expected, axis=1) /
                             numpy.linalg.norm(found.astype("float64"), axis=1))
        print(f"{name:32} {cosines.mean():.5f} {cosines[4]:.5f} {cosines[0]:.5f}", flush=True)

    print(f"{'':32}    mean  5th low  lowest")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        files, int8 = sorted((options.crops / "held-out").iterdir()), ["--quantize", "int8"]
        report("this engine", our_features(options, int8, files, folder))
        int8 += ["--calibrate", options.crops / "calibration"]
        report("this engine, --calibrate", our_features(options, int8, files, folder))
        report("ONNX Runtime, dynamic", onnx_features(model, held_out, folder))
    report("OpenVINO, f32", openvino_features(openvino_model(model, held_out), held_out))
    for name, found in nncf_features(model, calibration, held_out):
        report(name, found)


if __name__ == "__main__":
    main()
