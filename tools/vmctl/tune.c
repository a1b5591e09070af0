// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl tune: a running VM's knobs, files of sysfs with one value each. A
 * device's knobs are in a folder of its own: "ethernet0/datapath".
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmctl.h"

static bool is_knob_name(const char *knob)
{
	const char *slash = strchr(knob, '/');

	if (slash && (strchr(slash + 1, '/') || slash[1] == '.' || !slash[1]))
		return false;
	return *knob && *knob != '/' && *knob != '.';
}

static int complain(const char *knob, int err)
{
	switch (err) {
	case ENOENT:
	case EISDIR:
		return vmctl_fail("tune", "'vmctl tune NAME' lists those it has",
				  "there is no knob '%s'", knob);
	case EACCES:
	case EPERM:
		return vmctl_fail("tune", "set it as root", "'%s' is not yours to set", knob);
	default:
		return vmctl_fail("tune", NULL, "'%s' cannot be read: %s", knob, strerror(err));
	}
}

static int print_knob(const char *dir, const char *knob)
{
	char path[PATH_MAX], value[256];
	ssize_t n;

	if (snprintf(path, sizeof(path), "%s/%s", dir, knob) >= (int)sizeof(path))
		return complain(knob, ENOENT);
	n = vmctl_read_line(path, value, sizeof(value));
	if (n < 0)
		return complain(knob, -n);
	printf("%s=", knob);
	vmctl_puts(value);
	putchar('\n');
	return VMCTL_OK;
}

static int set_knob(const char *dir, const char *knob, const char *value)
{
	char path[PATH_MAX];
	int fd, err = 0;

	if (snprintf(path, sizeof(path), "%s/%s", dir, knob) >= (int)sizeof(path))
		return complain(knob, ENOENT);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return complain(knob, errno);
	/* One write(): sysfs takes a value as a whole or not at all. */
	if (dprintf(fd, "%s\n", value) < 0)
		err = errno;
	close(fd);
	if (err == EINVAL || err == ERANGE)
		return vmctl_fail("tune", "it keeps the one it had",
				  "'%s' does not take the value '%s'", knob, value);
	return err ? complain(knob, err) : VMCTL_OK;
}

static int is_visible(const struct dirent *e)
{
	return *e->d_name != '.';
}

/* List the knobs in @dir/@folder, and those one folder further down. */
static int print_all(const char *dir, const char *folder)
{
	char path[PATH_MAX], knob[2 * NAME_MAX + 2];
	struct dirent **entries;
	int n, err = 0;

	if (snprintf(path, sizeof(path), "%s/%s", dir, folder) >= (int)sizeof(path))
		return complain(folder, ENOENT);
	n = scandir(path, &entries, is_visible, alphasort);
	if (n < 0)
		return complain(folder, errno);
	for (int i = 0; i < n; i++) {
		struct stat st;

		snprintf(knob, sizeof(knob), "%s%s%s", folder, *folder ? "/" : "",
			 entries[i]->d_name);
		free(entries[i]);
		if (snprintf(path, sizeof(path), "%s/%s", dir, knob) >= (int)sizeof(path) ||
		    stat(path, &st))
			continue;
		if (S_ISREG(st.st_mode))
			err |= print_knob(dir, knob);
		else if (S_ISDIR(st.st_mode) && !*folder)
			err |= print_all(dir, knob);
	}
	free(entries);
	return err;
}

/* One operand: KNOB shows it, KNOB=VALUE sets it. */
static int tune_one(const char *dir, char *operand)
{
	char *value = strchr(operand, '=');

	if (value)
		*value++ = '\0';
	if (!is_knob_name(operand))
		return complain(operand, ENOENT);
	return value ? set_knob(dir, operand, value) : print_knob(dir, operand);
}

int cmd_tune(int argc, char **argv)
{
	static const struct option none[] = { { } };
	char dir[PATH_MAX - 8];
	struct client c;
	int err;

	if (vmctl_getopt(argc, argv, none) != -1)
		return VMCTL_USAGE;
	err = vmctl_operands(argc, argv, 1, argc, "the VM's NAME");
	if (!err)
		err = client_open(&c, argv[0], argv[optind]);
	if (err)
		return err;
	err = !client_sysfs(&c, argv[0], dir, sizeof(dir) - strlen("/knobs"));
	client_close(&c);
	if (err)
		return VMCTL_FAILED;
	strcat(dir, "/knobs");
	if (access(dir, X_OK))
		return vmctl_fail(argv[0], NULL, "'%s' has no knobs", argv[optind]);
	if (argc == optind + 1)
		return print_all(dir, "");
	for (int i = optind + 1; i < argc && !err; i++)
		err = tune_one(dir, argv[i]);
	return err;
}
