// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "ps2.h"

/* Commands */
#define MOUSE_SCALE_1	0xe6	/* 1:1 */
#define MOUSE_SCALE_2	0xe7	/* 2:1 */
#define MOUSE_RESOLUTION 0xe8
#define MOUSE_STATUS	0xe9
#define MOUSE_STREAM	0xea
#define MOUSE_POLL	0xeb	/* a packet now */
#define MOUSE_UNWRAP	0xec
#define MOUSE_WRAP	0xee	/* echo everything */
#define MOUSE_REMOTE	0xf0	/* packets only when polled */
#define MOUSE_ID	0xf2
#define MOUSE_RATE	0xf3
#define MOUSE_ENABLE	0xf4
#define MOUSE_DISABLE	0xf5
#define MOUSE_DEFAULT	0xf6
#define MOUSE_RESEND	0xfe
#define MOUSE_RESET	0xff

/* Answers */
#define MOUSE_ACK	0xfa
#define MOUSE_NAK	0xfe
#define MOUSE_ERROR	0xfc	/* a second wrong byte in a row */
#define MOUSE_BAT_OK	0xaa

/* First byte of a packet */
#define PACKET_ALWAYS	0x08
#define PACKET_X_SIGN	0x10
#define PACKET_Y_SIGN	0x20

/* First byte of the status */
#define STATUS_RIGHT	0x01
#define STATUS_MIDDLE	0x02
#define STATUS_LEFT	0x04
#define STATUS_SCALE_2	0x10
#define STATUS_ENABLED	0x20
#define STATUS_REMOTE	0x40

#define ID_WHEEL	3
#define ID_EXPLORER	4

static void reply(struct ps2_mouse *m, u8 byte)
{
	ps2_put(&m->reply, byte);
}

