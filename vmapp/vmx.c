// SPDX-License-Identifier: GPL-2.0-only
#include "vmx.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/types.h"

enum vmx_type {
	VMX_STRING,
	VMX_BOOL,
	VMX_UINT,	/* min to max */
	VMX_CHOICE,	/* one of choices */
	VMX_UNUSED,	/* VMware's; accepted without effect */
};

struct vmx_key {
	const char *name;
	enum vmx_type type;
	const char *def;
	const char *help;
	const char *choices;	/* '|' between them */
	unsigned long min, max;
};

#define SERIAL_KEYS(n, on) \
	{ "serial" n ".present", VMX_BOOL, on, "the serial port exists", NULL, 0, 0 }, \
	{ "serial" n ".fileType", VMX_CHOICE, "stdio", "where it ends", \
	  "stdio|pty|pipe|file|none", 0, 0 }, \
	{ "serial" n ".fileName", VMX_STRING, "", "path of the pipe (Unix socket) or file", \
	  NULL, 0, 0 }

#define NIC_KEYS(n) \
	{ "ethernet" n ".present", VMX_BOOL, "FALSE", "the NIC exists", NULL, 0, 0 }, \
	{ "ethernet" n ".virtualDev", VMX_CHOICE, "vlance", "what it is", "vlance", 0, 0 }, \
	{ "ethernet" n ".connectionType", VMX_CHOICE, "bridged", "its kind of network", \
	  "bridged|hostonly|custom", 0, 0 }, \
	{ "ethernet" n ".vnet", VMX_STRING, "", "name of the network", NULL, 0, 0 }, \
	{ "ethernet" n ".address", VMX_STRING, "", "MAC address", NULL, 0, 0 }, \
	{ "worldswitch.ethernet" n ".datapath", VMX_CHOICE, "", "where it is worked on", \
	  "vmapp|vmm|direct", 0, 0 }, \
	{ "worldswitch.ethernet" n ".sendCombining", VMX_BOOL, "", \
	  "frames to send wait for a switch, or for each other", NULL, 0, 0 }, \
	{ "worldswitch.ethernet" n ".combineMax", VMX_UINT, "", "... at most so many", NULL, 1, 64 }, \
	{ "worldswitch.ethernet" n ".combineRate", VMX_UINT, "", \
	  "... from so many switches a second on", NULL, 0, 0xffffffff }, \
	{ "worldswitch.ethernet" n ".zerocopyMin", VMX_UINT, "", \
	  "frames from so many bytes on are sent without a copy; 0: none", NULL, 0, 4092 }

#define IDE_KEYS(n) \
	{ "ide" n ".present", VMX_BOOL, "FALSE", "the drive exists", NULL, 0, 0 }, \
	{ "ide" n ".deviceType", VMX_CHOICE, "disk", "what it is", \
	  "disk|ata-hardDisk|cdrom-image", 0, 0 }, \
	{ "ide" n ".fileName", VMX_STRING, "", "its image (a CD-ROM drive may have none)", \
	  NULL, 0, 0 }, \
	{ "ide" n ".readOnly", VMX_BOOL, "FALSE", "the disk refuses writes", NULL, 0, 0 }, \
	{ "worldswitch.ide" n ".format", VMX_CHOICE, "", \
	  "of the image, if its name does not tell", "raw|qcow2|vmdk|vdi|vhd", 0, 0 }

#define FLOPPY_KEYS(n) \
	{ "floppy" n ".present", VMX_BOOL, "FALSE", "the floppy drive exists", NULL, 0, 0 }, \
	{ "floppy" n ".fileName", VMX_STRING, "", "its image (it may have none)", NULL, 0, 0 }, \
	{ "floppy" n ".readOnly", VMX_BOOL, "FALSE", "the floppy is write-protected", NULL, 0, 0 }

