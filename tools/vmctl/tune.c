// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl tune: a running VM's knobs. They are files of sysfs with one value each:
 * "KNOB" is knobs/KNOB, "ethernetN.KNOB" is nicN/KNOB, where counters lie beside
 * it that cannot be written. Only "ethernetN.datapath" is set through vmapp,
 * which answers for a guest that has stopped, too.
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

#include "tune.h"
#include "vmctl.h"

/* What the paper's Table 3 compares, one optimization more in each, and what comes after it. */
static const struct profile {
	const char *name;
	const char *path;
	int send_combining, irq_notification, host_irq_to_vmapp, pairs;
} profiles[] = {
	{ "ws2.0", "vmapp", 0, 0, 1, 0 },
	{ "ports", "vmm", 0, 0, 1, 0 },
	{ "ports+combining", "vmm", 1, 0, 1, 0 },
	{ "ports+combining+irq", "vmm", 1, 1, 1, 0 },
	{ "direct", "direct", 1, 1, 0, 0 },
	{ "direct+pairs", "direct", 1, 1, 0, 1 },
};

#define PROFILES "ws2.0, ports, ports+combining, ports+combining+irq, direct, direct+pairs"

/* Where a knob's file is, below the VM's folder; false if it cannot be a knob's name. */
static bool knob_file(const char *knob, char *file, size_t size)
{
	int nic = -1, end = 0;

	sscanf(knob, "ethernet%1d.%n", &nic, &end);
	if (!end && strchr(knob, '.'))
		return false;
	if (!knob[end] || strchr(knob, '/') || knob[end] == '.')
		return false;
	if (end)
		return snprintf(file, size, "nic%d/%s", nic, knob + end) < (int)size;
	return snprintf(file, size, "knobs/%s", knob) < (int)size;
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

/* The knob's path, or false after a complaint. Counters are no knobs. */
static bool find_knob(const char *dir, const char *knob, char *path, size_t size, int *err)
{
	char file[NAME_MAX];
	struct stat st;

	*err = VMCTL_OK;
	if (!knob_file(knob, file, sizeof(file)) ||
	    snprintf(path, size, "%s/%s", dir, file) >= (int)size)
		*err = complain(knob, ENOENT);
	else if (stat(path, &st))
		*err = complain(knob, errno);
	else if (S_ISDIR(st.st_mode) || !(st.st_mode & 0222))
		*err = complain(knob, ENOENT);
	return *err == VMCTL_OK;
}

static int print_knob(const char *dir, const char *knob)
{
	char path[PATH_MAX], value[256];
	ssize_t n;
	int err;

	if (!find_knob(dir, knob, path, sizeof(path), &err))
		return err;
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
	int fd, err;

	if (!find_knob(dir, knob, path, sizeof(path), &err))
		return err;
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

/* The knobs in @dir/@folder, each with @prefix: how many, or -1 after a complaint. */
static int print_folder(const char *dir, const char *folder, const char *prefix)
{
	char path[PATH_MAX], knob[2 * NAME_MAX];
	struct dirent **entries;
	int n, found = 0;

	if (snprintf(path, sizeof(path), "%s/%s", dir, folder) >= (int)sizeof(path))
		return 0;
	n = scandir(path, &entries, is_visible, alphasort);
	for (int i = 0; i < n; i++) {
		struct stat st;

		snprintf(knob, sizeof(knob), "%s%s", prefix, entries[i]->d_name);
		if (snprintf(path, sizeof(path), "%s/%s/%s", dir, folder, entries[i]->d_name) <
		    (int)sizeof(path) && !stat(path, &st) && S_ISREG(st.st_mode) &&
		    st.st_mode & 0222 && found >= 0)
			found = print_knob(dir, knob) ? -1 : found + 1;
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return found;
}

static int print_all(struct client *c, const char *dir)
{
	int found = print_folder(dir, "knobs", ""), n;
	char folder[16], prefix[24];

	for (int nic = 0; nic < 8 && found >= 0; nic++) {
		snprintf(folder, sizeof(folder), "nic%d", nic);
		snprintf(prefix, sizeof(prefix), "ethernet%d.", nic);
		n = print_folder(dir, folder, prefix);
		found = n < 0 ? n : found + n;
	}
	if (!found)
		return vmctl_fail("tune", NULL, "'%s' has no knobs", c->name);
	return found < 0 ? VMCTL_FAILED : VMCTL_OK;
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
	if (value && nic >= 0)
		return set_datapath(c, nic, value);
	return value ? set_knob(dir, operand, value) : print_knob(dir, operand);
}

static int set_number(const char *dir, const char *knob, int value)
{
	char text[12];

	snprintf(text, sizeof(text), "%d", value);
	return set_knob(dir, knob, text);
}

static bool has_nic(const char *dir, int nic)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/nic%d", dir, nic) < (int)sizeof(path) &&
	       !access(path, X_OK);
}

/* All of a profile's knobs, of the VM and of each NIC that it has. */
int tune_set_profile(struct client *c, const char *dir, const char *name)
{
	const struct profile *p = profiles;
	char knob[48];
	int err;

	while (p < profiles + VMCTL_ARRAY_SIZE(profiles) && strcmp(p->name, name))
		p++;
	if (p == profiles + VMCTL_ARRAY_SIZE(profiles))
		return vmctl_fail("tune", "there are: " PROFILES, "no profile is called '%s'",
				  name);
	err = set_number(dir, "irq_notification", p->irq_notification) ||
	      set_number(dir, "host_irq_to_vmapp", p->host_irq_to_vmapp) ||
	      set_number(dir, "pairs", p->pairs);
	for (int nic = 0; nic < 8 && !err; nic++) {
		if (!has_nic(dir, nic))
			continue;
		snprintf(knob, sizeof(knob), "ethernet%d.send_combining", nic);
		err = set_datapath(c, nic, p->path) || set_number(dir, knob, p->send_combining);
	}
	return err ? VMCTL_FAILED : VMCTL_OK;
}

const char *tune_profile_name(size_t i)
{
	return i < VMCTL_ARRAY_SIZE(profiles) ? profiles[i].name : NULL;
}

static int save_one(const char *dir, const char *knob, struct tune_saved *saved)
{
	char *operand = saved->operands[saved->n];
	char path[PATH_MAX];
	int used, err;
	ssize_t n;

	if (!find_knob(dir, knob, path, sizeof(path), &err))
		return err;
	used = snprintf(operand, TUNE_OPERAND, "%s=", knob);
	n = vmctl_read_line(path, operand + used, TUNE_OPERAND - used);
	if (n < 0)
		return complain(knob, -n);
	saved->n++;
	return VMCTL_OK;
}

int tune_save(const char *dir, struct tune_saved *saved)
{
	char knob[48];
	int err;

	saved->n = 0;
	err = save_one(dir, "irq_notification", saved) ||
	      save_one(dir, "host_irq_to_vmapp", saved) || save_one(dir, "pairs", saved);
	for (int nic = 0; nic < 8 && !err; nic++) {
		if (!has_nic(dir, nic))
			continue;
		snprintf(knob, sizeof(knob), "ethernet%d.datapath", nic);
		err = save_one(dir, knob, saved);
		snprintf(knob, sizeof(knob), "ethernet%d.send_combining", nic);
		err = err || save_one(dir, knob, saved);
	}
	return err ? VMCTL_FAILED : VMCTL_OK;
}

int tune_restore(struct client *c, const char *dir, struct tune_saved *saved)
{
	int err = VMCTL_OK;

	for (size_t i = 0; i < saved->n; i++)
		if (tune_one(c, dir, saved->operands[i]))
			err = VMCTL_FAILED;
	return err;
}

int cmd_tune(int argc, char **argv)
{
	static const struct option options[] = {
		{ "profile", required_argument, NULL, 'p' },
		{ }
	};
	const char *profile = NULL;
	char dir[PATH_MAX];
	struct client c;
	int err, option;

	while ((option = vmctl_getopt(argc, argv, options)) != -1) {
		if (option != 'p')
			return VMCTL_USAGE;
		profile = optarg;
	}
	err = vmctl_operands(argc, argv, 1, argc, "the VM's NAME");
	if (!err)
		err = client_open(&c, argv[0], argv[optind]);
	if (err)
		return err;
	err = !client_sysfs(&c, argv[0], dir, sizeof(dir));
	if (!err && profile)
		err = tune_set_profile(&c, dir, profile);
	for (int i = optind + 1; i < argc && !err; i++)
		err = tune_one(&c, dir, argv[i]);
	if (!err && !profile && optind + 1 == argc)
		err = print_all(&c, dir);
	client_close(&c);
	return err;
}
