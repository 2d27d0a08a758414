// Reads and writes tables of comma-separated values with libcsv.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace vit::tools {

/// Calls `row` for each row of `text`, the header included; empty lines are no rows. Fields are as
/// in RFC 4180; blanks around a field are not part of it. Passes on what `row` throws. Throws
/// Error(input) that begins with `where` for quotes in wrong places.
void read_csv(std::string_view text, std::string_view where,
              const std::function<void(std::vector<std::string>)>& row);

/// A field in quotes.
std::string csv_field(std::string_view text);

}  // namespace vit::tools
