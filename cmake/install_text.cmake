# Installs text that names the prefix.  The files in the source tree name /usr/local and the directories
# of FreeBSD's ports; the installed copies name the directories of this installation.  CMake runs this
# file during an installation, because "cmake --install --prefix" chooses the prefix only then.
#
# CMakeLists.txt sets vmrun_bindir, vmrun_sysconfdir, vmrun_datadir and vmrun_examplesdir, each absolute
# or relative to the prefix, and vmrun_staging, the beginning of the name of a directory that the
# installation makes and removes.

# Stores the absolute form of an installation directory.
function(vmrun_full out directory)
	if(NOT IS_ABSOLUTE "${directory}")
		string(REGEX REPLACE "/+$" "" prefix "${CMAKE_INSTALL_PREFIX}")
		# As GNUInstallDirs: the configuration of programs in /usr is in /etc.
		if(prefix STREQUAL "/usr" AND directory STREQUAL "etc")
			set(prefix "")
		endif()
		set(directory "${prefix}/${directory}")
	endif()
	set(${out} "${directory}" PARENT_SCOPE)
endfunction()

# Returns the text of a file with the directories of this installation.
function(vmrun_text out file)
	vmrun_full(bindir "${vmrun_bindir}")
	vmrun_full(sysconfdir "${vmrun_sysconfdir}")
	vmrun_full(datadir "${vmrun_datadir}")
	vmrun_full(examplesdir "${vmrun_examplesdir}")
	file(READ "${file}" text)
	string(REPLACE "/usr/local/sbin/vmrun" "${bindir}/vmrun" text "${text}")
	string(REPLACE "/usr/local/etc/vmrun" "${sysconfdir}/vmrun" text "${text}")
	string(REPLACE "/usr/local/share/examples/vmrun" "${examplesdir}" text "${text}")
	string(REPLACE "/usr/local/share/vmrun" "${datadir}/vmrun" text "${text}")
	set(${out} "${text}" PARENT_SCOPE)
endfunction()

# vmrun_install_text(DESTINATION DIRECTORY FILE...): installs the files, whose names are relative to
# DIRECTORY, below DESTINATION.
function(vmrun_install_text destination directory)
	vmrun_full(destination "${destination}")
	string(RANDOM LENGTH 12 name)
	set(staging "${vmrun_staging}-${name}")
	foreach(file IN LISTS ARGN)
		set(copy "${staging}/${file}")
		vmrun_text(text "${directory}/${file}")
		file(WRITE "${copy}" "${text}")
		# Not the permissions of the source, which depend on the umask of who unpacked it.
		set(permissions OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
		if(text MATCHES "^#!")
			list(APPEND permissions OWNER_EXECUTE GROUP_EXECUTE WORLD_EXECUTE)
		endif()
		get_filename_component(below "${file}" DIRECTORY)
		file(INSTALL DESTINATION "${destination}/${below}" TYPE FILE FILES "${copy}"
			PERMISSIONS ${permissions})
	endforeach()
	file(REMOVE_RECURSE "${staging}")
	# file(INSTALL) has added the files; "uninstall" needs them.
	set(CMAKE_INSTALL_MANIFEST_FILES "${CMAKE_INSTALL_MANIFEST_FILES}" PARENT_SCOPE)
endfunction()