static const struct vmx_key keys[] = {
	{ "memsize", VMX_UINT, "256", "memory of the guest in MiB", NULL, 4, 1ul << 26 },
	{ "displayName", VMX_STRING, "", "name of the VM", NULL, 0, 0 },
	{ "numvcpus", VMX_UINT, "1", "number of CPUs", NULL, 1, 1 },
	SERIAL_KEYS("0", "TRUE"),
	SERIAL_KEYS("1", "FALSE"),
	{ "parallel0.present", VMX_BOOL, "FALSE", "the parallel port exists", NULL, 0, 0 },
	{ "parallel0.fileType", VMX_CHOICE, "file", "what it prints to", "file", 0, 0 },
	{ "parallel0.fileName", VMX_STRING, "", "... and its path", NULL, 0, 0 },
	NIC_KEYS("0"), NIC_KEYS("1"), NIC_KEYS("2"), NIC_KEYS("3"),
	NIC_KEYS("4"), NIC_KEYS("5"), NIC_KEYS("6"), NIC_KEYS("7"),
	IDE_KEYS("0:0"), IDE_KEYS("0:1"), IDE_KEYS("1:0"), IDE_KEYS("1:1"),
	FLOPPY_KEYS("0"), FLOPPY_KEYS("1"),
	{ "worldswitch.kernel", VMX_STRING, "", "bzImage to boot directly", NULL, 0, 0 },
	{ "worldswitch.initrd", VMX_STRING, "", "initramfs for it", NULL, 0, 0 },
	{ "worldswitch.append", VMX_STRING, "", "command line for it", NULL, 0, 0 },
	{ "bios440.filename", VMX_STRING, "/usr/share/seabios/bios-256k.bin",
	  "BIOS that boots without a kernel", NULL, 0, 0 },
	{ "bios.bootOrder", VMX_STRING, "hdd,cdrom,floppy,ethernet0", "what it boots from", NULL, 0, 0 },
	{ "bios.bootDelay", VMX_UINT, "2000", "ms that it offers its menu", NULL, 0, 60000 },
	{ "nbios.filename", VMX_STRING, "/usr/lib/ipxe/qemu/pxe-pcnet.rom",
	  "boots from a NIC's network", NULL, 0, 0 },
	{ "svga.present", VMX_BOOL, "", "a display exists; default: unless a kernel is booted",
	  NULL, 0, 0 },
	{ "vbios.filename", VMX_STRING, "/usr/share/seabios/vgabios-vmware.bin", "its BIOS",
	  NULL, 0, 0 },
	{ "RemoteDisplay.vnc.enabled", VMX_BOOL, "FALSE", "the display is there for VNC", NULL, 0, 0 },
	{ "RemoteDisplay.vnc.port", VMX_UINT, "5900", "... at this port of 127.0.0.1", NULL,
	  1, 65535 },
	{ "RemoteDisplay.vnc.password", VMX_STRING, "", "... with this password", NULL, 0, 0 },
	{ "worldswitch.vnc.socket", VMX_STRING, "", "... at this Unix socket instead", NULL, 0, 0 },
	{ "worldswitch.firmwareLog", VMX_STRING, "", "file for what the BIOS logs", NULL, 0, 0 },
	{ "worldswitch.tripleFault", VMX_CHOICE, "stop", "what a triple fault does",
	  "stop|reset", 0, 0 },
	{ "worldswitch.reboot", VMX_CHOICE, "reset", "what a reboot of the guest does",
	  "reset|exit", 0, 0 },
	{ "worldswitch.irqNotification", VMX_BOOL, "", "vmapp trusts vmnet's IRQ page", NULL, 0, 0 },
	{ "worldswitch.hostIrqToVmapp", VMX_BOOL, "", "host interrupts return to vmapp",
	  NULL, 0, 0 },
	{ "worldswitch.pairs", VMX_BOOL, "", "two port accesses in one exit", NULL, 0, 0 },
	{ "worldswitch.stats", VMX_BOOL, "FALSE", "print the VMM's counters at the end",
	  NULL, 0, 0 },
	{ "worldswitch.confine", VMX_BOOL, "TRUE", "filter vmapp's system calls", NULL, 0, 0 },
	{ ".encoding", VMX_UNUSED, "", "accepted, without effect", NULL, 0, 0 },
	{ "config.version", VMX_UNUSED, "", "accepted, without effect", NULL, 0, 0 },
	{ "guestOS", VMX_UNUSED, "", "accepted, without effect", NULL, 0, 0 },
	{ "svga.autodetect", VMX_UNUSED, "", "accepted, without effect", NULL, 0, 0 },
	{ "svga.vramSize", VMX_UNUSED, "", "accepted, without effect", NULL, 0, 0 },
	{ "virtualHW.version", VMX_UNUSED, "", "accepted, without effect", NULL, 0, 0 },
};

