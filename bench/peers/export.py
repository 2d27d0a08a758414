#!/usr/bin/env python3
"""Write one model in every peer's format: a timm architecture with seeded random weights.

Writes config.json and model.safetensors (for vit-convert and PyTorch) into FOLDER. Writes vit.onnx and vit.xml
for batch size 1, and for example vit_b8.onnx and vit_b8.xml for batch size 8.
"""
import argparse
import json
import pathlib
import sys
import tempfile

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools/fixtures"))
import torchvision_cpu  # noqa: E402,F401  before timm
import timm  # noqa: E402
import timm.layers  # noqa: E402


def seeded_model(architecture, seed):
    torch.manual_seed(seed)
    model = timm.create_model(architecture, pretrained=False).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:  # wider than timm's initial values, so that no layer is nearly zero
                parameter.add_(torch.randn_like(parameter) * 0.01)
    return model


def write_timm(model, architecture, folder):
    from safetensors.torch import save_file

    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()},
              str(folder / "model.safetensors"))
    plain = {key: value for key, value in model.pretrained_cfg.items()
             if isinstance(value, (str, int, float, list, tuple, type(None)))}
    config = {"architecture": architecture, "num_classes": model.num_classes,
              "num_features": model.num_features, "pretrained_cfg": plain}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def write_onnx(model, example, path):
    torch.onnx.export(model, (example,), str(path), input_names=["x"], output_names=["y"],
                      opset_version=18, dynamo=True, external_data=False, verbose=False)


def write_openvino(model, example, path):
    import openvino

    converted = openvino.convert_model(model, example_input=example, input=[list(example.shape)])
    openvino.save_model(converted, str(path), compress_to_fp16=False)


def write_int8_onnx(plain, path):
    """Dynamic quantisation: weights per output, activations per tensor while the model runs."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(plain)
    del model.graph.value_info[:]  # the exporter's shapes contradict the quantised graph
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(model, pathlib.Path(folder) / "plain.onnx")
        quantize_dynamic(pathlib.Path(folder) / "plain.onnx", path, weight_type=QuantType.QInt8,
                         per_channel=True, extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})


def write_int8_openvino(plain, shape, path):
    """NNCF's preset for transformers. Random images: only the speed of this model means anything."""
    import nncf
    import numpy
    import openvino

    random = numpy.random.default_rng(0)
    data = nncf.Dataset([random.standard_normal(shape).astype("float32") for _ in range(4)])
    smoothing = nncf.AdvancedSmoothQuantParameters(matmul=0.5)
    quantized = nncf.quantize(
        openvino.Core().read_model(plain), data, model_type=nncf.ModelType.TRANSFORMER, subset_size=4,
        advanced_parameters=nncf.AdvancedQuantizationParameters(smooth_quant_alphas=smoothing))
    openvino.save_model(quantized, str(path))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--architecture", default="vit_base_patch16_224", help="a timm name")
    parser.add_argument("--batch", default="1,8", help="batch sizes (1,8)")
    parser.add_argument("--int8", action="store_true", help="also vit_int8.onnx and vit_int8.xml (NNCF)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    options.folder.mkdir(parents=True, exist_ok=True)
    timm.layers.set_fused_attn(True)
    model = seeded_model(options.architecture, options.seed)
    write_timm(model, options.architecture, options.folder)
    shape = model.pretrained_cfg["input_size"]
    for batch in map(int, options.batch.split(",")):
        stem = "vit" if batch == 1 else f"vit_b{batch}"
        example = torch.randn(batch, *shape)
        write_onnx(model, example, options.folder / f"{stem}.onnx")
        write_openvino(model, example, options.folder / f"{stem}.xml")
        if options.int8:
            write_int8_onnx(options.folder / f"{stem}.onnx", options.folder / f"{stem}_int8.onnx")
            write_int8_openvino(options.folder / f"{stem}.xml", [batch, *shape],
                                options.folder / f"{stem}_int8.xml")


if __name__ == "__main__":
    main()
