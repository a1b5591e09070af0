// SPDX-License-Identifier: GPL-2.0-only
#include "i440fx.h"

#include <string.h>

#define CONFADD_ENABLE	0x80000000u
#define CONFADD_BITS	0x80fffffcu

#define I440FX_PAM	0x59	/* to 5Fh */
#define I440FX_PAM_END	0x60
#define PIIX3_PIRQ	0x60	/* PIRQ A to D */
#define PIIX3_PIRQ_OFF	0x80
#define PIIX3_PIRQ_IRQ	0x0f
#define PIIX3_IRQS	0xdef8u	/* that a PIRQ can go to: the others are reserved */

/* A subsystem of QEMU's: SeaBIOS then asks the machine what it is (dev/fwcfg.h). */
#define SUBSYSTEM_VENDOR	0x1af4
#define SUBSYSTEM_QEMU		0x1100

static struct pci_function *selected(const struct i440fx *b)
{
	if (!(b->address & CONFADD_ENABLE) || b->address >> 16 & 0xff)
		return NULL;
	return b->bus[b->address >> 8 & 0xff];
}

static void write_reset(struct i440fx *b, u8 val)
{
	bool rising = val & ~b->reset_control & I440FX_RESET_CPU;

	b->reset_control = val & (I440FX_RESET_HARD | I440FX_RESET_CPU);
	if (rising)
		dev_signal_raise(&b->reset);
}

/* Only a doubleword access is the configuration address. */
static u32 read_address(void *dev, u32 offset, unsigned int size)
{
	const struct i440fx *b = dev;

	if (size == 4)
		return b->address;
	return offset == (I440FX_RESET_PORT & 3) ? b->reset_control : 0xff;
}

static void write_address(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct i440fx *b = dev;

	if (size == 4)
		b->address = val & CONFADD_BITS;
	else if (offset == (I440FX_RESET_PORT & 3))
		write_reset(b, (u8)val);
}

static u32 read_data(void *dev, u32 offset, unsigned int size)
{
	const struct i440fx *b = dev;
	const struct pci_function *fn = selected(b);

	return fn ? pci_config_read(fn, (b->address & 0xfc) + offset, size) : ws_all_ones(size);
}

static void write_data(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct i440fx *b = dev;
	struct pci_function *fn = selected(b);

	if (fn)
		pci_config_write(fn, (b->address & 0xfc) + offset, size, val);
}

int i440fx_add(struct i440fx *b, u8 devfn, struct pci_function *fn)
{
	if (b->bus[devfn])
		return -1;
	b->bus[devfn] = fn;
	return 0;
}

u32 i440fx_pam_area(unsigned int n, u32 *size)
{
	*size = n < I440FX_PAM_AREAS - 1 ? 0x4000 : 0x10000;
	return 0xc0000 + n * 0x4000;
}

/* A nibble for each: the first register has that of F0000h alone, in its high one. */
unsigned int i440fx_pam(const struct i440fx *b, unsigned int n)
{
	u8 two = n < I440FX_PAM_AREAS - 1 ? b->bridge.config[I440FX_PAM + 1 + n / 2] :
					    b->bridge.config[I440FX_PAM];
	bool high = n == I440FX_PAM_AREAS - 1 || n & 1;

	return (high ? two >> 4 : two) & (I440FX_PAM_READ | I440FX_PAM_WRITE);
}

/* ---- interrupts ---- */

static void set_pirq(void *bridge, unsigned int pirq, bool level)
{
	struct i440fx *b = bridge;
	u8 *holders = &b->holders[pirq], irq = b->routed_to[pirq];

	*holders = (u8)(level ? *holders + 1 : *holders - 1);
	if (*holders == level && irq)	/* from none to one, or from one to none */
		b->irq.set(b->irq.ctx, irq, level);
}

struct dev_irq i440fx_line(struct i440fx *b, unsigned int slot)
{
	return (struct dev_irq){ set_pirq, b, pci_slot_pirq(slot), false };
}

unsigned int i440fx_irq(const struct i440fx *b, unsigned int slot)
{
	return b->routed_to[pci_slot_pirq(slot)];
}

