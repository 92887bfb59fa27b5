/* The checks of the devices: values first, then with real files, sockets and ports. */
#include "rows.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static void disks(void **state)
{
	static const struct row rows[] = {
		{ "14", "-s 3,virtio-blk", 4 },
		{ "14", "-s 3,virtio-blk,", 4 },
		{ "14", "-s 3,virtio-blk,/x", 0 },
		{ "14", "-s 3,virtio-blk,/x,ro,nocache,sync,direct,nodelete=off", 0 },
		{ "14", "-s 3,virtio-blk,/x,ro=maybe", 4 },
		{ "14", "-s 3,virtio-blk,/x,nocache=2", 4 },
		{ "14", "-s 3,virtio-blk,/x,sectorsize=512", 0 },
		{ "14", "-s 3,virtio-blk,/x,sectorsize=512/4096", 0 },
		{ "14", "-s 3,virtio-blk,/x,sectorsize=4096/512", 4 },
		{ "14", "-s 3,virtio-blk,/x,sectorsize=256", 4 },
		{ "14", "-s 3,virtio-blk,/x,sectorsize=0", 0 },
		{ "14", "-s 3,virtio-blk,/x,sectorsize=", 4 },
		{ "14", "-s 3,virtio-blk,/x,sectorsize=1000", 4 },
		{ "14", "-s 3,virtio-blk,/x,sectorsize=0x200", 4 },
		{ "14", "-s 3,virtio-blk,/x,sectorsize=512/", 4 },
		{ "14", "-s 3,ahci-hd", 4 },
		{ "14", "-s 3,ahci,hd:/x,cd:/y", 0 },
		{ "14", "-s 3,ahci,hd:/x,cd:", 0 },
		{ "14", "-s 3,ahci", FAKE_SIGNAL(SIGSEGV) },
		{ "14", "-s 3,ahci,", 0 },
		{ "14", "-o pci.0.3.0.device=ahci -o pci.0.3.0.port.0.path=/x", 4 },
		{ "14", "-s 3,ahci, -o pci.0.3.0.port.0.type=fd -o pci.0.3.0.port.0.path=/x", 4 },
		{ "14", "-s 3,ahci-hd,/x -o pci.0.3.0.port.32.type=hd", 4 },
		{ "14", "-s 3,nvme", 4 },
		{ "14", "-s 3,nvme,ram=64", 0 },
		{ "14", "-s 3,nvme,/x,maxq=99,sectsz=7", 0 },
		{ "14", "-s 3,nvme,/x,qsz=1,ioslots=1", 0 },
		{ "14", "-s 3,nvme,/x,qsz=0", 4 },
		{ "14", "-s 3,nvme,ram=64,qsz=0", 4 },
		{ "14", "-s 3,nvme,/x,ioslots=0", 4 },
		{ "14", "-s 3,nvme,/x,sectorsize=7", 4 },
		{ "14", "-s 3,virtio-scsi", 0 },
		{ "16", "-s 3,virtio-scsi,/a,target=/b", 0 },
	};

	(void)state;
	check_rows(ROWS(rows));
}

static void boot_indexes(void **state)
{
	static const struct row rows[] = {
		{ "14", "-s 3,virtio-blk,/x,bootindex=1 -s 4,virtio-net,tap0,bootindex=2", 0 },
		{ "14", "-s 3,virtio-blk,/x,bootindex=1 -s 4,e1000,tap0,bootindex=1", 0 },
		{ "14", "-s 3,virtio-net,tap1,bootindex=1 -s 4,e1000,tap0,bootindex=1", 0 },
		{ "14", "-s 3,virtio-blk,/x,bootindex=1 -s 4,virtio-blk,/y,bootindex=1", 4 },
		{ "14", "-s 3,ahci,hd:/x,bootindex=1,cd:/y,bootindex=1", 4 },
		{ "14", "-s 3,nvme,/x,bootindex=-1", 0 },
		{ "14", "-s 3,virtio-blk,/x,bootindex=-1 -s 4,virtio-blk,/y,bootindex=-1", 0 },
		{ "14", "-s 3,virtio-scsi,/d,bootindex=-1", 4 },
		{ "14", "-s 3,nvme,ram=1,bootindex=0 -s 4,virtio-scsi,,bootindex=0", 4 },
		{ "14", "-S -s 3,passthru,ppt0,bootindex=3 -s 4,virtio-scsi,/d,bootindex=3", 0 },
		{ "13", "-s 3,virtio-blk,/x,bootindex=1 -s 4,virtio-blk,/y,bootindex=1", 0 },
	};

	(void)state;
	check_rows(ROWS(rows));
}

