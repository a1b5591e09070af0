// SPDX-License-Identifier: GPL-2.0-only
#include "port92.h"

#define PORT92_RESET	0x01	/* from 0 to 1 */
#define PORT92_A20	0x02

static u32 port92_read(void *dev, u32 offset, unsigned int size)
{
	const struct port92 *p = dev;

	(void)offset;
	(void)size;
	return p->value;
}

static void port92_write(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct port92 *p = dev;
	bool rising = val & ~(u32)p->value & PORT92_RESET;

	(void)offset;
	(void)size;
	p->value = val & (PORT92_RESET | PORT92_A20);
	if (rising)
		dev_signal_raise(&p->reset);
}

void port92_reset(struct port92 *p)
{
	p->value = PORT92_A20;
}

const struct ws_region port92_regions[] = {
	{ "port92", 0x92, 1, WS_SIZE_1, 0, port92_read, port92_write },
};

const unsigned int port92_n_regions = WS_ARRAY_SIZE(port92_regions);
