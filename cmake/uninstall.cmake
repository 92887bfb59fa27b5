# Removes what the last "cmake --install" of this build directory has installed, and the directories of
# vmrun that are empty then.  DESTDIR counts as it did there.
#
#	cmake -D MANIFEST=BUILD/install_manifest.txt -P uninstall.cmake

if(NOT EXISTS "${MANIFEST}")
	message(FATAL_ERROR "${MANIFEST} does not exist: nothing was installed from this build directory")
endif()
file(STRINGS "${MANIFEST}" files)
set(directories)
foreach(file IN LISTS files)
	set(file "$ENV{DESTDIR}${file}")
	if(EXISTS "${file}" OR IS_SYMLINK "${file}")
		message(STATUS "Uninstalling: ${file}")
		file(REMOVE "${file}")
	else()
		message(STATUS "Not there: ${file}")
	endif()
	# .../vmrun/lua/merge.lua: .../vmrun/lua, then .../vmrun
	get_filename_component(directory "${file}" DIRECTORY)
	while(directory MATCHES "/vmrun(/|$)" AND NOT directory STREQUAL "$ENV{DESTDIR}")
		list(APPEND directories "${directory}")
		get_filename_component(directory "${directory}" DIRECTORY)
	endwhile()
endforeach()

# The longest first, so that a directory is empty before the one above it is looked at.
list(REMOVE_DUPLICATES directories)
list(SORT directories ORDER DESCENDING)
foreach(directory IN LISTS directories)
	file(GLOB left LIST_DIRECTORIES true "${directory}/*" "${directory}/.*")
	if(IS_DIRECTORY "${directory}" AND NOT IS_SYMLINK "${directory}" AND NOT left)
		file(REMOVE_RECURSE "${directory}")
	endif()
endforeach()
