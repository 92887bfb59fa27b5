# Gives an installation the form that Debian's policy asks for; CPack runs it before it makes a .deb.

set(root "${CPACK_TEMPORARY_INSTALL_DIRECTORY}${CPACK_PACKAGING_INSTALL_PREFIX}")
set(docs "${root}/${CPACK_VMRUN_DOCDIR}")

file(RENAME "${docs}/LICENSE" "${docs}/copyright")

# The changelog of the package names the release; what changed is in the page beside it.
file(STRINGS "${CPACK_VMRUN_CHANGELOG}" heading REGEX "^## ${CPACK_PACKAGE_VERSION} " LIMIT_COUNT 1)
string(REGEX MATCH "[0-9]+-[0-9]+-[0-9]+" date "${heading}")
if(NOT date)
	message(FATAL_ERROR "CHANGELOG.md: expected a line \"## ${CPACK_PACKAGE_VERSION} (YYYY-MM-DD)\"")
endif()
execute_process(COMMAND date -u -d ${date} "+%a, %d %b %Y %H:%M:%S +0000" OUTPUT_VARIABLE date
	OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
file(WRITE "${docs}/changelog" "vmrun (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium

  * See CHANGELOG.md.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")

file(GLOB manuals "${root}/${CPACK_VMRUN_MANDIR}/man*/*")
execute_process(COMMAND gzip -9n "${docs}/changelog" ${manuals} COMMAND_ERROR_IS_FATAL ANY)

# The packages of the shared libraries.  CPack can ask for them, too, but then it also adds scripts that
# call ldconfig, and dpkg keeps one of the scripts when it removes the package.
file(GLOB objects "${root}/bin/*")
file(GLOB_RECURSE libraries "${root}/lib/*.so*")
foreach(library ${libraries})
	if(NOT IS_SYMLINK "${library}")
		list(APPEND objects "${library}")
	endif()
endforeach()
set(work "${CPACK_TOPLEVEL_DIRECTORY}/shlibdeps")
file(WRITE "${work}/debian/control" "") # dpkg-shlibdeps wants one
# dpkg-shlibdeps takes the directory with this one in it as the root of the package.  It needs the root for
# the $ORIGIN by which the Lua module finds libvmrun.
set(mark "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/DEBIAN")
file(MAKE_DIRECTORY "${mark}")
execute_process(COMMAND dpkg-shlibdeps --ignore-missing-info -O ${objects} WORKING_DIRECTORY "${work}"
	OUTPUT_VARIABLE depends OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE "${mark}")
string(REGEX REPLACE "^shlibs:Depends=" "" CPACK_DEBIAN_PACKAGE_DEPENDS "${depends}")

# The same times from every directory; CPack itself does so with what it writes.
if(DEFINED ENV{SOURCE_DATE_EPOCH})
	execute_process(COMMAND find "${CPACK_TEMPORARY_INSTALL_DIRECTORY}"
		-exec touch -h -d "@$ENV{SOURCE_DATE_EPOCH}" {} +
		COMMAND_ERROR_IS_FATAL ANY)
endif()
