/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The devices at the two PS/2 ports: an AT keyboard with 102 keys, and a mouse
 * with three buttons that turns into an IntelliMouse (a wheel) or an IntelliMouse
 * Explorer (a wheel, five buttons) when its driver knocks.
 *
 * A device answers a command at once. What keys and motion have to say waits
 * behind the answers, in the device, until the controller takes it.
 */
#ifndef VMAPP_DEV_PS2_H
#define VMAPP_DEV_PS2_H

#include "core/types.h"

#define PS2_QUEUE	16	/* bytes that an AT keyboard remembers */
#define PS2_EVENTS	16	/* changes of buttons that the mouse remembers */

struct ps2_queue {
	u8 buf[PS2_QUEUE];
	u8 head, len;
};

struct ps2_keyboard {
	struct ps2_queue reply, keys;
	u8 command;		/* one that waits for its byte, or 0 */
	u8 last;		/* byte sent, for FEh, "resend" */
	u8 set;			/* scan code set: 1 or 2 */
	u8 leds;		/* bit 0 scroll, 1 num, 2 caps lock */
	bool scanning;
	bool overrun;		/* keys were lost; the queue's end says so */
	u8 held;		/* keys that change what others send */
};

/* As after power-on. */
void ps2_keyboard_reset(struct ps2_keyboard *k);
/* A byte from the controller. */
void ps2_keyboard_write(struct ps2_keyboard *k, u8 val);

/**
 * ps2_keyboard_key() - somebody presses or releases a key
 * @code: its make code in scan code set 1, 01h to 58h (and 59h to 7Fh as far as
 *	keyboards have them); E0xxh for a key with that prefix (Print Screen is
 *	E037h), E11Dh for Pause. Others are ignored.
 * @down: repeated for a key that is held, as the keyboard would repeat it
 */
void ps2_keyboard_key(struct ps2_keyboard *k, u16 code, bool down);

/* A byte for the controller; false: there is none. */
bool ps2_keyboard_answer(struct ps2_keyboard *k, u8 *val);
bool ps2_keyboard_data(struct ps2_keyboard *k, u8 *val);

/* Buttons, or'ed together. */
#define PS2_LEFT	0x01
#define PS2_RIGHT	0x02
#define PS2_MIDDLE	0x04
#define PS2_SIDE	0x08	/* IntelliMouse Explorer */
#define PS2_EXTRA	0x10

struct ps2_motion {
	s32 dx, dy, dz;
	u8 buttons;
};

struct ps2_mouse {
	struct ps2_queue reply;
	struct ps2_queue packet;	/* what is left of the one that is being sent */
	struct ps2_motion event[PS2_EVENTS];
	u8 events;		/* of which so many wait, the oldest first */
	u8 buttons;		/* as last told to the guest */
	u8 command, last;
	u8 id;			/* 0, 3: a wheel, 4: five buttons */
	u8 resolution, rate;
	u8 knock[2];		/* the two sample rates before the last */
	bool enabled, remote, wrap, scaling;
};

void ps2_mouse_reset(struct ps2_mouse *m);
void ps2_mouse_write(struct ps2_mouse *m, u8 val);

/**
 * ps2_mouse_move() - the mouse moves, or a button changes
 * @dx: counts to the right
 * @dy: counts down, as on a screen
 * @dz: clicks of the wheel towards the user
 * @buttons: PS2_*, those that are down now
 */
void ps2_mouse_move(struct ps2_mouse *m, int dx, int dy, int dz, u8 buttons);

bool ps2_mouse_answer(struct ps2_mouse *m, u8 *val);
bool ps2_mouse_data(struct ps2_mouse *m, u8 *val);

static inline void ps2_put(struct ps2_queue *q, u8 byte)
{
	if (q->len < PS2_QUEUE)
		q->buf[(q->head + q->len++) % PS2_QUEUE] = byte;
}

static inline bool ps2_get(struct ps2_queue *q, u8 *byte)
{
	if (!q->len)
		return false;
	*byte = q->buf[q->head];
	q->head = (u8)((q->head + 1) % PS2_QUEUE);
	q->len--;
	return true;
}

#endif
