// Settings for requests to the hub and to other servers. They come from the environment variables
// of huggingface_hub and torch.hub.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace vit::hub {

struct Settings {
    std::string endpoint = "https://huggingface.co";  ///< no slash at the end
    /// Holds models--ORG--NAME. In web_settings it holds the files themselves.
    std::filesystem::path cache;
    std::string token;  ///< empty: no token
    bool offline = false;
    bool progress = false;                        ///< shown on standard error if it is a terminal
    std::chrono::seconds ask_timeout{10};         ///< for questions about a file
    std::chrono::seconds stall_timeout{10};       ///< longest time without progress in a transfer
    int retries = 5;                              ///< without progress in between
    std::chrono::milliseconds retry_pause{1000};  ///< wait before each retry
};

/// Reads HF_ENDPOINT, HF_HUB_CACHE, HF_HOME (else XDG_CACHE_HOME, else HOME), HF_TOKEN (else the
/// file HF_TOKEN_PATH, else `token` in HF_HOME), HF_HUB_OFFLINE, HF_HUB_ETAG_TIMEOUT and
/// HF_HUB_DOWNLOAD_TIMEOUT. Throws Error(usage) if a value is invalid.
Settings settings_from_environment();

/// Settings for files from any server. The cache is that of torch.hub: `hub/checkpoints` in
/// TORCH_HOME (else in `torch` in XDG_CACHE_HOME, else in ~/.cache). HF_HUB_OFFLINE and
/// HF_HUB_DOWNLOAD_TIMEOUT are used here too, the token is not. Throws Error(usage).
Settings web_settings_from_environment();

}  // namespace vit::hub
