# Cross-compiles for FreeBSD with the tools and Lua that tests/cross/freebsd.sh has put
# into build-cross/.  Use: -D VMRUN_CROSS_ARCH=amd64 (or arm64).

# CMake's trial compilations read this file again and must know the architecture too.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES VMRUN_CROSS_ARCH)

get_filename_component(_cross "${CMAKE_CURRENT_LIST_DIR}/../build-cross" ABSOLUTE)
set(_prefix "${_cross}/prefix-${VMRUN_CROSS_ARCH}")

set(CMAKE_SYSTEM_NAME FreeBSD)
set(CMAKE_SYSTEM_VERSION 14.0)
if(VMRUN_CROSS_ARCH STREQUAL "arm64")
	set(CMAKE_SYSTEM_PROCESSOR aarch64)
else()
	set(CMAKE_SYSTEM_PROCESSOR x86_64)
endif()

set(CMAKE_C_COMPILER "${_prefix}/bin/cc")
set(CMAKE_AR "${_prefix}/bin/ar" CACHE FILEPATH "")
set(CMAKE_RANLIB "${_prefix}/bin/ranlib" CACHE FILEPATH "")

# Libraries of the building machine must not be found; its programs may.
set(CMAKE_FIND_ROOT_PATH "${_prefix}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} "${_prefix}/lib/pkgconfig")
