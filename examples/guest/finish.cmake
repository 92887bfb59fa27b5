# cmake -DLINKED=... -DROM=... -P finish.cmake: makes the image from the linker's output.
# Adds the byte at 0xFFFFFFFF, which is never read, because ld.lld refuses a section that ends at
# 4 GiB.  Renames the image last, so that an incomplete image never has the final name.
file(APPEND "${LINKED}" " ")
file(SIZE "${LINKED}" size)
if(NOT size EQUAL 65536)
	message(FATAL_ERROR "${LINKED} has ${size} bytes instead of 65536")
endif()
file(RENAME "${LINKED}" "${ROM}")
