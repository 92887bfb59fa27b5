# Programs write their counts when they call exit(), not when they call _exit(): the children of tests
# do.  Therefore each program writes them in _exit(), too.
add_library(coverage_exit OBJECT ${CMAKE_CURRENT_LIST_DIR}/exit.c)
set_target_properties(coverage_exit PROPERTIES POSITION_INDEPENDENT_CODE ON)
add_link_options($<TARGET_OBJECTS:coverage_exit> LINKER:--wrap=_exit)
