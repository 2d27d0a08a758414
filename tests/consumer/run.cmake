# Installs this build to a separate prefix, builds tests/consumer/project against it, and runs the program.
# -DBUILD= -DPROJECT= -DWORK= -DGENERATOR= -DCOMPILER= -DBUILD_TYPE= -DMODEL= -DIMAGE= -DEXPECTED= -DFLAGS=
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}: ${status}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/installed)
# The installation is moved, so that a path to its first place would cause an error.
file(RENAME ${WORK}/installed ${WORK}/prefix)
run(${CMAKE_COMMAND} -S ${PROJECT} -B ${WORK}/build -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_C_COMPILER=${C_COMPILER}
    -DCMAKE_BUILD_TYPE=${BUILD_TYPE} "-DCMAKE_CXX_FLAGS=${FLAGS}" -DCMAKE_PREFIX_PATH=${WORK}/prefix
    -Dvit_INCLUDE_DIR=${WORK}/prefix/include)
run(${CMAKE_COMMAND} --build ${WORK}/build)

# No installed file may contain the path of the build or of the sources.
file(GLOB_RECURSE texts ${WORK}/prefix/*.cmake ${WORK}/prefix/*.h)
foreach(text ${texts})
  file(READ ${text} content)
  foreach(place ${BUILD} ${SOURCE})
    string(REGEX REPLACE "([][+.*()^$?|\\\\])" "\\\\\\1" pattern "${place}")
    # The whole path: sources in /vit are not named by \${prefix}/vitConfig.cmake.
    if(content MATCHES "(^|[^A-Za-z0-9_.}-])${pattern}([^A-Za-z0-9_.-]|$)")
      message(FATAL_ERROR "${text} names ${place}")
    endif()
  endforeach()
endforeach()

function(expect_label)
  run(${ARGN} ${MODEL} ${IMAGE})
  string(FIND "${output}" "${EXPECTED}" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "${ARGN}: expected ${EXPECTED}, found ${output}")
  endif()
endfunction()
foreach(program ${WORK}/build/consumer ${WORK}/build/consumer_shared ${EXAMPLE} ${EXAMPLE_C})
  expect_label(${program})
endforeach()

# Builds a program in C with only pkg-config, first with the shared and then with the static library.
file(GLOB_RECURSE pc ${WORK}/prefix/*/vit.pc)
get_filename_component(pc_folder ${pc} DIRECTORY)
get_filename_component(library_folder ${pc_folder} DIRECTORY)
set(ENV{PKG_CONFIG_PATH} ${pc_folder})
file(GLOB_RECURSE example_c ${WORK}/prefix/share/doc/*/examples/classify.c)
foreach(kind shared static)
  set(static)
  if(kind STREQUAL static)
    set(static --static)
  endif()
  execute_process(COMMAND pkg-config ${static} --cflags --libs vit OUTPUT_VARIABLE pc_flags COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(pc_flags UNIX_COMMAND "${pc_flags}")
  if(kind STREQUAL static)
    list(TRANSFORM pc_flags REPLACE "^-lvit$" "-l:libvit.a")
  endif()
  run(${C_COMPILER} -std=c99 -Wall -Wextra -Wpedantic -Werror ${example_c} -o ${WORK}/classify_${kind} ${pc_flags} ${FLAGS})
  expect_label(${CMAKE_COMMAND} -E env LD_LIBRARY_PATH=${library_folder} ${WORK}/classify_${kind})
endforeach()

# With C++17 the compiler must print one error that says what is missing.
file(WRITE ${WORK}/old.cpp "#include \"vit/model.h\"\n")
execute_process(COMMAND ${COMPILER} -std=c++17 -fsyntax-only -I${WORK}/prefix/include ${WORK}/old.cpp
  ERROR_VARIABLE old RESULT_VARIABLE status)
string(REGEX MATCHALL "error:" errors "${old}")
list(LENGTH errors count)
if(status EQUAL 0 OR NOT count EQUAL 1 OR NOT old MATCHES "vit needs C\\+\\+20")
  message(FATAL_ERROR "with -std=c++17 expected one error that names C++20, found ${old}")
endif()
run(${WORK}/prefix/bin/vit-infer ${MODEL} ${IMAGE} --format csv)
string(FIND "${output}" ",${EXPECTED}," found)
if(found EQUAL -1)
  message(FATAL_ERROR "installed vit-infer: expected ${EXPECTED}, found ${output}")
endif()
