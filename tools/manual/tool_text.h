// What a tool says about itself. --help, the manual page, the shells' completions and the parser
// read the same table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vit::tools {

/// What a shell completes after an option.
enum class Completes { nothing, files, folders };

struct OptionText {
    std::string_view names;  ///< "-k,--topk"
    std::string_view value;  ///< "N"; empty: a flag
    std::string_view text;
    std::string_view choices = {};  ///< "text,json": the only values, separated by commas
    Completes completes = Completes::nothing;
};

struct Topic {
    std::string_view title;
    std::vector<OptionText> options;
};

/// A section of text for --help and the manual page. Lines are shown as they are.
struct Section {
    std::string_view title, text;
};

struct ToolText {
    std::string_view name;         ///< "vit-infer"
    std::string_view summary;      ///< a few words, for the manual page's first line
    std::string_view synopsis;     ///< one line for each form of the command line
    std::string_view description;  ///< paragraphs, separated by empty lines
    std::vector<Topic> topics;
    std::vector<Section> sections;
};

/// The option's text, followed by its choices where it has them.
std::string explanation(const OptionText& option);

/// The names of one option: "-k,--topk" for "--topk". Empty where the tool has no such option.
std::string_view names_of(const ToolText& tool, std::string_view name);

}  // namespace vit::tools
