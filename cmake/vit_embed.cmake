# vit_embed(FILE ARRAY HEADER): compiles the bytes of FILE in, as ${CMAKE_CURRENT_BINARY_DIR}/ARRAY.cpp. HEADER declares
# ARRAY as a std::span<const unsigned char>.
function(vit_embed file array header)
  set(script ${PROJECT_SOURCE_DIR}/cmake/embed.cmake)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${array}.cpp)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${CMAKE_CURRENT_SOURCE_DIR}/${file} -DOUTPUT=${output} -DHEADER=${header}
            -DNAME=${array} -P ${script}
    DEPENDS ${file} ${script} VERBATIM)
endfunction()
