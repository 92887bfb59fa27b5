# cmake -DLINKED=... -DROM=... -P finish.cmake: makes the image out of what the linker wrote.
# The byte at 0xFFFFFFFF is added here, since ld.lld refuses a section that ends at 4 GiB; nobody
# reads it.  The image gets its name last, so that a wrong one is never taken for a finished one.
file(APPEND "${LINKED}" " ")
file(SIZE "${LINKED}" size)
if(NOT size EQUAL 65536)
	message(FATAL_ERROR "${LINKED} has ${size} bytes instead of 65536")
endif()
file(RENAME "${LINKED}" "${ROM}")
