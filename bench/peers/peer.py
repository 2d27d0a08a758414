#!/usr/bin/env python3
"""Measure one variant of a peer in one setting: one process prints one JSON line on standard output.

FOLDER must be written by export.py. latency: one run at a time, with all threads. throughput: OpenVINO has one
stream per thread and enough requests to keep them busy; the others run with all threads. A run or a request
holds one image; in the variants named -batch it holds the whole batch. Loading, compiling and the first two
runs are not timed.
"""
import argparse
import functools
import json
import os
import pathlib
import platform
import resource
import signal
import statistics
import sys
import textwrap
import time


def numbers(folder, batch):
    import numpy

    config = json.loads((folder / "config.json").read_text())
    shape = config["pretrained_cfg"]["input_size"]
    return numpy.random.default_rng(0).standard_normal((batch, *shape)).astype("float32")


def stem(options, batch):
    return ("vit" if batch == 1 else f"vit_b{batch}") + ("_int8" if options.precision == "int8" else "")


def has_bf16():
    return any(flag in pathlib.Path("/proc/cpuinfo").read_text() for flag in ("avx512_bf16", "amx_bf16"))


def openvino(options, batch, suffix):
    """Returns the function to time, the number of images per call, and the version."""
    import openvino as ov

    if options.precision == "int8" and suffix != "xml":
        raise SystemExit("NNCF writes OpenVINO's own format")
    throughput = options.split == "throughput"
    # What an int8 model does not do in int8, it does in bf16, as a user who wants speed sets it.
    hint = {"int8": "bf16" if has_bf16() else "f32"}.get(options.precision, options.precision)
    config = {"INFERENCE_NUM_THREADS": options.threads,
              "INFERENCE_PRECISION_HINT": hint,
              "PERFORMANCE_HINT": "THROUGHPUT" if throughput else "LATENCY"}
    if throughput:
        config["NUM_STREAMS"] = str(options.threads)
    core = ov.Core()
    model = core.compile_model(core.read_model(options.folder / f"{stem(options, batch)}.{suffix}"), "CPU",
                               config)
    x = numbers(options.folder, batch)
    version = ov.__version__.split("-")[0]
    if not throughput:
        request = model.create_infer_request()
        return lambda: request.infer({0: x}), batch, version

    queue = ov.AsyncInferQueue(model, 2 * options.threads)
    requests = max(4 * options.threads // batch, 2 * options.threads)

    def call():
        for _ in range(requests):
            queue.start_async({0: x})
        queue.wait_all()

    return call, batch * requests, version


def onnxruntime(options, batch):
    import onnxruntime as rt

    if options.precision == "bf16":
        raise SystemExit(f"no {options.precision} on this provider")
    session_options = rt.SessionOptions()
    session_options.intra_op_num_threads = options.threads
    session_options.log_severity_level = 3
    session = rt.InferenceSession(str(options.folder / f"{stem(options, batch)}.onnx"), session_options,
                                  providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: numbers(options.folder, batch)}
    return lambda: session.run(None, feed), batch, rt.__version__


def torch(options, batch, compiled=False):
    if options.precision == "int8":
        raise SystemExit("int8 of PyTorch is not measured")
    import torch as pytorch

    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools/fixtures"))
    import torchvision_cpu  # noqa: F401  before timm
    import timm
    from safetensors.torch import load_file

    pytorch.set_num_threads(options.threads)
    architecture = json.loads((options.folder / "config.json").read_text())["architecture"]
    model = timm.create_model(architecture, pretrained=False).eval()
    model.load_state_dict(load_file(str(options.folder / "model.safetensors")))
    kind = {"f32": pytorch.float32, "bf16": pytorch.bfloat16}[options.precision]
    model = model.to(kind)
    x = pytorch.from_numpy(numbers(options.folder, batch)).to(kind)
    if compiled:
        import torch._inductor.config as inductor

        inductor.freezing = True
        # This takes seconds: each kind of linear layer is timed in oneDNN and as generated code.
        inductor.max_autotune = options.split == "throughput"
        model = pytorch.compile(model)

    def call():
        with pytorch.inference_mode():
            model(x)

    return call, batch, pytorch.__version__.split("+")[0]


# The engine's name is the part before the first hyphen. None of its variants is always the fastest.
VARIANTS = {
    "openvino-ir": functools.partial(openvino, suffix="xml"),
    "openvino-onnx": functools.partial(openvino, suffix="onnx"),
    "onnxruntime": onnxruntime,
    "torch-eager": torch,
    "torch-compiled": functools.partial(torch, compiled=True),
}
BATCH = "-batch"


def variants_of(split):
    names = list(VARIANTS)
    return names + [name + BATCH for name in names] if split == "throughput" else names


def prepare(options):
    """Returns the result of the variant's function after two untimed calls."""
    def give_up(*_):
        raise SystemExit(f"did not load and compile within {options.compile_limit:g} s")

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, options.compile_limit)
    try:
        prepared = VARIANTS[options.variant.removesuffix(BATCH)](
            options, options.batch if options.variant.endswith(BATCH) else 1)
        call = prepared[0]
        call()
        call()
    except Exception as error:  # one line with the most useful part first
        raise SystemExit(textwrap.shorten(f"{type(error).__name__}: {error}", 200))
    signal.setitimer(signal.ITIMER_REAL, 0)
    return prepared


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("variant", choices=variants_of("throughput"))
    parser.add_argument("--precision", choices=["f32", "bf16", "int8"], default="f32")
    parser.add_argument("--split", choices=["latency", "throughput"], default="latency")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=4, help="how long to measure (4)")
    parser.add_argument("--compile-limit", type=float, default=300,
                        help="s, for loading, compiling and two runs (300)")
    options = parser.parse_args()

    os.environ["OMP_NUM_THREADS"] = str(options.threads)  # must be set before any of the peers is imported
    start = time.perf_counter()
    call, images, version = prepare(options)
    prepared = time.perf_counter() - start
    times = []
    end = time.perf_counter() + options.seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1e3 / images)
    print(json.dumps({
        "variant": options.variant, "version": version, "python": platform.python_version(),
        "ms_per_image": statistics.median(times), "best_ms_per_image": min(times),
        "runs": len(times), "images_per_run": images, "prepare_s": prepared,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }), flush=True)


if __name__ == "__main__":
    main()
