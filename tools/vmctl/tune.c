// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl tune: a running VM's knobs. Most are files of sysfs with one value each;
 * a device's are in a folder of its own. "ethernetN.datapath" is vmapp's, since
 * switching it takes both.
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

/* N if @knob is "ethernetN.datapath", else -1. */
static int datapath_nic(const char *knob)
{
	int nic = -1, end = 0;

	sscanf(knob, "ethernet%1d.datapath%n", &nic, &end);
	return end && !knob[end] ? nic : -1;
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

/* The data path of NIC @wanted, or with -1 of all. How many, or -1 after a complaint. */
static int print_datapaths(struct client *c, int wanted)
{
	json_t *info = client_info(c, "tune"), *nic;
	int found = 0;
	size_t i;

	if (!info)
		return -1;
	json_array_foreach(json_object_get(info, "nics"), i, nic) {
		json_int_t number = client_integer(nic, "nic", -1);

		if (wanted >= 0 && number != wanted)
			continue;
		printf("ethernet%lld.datapath=", (long long)number);
		vmctl_puts(client_string(nic, "path"));
		putchar('\n');
		found++;
	}
	json_decref(info);
	return found;
}

static int print_datapath(struct client *c, int nic)
{
	int found = print_datapaths(c, nic);

	if (found)
		return found < 0 ? VMCTL_FAILED : VMCTL_OK;
	return vmctl_fail("tune", "'vmctl info NAME' lists those it has",
			  "there is no ethernet%d", nic);
}

static int set_datapath(struct client *c, int nic, const char *path)
{
	json_t *answer = client_call(c, "tune", json_pack("{s:s,s:i,s:s}", "cmd", "datapath",
							  "nic", nic, "path", path));

	json_decref(answer);
	return answer ? VMCTL_OK : VMCTL_FAILED;
}

/* One operand: KNOB shows it, KNOB=VALUE sets it. */
static int tune_one(struct client *c, const char *dir, char *operand)
{
	char *value = strchr(operand, '=');
	int nic;

	if (value)
		*value++ = '\0';
	nic = datapath_nic(operand);
	if (nic >= 0)
		return value ? set_datapath(c, nic, value) : print_datapath(c, nic);
	if (!is_knob_name(operand))
		return complain(operand, ENOENT);
	return value ? set_knob(dir, operand, value) : print_knob(dir, operand);
}

/* @dir is the VM's in sysfs, with room for a folder's name. */
static int tune(struct client *c, char *dir, int n, char **operands)
{
	int found, err = 0;

	strcat(dir, "/knobs");
	for (int i = 0; i < n && !err; i++)
		err = tune_one(c, dir, operands[i]);
	if (n)
		return err;
	found = print_datapaths(c, -1);
	if (!access(dir, X_OK))
		return print_all(dir, "");
	if (!found)
		return vmctl_fail("tune", NULL, "'%s' has no knobs", c->name);
	return found < 0 ? VMCTL_FAILED : VMCTL_OK;
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
	if (!err)
		err = tune(&c, dir, argc - optind - 1, argv + optind + 1);
	client_close(&c);
	return err;
}