static void network(void **state)
{
	static const struct row rows[] = {
		{ "14", "-s 3,virtio-net,tap0", 0 },
		{ "14", "-s 3,virtio-net,vmnet7", 0 },
		{ "14", "-s 3,virtio-net,netmap:em0", 0 },
		{ "14", "-s 3,virtio-net,vale0:1", 0 },
		{ "14", "-s 3,virtio-net,netgraph,path=a:,peerhook=b", 0 },
		{ "14", "-s 3,virtio-net,netgraph,path=a:", 4 },
		{ "14", "-s 3,virtio-net,slirp", 4 },
		{ "15", "-s 3,virtio-net,slirp,hostfwd=tcp:127.0.0.1:1-:2", 0 },
		{ "15", "-s 3,virtio-net,slirp,hostfwd=tcp::1-:2;udp:127.0.0.1:65535-10.0.2.15:0",
		    0 },
		{ "15", "-s 3,virtio-net,slirp,hostfwd=sctp::1-:2", 0 }, /* any word, as tcp */
		{ "15", "-s 3,virtio-net,slirp,hostfwd=tcp::1", 4 },
		{ "15", "-s 3,virtio-net,slirp,hostfwd=tcp:1-:2", 4 },
		{ "15", "-s 3,virtio-net,slirp,hostfwd=1-:2", 4 },
		{ "15", "-s 3,virtio-net,slirp,hostfwd=tcp:localhost:1-:2", 4 },
		{ "15", "-s 3,virtio-net,slirp,hostfwd=tcp::1-:65536", 4 },
		{ "15", "-s 3,virtio-net,slirp,hostfwd=tcp::1-:2;", 4 },
		{ "15", "-s 3,virtio-net,ngd0", 4 },
		{ "16", "-s 3,virtio-net,ngd0", 0 },
		{ "14", "-s 3,virtio-net,vm0", 4 },
		{ "14", "-s 3,virtio-net,vm0,type=tap", 0 },
		{ "13", "-s 3,virtio-net,vm0,type=tap", 4 },
		{ "14", "-s 3,virtio-net", FAKE_SIGNAL(SIGABRT) },
		{ "14", "-s 3,e1000", 4 },
		{ "14", "-s 3,virtio-net,tap0 -s 4,e1000,tap0", 4 },
		{ "14", "-s 3,virtio-net,tap0,mac=58:9c:fc:00:00:01", 0 },
		{ "14", "-s 3,virtio-net,tap0,mac=558:9c:fc:0:0:1x", 0 }, /* leniently: 58 */
		{ "14", "-s 3,virtio-net,tap0,mac=59:9c:fc:00:00:01", 4 },
		{ "14", "-s 3,virtio-net,tap0,mac=0:0:0:0:0:0", 4 },
		{ "14", "-s 3,virtio-net,tap0,mac=58:9c", 4 },
		{ "14", "-s 3,virtio-net,tap0,mtu=1500", 0 },
		{ "14", "-s 3,virtio-net,tap0,mtu=45", 4 },
		{ "14", "-s 3,virtio-net,tap0,mtu=65536", 4 },
		{ "14", "-s 3,virtio-net,tap0,mtu=-1", 4 },
		{ "14", "-s 3,e1000,tap0,mtu=1", 0 },
	};
	struct fake_host host = row_host("14");

	(void)state;
	check_rows(ROWS(rows));
	host.bad_tap = "tap3";
	assert_int_equal(row_status_on(&host, "-s 3,virtio-net,tap4", NULL), 0);
	assert_int_equal(row_status_on(&host, "-s 3,virtio-net,tap3", NULL), 4);
	assert_non_null(strstr(row_message, "/dev/tap3 failed: "));
	assert_non_null(strstr(row_message, strerror(EBUSY)));
}

