/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Typing: keys by name, and text on a keyboard with the US layout, at a pace at
 * which the guest takes them.
 */
#ifndef VMAPP_KEYS_H
#define VMAPP_KEYS_H

#include "dev/i8042.h"
#include "error.h"
#include "loop.h"

#define KEYS_MAX	4096		/* presses and releases that wait */

struct keys {
	struct { u16 code; bool down; } event[KEYS_MAX];
	unsigned int head, n;
	u64 since;			/* the guest has not taken the last one since */
	struct i8042 *i8042;
	struct loop_timer timer;
};

int keys_init(struct keys *k, struct i8042 *i8042, struct loop *loop, struct error *err);
void keys_free(struct keys *k);

/* What waits is forgotten. */
void keys_reset(struct keys *k);

/* "a", "f12", "ctrl-alt-delete": -1 with @err set, and nothing of it is typed. */
int keys_press(struct keys *k, const char *combination, struct error *err);
/* Printable ASCII, newlines, tabs. */
int keys_type(struct keys *k, const char *text, struct error *err);

/* A key goes down or up, behind what waits; lost if too much does. */
void keys_event(struct keys *k, u16 code, bool down);

/* The key of an X11 keysym, and whether it wants Shift on a US keyboard; 0: none. */
u16 keys_of_keysym(u32 keysym, bool *shift);

#endif
