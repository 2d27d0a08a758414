// Decodes images from standard input. Each image is sent as 4 bytes with its length
// (little-endian), then its bytes. Prints one line per image: "ok HEIGHT WIDTH CRC32 WARNING" or
// "error MESSAGE".
#include <zlib.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include "vit/error.h"
#include "vit/image.h"

int main() {
    std::array<unsigned char, 4> length{};
    while (std::fread(length.data(), 1, 4, stdin) == 4) {
        std::vector<std::byte> bytes(length[0] | length[1] << 8 | length[2] << 16 |
                                     std::size_t{length[3]} << 24);
        if (std::fread(bytes.data(), 1, bytes.size(), stdin) != bytes.size()) return 1;
        try {
            std::string warning;
            const vit::Image image = vit::decode_image(bytes, "file", {}, &warning);
            std::printf("ok %lld %lld %lu %s\n", static_cast<long long>(image.height),
                        static_cast<long long>(image.width),
                        crc32_z(0, image.rgb.data(), image.rgb.size()), warning.c_str());
        } catch (const vit::Error& error) {
            std::printf("error %s\n", error.what());
        }
        std::fflush(stdout);
    }
    return 0;
}
