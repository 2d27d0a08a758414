// Preloaded into a tool, makes it hang where it opens a file whose name has "hang" in it, as a
// server that is away makes it hang.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

extern "C" FILE* fopen(const char* path, const char* mode) {
    while (std::strstr(path, "hang") != nullptr) ::pause();
    using Function = FILE*(const char*, const char*);
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, "fopen"))(path, mode);
}
