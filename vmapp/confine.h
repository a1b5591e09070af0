/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What vmapp gives up once everything is open: capabilities, and every system
 * call that running a VM does not need. A guest that broke out into vmapp
 * could then not open a file, start a program or reach the network.
 */
#ifndef VMAPP_CONFINE_H
#define VMAPP_CONFINE_H

#include "error.h"

/* Drop all capabilities of this thread and of those it will make. */
int confine_capabilities(struct error *err);

/*
 * Install the filter on all threads; they exist already. A call that it refuses
 * ends the process with a line that names it.
 */
int confine_system_calls(struct error *err);

#endif
