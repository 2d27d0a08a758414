#include <nlohmann/json.hpp>

#include "tools/evaluation/metrics.h"
#include "tools/evaluation/report.h"

namespace vit::tools {

namespace {

using Json = nlohmann::ordered_json;

/// null where nothing was counted.
Json accuracy(std::int64_t right, std::int64_t images) {
    return images == 0 ? Json() : Json(share(right, images));
}

template <class Value>
Json or_null(const std::optional<Value>& value) {
    return value ? Json(*value) : Json();
}

Json json_of(const Hits& hits, bool top5_known) {
    return {{"images", hits.images},
            {"top1", accuracy(hits.top1, hits.images)},
            {"top5", top5_known ? accuracy(hits.top5, hits.images) : Json()},
            {"top1_right", hits.top1},
            {"top5_right", top5_known ? Json(hits.top5) : Json()}};
}

Json json_of_bins(const Tally& tally) {
    Json bins = Json::array();
    for (std::size_t i = 0; i < confidence_bins; ++i) {
        const ConfidenceBin& bin = tally.bins[i];
        const auto images = static_cast<double>(bin.images);
        bins.push_back({{"above", static_cast<double>(i) / confidence_bins},
                        {"up_to", static_cast<double>(i + 1) / confidence_bins},
                        {"images", bin.images},
                        {"confidence", bin.images == 0 ? Json() : Json(bin.confidence / images)},
                        {"top1", accuracy(bin.right, bin.images)}});
    }
    return bins;
}

Json json_of_classes(const Report& report) {
    Json classes = Json::array();
    for (const ClassRow& row : class_rows(report.tally)) {
        Json each{{"index", row.index}, {"label", label_of(report.classes, row.index)}};
        each.update(json_of(row.hits, report.tally.top5_known));
        classes.push_back(std::move(each));
    }
    return classes;
}

Json json_of_confusions(const Tally& tally) {
    Json confusions = Json::array();
    for (const auto& [pair, images] : tally.confusions)
        confusions.push_back(
            {{"true", pair.first}, {"predicted", pair.second}, {"images", images}});
    return confusions;
}

}  // namespace

std::string json_report(const Report& report) {
    const Tally& tally = report.tally;
    const Hits all = all_hits(tally);
    Json json = json_of(all, tally.top5_known);
    json["failed"] = tally.failed;
    json["missing"] = report.missing;
    if (tally.real) json["real"] = json_of(*tally.real, tally.top5_known);
    json["class_mean_top1"] = all.images == 0 ? Json() : Json(mean_class_accuracy(tally));
    json["nll"] = or_null(negative_log_likelihood(tally));
    json["ece"] = all.images == 0 ? Json() : Json(expected_calibration_error(tally.bins));
    json["images_per_second"] = or_null(report.images_per_second);
    json["reliability"] = json_of_bins(tally);
    json["classes"] = json_of_classes(report);
    json["confusions"] = json_of_confusions(tally);
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace vit::tools
