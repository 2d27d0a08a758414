# Installs this build to a prefix of its own, builds tests/consumer/project against it, and runs it.
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
# Moved, so that a path into the first place would be found out.
file(RENAME ${WORK}/installed ${WORK}/prefix)
run(${CMAKE_COMMAND} -S ${PROJECT} -B ${WORK}/build -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${COMPILER}
    -DCMAKE_BUILD_TYPE=${BUILD_TYPE} "-DCMAKE_CXX_FLAGS=${FLAGS}" -DCMAKE_PREFIX_PATH=${WORK}/prefix
    -Dvit_INCLUDE_DIR=${WORK}/prefix/include)
run(${CMAKE_COMMAND} --build ${WORK}/build)

# Nothing that is installed points back to where it was built.
file(GLOB_RECURSE texts ${WORK}/prefix/*.cmake ${WORK}/prefix/*.h)
foreach(text ${texts})
  file(READ ${text} content)
  foreach(place ${BUILD} ${SOURCE})
    string(FIND "${content}" "${place}" found)
    if(NOT found EQUAL -1)
      message(FATAL_ERROR "${text} names ${place}")
    endif()
  endforeach()
endforeach()

foreach(program ${WORK}/build/consumer ${EXAMPLE})
  run(${program} ${MODEL} ${IMAGE})
  string(FIND "${output}" "${EXPECTED}" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "${program}: expected ${EXPECTED}, found ${output}")
  endif()
endforeach()
run(${WORK}/prefix/bin/vit-infer ${MODEL} ${IMAGE} --format csv)
string(FIND "${output}" ",${EXPECTED}," found)
if(found EQUAL -1)
  message(FATAL_ERROR "installed vit-infer: expected ${EXPECTED}, found ${output}")
endif()