static void serial_ports(void **state)
{
	static const struct row rows[] = {
		{ "14", "-s 31,lpc -l com1,stdio -l com2,/dev/nmdm0A", 0 },
		{ "14", "-s 31,lpc -l com1,stdio -l com2,stdio", 4 },
		{ "14", "-l com1,nothing", 0 }, /* not read without lpc */
		{ "14", "-s 31,lpc -l com1,nothing", 4 },
		{ "14", "-s 31,lpc -l com4,tcp=127.0.0.1:2000", 4 },
		{ "15", "-s 31,lpc -l com4,tcp=127.0.0.1:2000", 0 },
		{ "15", "-s 31,lpc -l com4,tcp=[::1]:2000", 0 },
		{ "15", "-s 31,lpc -l com4,tcp=localhost:2000", 4 },
		{ "15", "-s 31,lpc -l com4,tcp=[fe80::1%em0]:2000", 0 },
		{ "15", "-s 31,lpc -l com4,tcp=[127.0.0.1]:2000", 4 },
		{ "15", "-s 31,lpc -l com4,tcp=2000", 4 },
		{ "15", "-s 31,lpc -l com4,tcp=127.0.0.1:http", 4 },
		{ "14", "-s 31,lpc -l com1,stdio -s 4,uart,stdio", 4 },
		{ "14", "-s 4,uart", 0 },
		{ "14", "-s 4,uart,x", 4 },
		{ "14", "-s 4,uart,/tty", 0 },
		{ "14", "-s 31,lpc -s 30,lpc", 4 },
		{ "14", "-Y -s 1:31:0,lpc", 4 },
		{ "14", "-s 31,lpc -o lpc.pc-testdev=2", 4 },
	};

	(void)state;
	check_rows(ROWS(rows));
}

static void frame_buffer(void **state)
{
	static const struct row rows[] = {
		{ "14", "-s 3,fbuf", 0 },
		{ "14", "-s 3,fbuf -s 4,fbuf", 4 },
		{ "14", "-s 3,fbuf,w=1920,h=1200", 0 },
		{ "14", "-s 3,fbuf,w=1921", 4 },
		{ "14", "-s 3,fbuf,h=1201", 4 },
		{ "14", "-s 3,fbuf,w=0,h=1", 0 },
		{ "16", "-s 3,fbuf,w=3840,h=2160", 0 },
		{ "16", "-s 3,fbuf,w=3841", 4 },
		{ "16", "-s 3,fbuf,w=639", 4 },
		{ "16", "-s 3,fbuf,h=479", 4 },
		{ "14", "-s 3,fbuf,vga=off,wait", 0 },
		{ "14", "-s 3,fbuf,vga=on", 0 },
		{ "14", "-s 3,fbuf,vga=yes", 4 },
		{ "14", "-s 3,fbuf,wait=2", 4 },
		{ "14", "-s 3,fbuf,tcp=5901", 0 },
		{ "14", "-s 3,fbuf,tcp=1.2.3.4:5901", 0 },
		{ "14", "-s 3,fbuf,tcp=:5901", 0 },
		{ "14", "-s 3,fbuf,rfb=[::1%em0]:5901", 0 },
		{ "14", "-s 3,fbuf,rfb=[::1]", 0 },
		{ "14", "-s 3,fbuf,rfb=[::1", 4 },
		{ "14", "-s 3,fbuf,rfb=[]:1", 4 },
		{ "14", "-s 3,fbuf,rfb=[::1]x", 4 },
		{ "14", "-s 3,fbuf,tcp=host:", 4 },
		{ "14", "-s 3,fbuf,rfb=localhost:5900", 4 },
		{ "14", "-s 3,fbuf,rfb=example.org:5900", 4 },
		{ "14", "-s 3,fbuf,rfb=256.1.1.1:5900", 4 },
		{ "14", "-s 3,fbuf,rfb=[::g]:5900", 4 },
		{ "14", "-s 3,fbuf,rfb=127.0.0.1:65535", 0 },
		{ "14", "-s 3,fbuf,rfb=127.0.0.1:65536", 4 },
		{ "16", "-s 3,fbuf,rfb=unix:/x", 0 },
	};

	(void)state;
	check_rows(ROWS(rows));
}

