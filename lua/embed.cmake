# Puts Lua files into a C file as arrays of bytes: string literals may be too long for a compiler.
#
#   vmrun_embed_lua(OUTPUT.c FILE.lua...)
#
# adds the rule that makes OUTPUT.c, which defines embedded_lua[] of src/script/embedded.h: one
# entry a file, named as the file without its directory and ".lua"; those of hooks/ keep their
# directory.  CMake is the only tool it needs: this file is also the script that the rule runs.

if(NOT CMAKE_SCRIPT_MODE_FILE)
	set(VMRUN_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE} CACHE INTERNAL "")

	function(vmrun_embed_lua output)
		set(files)
		foreach(file IN LISTS ARGN)
			get_filename_component(file ${file} ABSOLUTE)
			list(APPEND files ${file})
		endforeach()
		add_custom_command(OUTPUT ${output}
			COMMAND ${CMAKE_COMMAND} -D OUTPUT=${output} -D "FILES=${files}"
				-P ${VMRUN_EMBED_SCRIPT}
			DEPENDS ${files} ${VMRUN_EMBED_SCRIPT}
			COMMENT "Embedding the Lua modules"
			VERBATIM)
	endfunction()
	return()
endif()

set(arrays)
set(rows)
foreach(file IN LISTS FILES)
	get_filename_component(name ${file} NAME_WE)
	string(MAKE_C_IDENTIFIER ${name} array)
	if(file MATCHES "/hooks/[^/]*$")
		string(PREPEND array hooks_)
		string(PREPEND name hooks/)
	endif()
	file(READ ${file} bytes HEX)
	string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
	string(APPEND arrays "static const unsigned char ${array}[] = {\n${bytes}\n};\n\n")
	string(APPEND rows "\t{ \"${name}\", ${array}, sizeof(${array}) },\n")
endforeach()
file(WRITE ${OUTPUT} "/* Made by lua/embed.cmake from the files of lua/ and hooks/. */
#include \"script/embedded.h\"

${arrays}const struct embedded embedded_lua[] = {
${rows}\t{ (void *)0, (void *)0, 0 },
};
")
