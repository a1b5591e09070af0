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
#define CMD_PULSE	0xf0	/* to FFh: a clear bit pulses that output low */

#define OUT_NO_RESET	0x01
#define OUT_A20		0x02

/* Keyboard */
#define KBD_LEDS	0xed
#define KBD_ECHO	0xee
#define KBD_SCANCODE	0xf0
#define KBD_ID		0xf2
#define KBD_RATE	0xf3
#define KBD_ENABLE	0xf4
#define KBD_DISABLE	0xf5
#define KBD_DEFAULT	0xf6
#define KBD_RESEND	0xfe
#define KBD_RESET	0xff
#define KBD_ACK		0xfa
#define KBD_BAT_OK	0xaa

static void queue_put(struct i8042_queue *q, u8 byte)
{
	if (q->len < I8042_QUEUE)
		q->buf[(q->head + q->len++) % I8042_QUEUE] = byte;
}

static u8 queue_get(struct i8042_queue *q)
{
	u8 byte = q->buf[q->head];

	q->head = (u8)((q->head + 1) % I8042_QUEUE);
	q->len--;
	return byte;
}

static void update_irq(struct i8042 *k)
{
	bool obf = k->status & STAT_OBF, aux = k->status & STAT_AUX;

	dev_irq_set(&k->kbd_irq, obf && !aux && (k->ram[0] & CB_KBD_INT));
	dev_irq_set(&k->aux_irq, obf && aux && (k->ram[0] & CB_AUX_INT));
}

static void put_output(struct i8042 *k, u8 byte, u8 status)
{
	k->data = byte;
	k->status = (u8)((k->status & ~(STAT_AUX | STAT_TIMEOUT)) | STAT_OBF | status);
}

/* The next byte that waits goes into the output buffer when that is free. */
static void refill(struct i8042 *k)
{
	u8 byte;

	if (!(k->status & STAT_OBF)) {
		if (k->reply.len) {
			put_output(k, queue_get(&k->reply), 0);
		} else if (k->kbd.len && !(k->ram[0] & CB_KBD_OFF)) {
			byte = queue_get(&k->kbd);
			/* The only byte of ours that translation to set 1 changes: the ID. */
			if ((k->ram[0] & CB_XLAT) && byte == 0x83)
				byte = 0x41;
			put_output(k, byte, 0);
		}
	}
	update_irq(k);
}

static void kbd_send(struct i8042 *k, u8 byte)
{
	k->kbd_last = byte;
	queue_put(&k->kbd, byte);
}

/* A byte for the keyboard. */
static void kbd_write(struct i8042 *k, u8 val)
{
	u8 pending = k->kbd_command;

	k->ram[0] &= (u8)~CB_KBD_OFF;	/* talking to it opens its clock line */
	k->kbd_command = 0;
	if (pending && val < 0x80) {	/* LEDs, rate, scan code set: any will do */
		kbd_send(k, KBD_ACK);
		if (pending == KBD_SCANCODE && !val)
			kbd_send(k, 2);	/* which set is in use */
		return;
	}
	switch (val) {
	case KBD_LEDS:
	case KBD_SCANCODE:
	case KBD_RATE:
		k->kbd_command = val;
		kbd_send(k, KBD_ACK);
		break;
	case KBD_ECHO:
		kbd_send(k, KBD_ECHO);
		break;
	case KBD_ID:
		kbd_send(k, KBD_ACK);
		kbd_send(k, 0xab);
		kbd_send(k, 0x83);
		break;
	case KBD_ENABLE:
	case KBD_DISABLE:
	case KBD_DEFAULT:
		kbd_send(k, KBD_ACK);
		break;
	case KBD_RESEND:
		kbd_send(k, k->kbd_last);
		break;
	case KBD_RESET:
		k->kbd.len = 0;
		kbd_send(k, KBD_ACK);
		kbd_send(k, KBD_BAT_OK);
		break;
	default:
		kbd_send(k, KBD_RESEND);
	}
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
		queue_put(&k->reply, k->ram[val - CMD_READ_RAM]);
		return;
	}
	if (val >= CMD_WRITE_RAM && val < CMD_WRITE_RAM + sizeof(k->ram)) {
		k->command = val;
		return;
	}
	switch (val) {
	case CMD_AUX_OFF:
		k->ram[0] |= CB_AUX_OFF;
		break;
	case CMD_AUX_ON:
		k->ram[0] &= (u8)~CB_AUX_OFF;
		break;
	case CMD_SELF_TEST:
		k->status |= STAT_SYS;
		k->ram[0] |= CB_SYS;
		queue_put(&k->reply, 0x55);
		break;
	case CMD_AUX_TEST:
	case CMD_KBD_TEST:
		queue_put(&k->reply, 0);
		break;
	case CMD_KBD_OFF:
		k->ram[0] |= CB_KBD_OFF;
		break;
	case CMD_KBD_ON:
		k->ram[0] &= (u8)~CB_KBD_OFF;
		break;
	case CMD_READ_INPUT:
		queue_put(&k->reply, 0x80);	/* the front panel's lock is open */
		break;
	case CMD_READ_OUTPUT:
		queue_put(&k->reply, k->outport);
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
	case CMD_WRITE_AUX:	/* nobody is there */
		put_output(k, KBD_RESEND, STAT_AUX | STAT_TIMEOUT);
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
		kbd_write(k, (u8)val);
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

void i8042_reset(struct i8042 *k)
{
	k->status = STAT_SYS;
	k->command = 0;
	k->data = 0;
	k->outport = OUT_NO_RESET | OUT_A20;
	memset(k->ram, 0, sizeof(k->ram));
	k->ram[0] = CB_SYS | CB_XLAT | CB_KBD_INT | CB_AUX_OFF;	/* as a BIOS leaves it */
	memset(&k->reply, 0, sizeof(k->reply));
	memset(&k->kbd, 0, sizeof(k->kbd));
	k->kbd_command = 0;
	k->kbd_last = KBD_BAT_OK;
	update_irq(k);
}

const struct ws_region i8042_regions[] = {
	{ "i8042_data", 0x60, 1, WS_SIZE_1, 0, read_data, write_data },
	{ "i8042_status", 0x64, 1, WS_SIZE_1, 0, read_status, write_command },
};

const unsigned int i8042_n_regions = WS_ARRAY_SIZE(i8042_regions);
