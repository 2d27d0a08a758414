#include "tools/vit-infer/text.h"

namespace vit::infer {

const tools::ToolText& tool_text() {
    using tools::Completes;
    static const tools::ToolText text{
        "vit-infer",
        "classify and embed images with a Vision Transformer",
        "vit-infer MODEL.vit INPUT... [options]",
        R"(Classifies images with a Vision Transformer. Prints one record for each input, in input order. An input that cannot be used gets a record with an error, and the rest goes on.

INPUT: image files (JPEG, PNG, WebP); folders (with their subfolders, in natural order); a .tar file of images, as WebDataset writes it; a .npy file of preprocessed images, [N, 3, H, W] or [3, H, W]; or - for a list of paths on standard input.)",
        {{"Results",
          {{"-k,--topk", "N", "classes in a record (5)"},
           {"--format", "NAME", "how records look (what the name of -o ends with, otherwise text)",
            "text,json,jsonl,csv"},
           {"--output-type", "NAME", "what text and csv show (prob)", "prob,logit"},
           {"-o,--output",
            "FILE",
            "write the records there instead of standard output. FILE appears when it is complete",
            {},
            Completes::files},
           {"--logits",
            "FILE.npy",
            "all logits, float32 [N, classes]. Rows are in input order; NaN where an input failed",
            {},
            Completes::files},
           {"--features",
            "FILE.npy",
            "the pooled vector before the head, [N, D]",
            {},
            Completes::files},
           {"--tokens",
            "FILE.npy",
            "all tokens after the final norm, [N, T, D]",
            {},
            Completes::files},
           {"--resume", "",
            "continue an interrupted run: the same command, with -o FILE.jsonl or a .npy file. "
            "What is there already is kept"},
           {"--shard", "I/N",
            "run the inputs I, I + N, I + 2 N, ... only, for N processes or machines"},
           {"-0,--null", "",
            "paths in the list on standard input end with NUL instead of newline"}}},
         {"Speed",
          {{"-t,--threads", "N", "number of threads (0: all cores that this process may use)"},
           {"-b,--batch-size", "N", "images in one run (16 for each thread; 2 with --tokens)"},
           {"--precision", "NAME",
            "precision of the computation (the one that the model file was converted for)",
            "f32,bf16,int8"}}},
         {"Preprocessing (default: what the model file says)",
          {{"--img-size", "N|HxW", "input size. Another size resizes the position table"},
           {"--crop-pct", "X", "part of the resized image that is kept, from 0.01 to 1"},
           {"--crop-mode", "NAME", "how images become square", "center,squash,border"},
           {"--interpolation", "NAME", "how images are resized",
            "nearest,bilinear,bicubic,lanczos"},
           {"--mean", "R,G,B", "is subtracted from pixels, which are from 0 to 1"},
           {"--std", "R,G,B", "pixels are then divided by it"},
           {"--exif", "", "rotate images as their EXIF orientation says (off, as in timm)"},
           {"--max-pixels", "N", "refuse larger images (89478485)"}}},
         {"Evaluation (instead of INPUT)",
          {{"--evaluate",
            "SOURCE",
            "compare with the true classes, and print accuracies and calibration. SOURCE: a folder "
            "with a folder for each class, or a CSV of file,label",
            {},
            Completes::files},
           {"--class-map",
            "FILE",
            "names of the class folders: one a line in the order of the classes, or NAME INDEX",
            {},
            Completes::files},
           {"--real-labels",
            "FILE",
            "also count against ImageNet's reassessed labels (real.json)",
            {},
            Completes::files},
           {"--confusion",
            "FILE",
            "write the confusion matrix, as .csv or .svg",
            {},
            Completes::files},
           {"--reliability",
            "FILE.svg",
            "write a reliability diagram: accuracy over confidence",
            {},
            Completes::files},
           {"--all-classes", "", "show all classes, not only the 20 with the lowest accuracy"}}},
         {"About the model (INPUT may be left out; --format json gives JSON)",
          {{"--info", "", "what the model is and where it comes from"},
           {"--verify", "", "run the model file's self-test on this machine"},
           {"--profile", "", "for each node: time, GFLOP/s, share of this machine's measured peak"},
           {"--print-graph", "[=dot]", "the graph that runs, as text or for Graphviz"},
           {"--built-graph", "", "with --print-graph: as it was before the first pass"}}},
         {"Help", {{"-h,--help", "", "this text"}, {"--version", "", "name and version"}}}},
        {{"Exit status",
          "  0 everything succeeded    1 some inputs failed    2 wrong usage\n"
          "  3 the model was refused   74 reading or writing failed   130, 143 interrupted"},
         {"Examples",
          "  vit-infer model.vit cat.jpg\n"
          "  vit-infer model.vit photos/ -o labels.jsonl\n"
          "  find . -name '*.jpg' -print0 | vit-infer model.vit - --null -k 1 --format csv\n"
          "  vit-infer model.vit photos/ --features features.npy\n"
          "  vit-infer model.vit --evaluate imagenet/val --confusion confusion.svg"}}};
    return text;
}

}  // namespace vit::infer
