#include "tools/vit-convert/text.h"

namespace vit::tools {

const ToolText& convert_text() {
    static const ToolText text{
        "vit-convert",
        "turn a Vision Transformer's checkpoint into a model file",
        "vit-convert SOURCE -o MODEL.vit [options]\n"
        "vit-convert --list [PATTERN]",
        R"(Turns a Vision Transformer's checkpoint into a model file for vit-infer.

SOURCE: timm's NAME or NAME.TAG, or ORG/NAME[@REVISION], downloaded from the Hugging Face hub (hf-hub:ORG/NAME in any case); https://..., downloaded; a checkpoint (.safetensors, .pth, .pt, .bin, .pth.tar, .npz); or a folder as timm saves it.)",
        {{"What to convert",
          {{"--arch", "NAME",
            "timm's name of the architecture, NAME or NAME.TAG, where neither config.json nor the "
            "checkpoint tells. Other libraries: LIBRARY.NAME:KEY=VALUE,... (docs/sources.md)"},
           {"--prefix", "NAME.",
            "take the tensors whose names begin with NAME., where a checkpoint holds several "
            "models"},
           {"--ema", "", "take a training checkpoint's averaged weights (the default)"},
           {"--no-ema", "", "take its plain weights"},
           {"--list", "",
            "print timm's names with parameters, image size, GFLOP and default tag: all, or those "
            "that PATTERN fits (a part of the name, or with * and ?). Do nothing else"},
           {"--inspect", "",
            "print what was recognised, used and dropped, and why. Write nothing"}}},
         {"The model file",
          {{"-o,--output",
            "MODEL.vit",
            "the file to write. It appears when it is complete",
            {},
            Completes::files},
           {"--labels",
            "FILE",
            "names of the classes: text with one name a line, or JSON",
            {},
            Completes::files},
           {"--dtype", "NAME",
            "how weights are stored, and the precision in which the model runs by default (f32)",
            "f32,bf16"},
           {"--img-size", "N|HxW", "resize the position table for images of this size"},
           {"--pack", "",
            "also store the weights packed for this machine. Loading then takes no time, and the "
            "file is twice as large"},
           {"--expect",
            "FILE.npz",
            "input [N, 3, H, W] and logits to use as the self-test, instead of computing one",
            {},
            Completes::files},
           {"--no-self-test", "", "write no self-test"}}},
         {"int8",
          {{"--quantize", "NAME",
            "store the weights of the blocks as int8, a quarter of the size, and run in int8 by "
            "default",
            "int8"},
           {"--calibrate",
            "FOLDER",
            "images like those that the model will see. Up to 32 decide how weights are rounded; "
            "others measure what int8 costs. A folder for each class gives accuracies",
            {},
            Completes::folders},
           {"--max-drop", "X",
            "with --calibrate: keep linears in float until int8 costs at most X percentage points "
            "of accuracy, or of agreement with float"}}},
         {"Preprocessing (default: what the checkpoint or its architecture says)",
          {{"--mean", "R,G,B", "is subtracted from pixels, which are from 0 to 1"},
           {"--std", "R,G,B", "pixels are then divided by it"},
           {"--crop-pct", "X", "part of the resized image that is kept, from 0.01 to 1"},
           {"--crop-mode", "NAME", "how images become square", "center,squash,border"},
           {"--interpolation", "NAME", "how images are resized",
            "nearest,bilinear,bicubic,lanczos"}}},
         {"Help",
          {{"--quiet", "", "print nothing on success, and no progress"},
           {"-h,--help", "", "this text"},
           {"--version", "", "name and version"}}}},
        {{"Exit status",
          "  0 everything succeeded   2 wrong usage   3 the checkpoint was refused\n"
          "  74 reading or writing failed   130, 143 interrupted"},
         {"Examples",
          "  vit-convert vit_base_patch16_224 -o model.vit\n"
          "  vit-convert --list 'vit_small*'\n"
          "  vit-convert checkpoint.pth --arch vit_small_patch16_224 --labels names.txt -o "
          "model.vit\n"
          "  vit-convert my_model/ -o model.vit --quantize int8 --calibrate photos/"}}};
    return text;
}

}  // namespace vit::tools
