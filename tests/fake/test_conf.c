/* -s and -l: slots, what each model makes of its text, and the forms for odd values. */
#include "rows.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void slots(void **state)
{
	static const struct tree_row rows[] = {
		{ "14", "-s 3,virtio-rnd", "pci.0.3.0.device=virtio-rnd\n" },
		{ "14", "-s 3:1,virtio-rnd", "pci.0.3.1.device=virtio-rnd\n" },
		{ "14", "-s 255:31:7,virtio-rnd", "pci.255.31.7.device=virtio-rnd\n" },
		{ "14", "-s 3x,virtio-rnd", "pci.0.3.0.device=virtio-rnd\n" },
		{ "14", "-s 0x10,virtio-rnd", "pci.0.0.0.device=virtio-rnd\n" },
		{ "14", "-s 1:2:x,virtio-rnd", "pci.0.1.2.device=virtio-rnd\n" },
		{ "14", "-s 03,virtio-rnd", "pci.0.3.0.device=virtio-rnd\n" },
		{ "14", "-s 3,virtio-rnd,a=b=c,d,a=e,",
		    "pci.0.3.0.d=true\npci.0.3.0.a=e\npci.0.3.0.=true\n" },
	};
	static const struct row refused[] = {
		{ "14", "-s 3", 4 },
		{ "14", "-s x,virtio-rnd", 4 },
		{ "14", "-s -1,virtio-rnd", 4 },
		{ "14", "-s 32,virtio-rnd", 4 },
		{ "14", "-s 3:8,virtio-rnd", 4 },
		{ "14", "-s 3:-1,virtio-rnd", 4 },
		{ "14", "-s -1:0:0,virtio-rnd", 4 },
		{ "14", "-s 256:0:0,virtio-rnd", 4 },
		{ "14", "-s 3,virtio-none", 4 },
		{ "14", "-s 3,Virtio-rnd", 4 },
		{ "14", "-s 3,", 4 },
		{ "14", "-s 3,virtio-rnd,a.b=c", 4 },
		{ "14", "-s 3,virtio-rnd -s 3:0,virtio-rnd", 4 },
		{ "14", "-o pci.0.3.0.x=y -s 3,virtio-rnd", 4 },
		{ "14", "-s 3,virtio-rnd -o pci.0.3.0.x=y", 0 },
		{ "14", "-s 1:0:0,virtio-rnd", 4 },
		{ "14", "-Y -s 1:0:0,virtio-rnd", 0 },
		{ "14", "-o pci.1.x=y", 4 },
		{ "14", "-o pci.01.x=y", 0 },
		{ "14", "-o pci.0.3.0.x=y", 4 },	    /* not a device */
		{ "14", "-o pci.0.3.0.device=ahci-hd", 4 }, /* an alias */
		{ "14", "-o pci.0.03.0.x=y", 0 },	    /* not read */
		{ "14", "-o pci.0.32.0.x=y", 0 },
	};

	(void)state;
	check_tree_rows(ROWS(rows));
	check_rows(ROWS(refused));
	row_status("14", "-s 3,virtio-rnd -s 3,virtio-rnd");
	assert_non_null(strstr(row_message, "already occupied!"));
}

