// SPDX-License-Identifier: GPL-2.0-only
#include "keys.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PACE_NS		4000000ull	/* between two keys, and two looks at the guest */
#define PATIENCE_NS	2000000000ull	/* a guest that takes no keys gets the next anyway */
#define COMBINATION_MAX	6		/* keys */

#define SHIFT		0x2a

/* Scan code set 1. */
static const struct {
	const char *name;
	u16 code;
	u16 keysym;
} named[] = {
	{ "esc", 0x01, 0xff1b }, { "escape", 0x01, 0 }, { "backspace", 0x0e, 0xff08 },
	{ "tab", 0x0f, 0xff09 }, { "ret", 0x1c, 0xff0d }, { "enter", 0x1c, 0 },
	{ "return", 0x1c, 0 }, { "ctrl", 0x1d, 0xffe3 }, { "shift", SHIFT, 0xffe1 },
	{ "rshift", 0x36, 0xffe2 }, { "alt", 0x38, 0xffe9 }, { "space", 0x39, 0 },
	{ "capslock", 0x3a, 0xffe5 },
	{ "f1", 0x3b, 0xffbe }, { "f2", 0x3c, 0xffbf }, { "f3", 0x3d, 0xffc0 },
	{ "f4", 0x3e, 0xffc1 }, { "f5", 0x3f, 0xffc2 }, { "f6", 0x40, 0xffc3 },
	{ "f7", 0x41, 0xffc4 }, { "f8", 0x42, 0xffc5 }, { "f9", 0x43, 0xffc6 },
	{ "f10", 0x44, 0xffc7 }, { "f11", 0x57, 0xffc8 }, { "f12", 0x58, 0xffc9 },
	{ "numlock", 0x45, 0xff7f }, { "scrolllock", 0x46, 0xff14 },
	{ "minus", 0x0c, 0 }, { "kp_multiply", 0x37, 0xffaa }, { "kp_subtract", 0x4a, 0xffad },
	{ "kp_add", 0x4e, 0xffab }, { "kp_decimal", 0x53, 0xffae }, { "kp_7", 0x47, 0xffb7 },
	{ "kp_8", 0x48, 0xffb8 }, { "kp_9", 0x49, 0xffb9 }, { "kp_4", 0x4b, 0xffb4 },
	{ "kp_5", 0x4c, 0xffb5 }, { "kp_6", 0x4d, 0xffb6 }, { "kp_1", 0x4f, 0xffb1 },
	{ "kp_2", 0x50, 0xffb2 }, { "kp_3", 0x51, 0xffb3 }, { "kp_0", 0x52, 0xffb0 },
	{ "kp_enter", 0xe01c, 0xff8d }, { "kp_divide", 0xe035, 0xffaf },
	{ "rctrl", 0xe01d, 0xffe4 }, { "print", 0xe037, 0xff61 }, { "altgr", 0xe038, 0xfe03 },
	{ "ralt", 0xe038, 0xffea }, { "home", 0xe047, 0xff50 }, { "up", 0xe048, 0xff52 },
	{ "pgup", 0xe049, 0xff55 }, { "left", 0xe04b, 0xff51 }, { "right", 0xe04d, 0xff53 },
	{ "end", 0xe04f, 0xff57 }, { "down", 0xe050, 0xff54 }, { "pgdn", 0xe051, 0xff56 },
	{ "insert", 0xe052, 0xff63 }, { "delete", 0xe053, 0xffff }, { "del", 0xe053, 0 },
	{ "win", 0xe05b, 0xffeb }, { "rwin", 0xe05c, 0xffec }, { "menu", 0xe05d, 0xff67 },
	{ "pause", 0xe11d, 0xff13 },
};

/* The rows of a US keyboard from their first code on, without and with Shift. */
static const struct {
	u16 first;
	const char *plain, *shifted;
} rows[] = {
	{ 0x02, "1234567890-=", "!@#$%^&*()_+" },
	{ 0x10, "qwertyuiop[]", "QWERTYUIOP{}" },
	{ 0x1e, "asdfghjkl;'`", "ASDFGHJKL:\"~" },
	{ 0x2b, "\\zxcvbnm,./", "|ZXCVBNM<>?" },
	{ 0x39, " ", "" },
	{ 0x1c, "\n", "" },
	{ 0x0f, "\t", "" },
};

static u16 code_of_char(char c, bool *shift)
{
	for (size_t i = 0; c && i < WS_ARRAY_SIZE(rows); i++) {
		const char *plain = strchr(rows[i].plain, c);
		const char *shifted = strchr(rows[i].shifted, c);

		*shift = !plain;
		if (plain)
			return (u16)(rows[i].first + (plain - rows[i].plain));
		if (shifted)
			return (u16)(rows[i].first + (shifted - rows[i].shifted));
	}
	return 0;
}

