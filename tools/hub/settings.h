// What decides how the hub and other servers are asked: environment variables of huggingface_hub
// and of torch.hub.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace vit::hub {

struct Settings {
    std::string endpoint = "https://huggingface.co";  ///< without a slash at the end
    std::filesystem::path cache;  ///< holds models--ORG--NAME; of web_settings, files
    std::string token;            ///< empty: none
    bool offline = false;
    bool progress = false;                        ///< on standard error, if that is a terminal
    std::chrono::seconds ask_timeout{10};         ///< for what is told about a file
    std::chrono::seconds stall_timeout{10};       ///< a transfer may stand still so long
    int retries = 5;                              ///< of a transfer, since it last moved on
    std::chrono::milliseconds retry_pause{1000};  ///< before each
};

/// HF_ENDPOINT, HF_HUB_CACHE, HF_HOME (else XDG_CACHE_HOME, else HOME), HF_TOKEN (else the file
/// HF_TOKEN_PATH, else `token` in HF_HOME), HF_HUB_OFFLINE, HF_HUB_ETAG_TIMEOUT,
/// HF_HUB_DOWNLOAD_TIMEOUT. Throws Error(usage) where one makes no sense.
Settings settings_from_environment();

/// For files of any server: the cache is torch.hub's, `hub/checkpoints` in TORCH_HOME (else `torch`
/// in XDG_CACHE_HOME, else in ~/.cache). HF_HUB_OFFLINE and HF_HUB_DOWNLOAD_TIMEOUT count here too,
/// the token does not. Throws Error(usage).
Settings web_settings_from_environment();

}  // namespace vit::hub
