#include "tools/vit-eval/text.h"

#include "tools/evaluation/option_texts.h"

namespace vit::eval {

const tools::ToolText& tool_text() {
    using tools::Completes;
    static const tools::ToolText text{
        "vit-eval",
        "compare records of vit-infer with the true classes",
        "vit-eval RECORDS.jsonl SOURCE [options]",
        R"(Compares records that vit-infer --format jsonl wrote with the true classes, and prints accuracies and calibration. No model runs.

SOURCE: a folder with a folder for each class, or a CSV of file,label. A record belongs to the image whose path below SOURCE is the end of the record's file name.)",
        {{"Classes",
          {{"--model",
            "MODEL.vit",
            "take the classes and their labels from this model file (those that occur in the "
            "records)",
            {},
            Completes::files},
           tools::option_text::class_map,
           tools::option_text::real_labels}},
         {"Results",
          {{"--format", "NAME", "how the summary looks (text)", "text,json"},
           tools::option_text::confusion,
           tools::option_text::reliability,
           tools::option_text::all_classes}},
         {"Help", {{"-h,--help", "", "this text"}, {"--version", "", "name and version"}}}},
        {{"Exit status",
          "  0 everything succeeded   1 images failed or have no record, or the input is wrong\n"
          "  2 wrong usage   3 the model was refused   74 reading or writing failed"},
         {"Examples",
          "  vit-infer model.vit photos/ -o records.jsonl\n"
          "  vit-eval records.jsonl photos/\n"
          "  vit-eval records.jsonl labels.csv --confusion confusion.svg --format json"}}};
    return text;
}

}  // namespace vit::eval
