# Packages: "cmake --build BUILD --target package" makes a .deb, and a .tar.gz of the binaries elsewhere.
# The preset "package" has the paths of Debian's packages.

set(CPACK_PACKAGE_NAME vmrun)
set(CPACK_PACKAGE_VENDOR vmrun)
# Who makes the package; Debian's tools take it from the same variables.
set(contact "The vmrun authors <nobody@vmrun.invalid>")
if(DEFINED ENV{DEBEMAIL})
	set(contact "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()
set(CPACK_PACKAGE_CONTACT "${contact}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "supervise one bhyve or QEMU virtual machine")
set(CPACK_PACKAGE_DESCRIPTION "vmrun reads a spec (JSON, Lua or UCL), checks the host, starts the
hypervisor, watches the guest, finds out why it exited, and boots what
the spec or a Lua function says next.  vmrunctl talks to a running
vmrun.  libvmrun is the same engine for C programs.")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_CURRENT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_GENERATOR TGZ)

find_program(VMRUN_DPKG_DEB dpkg-deb)
mark_as_advanced(VMRUN_DPKG_DEB)
if(VMRUN_DPKG_DEB)
	set(CPACK_GENERATOR DEB)
	set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
	set(CPACK_DEBIAN_PACKAGE_SECTION admin)
	set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "qemu-system-x86, ovmf")
	set(CPACK_DEBIAN_PACKAGE_SUGGESTS "jq, swtpm")
	# Debian's policy wants this trigger instead of scripts that call ldconfig.
	get_target_property(soversion libvmrun SOVERSION)
	file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/debian/triggers "activate-noawait ldconfig\n")
	file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/debian/shlibs
		"libvmrun ${soversion} vmrun (>= ${PROJECT_VERSION})\n")
	set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_BINARY_DIR}/debian/triggers
		${CMAKE_CURRENT_BINARY_DIR}/debian/shlibs)
	set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
	set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/pack_debian.cmake)
	set(CPACK_VMRUN_DOCDIR ${CMAKE_INSTALL_DOCDIR})
	set(CPACK_VMRUN_MANDIR ${CMAKE_INSTALL_MANDIR})
	set(CPACK_VMRUN_CHANGELOG ${CMAKE_CURRENT_SOURCE_DIR}/CHANGELOG.md)
endif()
include(CPack)