static s32 clamp(s32 v, s32 lo, s32 hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/* Takes at most a packet's worth out of @v. */
static s32 take(s32 *v, s32 lo, s32 hi)
{
	s32 part = clamp(*v, lo, hi);

	*v -= part;
	return part;
}

/* "2:1 scaling": small counts as they are, large ones twofold. */
static s32 scale(s32 v)
{
	static const s32 small[] = { 0, 1, 1, 3, 6, 9 };
	s32 size = v < 0 ? -v : v;
	s32 out = size < 6 ? small[size] : 2 * size;

	return clamp(v < 0 ? -out : out, -256, 255);
}

static bool moved(const struct ps2_motion *e)
{
	return e->dx || e->dy || e->dz;
}

/* The next packet, of the oldest event or of standing still, becomes @packet. */
static void build_packet(struct ps2_mouse *m, struct ps2_queue *packet, bool scaled)
{
	struct ps2_motion none = { .buttons = m->buttons };
	struct ps2_motion *e = m->events ? &m->event[0] : &none;
	s32 dx = take(&e->dx, -256, 255), dy = take(&e->dy, -255, 256), dz = 0;

	if (m->id == ID_WHEEL)
		dz = take(&e->dz, -128, 127);
	else if (m->id == ID_EXPLORER)
		dz = take(&e->dz, -8, 7);
	else
		e->dz = 0;
	m->buttons = e->buttons;
	if (m->events && !moved(e)) {
		m->events--;
		memmove(&m->event[0], &m->event[1], m->events * sizeof(m->event[0]));
	}
	dy = -dy;		/* up is positive */
	if (scaled) {
		dx = scale(dx);
		dy = scale(dy);
	}
	ps2_put(packet, (u8)(PACKET_ALWAYS |
			     (m->buttons & (PS2_LEFT | PS2_RIGHT | PS2_MIDDLE)) |
			     (dx < 0 ? PACKET_X_SIGN : 0) | (dy < 0 ? PACKET_Y_SIGN : 0)));
	ps2_put(packet, (u8)dx);
	ps2_put(packet, (u8)dy);
	if (m->id == ID_WHEEL)
		ps2_put(packet, (u8)dz);
	else if (m->id == ID_EXPLORER)
		ps2_put(packet, (u8)((dz & 0xf) | (m->buttons & (PS2_SIDE | PS2_EXTRA)) << 1));
}

static s32 add(s32 a, int b)
{
	/* More than anybody moves a mouse between two looks at it; no overflow. */
	return clamp(a + clamp(b, -0x10000, 0x10000), -0x10000, 0x10000);
}

void ps2_mouse_move(struct ps2_mouse *m, int dx, int dy, int dz, u8 buttons)
{
	struct ps2_motion *e = m->events ? &m->event[m->events - 1] : NULL;
	u8 before = e ? e->buttons : m->buttons;

	if (!m->enabled && !m->remote) {
		m->buttons = buttons;
		return;
	}
	if (buttons == before && !dx && !dy && !dz)
		return;
	/* Motion adds up; each change of the buttons is told, as far as there is room. */
	if (!e || (buttons != before && m->events < PS2_EVENTS)) {
		e = &m->event[m->events++];
		*e = (struct ps2_motion){ .dx = 0 };
	}
	e->dx = add(e->dx, dx);
	e->dy = add(e->dy, dy);
	e->dz = add(e->dz, dz);
	e->buttons = buttons;
}

static void forget(struct ps2_mouse *m)
{
	if (m->events)
		m->buttons = m->event[m->events - 1].buttons;
	m->events = 0;
	m->packet.len = 0;
}

static void set_defaults(struct ps2_mouse *m)
{
	forget(m);
	m->rate = 100;
	m->resolution = 2;
	m->scaling = false;
	m->enabled = false;
	m->remote = false;
}

/* Three sample rates in a row are the secret sign. */
static void set_rate(struct ps2_mouse *m, u8 rate)
{
	if (rate == 80 && m->knock[0] == 200 && m->knock[1] == 100)
		m->id = ID_WHEEL;
	if (rate == 80 && m->knock[0] == 200 && m->knock[1] == 200)
		m->id = ID_EXPLORER;
	m->knock[0] = m->knock[1];
	m->knock[1] = rate;
	m->rate = rate;
}

static void send_status(struct ps2_mouse *m)
{
	reply(m, (u8)((m->buttons & PS2_RIGHT ? STATUS_RIGHT : 0) |
		      (m->buttons & PS2_MIDDLE ? STATUS_MIDDLE : 0) |
		      (m->buttons & PS2_LEFT ? STATUS_LEFT : 0) |
		      (m->scaling ? STATUS_SCALE_2 : 0) | (m->enabled ? STATUS_ENABLED : 0) |
		      (m->remote ? STATUS_REMOTE : 0)));
	reply(m, m->resolution);
	reply(m, m->rate);
}

/* Commands after whose acknowledgement nothing follows. */
static bool do_simple(struct ps2_mouse *m, u8 val)
{
	switch (val) {
	case MOUSE_SCALE_1:
	case MOUSE_SCALE_2:
		m->scaling = val == MOUSE_SCALE_2;
		return true;
	case MOUSE_STREAM:
	case MOUSE_REMOTE:
		m->remote = val == MOUSE_REMOTE;
		forget(m);
		return true;
	case MOUSE_WRAP:
	case MOUSE_UNWRAP:
		m->wrap = val == MOUSE_WRAP;
		forget(m);
		return true;
	case MOUSE_ENABLE:
	case MOUSE_DISABLE:
		m->enabled = val == MOUSE_ENABLE;
		forget(m);
		return true;
	case MOUSE_DEFAULT:
		set_defaults(m);
		return true;
	case MOUSE_RESOLUTION:
	case MOUSE_RATE:
		m->command = val;
		return true;
	default:
		return false;
	}
}

void ps2_mouse_write(struct ps2_mouse *m, u8 val)
{
	u8 pending = m->command;

	m->command = 0;
	/* A command makes it forget what is left of a packet. */
	m->packet.len = 0;
	m->reply.len = 0;
	if (m->wrap && val != MOUSE_UNWRAP && val != MOUSE_RESET) {
		reply(m, val);
		return;
	}
	if (pending == MOUSE_RATE && val <= 200) {
		set_rate(m, val);
		reply(m, MOUSE_ACK);
	} else if (pending == MOUSE_RESOLUTION && val <= 3) {
		m->resolution = val;
		reply(m, MOUSE_ACK);
	} else if (do_simple(m, val)) {
		reply(m, MOUSE_ACK);
	} else if (val == MOUSE_STATUS) {
		reply(m, MOUSE_ACK);
		send_status(m);
	} else if (val == MOUSE_POLL) {
		reply(m, MOUSE_ACK);
		build_packet(m, &m->reply, false);
	} else if (val == MOUSE_ID) {
		reply(m, MOUSE_ACK);
		reply(m, m->id);
	} else if (val == MOUSE_RESEND) {
		reply(m, m->last);
	} else if (val == MOUSE_RESET) {
		ps2_mouse_reset(m);
		reply(m, MOUSE_ACK);
		reply(m, MOUSE_BAT_OK);
		reply(m, m->id);
	} else {
		reply(m, m->last == MOUSE_NAK ? MOUSE_ERROR : MOUSE_NAK);
	}
}

bool ps2_mouse_answer(struct ps2_mouse *m, u8 *val)
{
	if (!ps2_get(&m->reply, val))
		return false;
	m->last = *val;
	return true;
}

bool ps2_mouse_data(struct ps2_mouse *m, u8 *val)
{
	if (!m->packet.len && m->events && m->enabled && !m->remote && !m->wrap)
		build_packet(m, &m->packet, m->scaling);
	if (!ps2_get(&m->packet, val))
		return false;
	m->last = *val;
	return true;
}

void ps2_mouse_reset(struct ps2_mouse *m)
{
	u8 buttons = m->events ? m->event[m->events - 1].buttons : m->buttons;

	memset(m, 0, sizeof(*m));
	m->buttons = buttons;
	set_defaults(m);
}
