# Installation of manuals, examples and pages, whose installed copies name the prefix, and its reverse.

install(CODE "set(vmrun_bindir [[${vmrun_bindir}]])
set(vmrun_sysconfdir [[${CMAKE_INSTALL_SYSCONFDIR}]])
set(vmrun_datadir [[${CMAKE_INSTALL_DATADIR}]])
set(vmrun_examplesdir [[${vmrun_examplesdir}]])
set(vmrun_staging [[${CMAKE_BINARY_DIR}/installed-text]])
include([[${CMAKE_CURRENT_LIST_DIR}/install_text.cmake]])")

# install_text(DESTINATION DIRECTORY FILE...), see vmrun_install_text()
function(install_text destination directory)
	string(REPLACE ";" "]] [[" files "${ARGN}")
	install(CODE "vmrun_install_text([[${destination}]] [[${directory}]] [[${files}]])")
endfunction()

# Manual pages go into the directory of their section: vmrun.8 into man8.
file(GLOB manuals RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/man CONFIGURE_DEPENDS man/*.[0-9]*)
foreach(manual IN LISTS manuals)
	string(REGEX REPLACE "^.*\\.([0-9])[a-z]*$" "\\1" section ${manual})
	install_text(${CMAKE_INSTALL_MANDIR}/man${section} ${CMAKE_CURRENT_SOURCE_DIR}/man ${manual})
endforeach()

file(GLOB_RECURSE examples RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/examples CONFIGURE_DEPENDS examples/*)
list(FILTER examples EXCLUDE REGEX "^guest/") # has a build of its own; the firmware is installed
install_text(${vmrun_examplesdir} ${CMAKE_CURRENT_SOURCE_DIR}/examples ${examples})

file(GLOB pages RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS CHANGELOG.md README.md docs/*)
install_text(${CMAKE_INSTALL_DOCDIR} ${CMAKE_CURRENT_SOURCE_DIR} ${pages})

if(CMAKE_SYSTEM_NAME STREQUAL "FreeBSD")
	install_text(etc ${CMAKE_CURRENT_SOURCE_DIR}/examples rc.d/vmrun)
endif()

add_custom_target(uninstall
	COMMAND ${CMAKE_COMMAND} -D MANIFEST=${CMAKE_BINARY_DIR}/install_manifest.txt
		-P ${CMAKE_CURRENT_LIST_DIR}/uninstall.cmake
	COMMENT "Removing what the last installation of this build directory has installed"
	VERBATIM)