static void other_devices(void **state)
{
	static const struct row rows[] = {
		{ "14", "-s 3,xhci,tablet", 0 },
		{ "14", "-s 3,xhci", 0 },
		{ "14", "-s 3,xhci,", 4 },
		{ "14", "-s 3,xhci,mouse", 4 },
		{ "14", "-s 3,xhci,tablet -s 4,xhci,tablet", 4 },
		{ "14", "-s 3,xhci,tablet,tablet,tablet,tablet", 0 },
		{ "14", "-s 3,xhci,tablet,tablet,tablet,tablet,tablet", 4 },
		{ "14", "-s 3,virtio-9p,n=/p", 0 },
		{ "14", "-s 3,virtio-9p,ro", 4 },
		{ "14", "-s 3,virtio-9p", 4 },
		{ "14", "-s 3,virtio-input,/dev/input/event0", 0 },
		{ "14", "-s 3,virtio-rnd -s 4,hda,play=/dev/dsp0", 0 },
		{ "14", "-s 3,passthru,ppt0", 4 },
		{ "14", "-S -s 3,passthru,ppt0", 0 },
		{ "14", "-S -s 3,passthru,1/2/3", 0 },
		{ "14", "-S -s 3,passthru", 4 },
		{ "14", "-o memory.wired=1 -s 3,passthru,ppt0", 0 },
		{ "14", "-l tpm,passthru,/dev/tpm0", 0 },
		{ "14", "-l tpm,swtpm,/s", 4 },
		{ "15", "-l tpm,swtpm,/s", 0 },
		{ "14", "-l tpm,x,/s", 4 },
		{ "14", "-l tpm,passthru,/s,version=1.2", 4 },
		{ "14", "-l tpm,passthru,/s,intf=tis", 4 },
		{ "13", "-o tpm.type=x", 0 },
		{ "14", "-s 3,virtio-console,a=/x,b=/x", 4 },
		{ "14", "-s 3,virtio-console,a=/x -o pci.0.3.0.port.16.path=/y", 4 },
		{ "14", "-s 3,virtio-console,a=/x -o pci.0.3.0.port.1.path=/y", 4 }, /* name */
		{ "14", "-s 3,virtio-console,a=/x -o pci.0.3.0.port.1.name=/y", 4 }, /* path */
		{ "14",
		    "-s 3,virtio-console,a=/x -o pci.0.3.0.port.0x0.path=/y "
		    "-o pci.0.3.0.port.0x0.name=n",
		    4 },
	};
	char words[400];

	(void)state;
	check_rows(ROWS(rows));
	(void)snprintf(words, sizeof(words), "-s 3,virtio-9p,%0256d=/p", 0);
	assert_int_equal(row_status("14", words), 0);
	(void)snprintf(words, sizeof(words), "-s 3,virtio-9p,%0257d=/p", 0);
	assert_int_equal(row_status("14", words), 4);
}

/* Enters a new directory; from here on, each test has files. */
static int enter_directory(void **state)
{
	char path[] = "/tmp/fake-devices-XXXXXX";

	if (mkdtemp(path) == NULL || chdir(path) != 0)
		return -1;
	*state = strdup(path);
	return 0;
}

static int leave_directory(void **state)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", (char *)*state);
	free(*state);
	return chdir("/") != 0 || system(command) != 0 ? -1 : 0;
}

static void make_file(const char *path, off_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(close(fd), 0);
}

static int status_with_files(const char *name, const char *words)
{
	struct fake_host host = row_host(name);
	struct fake_machine machine;
	int status;

	host.no_files = false;
	host.state_dir = ".";
	fake_machine_init(&machine);
	status = row_status_on(&host, words, &machine);
	fake_machine_fini(&machine);
	return status;
}