/* What is up moves along, as the level that it is. */
static void route(struct i440fx *b)
{
	bool moved = false;

	for (unsigned int i = 0; i < PCI_PIRQS; i++) {
		u8 reg = b->isa.config[PIIX3_PIRQ + i], irq = reg & PIIX3_PIRQ_IRQ;
		u8 was = b->routed_to[i];

		if (reg & PIIX3_PIRQ_OFF || !(PIIX3_IRQS >> irq & 1))
			irq = 0;
		if (irq == was)
			continue;
		if (b->holders[i] && was)
			b->irq.set(b->irq.ctx, was, false);
		if (b->holders[i] && irq)
			b->irq.set(b->irq.ctx, irq, true);
		b->routed_to[i] = irq;
		moved = true;
	}
	if (moved && b->routed.raise)
		dev_signal_raise(&b->routed);
}

static void on_isa_written(struct pci_function *fn, u32 offset, unsigned int size)
{
	(void)offset;
	(void)size;
	route((struct i440fx *)((char *)fn - offsetof(struct i440fx, isa)));
}

/* ---- */

static void on_bridge_written(struct pci_function *fn, u32 offset, unsigned int size)
{
	struct i440fx *b = (struct i440fx *)((char *)fn - offsetof(struct i440fx, bridge));

	if (offset < I440FX_PAM_END && offset + size > I440FX_PAM)
		dev_signal_raise(&b->shadow);
}

void i440fx_reset(struct i440fx *b)
{
	b->address = 0;
	b->reset_control = 0;

	pci_function_init(&b->bridge, 0x8086, 0x1237, 0x060000, 2);
	b->bridge.config[0x04] = 0x06;	/* memory and bus master, wired */
	b->bridge.config[0x07] = 0x02;	/* medium DEVSEL timing */
	pci_config_set(&b->bridge, PCI_SUBSYSTEM_VENDOR, 2, SUBSYSTEM_VENDOR, 0);
	pci_config_set(&b->bridge, PCI_SUBSYSTEM, 2, SUBSYSTEM_QEMU, 0);
	if (!b->cold)
		memset(&b->bridge.config[I440FX_PAM], 0x33, 7);
	b->bridge.config[I440FX_PAM] &= 0x30;
	memset(&b->bridge.writable[I440FX_PAM], 0x33, 7);
	b->bridge.writable[I440FX_PAM] = 0x30;
	b->bridge.written = on_bridge_written;
	dev_signal_raise(&b->shadow);

	pci_function_init(&b->isa, 0x8086, 0x7000, 0x060100, 0);
	b->isa.config[0x04] = 0x07;
	b->isa.config[0x07] = 0x02;
	b->isa.config[0x0e] = 0x80;	/* a function of several */
	if (b->cold)
		memset(&b->isa.config[PIIX3_PIRQ], PIIX3_PIRQ_OFF, sizeof(pci_pirq));
	else
		memcpy(&b->isa.config[PIIX3_PIRQ], pci_pirq, sizeof(pci_pirq));
	memset(&b->isa.writable[PIIX3_PIRQ], PIIX3_PIRQ_OFF | PIIX3_PIRQ_IRQ, sizeof(pci_pirq));
	b->isa.written = on_isa_written;
	route(b);
}

void i440fx_init(struct i440fx *b)
{
	memset(b->bus, 0, sizeof(b->bus));
	b->bus[PCI_DEVFN(0, 0)] = &b->bridge;
	b->bus[PCI_DEVFN(1, 0)] = &b->isa;
	i440fx_reset(b);
}

const struct ws_region i440fx_regions[] = {
	{ "pci_address", 0xcf8, 4, WS_SIZE_1 | WS_SIZE_4, 0, read_address, write_address },
	{ "pci_data", 0xcfc, 4, WS_SIZE_1 | WS_SIZE_2 | WS_SIZE_4, 0, read_data, write_data },
};

const unsigned int i440fx_n_regions = WS_ARRAY_SIZE(i440fx_regions);
