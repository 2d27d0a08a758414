# Configures only the library, without image codecs, and checks that the build files do not name any codec.
# -DSOURCE= -DWORK= -DGENERATOR= -DCOMPILER=
file(REMOVE_RECURSE ${WORK})
set(common ${CMAKE_COMMAND} -S ${SOURCE} -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${COMPILER} -DVIT_IMAGE_CODECS=OFF)
set(alone -DVIT_BUILD_TOOLS=OFF -DVIT_BUILD_TESTS=OFF -DVIT_BUILD_BENCH=OFF)
set(missing -DCMAKE_DISABLE_FIND_PACKAGE_JPEG=ON -DCMAKE_DISABLE_FIND_PACKAGE_ZLIB=ON -DCMAKE_DISABLE_FIND_PACKAGE_PNG=ON)
execute_process(COMMAND ${common} -B ${WORK}/alone ${alone} ${missing}
  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "configuring failed: ${output}")
endif()
file(GLOB_RECURSE files ${WORK}/alone/*.ninja ${WORK}/alone/*.make)
foreach(file ${files})
  file(READ ${file} text)
  string(REGEX MATCH "libjpeg|libwebp|libpng|libz\\.|decode_(jpeg|png|webp)" found "${text}")
  if(found)
    message(FATAL_ERROR "${file} has ${found}")
  endif()
endforeach()
if(NOT files)
  message(FATAL_ERROR "no build files in ${WORK}/alone")
endif()
file(READ ${WORK}/alone/engine/vitConfig.cmake text)
if(NOT text MATCHES "vit_IMAGE_CODECS OFF")
  message(FATAL_ERROR "vitConfig.cmake does not say that codecs are off: ${text}")
endif()

# The tools decode images, so configuring them must fail with a message.
execute_process(COMMAND ${common} -B ${WORK}/tools -DVIT_BUILD_TOOLS=ON
  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
string(FIND "${output}" "VIT_IMAGE_CODECS=OFF builds the library alone" found)
if(status EQUAL 0 OR found EQUAL -1)
  message(FATAL_ERROR "expected a refusal to build the tools, found ${status}: ${output}")
endif()
