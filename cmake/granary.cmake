# What every target of the project shares: warnings as errors, sanitizers, the include root.
add_library(granary_options INTERFACE)
target_include_directories(granary_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(granary_options INTERFACE -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor)
# g++ 12 takes `"text" + std::string` at -O2 for an overlapping copy (GCC bug, gone in 13).
target_compile_options(granary_options INTERFACE
                       $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>)
# Asio's fences are invisible to ThreadSanitizer; without them it uses atomics, which are not.
target_compile_definitions(granary_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
# g++ 12 takes short strings inside structs for uninitialised once it inlines their moves (GCC bug 105562 and its kin).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(granary_options INTERFACE -Wno-maybe-uninitialized)
endif()
if(GRANARY_SANITIZE)
  target_compile_options(granary_options INTERFACE -fsanitize=${GRANARY_SANITIZE} -fno-omit-frame-pointer
                                                   -fno-sanitize-recover=all)
  # g++ 12 sees uninitialized members of variants in sanitized code that are none; the other builds keep the warning.
  target_compile_options(granary_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(granary_options INTERFACE -fsanitize=${GRANARY_SANITIZE})
endif()
if(GRANARY_SANITIZE STREQUAL "thread")
  add_library(granary_c11_threads OBJECT ${PROJECT_SOURCE_DIR}/tests/sanitizers/c11_threads_on_pthread.cc)
  target_link_libraries(granary_c11_threads PRIVATE granary_options)
endif()
# Sanitized programs take several times as long; their tests may.
set(GRANARY_PATIENCE 1)
if(GRANARY_SANITIZE)
  set(GRANARY_PATIENCE 5)
endif()

# granary_library(NAME SOURCES ... LIBS ...): a room. Without sources it is headers only.
function(granary_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  if(ARG_SOURCES)
    add_library(${name} STATIC ${ARG_SOURCES})
    target_link_libraries(${name} PUBLIC granary_options ${ARG_LIBS})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE granary_options ${ARG_LIBS})
  endif()
endfunction()

# granary_program(NAME SOURCES ... LIBS ...)
function(granary_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE granary_options ${ARG_LIBS})
  if(TARGET granary_c11_threads)
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:granary_c11_threads>)
  endif()
endfunction()

# granary_test(NAME SOURCES ... LIBS ...): a GoogleTest program; ctest sees each of its cases.
function(granary_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LIBS;LABELS" ${ARGN})
  granary_program(${name} SOURCES ${ARG_SOURCES} LIBS ${ARG_LIBS} GTest::gtest_main)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  math(EXPR limit "${ARG_TIMEOUT} * ${GRANARY_PATIENCE}")
  include(GoogleTest)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT ${limit} LABELS "${ARG_LABELS}")
endfunction()

# granary_time_limit(SECONDS TESTS...): for tests that also run sanitized.
function(granary_time_limit seconds)
  math(EXPR limit "${seconds} * ${GRANARY_PATIENCE}")
  set_tests_properties(${ARGN} PROPERTIES TIMEOUT ${limit})
endfunction()
