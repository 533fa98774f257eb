# switchboard_library(<name> SOURCES <file>... [PUBLIC <target>...] [PRIVATE <target>...])
#
# One library of this project (without SOURCES: of every .cpp in and below its folder), known to others as switchboard::<name>. PUBLIC is for
# what its headers need; a third-party library nearly always is PRIVATE.
function(switchboard_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  if(NOT arg_SOURCES)
    file(GLOB_RECURSE arg_SOURCES CONFIGURE_DEPENDS *.cpp)
  endif()
  if(NOT arg_SOURCES)
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/empty.cpp "")
    set(arg_SOURCES ${CMAKE_CURRENT_BINARY_DIR}/empty.cpp)
  endif()
  add_library(switchboard_${name} STATIC ${arg_SOURCES})
  add_library(switchboard::${name} ALIAS switchboard_${name})
  target_include_directories(switchboard_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(switchboard_${name} PUBLIC ${arg_PUBLIC}
                        PRIVATE ${arg_PRIVATE} switchboard::warnings)
  target_compile_features(switchboard_${name} PUBLIC cxx_std_20)
endfunction()

add_library(switchboard_warnings INTERFACE)
add_library(switchboard::warnings ALIAS switchboard_warnings)
target_compile_options(switchboard_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)

# ccache, where it is installed, makes a second build take seconds.
find_program(SWITCHBOARD_CCACHE ccache)
if(SWITCHBOARD_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SWITCHBOARD_CCACHE})
endif()

# lld links several times faster than GNU ld; the result is the same.
find_program(SWITCHBOARD_LLD ld.lld)
if(SWITCHBOARD_LLD)
  add_link_options(-fuse-ld=lld)
endif()

# -DSWITCHBOARD_SANITIZE=address,undefined or -DSWITCHBOARD_SANITIZE=thread
set(SWITCHBOARD_SANITIZE "" CACHE STRING "Sanitizers for the whole build")
if(SWITCHBOARD_SANITIZE)
  add_compile_options(-fsanitize=${SWITCHBOARD_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SWITCHBOARD_SANITIZE})
  # Instrumented code confuses GCC 12's flow analysis, in the standard library too.
  target_compile_options(switchboard_warnings INTERFACE
    -Wno-maybe-uninitialized $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
endif()
