/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMware's SVGA II, as far as Linux's vmwgfx and X's vmware need it: a linear mode
 * of the VGA's array, a pointer, fences. "VMware SVGA Device Interface and
 * Programming Model" and svga_reg.h have the names.
 *
 * The array and the FIFO are plain memory of the guest's: only its registers are
 * exits. Which pages of the array were written is known without being told, so a
 * command that says what to update has nothing to add.
 *
 * The FIFO is worked on when the guest rings (SYNC), by whoever takes that access,
 * the vCPU's thread. There is no command that takes long, and one turn takes at most
 * what fits the FIFO, so it is not worth another thread; when the access is over, all
 * is done, and nobody ever waits for it.
 */
#ifndef VMAPP_DEV_SVGA2_H
#define VMAPP_DEV_SVGA2_H

#include "pci.h"
#include "vga.h"

#define SVGA2_VENDOR	0x15ad
#define SVGA2_DEVICE	0x0405
#define SVGA2_CLASS	0x030000

/* Its windows: registers (ports), the array, the FIFO. */
#define SVGA2_BAR_IO	0
#define SVGA2_BAR_ARRAY	1
#define SVGA2_BAR_FIFO	2

#define SVGA2_PORTS	16		/* with these offsets, each a doubleword: */
#define SVGA2_INDEX	0
#define SVGA2_VALUE	1
#define SVGA2_IRQSTATUS	8

#define SVGA2_FIFO_SIZE	0x40000u
#define SVGA2_SCRATCH	64		/* registers */

#define SVGA_ID_0	0x90000000u
#define SVGA_ID_2	0x90000002u

enum svga_reg {
	SVGA_REG_ID, SVGA_REG_ENABLE, SVGA_REG_WIDTH, SVGA_REG_HEIGHT, SVGA_REG_MAX_WIDTH,
	SVGA_REG_MAX_HEIGHT, SVGA_REG_DEPTH, SVGA_REG_BITS_PER_PIXEL, SVGA_REG_PSEUDOCOLOR,
	SVGA_REG_RED_MASK, SVGA_REG_GREEN_MASK, SVGA_REG_BLUE_MASK, SVGA_REG_BYTES_PER_LINE,
	SVGA_REG_FB_START, SVGA_REG_FB_OFFSET, SVGA_REG_VRAM_SIZE, SVGA_REG_FB_SIZE,
	SVGA_REG_CAPABILITIES, SVGA_REG_MEM_START, SVGA_REG_MEM_SIZE, SVGA_REG_CONFIG_DONE,
	SVGA_REG_SYNC, SVGA_REG_BUSY, SVGA_REG_GUEST_ID, SVGA_REG_CURSOR_ID, SVGA_REG_CURSOR_X,
	SVGA_REG_CURSOR_Y, SVGA_REG_CURSOR_ON, SVGA_REG_HOST_BITS_PER_PIXEL,
	SVGA_REG_SCRATCH_SIZE, SVGA_REG_MEM_REGS, SVGA_REG_NUM_DISPLAYS, SVGA_REG_PITCHLOCK,
	SVGA_REG_IRQMASK, SVGA_REG_TRACES = 45,
	SVGA_PALETTE_BASE = 1024, SVGA_SCRATCH_BASE = SVGA_PALETTE_BASE + 3 * 256,
};

#define SVGA_ENABLE	0x1u
#define SVGA_HIDE	0x2u		/* the VGA stays on the screen */

#define SVGA_CAP_CURSOR		0x00000020u
#define SVGA_CAP_CURSOR_BYPASS	0x00000040u
#define SVGA_CAP_CURSOR_BYPASS_2 0x00000080u
#define SVGA_CAP_8BIT_EMULATION	0x00000100u	/* any depth, whatever the host's is */
#define SVGA_CAP_ALPHA_CURSOR	0x00000200u
#define SVGA_CAP_EXTENDED_FIFO	0x00008000u
#define SVGA_CAP_PITCHLOCK	0x00020000u
#define SVGA_CAP_IRQMASK	0x00040000u
#define SVGA_CAP_TRACES		0x00200000u	/* writes are seen without commands */

/* Doublewords at the FIFO's beginning. The first four, and EXTENDED_FIFO's. */
enum svga_fifo_reg {
	SVGA_FIFO_MIN, SVGA_FIFO_MAX, SVGA_FIFO_NEXT_CMD, SVGA_FIFO_STOP,
	SVGA_FIFO_CAPABILITIES, SVGA_FIFO_FLAGS, SVGA_FIFO_FENCE,
	SVGA_FIFO_CURSOR_ON = 9, SVGA_FIFO_CURSOR_X, SVGA_FIFO_CURSOR_Y, SVGA_FIFO_CURSOR_COUNT,
	SVGA_FIFO_FENCE_GOAL = 289, SVGA_FIFO_BUSY, SVGA_FIFO_NUM_REGS,
};

#define SVGA_FIFO_CAP_FENCE	0x01u
#define SVGA_FIFO_CAP_CURSOR_BYPASS_3 0x10u	/* the pointer's place is in the FIFO */
#define SVGA_FIFO_CAP_RESERVE	0x40u

enum svga_cmd {
	SVGA_CMD_UPDATE = 1, SVGA_CMD_DEFINE_CURSOR = 19, SVGA_CMD_DEFINE_ALPHA_CURSOR = 22,
	SVGA_CMD_UPDATE_VERBOSE = 25, SVGA_CMD_FENCE = 30, SVGA_CMD_NOP = 45,
};

#define SVGA_IRQ_ANY_FENCE	0x1u
#define SVGA_IRQ_FIFO_PROGRESS	0x2u
#define SVGA_IRQ_FENCE_GOAL	0x4u

struct svga2 {
	u32 index, id, enable, config_done, guest_id, traces;
	u32 pitch_lock;			/* bytes from line to line; 0: as many as there are dots */
	u32 irq_mask, irq_status;
	u32 cursor_x, cursor_y, cursor_on, cursor_count, hot_x, hot_y;
	u32 scratch[SVGA2_SCRATCH];
	u8 palette[3 * 256];
	struct vga_linear mode;
	struct vga_pointer pointer;

	/* The owner's to set before. */
	struct vga *vga;
	u8 *fifo;			/* SVGA2_FIFO_SIZE bytes, which the guest writes any time */
	const struct pci_function *pci;	/* whose BARs the registers repeat */
	struct dev_irq irq;
};

/* As after power-on; the FIFO's memory is zero. */
void svga2_reset(struct svga2 *s);

/* Do what is in the FIFO: on any thread, also while the guest runs. */
void svga2_look(struct svga2 *s);

extern const struct ws_region svga2_regions[], svga2_fifo[];
extern const unsigned int svga2_n_regions, svga2_n_fifo;

#endif
