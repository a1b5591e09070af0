/* SPDX-License-Identifier: GPL-2.0-only */
/* System control port A of a PS/2: a fast reset, and A20 (always open). */
#ifndef VMAPP_DEV_PORT92_H
#define VMAPP_DEV_PORT92_H

#include "dev.h"

struct port92 {
	u8 value;
	struct dev_signal reset;
};

void port92_reset(struct port92 *p);

extern const struct ws_region port92_regions[];
extern const unsigned int port92_n_regions;

#endif
