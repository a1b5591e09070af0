/* SPDX-License-Identifier: GPL-2.0-only */
/* The VMM's counters of this VM, as sysfs has them, printed when the VM ends. */
#ifndef VMAPP_STATS_H
#define VMAPP_STATS_H

#include <stdio.h>

#include "core/types.h"

#define STATS_MAX	192

struct stats_counter {
	char group[16], name[32];
	int fd;			/* open from the start: later files cannot be opened */
	unsigned long long value;
};

struct stats {
	unsigned int n;
	struct stats_counter counter[STATS_MAX];
};

/* Find the counters of /sys/class/vmdriver/vm<id>. */
void stats_open(struct stats *s, u32 id);
/* The ones that are not zero, by group, largest first. */
void stats_print(struct stats *s, FILE *f);
void stats_close(struct stats *s);

#endif
