/* SPDX-License-Identifier: GPL-2.0-only */
/* A running VM's profiles, for commands other than `vmctl tune`. */
#ifndef VMCTL_TUNE_H
#define VMCTL_TUNE_H

#include "vmctl.h"

/* The profiles in the paper's order; NULL after the last. */
const char *tune_profile_name(size_t i);

/* Turn all of a profile's knobs; @dir is the VM's in sysfs. 0, or an exit status. */
int tune_set_profile(struct client *c, const char *dir, const char *name);

#define TUNE_OPERAND	64

/* What a profile turns, as it is: "KNOB=VALUE", to be put back. */
struct tune_saved {
	char operands[3 + 2 * 8][TUNE_OPERAND];
	size_t n;
};

int tune_save(const char *dir, struct tune_saved *saved);
int tune_restore(struct client *c, const char *dir, struct tune_saved *saved);

#endif
