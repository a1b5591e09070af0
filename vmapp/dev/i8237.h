/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The AT's two 8237A DMA controllers with their page registers: channels 0 to 3
 * move bytes, 5 to 7 words; 4 is the cascade, without which 0 to 3 are not
 * served. Names are those of Intel's "8237A High Performance Programmable DMA
 * Controller" data sheet.
 *
 * A device moves data when it wants to, as if the bus were always free; what a
 * channel may do is the guest's program of it. Addresses wrap inside the page
 * of 64 KiB (128 KiB for words), as on the board.
 */
#ifndef VMAPP_DEV_I8237_H
#define VMAPP_DEV_I8237_H

#include "dev.h"

#define I8237_CHANNELS	8
#define I8237_CASCADE	4

struct i8237_channel {
	u16 base_addr, base_count;	/* as programmed */
	u16 addr, count;		/* current; a count of 0 is one transfer more */
	u8 mode;
	u8 page;			/* A16 to A23 */
};

struct i8237_chip {
	u8 command;
	u8 status;		/* TC bits; requests are worked out */
	u8 request;		/* by software */
	u8 mask;
	bool high_byte;		/* the flip-flop: which byte comes next */
};

struct i8237 {
	struct i8237_chip chip[2];
	struct i8237_channel channel[I8237_CHANNELS];
	u8 asking;		/* bit n: the device of channel n wants to be served */
	u8 pages[16];		/* the page registers that no channel uses */
	struct dev_memory memory;
	struct dev_signal ready[I8237_CHANNELS];	/* raise NULL: nobody is there */
};

/* As after power-on and firmware: all masked but the cascade. memory and ready stay. */
void i8237_reset(struct i8237 *d);

/*
 * i8237_ask() - the level of a device's DREQ
 * Returns whether the channel is open to it. If not, ready[@channel] is raised
 * once it is, as long as it still asks.
 */
bool i8237_ask(struct i8237 *d, unsigned int channel, bool level);

enum i8237_way {
	I8237_TO_MEMORY,
	I8237_FROM_MEMORY,
};

/**
 * i8237_transfer() - move up to @len bytes for the device of @channel
 * @buf: the data; what comes from memory that is none is FFh
 * @len: channels 5 to 7 move words: an odd byte is left
 * @tc: set to whether the terminal count was reached; no byte is moved beyond it
 *
 * A verify transfer, or one the other way than the guest has programmed, counts
 * but moves nothing (@buf is then FFh if it is to come from memory). Returns how
 * many bytes were done, 0 if the channel is masked.
 */
u32 i8237_transfer(struct i8237 *d, unsigned int channel, enum i8237_way way, void *buf,
		   u32 len, bool *tc);

extern const struct ws_region i8237_regions[];
extern const unsigned int i8237_n_regions;

#endif
