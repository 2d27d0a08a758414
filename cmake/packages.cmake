# Debian packages: the shared library, the files for building against it, and the tools. Run `cpack -G DEB` in a build
# folder.
set(package_runtime libvit${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(package_dev libvit-dev)
set(package_tools vit-tools)
foreach(component runtime dev tools)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/THIRD_PARTY.md
          DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${package_${component}} COMPONENT ${component})
  # Debian expects the licence at this path.
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE RENAME copyright
          DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${package_${component}} COMPONENT ${component})
  string(TOUPPER ${component} COMPONENT)
  set(CPACK_DEBIAN_${COMPONENT}_PACKAGE_NAME ${package_${component}})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME vit)
set(CPACK_PACKAGE_CONTACT "The vit developers <vit@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_COMPONENTS_ALL runtime dev tools)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "CPU inference for Vision Transformers: the shared library")
set(CPACK_COMPONENT_DEV_DESCRIPTION "CPU inference for Vision Transformers: headers, static library, examples")
set(CPACK_COMPONENT_TOOLS_DESCRIPTION
  "CPU inference for Vision Transformers: vit-convert, vit-infer, vit-search, vit-eval, vit-bench")
foreach(component RUNTIME TOOLS)
  set(CPACK_DEBIAN_${component}_PACKAGE_SHLIBDEPS ON)
endforeach()
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION science)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_GENERATE_SHLIBS ON)
# The static library needs the libraries that it uses at link time.
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
  "${package_runtime} (= ${PROJECT_VERSION}), libdnnl-dev, libfmt-dev, libjpeg-dev, libwebp-dev, zlib1g-dev")
include(CPack)