u16 keys_of_keysym(u32 keysym, bool *shift)
{
	*shift = false;
	if (keysym >= ' ' && keysym <= '~')
		return code_of_char((char)keysym, shift);
	for (size_t i = 0; i < WS_ARRAY_SIZE(named); i++)
		if (named[i].keysym && named[i].keysym == keysym)
			return named[i].code;
	return 0;
}

static u16 code_of_name(const char *name, size_t len, bool *shift)
{
	*shift = false;
	if (len == 1)
		return code_of_char(*name, shift);
	for (size_t i = 0; i < WS_ARRAY_SIZE(named); i++)
		if (strlen(named[i].name) == len && !strncasecmp(named[i].name, name, len))
			return named[i].code;
	return 0;
}

/* ---- the queue ---- */

static void put(struct keys *k, u16 code, bool down)
{
	unsigned int at = (k->head + k->n++) % KEYS_MAX;

	k->event[at].code = code;
	k->event[at].down = down;
}

static void next_in(struct keys *k, u64 ns)
{
	k->timer.timer.arm(&k->timer.timer, loop_monotonic(NULL) + ns);
}

/* One at a time, when the guest has taken what came before. */
static void on_timer(void *dev)
{
	struct keys *k = dev;
	u64 now = loop_monotonic(NULL);

	if (!k->n)
		return;
	if (k->i8042->kbd.keys.len && now - k->since < PATIENCE_NS) {
		next_in(k, PACE_NS);
		return;
	}
	k->since = now;
	i8042_key(k->i8042, k->event[k->head].code, k->event[k->head].down);
	k->head = (k->head + 1) % KEYS_MAX;
	if (--k->n)
		next_in(k, PACE_NS);
}

static int check_room(const struct keys *k, size_t n, struct error *err)
{
	if (n <= KEYS_MAX - k->n)
		return 0;
	return error_set(err, "more keys than there is room for wait already; try again when the guest has taken them");
}

int keys_press(struct keys *k, const char *combination, struct error *err)
{
	u16 code[COMBINATION_MAX];
	unsigned int n = 0;
	bool shift;

	for (const char *p = combination;;) {
		size_t len = strcspn(p, "-");

		if (!len && *p)		/* "-" itself is a key, too */
			len = 1;
		if (n == COMBINATION_MAX)
			return error_set(err, "\"%.60s\" has more than %u keys", combination,
					 COMBINATION_MAX);
		code[n] = code_of_name(p, len, &shift);
		if (!code[n])
			return error_set(err, "there is no key \"%.*s\"; keys are called a to z, 0 to 9, f1 to f12, esc, ret, tab, up, delete, ctrl-alt-delete and so on",
					 len > 30 ? 30 : (int)len, p);
		if (shift)
			return error_set(err, "\"%.60s\" wants shift-; or type it as text",
					 combination);
		n++;
		p += len;
		if (!*p)
			break;
		p++;
	}
	if (check_room(k, 2 * n, err))
		return -1;
	for (unsigned int i = 0; i < n; i++)
		put(k, code[i], true);
	while (n--)
		put(k, code[n], false);
	next_in(k, 0);
	return 0;
}

int keys_type(struct keys *k, const char *text, struct error *err)
{
	bool shift;

	for (const char *p = text; *p; p++)
		if (!code_of_char(*p, &shift))
			return error_set(err, "a character of the text is not on a US keyboard: byte %02xh",
					 (u8)*p);
	if (check_room(k, 4 * strlen(text), err))
		return -1;
	for (; *text; text++) {
		u16 code = code_of_char(*text, &shift);

		if (shift)
			put(k, SHIFT, true);
		put(k, code, true);
		put(k, code, false);
		if (shift)
			put(k, SHIFT, false);
	}
	if (k->n)
		next_in(k, 0);
	return 0;
}

void keys_event(struct keys *k, u16 code, bool down)
{
	if (k->n == KEYS_MAX)
		return;
	put(k, code, down);
	next_in(k, 0);
}

void keys_reset(struct keys *k)
{
	k->n = 0;
}

int keys_init(struct keys *k, struct i8042 *i8042, struct loop *loop, struct error *err)
{
	k->i8042 = i8042;
	k->timer.timer.expired = on_timer;
	k->timer.timer.dev = k;
	return loop_timer_init(&k->timer, loop, CLOCK_MONOTONIC, err);
}

void keys_free(struct keys *k)
{
	loop_timer_free(&k->timer);
}