#define D "pci.0.3.0."
static const struct tree_row model_rows[] = {
	{ "14", "-s 3,hostbridge,vendor=1", D "device=hostbridge\n" D "vendor=1\n" },
	{ "13", "-s 3,amd_hostbridge,x=y",
	    D "device=hostbridge\n" D "vendor=0x1022\n" D "devid=0x7432\nconfig" },
	{ "14", "-s 3,amd_hostbridge",
	    D "device=hostbridge\n" D "pcireg.vendor=0x1022\n" D "pcireg.device=0x7432\n" },
	{ "14", "-s 3,lpc,a=b", D "device=lpc\n" D "a=b\n" },
	{ "14", "-s 3,virtio-blk,/a=b,ro,ser=x",
	    D "device=virtio-blk\n" D "path=/a=b\n" D "ro=true\n" D "ser=x\n" },
	{ "14", "-s 3,virtio-blk", D "device=virtio-blk\nconfig" },
	{ "14", "-s 3,ahci-hd,/a,nmrr=1",
	    D "device=ahci\n" D "port.0.type=hd\n" D "port.0.path=/a\n" D "port.0.nmrr=1\n" },
	{ "14", "-s 3,ahci-cd", D "device=ahci\n" D "port.0.type=cd\nconfig" },
	{ "14", "-s 3,ahci,hd:/a,ro,hdx,cd:/b,,hd:/c",
	    D "port.0.type=hd\n" D "port.0.path=/a\n" D "port.0.ro=true\n" D "port.0.hdx=true\n" D
	      "port.1.type=cd\n" D "port.1.path=/b\n" D "port.1.=true\n" D "port.2.type=hd\n" D
	      "port.2.path=/c\n" },
	{ "14", "-s 3,ahci,hd:,hd:/x", D "device=ahci\n" D "port.1.type=hd\n" },
	{ "14", "-s 3,nvme,/a,maxq=4", D "path=/a\n" D "maxq=4\n" },
	{ "14", "-s 3,nvme,ram=64,ser=x", D "device=nvme\n" D "ram=64\n" D "ser=x\n" },
	{ "14", "-s 3,virtio-net,tap0,mac=1:2", D "backend=tap0\n" D "mac=1:2\n" },
	{ "14", "-s 3,e1000", D "device=e1000\nconfig" },
	{ "14", "-s 3,virtio-console,a=/x=y,b=/z",
	    D "port.0.name=a\n" D "port.0.path=/x=y\n" D "port.1.name=b\n" D "port.1.path=/z\n" },
	{ "14", "-s 3,virtio-9p,n=/p=q,ro", D "sharename=n\n" D "path=/p=q\n" D "ro=true\n" },
	{ "14", "-s 3,virtio-scsi,/dev/cam/ctl1.1,iid=2", D "dev=/dev/cam/ctl1.1\n" D "iid=2\n" },
	{ "14", "-s 3,virtio-scsi", D "device=virtio-scsi\nconfig" },
	{ "16", "-s 3,virtio-scsi", D "target.1=/dev/cam/ctl\n" },
	{ "16", "-s 3,virtio-scsi,/a,iid=2,target=/b,target=0x10:/c,dev=/d",
	    D "target.0=/a\n" D "target.1=/b\n" D "target.16=/c\n" D "target.17=/d\n" D "iid=2\n" },
	{ "14", "-s 3,virtio-input,/dev/input/event0,a",
	    D "path=/dev/input/event0\n" D "a=true\n" },
	{ "14", "-s 3,passthru,ppt3,rom=/r", D "pptdev=ppt3\n" D "rom=/r\n" },
	{ "14", "-s 3,passthru,1/2/3,a", D "bus=1\n" D "slot=2\n" D "func=3\n" D "a=true\n" },
	{ "14", "-s 3,passthru,pci1:2:3", D "bus=1\n" D "slot=2\n" D "func=3\n" },
	{ "14", "-s 3,passthru,pci0:1:2:3", D "bus=1\n" D "slot=2\n" D "func=3\n" },
	{ "14", "-s 3,passthru", D "device=passthru\nconfig" },
	{ "14", "-s 3,fbuf,tcp=0.0.0.0:1,w=800,wait",
	    D "tcp=0.0.0.0:1\n" D "w=800\n" D "wait=true\n" },
	{ "14", "-s 3,xhci,tablet,tablet=a=b",
	    D "slot.1.device=tablet\n" D "slot.2.device=tablet\n" D "slot.2.a=b\n" },
	{ "14", "-s 3,hda,play=/dev/dsp0", D "device=hda\n" D "play=/dev/dsp0\n" },
	{ "14", "-s 3,uart,/dev/nmdm0A,x=y", D "path=/dev/nmdm0A,x=y\n" },
	{ "14", "-s 3,virtio-rnd", D "device=virtio-rnd\nconfig" },
};
#undef D

static const struct row model_refusals[] = {
	{ "14", "-s 3,ahci,/a", 4 },
	{ "14", "-s 3,virtio-console,a", 4 },
	{ "14", "-s 3,virtio-console,", 4 },
	{ "14", "-s 3,virtio-console", FAKE_SIGNAL(SIGSEGV) },
	{ "14",
	    "-s 3,virtio-console,a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=8,i=9,j=10,k=11,l=12,m=13,"
	    "n=14,o=15,p=16,q=17",
	    4 },
	{ "14", "-s 3,virtio-9p,a=/x,ro=true", 4 },
	{ "14", "-s 3,virtio-input", 4 },
	{ "14", "-s 3,passthru,x", 4 },
	{ "14", "-s 3,passthru,1:2:3", 4 },
	{ "16", "-s 3,virtio-scsi,target=256:/x", 4 },
	{ "16", "-s 3,virtio-scsi,target=x:/x", 4 },
	{ "16", "-s 3,virtio-scsi,target=1:/x,target=1:/y", 4 },
	{ "16", "-s 3,virtio-scsi -o pci.0.3.0.dev=/x", 4 },
};

static void text_of_each_model(void **state)
{
	(void)state;
	check_tree_rows(ROWS(model_rows));
	check_rows(ROWS(model_refusals));
}

static void ahci_has_32_ports(void **state)
{
	char words[400] = "-s 3,ahci,hd:/0";
	const char *tree;
	int port;

	(void)state;
	for (port = 1; port <= 32; port++)
		(void)snprintf(words + strlen(words), 16, ",cd:/%d", port);
	tree = row_tree("14", words);
	assert_non_null(strstr(tree, "pci.0.3.0.port.31.path=/31\n"));
	assert_null(strstr(tree, "/32"));
}