static const struct vmx_key *find_key(const char *name)
{
	for (size_t i = 0; i < WS_ARRAY_SIZE(keys); i++)
		if (!strcasecmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static struct vmx_entry *find_entry(const struct vmx *v, const char *key)
{
	for (size_t i = 0; i < v->n; i++)
		if (!strcasecmp(v->entries[i].key, key))
			return &v->entries[i];
	return NULL;
}

void vmx_init(struct vmx *v)
{
	memset(v, 0, sizeof(*v));
}

void vmx_free(struct vmx *v)
{
	for (size_t i = 0; i < v->n; i++) {
		free(v->entries[i].key);
		free(v->entries[i].value);
	}
	free(v->entries);
	free(v->file);
	vmx_init(v);
}

/* Takes copies. The caller has seen to it that the key is not there. */
static int add_entry(struct vmx *v, const char *key, const char *value, unsigned int line)
{
	struct vmx_entry *grown = realloc(v->entries, (v->n + 1) * sizeof(*grown));

	if (!grown)
		return -1;
	v->entries = grown;
	grown += v->n;
	grown->key = strdup(key);
	grown->value = strdup(value);
	grown->line = line;
	if (!grown->key || !grown->value) {
		free(grown->key);
		free(grown->value);
		return -1;
	}
	v->n++;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_key_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("._:-", c));
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The value from @p up to @end; returns what follows it, or NULL and @why. */
static const char *parse_value(const char *p, const char *end, char *out, const char **why)
{
	bool quoted = p < end && *p == '"';
	size_t n = 0;

	p += quoted;
	for (; p < end && *p != '"'; p++) {
		char c = *p;

		if (!quoted && (is_blank(c) || c == '#'))
			break;
		if (c == '|') {
			int hi = end - p > 2 ? hex_digit(p[1]) : -1;
			int lo = end - p > 2 ? hex_digit(p[2]) : -1;

			if (hi < 0 || lo < 0 || hi + lo == 0) {
				*why = "'|' must be followed by two hexadecimal digits, not 00 (a bar itself is |7C)";
				return NULL;
			}
			c = (char)(hi << 4 | lo);
			p += 2;
		}
		if (n == VMX_VALUE_MAX - 1) {
			*why = "the value is too long";
			return NULL;
		}
		out[n++] = c;
	}
	out[n] = '\0';
	if (quoted && p == end) {
		*why = "the closing quote is missing";
		return NULL;
	}
	if (!quoted && p < end && *p == '"') {
		*why = "a quote in the middle of a value is written |22";
		return NULL;
	}
	return p + quoted;
}

/* One line without its newline. Returns what is wrong with it, or NULL. */
static const char *parse_line(struct vmx *v, const char *p, const char *end, unsigned int line,
			      char *value)
{
	char key[VMX_KEY_MAX];
	const char *why = NULL;
	size_t n = 0;

	while (p < end && is_blank(*p))
		p++;
	if (p == end || *p == '#')
		return NULL;
	for (; p < end && is_key_char(*p); p++) {
		if (n == sizeof(key) - 1)
			return "the key is too long";
		key[n++] = *p;
	}
	key[n] = '\0';
	while (p < end && is_blank(*p))
		p++;
	if (!n || p == end || *p != '=')
		return "a line must read: key = \"value\"";
	p++;
	while (p < end && is_blank(*p))
		p++;
	p = parse_value(p, end, value, &why);
	if (!p)
		return why;
	while (p < end && is_blank(*p))
		p++;
	if (p < end && *p != '#')
		return "there is something behind the value";
	if (find_entry(v, key))
		return "the key is there twice; remove one";
	return add_entry(v, key, value, line) ? "out of memory" : NULL;
}

int vmx_parse(struct vmx *v, const char *name, const char *text, size_t len, struct error *err)
{
	const char *p = text, *end = text + len;
	const char *why = NULL;
	unsigned int line;
	char *value;

	value = malloc(VMX_VALUE_MAX);
	v->file = strdup(name);
	if (!v->file || !value) {
		free(value);
		return error_set(err, "%s: out of memory", name);
	}
	if (memchr(text, '\0', len))
		why = "this is not a text file";
	for (line = 1; !why && p < end; line++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		why = parse_line(v, p, nl ? nl : end, line, value);
		if (why)
			break;
		p = nl ? nl + 1 : end;
	}
	free(value);
	return why ? error_set(err, "%s:%u: %s", name, line, why) : 0;
}

static int load_open_file(struct vmx *v, const char *path, int fd, struct error *err)
{
	struct stat st;
	char *text;
	ssize_t n;
	int ret;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > VMX_FILE_MAX)
		return error_set(err, "%s is not a .vmx file (a text file of at most %u KiB)",
				 path, VMX_FILE_MAX / 1024);
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return error_set(err, "%s: out of memory", path);
	n = read(fd, text, (size_t)st.st_size);
	if (n < 0)
		ret = error_set(err, "cannot read %s: %s", path, strerror(errno));
	else
		ret = vmx_parse(v, path, text, (size_t)n, err);
	free(text);
	return ret;
}

int vmx_load(struct vmx *v, const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return error_set(err, "cannot open %s: %s; check the path and its permissions",
				 path, strerror(errno));
	ret = load_open_file(v, path, fd, err);
	close(fd);
	return ret;
}

int vmx_override(struct vmx *v, const char *assignment, struct error *err)
{
	const char *eq = strchr(assignment, '=');
	struct vmx_entry *e;
	char key[VMX_KEY_MAX];
	size_t n;

	n = eq ? (size_t)(eq - assignment) : 0;
	if (!n || n >= sizeof(key))
		return error_set(err, "'%s' is not KEY=VALUE; vmapp --keys lists the keys",
				 assignment);
	memcpy(key, assignment, n);
	key[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (!is_key_char(key[i]))
			return error_set(err, "'%s' is not a key; vmapp --keys lists the keys", key);

	e = find_entry(v, key);
	if (e) {
		char *value = strdup(eq + 1);

		if (!value)
			return error_set(err, "out of memory");
		free(e->value);
		e->value = value;
		e->line = 0;
		return 0;
	}
	return add_entry(v, key, eq + 1, 0) ? error_set(err, "out of memory") : 0;
}

/* -1: not a boolean. */
static int parse_bool(const char *s)
{
	if (!strcasecmp(s, "TRUE"))
		return 1;
	return strcasecmp(s, "FALSE") ? -1 : 0;
}

static bool parse_uint(const char *s, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(s, &end, 10);
	return isdigit((unsigned char)*s) && !*end && !errno;
}

static bool is_choice(const char *choices, const char *s)
{
	size_t len = strlen(s);

	while (*choices) {
		size_t n = strcspn(choices, "|");

		if (n == len && !strncasecmp(choices, s, n))
			return true;
		choices += n + (choices[n] == '|');
	}
	return false;
}

static int bad_value(const struct vmx *v, const struct vmx_entry *e, const char *wanted,
		     struct error *err)
{
	if (e->line)
		return error_set(err, "%s:%u: %s = \"%s\": %s is wanted", v->file, e->line, e->key,
				 e->value, wanted);
	return error_set(err, "%s=%s: %s is wanted", e->key, e->value, wanted);
}

int vmx_check(const struct vmx *v, struct error *err)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct vmx_entry *e = &v->entries[i];
		const struct vmx_key *k = find_key(e->key);
		char wanted[96] = "";
		unsigned long u;

		if (!k || !*e->value)	/* an empty value means the default */
			continue;
		if (k->type == VMX_BOOL && parse_bool(e->value) < 0)
			snprintf(wanted, sizeof(wanted), "TRUE or FALSE");
		else if (k->type == VMX_CHOICE && !is_choice(k->choices, e->value))
			snprintf(wanted, sizeof(wanted), "one of %s", k->choices);
		else if (k->type == VMX_UINT &&
			 (!parse_uint(e->value, &u) || u < k->min || u > k->max))
			snprintf(wanted, sizeof(wanted), "a whole number from %lu to %lu", k->min,
				 k->max);
		if (*wanted)
			return bad_value(v, e, wanted, err);
	}
	return 0;
}

