// SPDX-License-Identifier: GPL-2.0-only
/* vmctl create: a .vmx file, and an image for its disk. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image.h"
#include "launch.h"
#include "vmctl.h"

enum { OPT_DISK, OPT_CDROM, OPT_NIC, OPT_MEM, OPT_FORMAT, OPT_SET };

static const struct option options[] = {
	{ "disk", required_argument, NULL, OPT_DISK },
	{ "cdrom", required_argument, NULL, OPT_CDROM },
	{ "nic", required_argument, NULL, OPT_NIC },
	{ "mem", required_argument, NULL, OPT_MEM },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "set", required_argument, NULL, OPT_SET },
	{ }
};

/**
 * struct plan - what is to be made
 * @size: bytes of the disk; 0: none, or one that is there
 * @format: of its image
 * @made: names of files that exist because of us, for the way back
 */
struct plan {
	struct launch l;
	const char *name;
	const char *mem;
	const char *format;
	uint64_t size;
	char image[NAME_MAX + 1];
	char vmx[NAME_MAX + 1];
};

/* "4G": bytes, with K, M, G or T for powers of 1024; 0: it is none. */
static uint64_t parse_size(const char *text)
{
	static const char units[] = "KMGT";
	const char *unit;
	uint64_t n;
	char *end;

	if (!isdigit((unsigned char)*text))
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || !*end)
		return 0;
	unit = strchr(units, toupper((unsigned char)*end));
	if (!unit || end[1] || n > (1ull << 50) >> (10 * (unit - units + 1)))
		return 0;
	return n << (10 * (unit - units + 1));
}

static int add_disk(struct plan *p, const char *arg)
{
	const char *ending = strcmp(p->format, "raw") ? p->format : "img";
	char *path;
	int err;

	if (parse_size(arg)) {
		if (p->size)
			return vmctl_usage("create", "it makes one disk; give others as files");
		p->size = parse_size(arg);
		snprintf(p->image, sizeof(p->image), "%s.%s", p->name, ending);
		return launch_drive(&p->l, p->image, false);
	}
	path = realpath(arg, NULL);
	if (!path)
		return vmctl_usage("create", "--disk '%s' is neither a size (4G) nor an image: %m", arg);
	err = launch_drive(&p->l, path, false);
	free(path);
	return err;
}

static int add_cdrom(struct plan *p, const char *arg)
{
	char *path = *arg ? realpath(arg, NULL) : strdup("");
	int err;

	if (!path)
		return vmctl_usage("create", "--cdrom '%s' cannot be read: %m", arg);
	err = launch_drive(&p->l, path, true);
	free(path);
	return err;
}

static int add_option(struct plan *p, int opt)
{
	switch (opt) {
	case OPT_DISK:
		return add_disk(p, optarg);
	case OPT_CDROM:
		return add_cdrom(p, optarg);
	case OPT_NIC:
		return launch_nic(&p->l, optarg);
	case OPT_MEM:
		p->mem = optarg;
		return 0;
	case OPT_SET:
		if (*optarg == '=' || !strchr(optarg, '='))
			return vmctl_usage("create", "--set '%s' is not KEY=VALUE", optarg);
		launch_add(&p->l, "%s", optarg);
		return 0;
	default:
		return VMCTL_USAGE;
	}
}

/* The options that others depend on, and the name; then the rest in their order. */
static int parse(struct plan *p, int argc, char **argv)
{
	int opt, err;

	while ((opt = vmctl_getopt(argc, argv, options)) != -1) {
		if (opt == '?')
			return VMCTL_USAGE;
		if (opt == OPT_FORMAT)
			p->format = optarg;
	}
	err = vmctl_operands(argc, argv, 1, 1, "the VM's NAME");
	if (err)
		return err;
	if (!image_is_format(p->format))
		return vmctl_usage("create", "--format '%s' is not " IMAGE_FORMATS, p->format);
	p->name = argv[optind];
	if (*p->name == '.' || !*p->name || strchr(p->name, '/') ||
	    strlen(p->name) >= VMCTL_NAME_MAX)
		return vmctl_usage("create", "'%s' cannot be a VM's name", p->name);
	snprintf(p->vmx, sizeof(p->vmx), "%s.vmx", p->name);
	p->l.argv = calloc(launch_room(argc, argv), sizeof(*p->l.argv));
	if (!p->l.argv)
		return vmctl_fail("create", NULL, "out of memory");
	optind = 1;
	while ((opt = vmctl_getopt(argc, argv, options)) != -1) {
		err = opt == OPT_FORMAT ? 0 : add_option(p, opt);
		if (err)
			return err;
	}
	return 0;
}

static bool write_vmx(const struct plan *p, FILE *f)
{
	fputs(".encoding = \"UTF-8\"\n", f);
	image_put_key(f, "displayName", p->name);
	image_put_key(f, "memsize", p->mem);
	for (int i = 0; i < p->l.argc; i++) {
		char *key = strdup(p->l.argv[i]), *value = key;

		if (!key)
			return false;
		strsep(&value, "=");
		image_put_key(f, key, value);
		free(key);
	}
	return !ferror(f);
}

static int make_vmx(const struct plan *p)
{
	int fd = open(p->vmx, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	bool written;

	if (!f) {
		if (fd >= 0)
			close(fd);
		return vmctl_fail("create", errno == EEXIST ? "choose another name, or remove it" :
				  "check the directory", "%s cannot be made: %m", p->vmx);
	}
	written = write_vmx(p, f);
	if (fclose(f) || !written) {
		vmctl_fail("create", "make room", "%s cannot be written: %m", p->vmx);
		unlink(p->vmx);
		return VMCTL_FAILED;
	}
	return VMCTL_OK;
}

int cmd_create(int argc, char **argv)
{
	struct plan p = { .l.command = "create", .mem = "256", .format = "raw" };
	int err;

	err = parse(&p, argc, argv);
	if (!err)
		err = make_vmx(&p);
	if (!err && p.size) {
		err = image_create("create", p.image, p.format, p.size);
		if (err)
			unlink(p.vmx);
	}
	if (!err)
		printf("%s\n", p.vmx);
	for (int i = 0; i < p.l.argc; i++)
		free(p.l.argv[i]);
	free(p.l.argv);
	return err;
}