static void lpc(void **state)
{
	static const struct tree_row rows[] = {
		{ "14", "-l com1,stdio -l COM4,/a,b", "lpc.com1.path=stdio\nlpc.com4.path=/a,b\n" },
		{ "13", "-l bootrom,/r,/v=1,x", "lpc.bootrom=/r\nlpc.bootvars=/v=1\nconfig" },
		{ "14", "-l bootrom,/r,/v,fwcfg=qemu",
		    "lpc.bootrom=/r\nlpc.bootvars=/v\nlpc.fwcfg=qemu\n" },
		{ "14", "-l bootrom,/r,fwcfg=qemu,a",
		    "lpc.bootrom=/r\nlpc.fwcfg=qemu\nlpc.a=true\n" },
		{ "15", "-l bootrom,/r,/v", "bootrom=/r\nbootvars=/v\nconfig" },
		{ "15", "-o lpc.bootrom=/r", "name=vm\nbootrom=/r\n" },
		{ "15", "-l bootrom,/s -o lpc.bootrom=/r", "bootrom=/s\n" },
		{ "14", "-l tpm,passthru,/dev/tpm0",
		    "tpm.type=passthru\ntpm.path=/dev/tpm0\ntpm.version=2.0\n" },
		{ "15", "-l tpm,swtpm,/s,version=1.2,intf=crb",
		    "tpm.path=/s\ntpm.version=1.2\ntpm.intf=crb\n" },
		{ "14", "-l pc-testdev", "lpc.pc-testdev=true\n" },
	};
	static const struct row refused[] = {
		{ "14", "-l com5,stdio", 64 },
		{ "14", "-l com12,stdio", 64 },
		{ "14", "-l fwcfg,qemu", 64 },
		{ "13", "-l tpm,passthru,/dev/tpm0", 64 },
		{ "14", "-l bootrom", 4 },
		{ "14", "-l tpm", 4 },
		{ "14", "-l tpm,passthru", 4 },
		{ "14", "-l com1", FAKE_SIGNAL(SIGSEGV) },
	};

	(void)state;
	check_tree_rows(ROWS(rows));
	check_rows(ROWS(refused));
}

/* Values that CONF cannot express, in the forms that can. */
#define D "pci.0.3.0."
static const struct tree_row form_rows[] = {
	{ "14", "-s 3,virtio-blk -o pci.0.3.0.path=/a,b", D "path=/a,b\n" },
	{ "14", "-s 3,ahci-hd -o pci.0.3.0.port.0.path=/a,hd:b",
	    D "port.0.type=hd\n" D "port.0.path=/a,hd:b\n" },
	{ "14",
	    "-o pci.0.3.0.device=ahci -o pci.0.3.0.port.4.type=hd "
	    "-o pci.0.3.0.port.4.path=/x",
	    D "device=ahci\n" D "port.4.type=hd\n" D "port.4.path=/x\n" },
	{ "14", "-s 3,nvme -o pci.0.3.0.path=ram=x", D "path=ram=x\n" },
	{ "14",
	    "-s 3,virtio-console,p=x -o pci.0.3.0.port.0.path=/a,b "
	    "-o pci.0.3.0.port.0.name=n=1",
	    D "port.0.path=/a,b\n" D "port.0.name=n=1\n" },
	{ "14", "-s 3,virtio-9p -o pci.0.3.0.sharename=a=b -o pci.0.3.0.path=/a,b",
	    D "sharename=a=b\n" D "path=/a,b\n" },
	{ "14", "-s 3,virtio-input,x -o pci.0.3.0.path=/a,b", D "path=/a,b\n" },
	{ "14", "-s 3,virtio-scsi -o pci.0.3.0.dev=/a,b", D "dev=/a,b\n" },
	{ "16", "-s 3,virtio-scsi,target=0:x -o pci.0.3.0.target.0=/a,b", D "target.0=/a,b\n" },
	{ "14", "-s 3,virtio-net,x -o pci.0.3.0.backend=a,b", D "backend=a,b\n" },
	{ "14", "-s 3,passthru,ppt0 -o pci.0.3.0.rom=/a,b", D "rom=/a,b\n" },
	{ "14", "-s 3,fbuf -o pci.0.3.0.password=a,b", D "password=a,b\n" },
	{ "14", "-s 3,hda -o pci.0.3.0.play=/a,b", D "play=/a,b\n" },
	{ "14", "-s 0,hostbridge -o pci.0.0.0.pcireg.vendor=0x1022",
	    "pci.0.0.0.pcireg.vendor=0x1022\n" },
	{ "14", "-l tpm,passthru,x -o tpm.path=/a,b", "tpm.path=/a,b\n" },
	{ "15", "-o bootrom=/a,b=c", "bootrom=/a,b=c\n" },
};
#undef D

static void forms_for_odd_values(void **state)
{
	(void)state;
	check_tree_rows(ROWS(form_rows));
	assert_string_equal(
	    row_value("14", "-s 3,virtio-blk,/a\\%\\\\b", "pci.0.3.0.path"), "/a%\\b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots),
		cmocka_unit_test(text_of_each_model),
		cmocka_unit_test(ahci_has_32_ports),
		cmocka_unit_test(lpc),
		cmocka_unit_test(forms_for_odd_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
