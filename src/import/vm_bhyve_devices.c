/* The other devices of a guest of vm-bhyve: entropy, screen, pointer, sound, consoles. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "device/fbuf.h"
#include "import/vm_bhyve_guest.h"

#define MAX_CONSOLES 16

void guest_add_random(struct guest *g)
{
	if (!guest_yes(g, "virt_random", ""))
		return;
	(void)guest_add_device(g, "virtio-rnd", NULL, &g->next);
	guest_next_slot(g);
}

/* Puts "1024x768"; vm-bhyve takes what is before the first x and behind the last. */
static void put_resolution(struct guest *g, struct node *screen, const char *text)
{
	MEM_AUTO char *width = mem_copy_n(text, strcspn(text, "x"));
	const char *x = strrchr(text, 'x'), *height = x == NULL ? text : x + 1;

	if (!guest_is_number(width) || !guest_is_number(height)) {
		guest_fault(g, "graphics_res",
		    "invalid resolution \"%s\": expected WIDTHxHEIGHT, such as 1024x768", text);
		return;
	}
	node_put(screen, "width", node_int(strtol(width, NULL, 10)));
	node_put(screen, "height", node_int(strtol(height, NULL, 10)));
}

static void put_port(struct guest *g, struct node *screen)
{
	const char *port = guest_word(g, "graphics_port");

	if (port == NULL || *port == '\0')
		guest_put_text(screen, "port", "auto");
	else if (guest_is_number(port))
		node_put(screen, "port", node_int(strtol(port, NULL, 10)));
	else
		guest_fault(g, "graphics_port", "invalid port \"%s\": expected a number", port);
}

/* Puts a setting of the screen, if it is not empty, under a key. */
static void put_setting(struct guest *g, struct node *screen, const char *setting, const char *key)
{
	const char *value = guest_word(g, setting);

	if (value != NULL && *value != '\0')
		guest_put_text(screen, key, value);
}

/* Leaves the bytes of a password that bhyve uses. */
static void cut_password(struct guest *g, struct node *screen)
{
	const char *password = node_get_text(screen, "password");

	if (password == NULL || strlen(password) <= MAX_FBUF_PASSWORD)
		return;
	node_put(screen, "password", node_string_n(password, MAX_FBUF_PASSWORD));
	guest_note(g,
	    "vnc_password: the spec has its first %d bytes, which are all that bhyve uses",
	    MAX_FBUF_PASSWORD);
}

/* Lets the guest wait for a client of its screen: at the install only ("auto"), or always. */
static void put_wait(struct guest *g, struct node *screen)
{
	const char *wait = guest_get_or(g, "graphics_wait", "auto");

	g->waits_at_install = strcmp(wait, "auto") == 0;
	if (g->waits_at_install || !conf_yes(wait))
		return;
	guest_put_flag(screen, "wait", true);
	guest_note(g,
	    "graphics_wait: vmrun waits for a VNC client at the first boot only, vm-bhyve at each "
	    "one");
}

/* Adds the screen, which only guests with firmware have. */
static void add_screen(struct guest *g)
{
	const char *listen, *resolution;
	struct node *screen;

	if (!g->has_firmware || !guest_yes(g, "graphics", ""))
		return;
	screen = guest_add_device(g, "fbuf", GUEST_SCREEN, &g->next);
	listen = guest_word(g, "graphics_listen");
	guest_put_text(screen, "host", listen == NULL || *listen == '\0' ? "0.0.0.0" : listen);
	put_port(g, screen);
	resolution = guest_word(g, "graphics_res");
	if (resolution != NULL && *resolution != '\0')
		put_resolution(g, screen, resolution);
	put_setting(g, screen, "graphics_vga", "vga");
	put_setting(g, screen, "vnc_password", "password");
	cut_password(g, screen);
	put_wait(g, screen);
	guest_next_slot(g);
}

static void add_pointer(struct guest *g)
{
	if (!guest_yes(g, "xhci_mouse", ""))
		return;
	(void)guest_add_device(g, "xhci", NULL, &g->next);
	guest_next_slot(g);
}

static void add_sound(struct guest *g)
{
	const char *play, *record;
	struct node *sound;

	if (!guest_yes(g, "sound", ""))
		return;
	sound = guest_add_device(g, "hda", NULL, &g->next);
	play = guest_word(g, "sound_play");
	record = guest_word(g, "sound_rec");
	if (play == NULL)
		play = "/dev/dsp0";
	if (*play != '\0')
		guest_put_text(sound, "play", play);
	if (record != NULL && *record != '\0')
		guest_put_text(sound, "rec", record);
	guest_next_slot(g);
}

/* Adds a console; yes, on and 1 name it by its number. */
static void add_console(struct guest *g, struct node *ports, int n, const char *value)
{
	bool numbered = strcasecmp(value, "yes") == 0 || strcasecmp(value, "on") == 0 ||
	    strcmp(value, "1") == 0;
	MEM_AUTO char *name = numbered ? mem_format("%d", n) : mem_copy(value);
	struct node *port = node_new(NODE_OBJECT);

	guest_put_text(port, "name", name);
	guest_put_format(port, "path", "%s/vtcon.%s", g->directory, name);
	node_append(ports, port);
}

static void add_consoles(struct guest *g)
{
	struct node *ports = node_new(NODE_LIST);

	for (int n = 0; n < MAX_CONSOLES; n++) {
		const char *value = guest_numbered_word(g, "virt_console", n, "");
		if (value == NULL || *value == '\0')
			break;
		add_console(g, ports, n, value);
	}
	if (ports->count == 0) {
		node_free(ports);
		return;
	}
	node_put(guest_add_device(g, "virtio-console", NULL, &g->next), "ports", ports);
	guest_next_slot(g);
}

void guest_add_other_devices(struct guest *g)
{
	add_screen(g);
	add_pointer(g);
	add_sound(g);
	add_consoles(g);
}