size_t vmx_unknown(const struct vmx *v, char *buf, size_t size)
{
	size_t n = 0, used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < v->n; i++) {
		if (find_key(v->entries[i].key))
			continue;
		if (used < size)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", n ? ", " : "",
						 v->entries[i].key);
		n++;
	}
	return n;
}

const char *vmx_str(const struct vmx *v, const char *key)
{
	const struct vmx_entry *e = find_entry(v, key);
	const struct vmx_key *k = find_key(key);

	if (e && *e->value)
		return e->value;
	return k ? k->def : "";
}

void vmx_path(const struct vmx *v, const char *key, char *buf, size_t size)
{
	const struct vmx_entry *e = find_entry(v, key);
	const char *value = vmx_str(v, key);
	const char *slash = e && e->line ? strrchr(v->file, '/') : NULL;
	int dir = slash && *value && *value != '/' ? (int)(slash - v->file) + 1 : 0;
	int n = snprintf(buf, size, "%.*s%s", dir, dir ? v->file : "", value);

	if (n < 0 || (size_t)n >= size)
		*buf = '\0';
}

bool vmx_bool(const struct vmx *v, const char *key)
{
	return parse_bool(vmx_str(v, key)) == 1;
}

unsigned long vmx_uint(const struct vmx *v, const char *key)
{
	unsigned long u;

	return parse_uint(vmx_str(v, key), &u) ? u : 0;
}

void vmx_print_keys(FILE *f)
{
	for (size_t i = 0; i < WS_ARRAY_SIZE(keys); i++) {
		const struct vmx_key *k = &keys[i];

		fprintf(f, "%-32s %s", k->name, k->help);
		if (k->type == VMX_CHOICE)
			fprintf(f, ": %s", k->choices);
		else if (k->type == VMX_BOOL)
			fprintf(f, ": TRUE|FALSE");
		else if (k->type == VMX_UINT)
			fprintf(f, ": %lu to %lu", k->min, k->max);
		if (*k->def)
			fprintf(f, " (default %s)", k->def);
		fputc('\n', f);
	}
}
