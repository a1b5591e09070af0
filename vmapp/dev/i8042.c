// SPDX-License-Identifier: GPL-2.0-only
#include "i8042.h"

#include <string.h>

/* Status register */
#define STAT_OBF	0x01	/* a byte waits at port 60h */
#define STAT_SYS	0x04	/* self test passed */
#define STAT_A2		0x08	/* the last write went to port 64h */
#define STAT_UNLOCKED	0x10
#define STAT_AUX	0x20	/* the byte is the PS/2 port's */
#define STAT_TIMEOUT	0x40	/* the device did not answer */

/* Command byte */
#define CB_KBD_INT	0x01
#define CB_AUX_INT	0x02
#define CB_SYS		0x04
#define CB_KBD_OFF	0x10
#define CB_AUX_OFF	0x20
#define CB_XLAT		0x40

/* Controller commands */
#define CMD_READ_RAM	0x20	/* to 3Fh */
#define CMD_WRITE_RAM	0x60	/* to 7Fh */
#define CMD_HAS_PASSWORD 0xa4
#define CMD_AUX_OFF	0xa7
#define CMD_AUX_ON	0xa8
#define CMD_AUX_TEST	0xa9
#define CMD_SELF_TEST	0xaa
#define CMD_KBD_TEST	0xab
#define CMD_KBD_OFF	0xad
#define CMD_KBD_ON	0xae
#define CMD_READ_INPUT	0xc0
#define CMD_READ_OUTPUT	0xd0
#define CMD_WRITE_OUTPUT 0xd1
#define CMD_KBD_LOOP	0xd2
#define CMD_AUX_LOOP	0xd3
#define CMD_WRITE_AUX	0xd4
#define CMD_READ_TEST	0xe0	/* the clock lines */
#define CMD_PULSE	0xf0	/* to FFh: a clear bit pulses that output low */

#define OUT_NO_RESET	0x01
#define OUT_A20		0x02
#define OUT_KBD_FULL	0x10
#define OUT_AUX_FULL	0x20
#define OUT_LINES	0xcc	/* high while nobody pulls them down */

/* From translated set 2: codes without a place in set 1 stay as they are. */
static const u8 to_set1[0x85] = {
	0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f,
	0x29, 0x59, 0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f,
	0x1e, 0x11, 0x03, 0x5b, 0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39,
	0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d, 0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e,
	0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f, 0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b,
	0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61, 0x6d, 0x73, 0x28, 0x74,
	0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76, 0x55, 0x56,
	0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
	0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49,
	0x46, 0x54, 0x80, 0x81, 0x82, 0x41, 0x54,
};

static void update_irq(struct i8042 *k)
{
	bool obf = k->status & STAT_OBF, aux = k->status & STAT_AUX;

	dev_irq_set(&k->kbd_irq, obf && !aux && (k->ram[0] & CB_KBD_INT));
	dev_irq_set(&k->aux_irq, obf && aux && (k->ram[0] & CB_AUX_INT));
}

static void put_output(struct i8042 *k, u8 byte, u8 status)
{
	k->data = byte;
	k->paced = false;
	k->status = (u8)((k->status & ~(STAT_AUX | STAT_TIMEOUT)) | STAT_OBF | status);
}

/* A byte of the keyboard as the guest is to see it; false: not yet. */
static bool translate(struct i8042 *k, u8 *byte)
{
	bool broken = k->broken;

	if (!(k->ram[0] & CB_XLAT))
		return true;
	k->broken = *byte == 0xf0;
	if (k->broken)
		return false;
	if (*byte < sizeof(to_set1))
		*byte = to_set1[*byte];
	if (broken)
		*byte |= 0x80;
	return true;
}

/* An answer, of the controller's or a device's. */
static bool take_answer(struct i8042 *k)
{
	u8 byte;

	if (ps2_get(&k->reply, &byte)) {
		put_output(k, byte, 0);
		return true;
	}
	while (!(k->ram[0] & CB_KBD_OFF) && ps2_keyboard_answer(&k->kbd, &byte))
		if (translate(k, &byte)) {	/* it knows no difference to keys */
			put_output(k, byte, 0);
			return true;
		}
	if (!(k->ram[0] & CB_AUX_OFF) && ps2_mouse_answer(&k->mouse, &byte)) {
		put_output(k, byte, STAT_AUX);
		return true;
	}
	return false;
}

/* A key's byte, or one of motion. */
static bool take_data(struct i8042 *k)
{
	u8 byte;

	while (!(k->ram[0] & CB_KBD_OFF) && ps2_keyboard_data(&k->kbd, &byte))
		if (translate(k, &byte)) {
			put_output(k, byte, 0);
			return true;
		}
	if (!(k->ram[0] & CB_AUX_OFF) && ps2_mouse_data(&k->mouse, &byte)) {
		put_output(k, byte, STAT_AUX);
		return true;
	}
	return false;
}

static bool data_waits(const struct i8042 *k)
{
	return k->kbd.keys.len || k->mouse.packet.len || k->mouse.events;
}

/* The next byte that waits goes into the output buffer when that is free. */
static void refill(struct i8042 *k)
{
	u64 when = DEV_NEVER;

	if (!(k->status & STAT_OBF) && !take_answer(k) && data_waits(k)) {
		if (k->clock.now(k->clock.ctx) < k->not_before)
			when = k->not_before;
		else
			k->paced = take_data(k);
	}
	k->timer->arm(k->timer, when);
	update_irq(k);
}

static void write_keyboard(struct i8042 *k, u8 val)
{
	k->ram[0] &= (u8)~CB_KBD_OFF;
	ps2_keyboard_write(&k->kbd, val);
}