static void firmware(void **state)
{
#define LPC "-s 31,lpc -l bootrom,"
	(void)state;
	make_file("rom", 8192);
	make_file("odd", 5000);
	make_file("empty", 0);
	make_file("big", 16 << 20);
	make_file("vars", 4096);
	make_file("short", 4095);
	assert_int_equal(status_with_files("14", LPC "rom"), 0);
	assert_int_equal(status_with_files("14", LPC "rom,vars"), 0);
	assert_int_equal(status_with_files("14", LPC "none"), 4);
	assert_int_equal(status_with_files("14", LPC "odd"), 4);
	assert_int_equal(status_with_files("14", LPC "empty"), 4);
	assert_int_equal(status_with_files("14", LPC "rom,none"), 4);
	assert_int_equal(status_with_files("14", LPC "rom,short"), 4);
	assert_int_equal(status_with_files("14", LPC "big"), 0);
	assert_int_equal(status_with_files("14", LPC "big,vars"), 4);
	/* 13 and 14 load the firmware with the lpc, later releases without. */
	assert_int_equal(status_with_files("14", "-l bootrom,none"), 0);
	assert_int_equal(status_with_files("15", "-l bootrom,none"), 4);
	assert_int_equal(status_with_files("arm15", "-o bootrom=none"), 1);
	assert_int_equal(status_with_files("arm15", "-o bootrom=odd"), 0);
#undef LPC
}

#define ROM "-l bootrom,rom "

static void files(void **state)
{
	struct stat now;

	(void)state;
	make_file("rom", 8192);
	make_file("disk", 4096);
	assert_int_equal(mkdir("dir", 0700), 0);
	assert_int_equal(status_with_files("14", ROM "-s 3,virtio-blk,disk"), 0);
	/* Not even root can write to a directory, so it is opened read-only. */
	assert_int_equal(status_with_files("14", ROM "-s 3,virtio-blk,dir"), 0);
	assert_int_equal(status_with_files("14", ROM "-s 3,ahci,hd:disk,cd:none"), 4);
	assert_int_equal(status_with_files("14", ROM "-s 3,nvme,none"), 4);
	assert_int_equal(status_with_files("14", ROM "-s 3,virtio-9p,n=dir"), 0);
	assert_int_equal(status_with_files("14", ROM "-s 3,virtio-9p,n=disk"), 4);
	assert_int_equal(status_with_files("14", ROM "-s 3,virtio-input,disk"), 4);
	assert_int_equal(status_with_files("14", ROM "-s 3,virtio-input,/dev/null"), 0);
	assert_int_equal(status_with_files("14", ROM "-s 3,virtio-scsi,none"), 4);
	assert_int_equal(status_with_files("14", ROM "-s 3,virtio-scsi"), 0);
	assert_int_equal(status_with_files("14", ROM "-f n,file=disk"), 0);
	assert_int_equal(status_with_files("14", ROM "-f n,file=none"), 64);
	assert_int_equal(status_with_files("14", ROM "-s 31,lpc -l com1,disk"), 4);
	assert_int_equal(status_with_files("14", ROM "-s 31,lpc -l com1,/dev/nmdm0A"), 0);
	assert_int_equal(status_with_files("15", ROM "-l tpm,swtpm,none"), 4);
	assert_int_equal(stat("vmm/vm", &now), 0);
}

static void the_vm(void **state)
{
	(void)state;
	make_file("rom", 8192);
	assert_int_equal(status_with_files("14", ""), 4);
	assert_non_null(strstr(row_message, "cannot be booted"));
	assert_int_equal(status_with_files("15", ""), 4);
	assert_int_equal(status_with_files("14", ROM "-m 1G"), 0);
	assert_int_equal(status_with_files("14", "-m 1G"), 0); /* it exists now */
	assert_int_equal(status_with_files("14", ROM "-m 2G"), 4);
	assert_non_null(strstr(row_message, "(22)"));
	assert_int_equal(status_with_files("14", ROM "-m 1G -S"), 4);
	assert_int_equal(unlink("memory/vm"), 0);
	assert_int_equal(status_with_files("14", ROM "-m 2G"), 0);
}

static void passthru_is_attached(void **state)
{
	FILE *list = fopen("pci", "w");

	(void)state;
	assert_non_null(list);
	fputs("ppt0@pci0:3:0:0:\tclass=0x030000\nnone1@pci0:5:0:0:\tclass=0x028000\n", list);
	assert_int_equal(fclose(list), 0);
	make_file("rom", 8192);
	assert_int_equal(status_with_files("14", ROM "-S -s 3,passthru,3/0/0"), 0);
	assert_int_equal(status_with_files("14", ROM "-S -s 3,passthru,5/0/0"), 4);
	assert_int_equal(status_with_files("14", ROM "-S -s 3,passthru,ppt0,rom=rom"), 0);
	assert_int_equal(status_with_files("14", ROM "-S -s 3,passthru,ppt0,rom=none"), 4);
	assert_int_equal(status_with_files("14", ROM "-S -s 3,passthru,ppt1"), 4);
}

