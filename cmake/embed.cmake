# Writes a file as a C++ array: cmake -DINPUT=FILE -DOUTPUT=FILE.cpp -DHEADER=DECLARING.h -DNAME=ARRAY -P embed.cmake
file(READ "${INPUT}" bytes HEX)
string(LENGTH "${bytes}" length)
math(EXPR length "${length} / 2")
# Break the text into lines of 32 bytes.
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "((0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,))" "\\1\n" bytes "${bytes}")
file(WRITE "${OUTPUT}" "#include \"${HEADER}\"

namespace vit::tools {

namespace {

constexpr unsigned char bytes[${length}] = {
${bytes}};

}  // namespace

const std::span<const unsigned char> ${NAME}(bytes);

}  // namespace vit::tools
")