static void set_outport(struct i8042 *k, u8 val)
{
	k->outport = val;
	if (!(val & OUT_NO_RESET))
		dev_signal_raise(&k->reset);
}

static void controller_command(struct i8042 *k, u8 val)
{
	k->command = 0;
	if (val >= CMD_PULSE) {
		if (!(val & OUT_NO_RESET))
			dev_signal_raise(&k->reset);
		return;
	}
	if (val >= CMD_READ_RAM && val < CMD_READ_RAM + sizeof(k->ram)) {
		ps2_put(&k->reply, k->ram[val - CMD_READ_RAM]);
		return;
	}
	if (val >= CMD_WRITE_RAM && val < CMD_WRITE_RAM + sizeof(k->ram)) {
		k->command = val;
		return;
	}
	switch (val) {
	case CMD_HAS_PASSWORD:
		ps2_put(&k->reply, 0xf1);	/* no */
		break;
	case CMD_AUX_OFF:
		k->ram[0] |= CB_AUX_OFF;
		break;
	case CMD_AUX_ON:
		k->ram[0] &= (u8)~CB_AUX_OFF;
		break;
	case CMD_SELF_TEST:
		k->status |= STAT_SYS;
		k->ram[0] |= CB_SYS;
		ps2_put(&k->reply, 0x55);
		break;
	case CMD_AUX_TEST:
	case CMD_KBD_TEST:
		ps2_put(&k->reply, 0);
		break;
	case CMD_KBD_OFF:
		k->ram[0] |= CB_KBD_OFF;
		break;
	case CMD_KBD_ON:
		k->ram[0] &= (u8)~CB_KBD_OFF;
		break;
	case CMD_READ_INPUT:
		ps2_put(&k->reply, 0x80);	/* the front panel's lock is open */
		break;
	case CMD_READ_OUTPUT:
		ps2_put(&k->reply, (u8)(k->outport |
			(k->status & STAT_OBF ? k->status & STAT_AUX ? OUT_AUX_FULL :
			 OUT_KBD_FULL : 0)));
		break;
	case CMD_READ_TEST:
		ps2_put(&k->reply, 0);
		break;
	case CMD_WRITE_OUTPUT:
	case CMD_KBD_LOOP:
	case CMD_AUX_LOOP:
	case CMD_WRITE_AUX:
		k->command = val;
		break;
	default:		/* unknown ones are ignored, as by the chip */
		break;
	}
}

/* The byte that a controller command waited for. */
static void command_data(struct i8042 *k, u8 command, u8 val)
{
	switch (command) {
	case CMD_WRITE_OUTPUT:
		set_outport(k, val);
		break;
	case CMD_KBD_LOOP:
		put_output(k, val, 0);
		break;
	case CMD_AUX_LOOP:
		put_output(k, val, STAT_AUX);
		break;
	case CMD_WRITE_AUX:
		k->ram[0] &= (u8)~CB_AUX_OFF;	/* talking to it opens its clock line */
		ps2_mouse_write(&k->mouse, val);
		break;
	default:
		k->ram[command - CMD_WRITE_RAM] = val;
	}
}

static u32 read_data(void *dev, u32 offset, unsigned int size)
{
	struct i8042 *k = dev;
	u8 val = k->data;

	(void)offset;
	(void)size;
	if ((k->status & STAT_OBF) && k->paced)
		k->not_before = k->clock.now(k->clock.ctx) + I8042_BYTE_NS;
	k->status &= (u8)~(STAT_OBF | STAT_AUX | STAT_TIMEOUT);
	update_irq(k);		/* down, so that the next byte makes an edge */
	refill(k);
	return val;
}

static void write_data(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct i8042 *k = dev;
	u8 command = k->command;

	(void)offset;
	(void)size;
	k->status &= (u8)~STAT_A2;
	k->command = 0;
	if (command)
		command_data(k, command, (u8)val);
	else
		write_keyboard(k, (u8)val);
	refill(k);
}

static u32 read_status(void *dev, u32 offset, unsigned int size)
{
	const struct i8042 *k = dev;

	(void)offset;
	(void)size;
	return k->status | STAT_UNLOCKED;
}

static void write_command(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct i8042 *k = dev;

	(void)offset;
	(void)size;
	k->status |= STAT_A2;
	controller_command(k, (u8)val);
	refill(k);
}

void i8042_key(struct i8042 *k, u16 code, bool down)
{
	ps2_keyboard_key(&k->kbd, code, down);
	refill(k);
}

void i8042_mouse(struct i8042 *k, int dx, int dy, int dz, u8 buttons)
{
	ps2_mouse_move(&k->mouse, dx, dy, dz, buttons);
	refill(k);
}

void i8042_expired(void *dev)
{
	refill(dev);
}

void i8042_reset(struct i8042 *k)
{
	k->status = STAT_SYS;
	k->command = 0;
	k->data = 0;
	k->outport = OUT_LINES | OUT_NO_RESET | OUT_A20;
	k->broken = false;
	k->paced = false;
	k->not_before = 0;
	memset(k->ram, 0, sizeof(k->ram));
	k->ram[0] = CB_SYS | CB_XLAT | CB_KBD_INT | CB_AUX_OFF;	/* as a BIOS leaves it */
	memset(&k->reply, 0, sizeof(k->reply));
	ps2_keyboard_reset(&k->kbd);
	ps2_mouse_reset(&k->mouse);
	refill(k);
}

const struct ws_region i8042_regions[] = {
	{ "i8042_data", 0x60, 1, WS_SIZE_1, 0, read_data, write_data },
	{ "i8042_status", 0x64, 1, WS_SIZE_1, 0, read_status, write_command },
};

const unsigned int i8042_n_regions = WS_ARRAY_SIZE(i8042_regions);
