/* SPDX-License-Identifier: GPL-2.0-only */
/* A VM's description as vmctl run and vmctl create build it: KEY=VALUE after KEY=VALUE. */
#ifndef VMCTL_LAUNCH_H
#define VMCTL_LAUNCH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * struct launch - the command line of vmapp in the making, or a .vmx file
 * @command: vmctl's, for complaints
 * @argv: its arguments, NULL-terminated, with room for what run may add
 * @file: the .vmx file, or NULL
 * @described: something says what the VM is; without a kernel its BIOS boots
 * @nics: how many --nic there were
 * @drives: bit n: a --disk or --cdrom has taken ide_places[n]
 */
struct launch {
	const char *command;
	char vmapp[PATH_MAX];
	char **argv;
	int argc;
	const char *file;
	bool described;
	unsigned int nics;
	unsigned int drives;
	bool serial;
	bool detach;
};

/* How many arguments @argv can become, with the NULL behind them. */
size_t launch_room(int argc, char **argv);

/* One argument more; there is room for it. */
__attribute__((format(printf, 2, 3)))
void launch_add(struct launch *l, const char *format, ...);

/* --nic and --disk or --cdrom. Return 0, or an exit status after a complaint. */
int launch_nic(struct launch *l, char *spec);
int launch_drive(struct launch *l, const char *path, bool cdrom);

#endif
