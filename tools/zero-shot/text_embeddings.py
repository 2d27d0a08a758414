#!/usr/bin/env python3
"""Turns names of classes into text embeddings for `vit-infer --classes` (docs/searching.md).

    text_embeddings.py MODEL CLASSES.txt -o CLASSES.npz [--templates TEMPLATES.txt] [--open-clip]

MODEL is a CLIP or SigLIP model of transformers: a name on the Hugging Face hub or a folder. With --open-clip it is a
model of open_clip: hf-hub:ORG/NAME, local-dir:FOLDER, or NAME or NAME/PRETRAINED of open_clip.list_pretrained().
CLASSES.txt has a class a line. TEMPLATES.txt has a prompt a line with {} in place of the class; the default is
"a photo of a {}.". A class's embedding is the mean of its prompts' embeddings, each of length 1, as in section 3.1.4
of Radford et al., "Learning Transferable Visual Models From Natural Language Supervision" (2021).

Needs transformers (written for 5.23) or open_clip_torch (3.3), with torch and numpy.
"""
import argparse
import pathlib

import numpy as np
import torch

TEMPLATE = "a photo of a {}."


def transformers_encoder(model, tokenizer):
    """Returns a function from prompts to embeddings [prompts, D]."""
    length = model.config.text_config.max_position_embeddings

    def encode(prompts):
        # SigLIP was trained with prompts of full length.
        tokens = tokenizer(prompts, padding="max_length", truncation=True, max_length=length, return_tensors="pt")
        found = model.get_text_features(**tokens)
        return getattr(found, "pooler_output", found)

    return encode


def load_transformers(name):
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(name).eval()
    if not hasattr(model, "get_text_features"):
        raise SystemExit(f"{name}: expected CLIP or SigLIP with its text half, found {type(model).__name__}")
    return model, transformers_encoder(model, AutoTokenizer.from_pretrained(name))


def load_open_clip(name):
    import open_clip

    if name.startswith(("hf-hub:", "local-dir:")):
        model, tokenizer = open_clip.create_model(name), open_clip.get_tokenizer(name)
    else:
        architecture, _, pretrained = name.partition("/")
        model = open_clip.create_model(architecture, pretrained=pretrained or None)
        tokenizer = open_clip.get_tokenizer(architecture)
    model.eval()
    return model, lambda prompts: model.encode_text(tokenizer(prompts))


def class_embeddings(encode, names, templates):
    """[names, D] float32, each of length 1."""
    rows = []
    for name in names:
        with torch.inference_mode():
            prompts = torch.nn.functional.normalize(encode([t.replace("{}", name) for t in templates]).float(), dim=-1)
        rows.append(torch.nn.functional.normalize(prompts.mean(0), dim=0).numpy())
    return np.stack(rows)


def logit_numbers(model):
    """What vit-infer computes probabilities with: the factor of the cosines, the bias, and the kind. Both libraries
    store the logarithm of the factor. A model with a bias was trained with the sigmoid loss."""
    bias = getattr(model, "logit_bias", None)
    numbers = {"logit_scale": np.float32(model.logit_scale.detach().exp().item())}
    if bias is not None:
        numbers["logit_bias"] = np.float32(bias.detach().item())
    return numbers | {"kind": as_bytes("softmax" if bias is None else "sigmoid")}


def as_bytes(text):
    return np.frombuffer(text.encode("utf-8"), np.uint8)


def write(path, names, text, numbers):
    np.savez(path, text=text.astype(np.float32), names=as_bytes("\n".join(names)), **numbers)


def lines(path):
    return [line for line in pathlib.Path(path).read_text("utf-8").splitlines() if line.strip()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("classes")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--templates")
    parser.add_argument("--open-clip", action="store_true")
    args = parser.parse_args()
    names = lines(args.classes)
    templates = lines(args.templates) if args.templates else [TEMPLATE]
    if not names:
        raise SystemExit(f"{args.classes}: expected a class a line")
    if any("{}" not in t for t in templates):
        raise SystemExit(f"{args.templates}: expected {{}} in every line")
    model, encode = (load_open_clip if args.open_clip else load_transformers)(args.model)
    write(args.output, names, class_embeddings(encode, names, templates), logit_numbers(model))


if __name__ == "__main__":
    main()
