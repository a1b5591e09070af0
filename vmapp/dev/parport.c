// SPDX-License-Identifier: GPL-2.0-only
#include "parport.h"

enum { PARPORT_DATA, PARPORT_STATUS, PARPORT_CONTROL_REG };

static void update_irq(struct parport *p)
{
	dev_irq_set(&p->irq, p->acked && p->control & PARPORT_IRQ_ENABLE);
}

static void give(struct parport *p)
{
	p->out_of_paper = !p->print(p->ctx, p->held);
	p->acked |= !p->out_of_paper;
	update_irq(p);
}

/* The acknowledge is a pulse that one look at it ends. */
static u8 read_status(struct parport *p)
{
	u8 status = PARPORT_SELECTED | PARPORT_UNUSED | PARPORT_NACK | PARPORT_NERROR | PARPORT_NBUSY;

	if (p->out_of_paper)
		give(p);
	if (p->out_of_paper) {
		status &= (u8)~(PARPORT_NERROR | PARPORT_NBUSY);
		status |= PARPORT_PAPER_OUT;
	} else if (p->acked) {
		status &= (u8)~PARPORT_NACK;
	}
	p->acked = false;
	update_irq(p);
	return status;
}

static u32 parport_read(void *dev, u32 offset, unsigned int size)
{
	struct parport *p = dev;

	(void)size;
	switch (offset) {
	case PARPORT_DATA:
		return p->data;
	case PARPORT_STATUS:
		return read_status(p);
	default:
		return p->control | (u8)~PARPORT_CONTROL;
	}
}

/* A printer that is being initialized, or waits for paper, takes nothing. */
static void write_control(struct parport *p, u8 val)
{
	bool strobe = val & ~p->control & PARPORT_STROBE;

	p->control = val & PARPORT_CONTROL;
	if (!(p->control & PARPORT_NINIT)) {
		p->out_of_paper = false;
	} else if (strobe && !p->out_of_paper) {
		p->held = p->data;
		give(p);
	}
	update_irq(p);
}

static void parport_write(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct parport *p = dev;

	(void)size;
	if (offset == PARPORT_DATA)
		p->data = (u8)val;
	else if (offset == PARPORT_CONTROL_REG)
		write_control(p, (u8)val);
}

void parport_reset(struct parport *p)
{
	p->data = 0;
	p->control = 0;
	p->out_of_paper = false;
	p->acked = false;
	update_irq(p);
}

const struct ws_region parport_regions[] = {
	{ "lpt", 0, 3, WS_SIZE_1, 0, parport_read, parport_write },
};

const unsigned int parport_n_regions = WS_ARRAY_SIZE(parport_regions);
