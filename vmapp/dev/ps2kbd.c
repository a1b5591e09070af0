// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "ps2.h"

/* Commands */
#define KBD_LEDS	0xed
#define KBD_ECHO	0xee
#define KBD_SCANCODE	0xf0
#define KBD_ID		0xf2
#define KBD_RATE	0xf3
#define KBD_ENABLE	0xf4
#define KBD_DISABLE	0xf5
#define KBD_DEFAULT	0xf6
#define KBD_ALL_FIRST	0xf7	/* to FAh: what keys do in set 3 */
#define KBD_ALL_LAST	0xfa
#define KBD_RESEND	0xfe
#define KBD_RESET	0xff

/* Answers */
#define KBD_ACK		0xfa
#define KBD_BAT_OK	0xaa
#define KBD_ID_1	0xab
#define KBD_ID_2	0x83
#define KBD_OVERRUN_1	0xff	/* in set 1 */
#define KBD_OVERRUN_2	0x00

#define BREAK_1		0x80	/* set 1: a bit, set 2: a prefix */
#define BREAK_2		0xf0

/* Keys by their code in set 1. */
#define KEY_CTRL	0x1d
#define KEY_ALT		0x38
#define KEY_SYSRQ	0x54	/* Print Screen while Alt is held */
#define KEY_PRINT	0xe037
#define KEY_PAUSE	0xe11d
#define KEY_BREAK	0xe046	/* Pause while Ctrl is held */

#define HELD_CTRL	0x01
#define HELD_ALT	0x02
#define HELD_SYSRQ	0x04	/* it was pressed as such */

#define MAX_BYTES	8	/* that one key sends */

/* Set 1 to set 2; the same with and without prefix. 0: no key. */
static const u8 set2[128] = {
	0x00, 0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55,
	0x66, 0x0d, 0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b,
	0x5a, 0x14, 0x1c, 0x1b, 0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e,
	0x12, 0x5d, 0x1a, 0x22, 0x21, 0x2a, 0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c,
	0x11, 0x29, 0x58, 0x05, 0x06, 0x04, 0x0c, 0x03, 0x0b, 0x83, 0x0a, 0x01, 0x09, 0x77,
	0x7e, 0x6c, 0x75, 0x7d, 0x7b, 0x6b, 0x73, 0x74, 0x79, 0x69, 0x72, 0x7a, 0x70, 0x71,
	0x84, 0x60, 0x61, 0x78, 0x07, 0x0f, 0x17, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x47, 0x4f,
	0x56, 0x5e, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38, 0x40, 0x48, 0x50, 0x57, 0x6f,
	0x13, 0x19, 0x39, 0x51, 0x53, 0x5c, 0x5f, 0x62, 0x63, 0x64, 0x65, 0x67, 0x68, 0x6a,
	0x6d, 0x6e,
};

static void reply(struct ps2_keyboard *k, u8 byte)
{
	ps2_put(&k->reply, byte);
}

/* What a key sends, before it is known whether there is room for it. */
struct sequence {
	u8 byte[MAX_BYTES];
	u8 len;
};

/* @code in the keyboard's set, with its prefix if it has one. */
static void append(const struct ps2_keyboard *k, struct sequence *s, u16 code, bool down)
{
	u8 low = code & 0x7f;

	if (code >> 8)
		s->byte[s->len++] = (u8)(code >> 8);
	if (k->set == 1) {
		s->byte[s->len++] = down ? low : low | BREAK_1;
		return;
	}
	if (!down)
		s->byte[s->len++] = BREAK_2;
	s->byte[s->len++] = set2[low];
}

/* Pause sends all it has to say when it is pressed: Ctrl and Num Lock after E1h. */
static void append_pause(const struct ps2_keyboard *k, struct sequence *s)
{
	append(k, s, KEY_PAUSE, true);
	append(k, s, 0x45, true);
	append(k, s, KEY_PAUSE, false);
	append(k, s, 0x45, false);
}

/* Keys whose code depends on others. */
static void append_special(struct ps2_keyboard *k, struct sequence *s, u16 code, bool down)
{
	if (code == KEY_PAUSE) {
		if (!down)
			return;
		if (!(k->held & HELD_CTRL)) {
			append_pause(k, s);
			return;
		}
		append(k, s, KEY_BREAK, true);
		append(k, s, KEY_BREAK, false);
	} else if (down ? k->held & HELD_ALT : k->held & HELD_SYSRQ) {
		k->held = (u8)(down ? k->held | HELD_SYSRQ : k->held & ~HELD_SYSRQ);
		append(k, s, KEY_SYSRQ, down);
	} else if (down) {	/* with a shift that nobody presses, for old programs */
		append(k, s, 0xe02a, true);
		append(k, s, KEY_PRINT, true);
	} else {
		append(k, s, KEY_PRINT, false);
		append(k, s, 0xe02a, false);
	}
}

