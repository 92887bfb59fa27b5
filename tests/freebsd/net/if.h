/* Linux's header, and SIOCGIFSTATUS's struct of FreeBSD's <net/if.h>. */
#ifndef FREEBSD_NET_IF_H
#define FREEBSD_NET_IF_H

#include_next <net/if.h>

#define IFSTATMAX 800

struct ifstat {
	char ifs_name[IFNAMSIZ];
	char ascii[IFSTATMAX + 1];
};

#endif
