#include "tools/page/profile_page.h"

#include "tools/page/page_data.h"
#include "tools/page/templates.h"

namespace vit::tools {

std::string profile_page(std::string_view title, std::string_view profile) {
    const auto [before, after] = parts_of(profile_html);
    std::string page = before;
    page += data_element("facts", {{"title", title}});
    page += data_element("profile", nlohmann::ordered_json::parse(profile));
    page += after;
    return page;
}

}  // namespace vit::tools
