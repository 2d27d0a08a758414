#include "tools/vit-search/text.h"

namespace vit::search {

const tools::ToolText& tool_text() {
    using tools::Completes;
    static const tools::ToolText text{
        "vit-search",
        "search among the vectors of images",
        "vit-search INDEX.npy QUERY [options]\n"
        "vit-search INDEX.npy --row N [options]\n"
        "vit-search INDEX.npy --duplicates X [options]\n"
        "vit-search TRAIN.npy TEST.npy --evaluate --labels FILE --test-labels FILE [options]",
        R"(Compares vectors of images by their cosine. Compares all of them, so that the result is exact. vit-infer makes the vectors: vit-infer MODEL.vit FOLDER --features INDEX.npy --names INDEX.names

INDEX.npy: float32, float16 or float64 [N, D]. Rows of NaN (images that failed) are never found. QUERY: an image or a folder of images (with --model), or a .npy of vectors, [D] or [M, D].)",
        {{"Search",
          {{"-k,--topk", "N", "matches of a query (10); with --evaluate, neighbours of k-NN (20)"},
           {"--row", "N", "the query is row N of the index, which is not found itself"},
           {"--model",
            "MODEL.vit",
            "the model that made the index, for queries that are images",
            {},
            Completes::files},
           {"--vectors", "NAME", "which of the model's results the index holds (features)",
            "features,logits"},
           {"--names",
            "FILE",
            "names of the index's rows, one a line (INDEX.names, if it exists)",
            {},
            Completes::files}}},
         {"Other tasks",
          {{"--duplicates", "X", "groups of images with a cosine of at least X, from 0.01 to 1"},
           {"--evaluate", "", "accuracy of k-NN and of a linear probe on the vectors of TEST.npy"},
           {"--labels",
            "FILE",
            "the class of each row of TRAIN.npy, one a line",
            {},
            Completes::files},
           {"--test-labels", "FILE", "the class of each row of TEST.npy", {}, Completes::files}}},
         {"Output and speed",
          {{"--format", "NAME", "how results look (text)", "text,json,jsonl,csv"},
           {"-o,--output",
            "FILE",
            "write the results there instead of standard output. FILE appears when it is complete",
            {},
            Completes::files},
           {"-t,--threads", "N", "number of threads (0: all cores that this process may use)"},
           {"--precision", "NAME", "of the model (the one that the model file was converted for)",
            "f32,bf16,int8"},
           {"--time", "", "print the time of the task on standard error"}}},
         {"Help", {{"-h,--help", "", "this text"}, {"--version", "", "name and version"}}}},
        {{"Exit status",
          "  0 everything succeeded   1 some queries failed   2 wrong usage\n"
          "  3 the model or an array was refused   74 reading or writing failed   130, 143 "
          "interrupted"},
         {"Examples",
          "  vit-infer model.vit photos/ --features photos.npy --names photos.names\n"
          "  vit-search photos.npy cat.jpg --model model.vit -k 5\n"
          "  vit-search photos.npy --duplicates 0.97"}}};
    return text;
}

}  // namespace vit::search