static bool can_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bool good;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	good = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	(void)close(fd);
	return good;
}

static void console_sockets(void **state)
{
	struct fake_host host = row_host("14");
	struct fake_machine machine;
	char words[300], name[105];

	(void)state;
	assert_int_equal(mkdir("dir", 0700), 0);
	fake_machine_init(&machine);
	assert_int_equal(row_status_on(&host, "-s 3,virtio-console,a=one,b=dir/two", &machine), 0);
	assert_int_equal(machine.n_sockets, 2);
	assert_true(can_connect("one") && can_connect("dir/two"));
	fake_machine_fini(&machine);
	assert_false(can_connect("one"));
	assert_int_equal(row_status_on(&host, "-s 3,virtio-console,a=one", &machine), 4);
	assert_int_equal(unlink("one"), 0);
	assert_int_equal(row_status_on(&host, "-s 3,virtio-console,a=one", &machine), 0);
	fake_machine_fini(&machine);
	assert_int_equal(row_status_on(&host, "-s 3,virtio-console,a=no/one", &machine), 4);
	fake_machine_fini(&machine);
	/* The last component may have 103 bytes. */
	(void)snprintf(name, sizeof(name), "%0104d", 0);
	(void)snprintf(words, sizeof(words), "-s 3,virtio-console,a=dir/%s", name);
	assert_int_equal(row_status_on(&host, words, &machine), 0);
	name[103] = '\0';
	assert_int_equal(chdir("dir"), 0);
	assert_int_equal(access(name, F_OK), 0);
	fake_machine_fini(&machine);
}

static void busy_ports(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	struct fake_host host = row_host("15");
	struct fake_machine machine;
	char words[80], byte;
	int fd = socket(AF_INET, SOCK_STREAM, 0), port, client, served;

	(void)state;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	port = ntohs(address.sin_port);
	fake_machine_init(&machine);
	(void)snprintf(words, sizeof(words), "-s 3,fbuf,tcp=127.0.0.1:%d", port);
	assert_int_equal(row_status_on(&host, words, &machine), 0); /* not asked to listen */
	fake_machine_fini(&machine);
	host.listen = true;
	assert_int_equal(row_status_on(&host, words, &machine), 4);
	fake_machine_fini(&machine);
	(void)snprintf(words, sizeof(words), "-s 31,lpc -l com1,tcp=127.0.0.1:%d", port);
	assert_int_equal(row_status_on(&host, words, &machine), 4);
	fake_machine_fini(&machine);
	(void)snprintf(words, sizeof(words), "-G 127.0.0.1:%d", port);
	assert_int_equal(row_status_on(&host, words, &machine), 1);
	fake_machine_fini(&machine);
	/* A connection that its server has closed first keeps the port for a minute, but not for
	 * bhyve. */
	client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	served = accept(fd, NULL, NULL);
	assert_true(served >= 0);
	assert_int_equal(close(served), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(read(client, &byte, 1), 0);
	assert_int_equal(close(client), 0);
	assert_int_equal(row_status_on(&host, words, &machine), 0);
	fake_machine_fini(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disks),
		cmocka_unit_test(boot_indexes),
		cmocka_unit_test(network),
		cmocka_unit_test(serial_ports),
		cmocka_unit_test(frame_buffer),
		cmocka_unit_test(other_devices),
		cmocka_unit_test_setup_teardown(firmware, enter_directory, leave_directory),
		cmocka_unit_test_setup_teardown(files, enter_directory, leave_directory),
		cmocka_unit_test_setup_teardown(the_vm, enter_directory, leave_directory),
		cmocka_unit_test_setup_teardown(
		    passthru_is_attached, enter_directory, leave_directory),
		cmocka_unit_test_setup_teardown(console_sockets, enter_directory, leave_directory),
		cmocka_unit_test_setup_teardown(busy_ports, enter_directory, leave_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
