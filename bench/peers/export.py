#!/usr/bin/env python3
"""Write one model in every peer's format: a timm architecture with seeded random weights.

Writes config.json and model.safetensors (for vit-convert and PyTorch) into FOLDER. Writes vit.onnx and vit.xml
for batch size 1, and for example vit_b8.onnx and vit_b8.xml for batch size 8.
"""
import argparse
import json
import pathlib
import sys

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
                      opset_version=18, dynamo=True, external_data=False)


def write_openvino(model, example, path):
    import openvino

    converted = openvino.convert_model(model, example_input=example, input=[list(example.shape)])
    openvino.save_model(converted, str(path), compress_to_fp16=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--architecture", default="vit_base_patch16_224", help="a timm name")
    parser.add_argument("--batch", default="1,8", help="batch sizes (1,8)")
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


if __name__ == "__main__":
    main()
