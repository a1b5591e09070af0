/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PC's pair of 8259A interrupt controllers, the second one's output wired
 * to input 2 of the first, with the edge/level control registers (ELCR) of the
 * PIIX3. Names are those of Intel's "8259A Programmable Interrupt Controller"
 * data sheet; where the PIIX3 differs from the chip, the PIIX3 is followed:
 *
 * - LTIM in ICW1 is ignored, the ELCR says which inputs are level-triggered;
 * - the cascade is wired, whatever ICW3 says, and the vector has 8086 format;
 * - IRQ 0, 1, 2, 8 and 13 are always edge-triggered.
 *
 * Pure C: the caller locks, and looks at @intr when it is done.
 */
#ifndef WS_CORE_I8259_H
#define WS_CORE_I8259_H

#include "region.h"

/* Initialization and operation command words. */
#define I8259_ICW1_IC4		0x01	/* ICW4 follows */
#define I8259_ICW1_SNGL		0x02	/* no ICW3 follows */
#define I8259_ICW1_LTIM		0x08
#define I8259_ICW1		0x10	/* this is an ICW1 */
#define I8259_ICW2_BASE		0xf8
#define I8259_ICW4_UPM		0x01
#define I8259_ICW4_AEOI		0x02
#define I8259_ICW4_SFNM		0x10
#define I8259_OCW2_LEVEL	0x07
#define I8259_OCW2_EOI		0x20
#define I8259_OCW2_SL		0x40
#define I8259_OCW2_R		0x80
#define I8259_OCW3_RIS		0x01
#define I8259_OCW3_RR		0x02
#define I8259_OCW3_P		0x04
#define I8259_OCW3		0x08	/* this is an OCW3 */
#define I8259_OCW3_SMM		0x20
#define I8259_OCW3_ESMM		0x40
#define I8259_POLL_INT		0x80

#define I8259_CASCADE		2	/* the first chip's input from the second */
#define I8259_LINES		16

/**
 * struct i8259_chip - one 8259A
 * @irr: interrupt request register. A request lives as long as its input stays
 *	high: one that is gone by the time of the acknowledge is spurious.
 * @imr: interrupt mask register
 * @isr: in-service register
 * @lines: levels of the inputs
 * @elcr: inputs that are level-triggered
 * @base: ICW2, the vector of input 0
 * @lowest: the input of lowest priority; 7 but for rotation
 * @icw: the initialization word that comes next, 2 to 4; 0 in operation
 * @icw1: the last ICW1: which words follow
 * @aeoi, @sfnm, @smm, @ris, @poll: modes of ICW4 and OCW3
 * @rotate_aeoi: rotation in automatic EOI mode
 */
struct i8259_chip {
	u8 irr;
	u8 imr;
	u8 isr;
	u8 lines;
	u8 elcr;
	u8 base;
	u8 lowest;
	u8 icw;
	u8 icw1;
	bool aeoi;
	bool sfnm;
	bool smm;
	bool ris;
	bool poll;
	bool rotate_aeoi;
};

/**
 * struct i8259_pair - both chips
 * @chip: IRQ 0 to 7, and IRQ 8 to 15
 * @intr: the INT output to the CPU
 */
struct i8259_pair {
	struct i8259_chip chip[2];
	bool intr;
};

/* What i8259_get() gives and i8259_set() takes; the format of suspend files. */
struct i8259_chip_state {
	u8 irr, imr, isr, lines, elcr, base, lowest, icw, icw1;
	u8 modes;		/* I8259_STATE_* */
	u8 pad[6];		/* 0 */
};

struct i8259_pair_state {
	struct i8259_chip_state chip[2];
};

#define I8259_STATE_AEOI	0x01
#define I8259_STATE_SFNM	0x02
#define I8259_STATE_SMM		0x04
#define I8259_STATE_RIS		0x08
#define I8259_STATE_POLL	0x10
#define I8259_STATE_ROTATE_AEOI	0x20

/*
 * Registers at 20h-21h, A0h-A1h, 4D0h and 4D1h, one byte each; a handler's
 * first argument is the struct i8259_pair.
 */
#define I8259_REGIONS		3
extern const struct ws_region i8259_regions[I8259_REGIONS];

/*
 * As after power-on: everything masked, nothing pending. The inputs keep their
 * levels, since these belong to the devices behind them; memory that never was
 * a pair must be zeroed before.
 */
void i8259_reset(struct i8259_pair *pair);

/* Input @line (0 to 15) has this level now. Input 2 is the cascade: ignored. */
void i8259_set_irq(struct i8259_pair *pair, unsigned int line, bool level);

/*
 * The CPU's acknowledge cycles: returns the vector, 0 to 255. With nothing to
 * acknowledge it is that of input 7 (15 if the second chip let go), and no
 * in-service bit is set for it: the spurious interrupt.
 */
u8 i8259_ack(struct i8259_pair *pair);

void i8259_get(const struct i8259_pair *pair, struct i8259_pair_state *state);

/*
 * Returns 0, or -WS_EINVAL with nothing changed if no pair can be in @state.
 * Input 2 of the first chip follows from the rest: its bits are not looked at.
 */
int i8259_set(struct i8259_pair *pair, const struct i8259_pair_state *state);

#endif
