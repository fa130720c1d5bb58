# tests/CMakeLists.txt of the tree of the next build.
granary_test(evolution SOURCES next_build/evolution_test.cc LIBS granary_machines granary_runtime granary_proof)