static void hold(struct ps2_keyboard *k, u8 key, bool down)
{
	k->held = (u8)(down ? k->held | key : k->held & ~key);
}

void ps2_keyboard_key(struct ps2_keyboard *k, u16 code, bool down)
{
	struct sequence s = { .len = 0 };

	if ((code & 0xff) == KEY_CTRL && code != KEY_PAUSE)
		hold(k, HELD_CTRL, down);
	if ((code & 0xff) == KEY_ALT)
		hold(k, HELD_ALT, down);
	if (!k->scanning)
		return;
	if (code == KEY_PAUSE || code == KEY_PRINT)
		append_special(k, &s, code, down);
	else if (code && (code & 0xff) < 0x80 && (code >> 8 == 0 || code >> 8 == 0xe0))
		append(k, &s, code, down);
	/* The last place is for the overrun code. */
	if (k->keys.len + s.len < PS2_QUEUE) {
		for (unsigned int i = 0; i < s.len; i++)
			ps2_put(&k->keys, s.byte[i]);
		k->overrun &= !s.len;
	} else if (!k->overrun) {
		ps2_put(&k->keys, k->set == 1 ? KBD_OVERRUN_1 : KBD_OVERRUN_2);
		k->overrun = true;
	}
}

static void set_defaults(struct ps2_keyboard *k)
{
	k->set = 2;
	k->keys.len = 0;
	k->overrun = false;
}

/* The byte that @command waited for. */
static void take_argument(struct ps2_keyboard *k, u8 command, u8 val)
{
	if (command == KBD_SCANCODE && val > 2) {	/* set 3 is not there */
		reply(k, KBD_RESEND);
		return;
	}
	reply(k, KBD_ACK);
	if (command == KBD_LEDS)
		k->leds = val & 7;
	else if (command == KBD_SCANCODE && !val)
		reply(k, k->set);
	else if (command == KBD_SCANCODE)
		k->set = val;
	/* The rate of repetition is up to whoever holds the key. */
}

void ps2_keyboard_write(struct ps2_keyboard *k, u8 val)
{
	u8 pending = k->command;

	k->command = 0;
	if (pending && val < 0x80) {
		take_argument(k, pending, val);
		return;
	}
	switch (val) {
	case KBD_LEDS:
	case KBD_SCANCODE:
	case KBD_RATE:
		k->command = val;
		reply(k, KBD_ACK);
		break;
	case KBD_ECHO:
		reply(k, KBD_ECHO);
		break;
	case KBD_ID:
		reply(k, KBD_ACK);
		reply(k, KBD_ID_1);
		reply(k, KBD_ID_2);
		break;
	case KBD_ENABLE:
		k->scanning = true;
		k->keys.len = 0;
		k->overrun = false;
		reply(k, KBD_ACK);
		break;
	case KBD_DISABLE:
		k->scanning = false;
		/* fall through */
	case KBD_DEFAULT:
		set_defaults(k);
		/* fall through */
	case KBD_ALL_FIRST ... KBD_ALL_LAST:
		reply(k, KBD_ACK);
		break;
	case KBD_RESEND:
		reply(k, k->last);
		break;
	case KBD_RESET:
		ps2_keyboard_reset(k);
		reply(k, KBD_ACK);
		reply(k, KBD_BAT_OK);
		break;
	default:
		reply(k, KBD_RESEND);
	}
}

bool ps2_keyboard_answer(struct ps2_keyboard *k, u8 *val)
{
	if (!ps2_get(&k->reply, val))
		return false;
	if (*val != KBD_RESEND)
		k->last = *val;
	return true;
}

bool ps2_keyboard_data(struct ps2_keyboard *k, u8 *val)
{
	if (!ps2_get(&k->keys, val))
		return false;
	k->last = *val;
	return true;
}

void ps2_keyboard_reset(struct ps2_keyboard *k)
{
	u8 held = k->held & (u8)~HELD_SYSRQ;	/* by fingers, which know of no reset */

	memset(k, 0, sizeof(*k));
	k->held = held;
	k->last = KBD_BAT_OK;
	k->scanning = true;
	set_defaults(k);
}
