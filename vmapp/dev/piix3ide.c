// SPDX-License-Identifier: GPL-2.0-only
#include "piix3ide.h"

#include <string.h>

/* Bus master registers, of a channel. */
#define BM_COMMAND	0
#define BM_STATUS	2
#define BM_TABLE	4	/* to 7 */
#define BM_STEP		8	/* from channel to channel */

#define COMMAND_START	0x01
#define COMMAND_WRITE	0x08	/* to memory; the drive's command says the same */

#define STATUS_ACTIVE	0x01
#define STATUS_ERROR	0x02
#define STATUS_IRQ	0x04
#define STATUS_CAPABLE	0x60	/* drive 0 and 1; a driver's to set */

#define PRD_LAST	0x80000000u

#define IDETIM		0x40	/* and 42h, for the other channel */
#define IDETIM_IDE	0x8000	/* the ports are decoded */

/* ---- the list of regions ------------------------------------------------------------ */

/* It does not leave its 64 KiB: the counter is that wide. */
static bool next_region(struct piix3ide_bm *bm, bool *fault)
{
	struct piix3ide_cursor *at = &bm->at;
	const struct piix3ide_memory *mem = &bm->ide->memory;
	const u8 *map;
	u32 prd[2];

	if (at->last)
		return false;
	map = mem->map(mem->ctx, at->table, sizeof(prd));
	if (!map) {
		*fault = true;
		return false;
	}
	memcpy(prd, map, sizeof(prd));
	at->addr = prd[0] & ~1u;
	at->left = prd[1] & 0xfffe ? prd[1] & 0xfffe : 0x10000;
	at->last = prd[1] & PRD_LAST;
	at->table = (at->table & ~0xffffu) | ((at->table + 8) & 0xffff);
	return true;
}

/* @unit bytes more. False: the list or the room in @iov has ended before. */
static bool gather_unit(struct piix3ide_bm *bm, struct iovec *iov, unsigned int *n, u32 unit,
			bool *fault)
{
	const struct piix3ide_memory *mem = &bm->ide->memory;
	struct piix3ide_cursor *at = &bm->at;

	while (unit) {
		struct iovec *last = *n ? &iov[*n - 1] : NULL;
		u32 len;
		u8 *p;

		if (!at->left && !next_region(bm, fault))
			return false;
		len = at->left < unit ? at->left : unit;
		p = mem->map(mem->ctx, at->addr, len);
		if (!p) {
			*fault = true;
			return false;
		}
		if (last && (u8 *)last->iov_base + last->iov_len == p) {
			last->iov_len += len;
		} else {
			if (*n == BLK_SEGMENTS)
				return false;
			iov[(*n)++] = (struct iovec){ p, len };
		}
		at->addr += len;
		at->left -= len;
		unit -= len;
	}
	return true;
}

/* What does not fit, or is not there, is looked at again when it is the first. */
static s32 gather(void *ctx, struct iovec *iov, unsigned int *n, u32 bytes, u32 unit)
{
	struct piix3ide_bm *bm = ctx;
	bool fault = false;
	u32 done = 0;

	*n = 0;
	while (done < bytes) {
		struct piix3ide_cursor before = bm->at;
		unsigned int n_before = *n;
		size_t len_before = *n ? iov[*n - 1].iov_len : 0;

		if (!gather_unit(bm, iov, n, unit, &fault)) {
			*n = n_before;
			if (*n)
				iov[*n - 1].iov_len = len_before;
			if (done)
				bm->at = before;
			break;
		}
		done += unit;
	}
	if (done || !fault)
		return (s32)done;
	bm->status = (u8)((bm->status & ~STATUS_ACTIVE) | STATUS_ERROR);
	return -1;
}

static bool bm_ready(void *ctx)
{
	const struct piix3ide_bm *bm = ctx;

	return bm->status & STATUS_ACTIVE;
}

/* More memory was described than the drive had data for: it stays active. */
static void bm_end(void *ctx)
{
	struct piix3ide_bm *bm = ctx;

	if (bm->at.last && !bm->at.left)
		bm->status &= (u8)~STATUS_ACTIVE;
}

static void bm_interrupt(void *ctx)
{
	struct piix3ide_bm *bm = ctx;

	bm->status |= STATUS_IRQ;
}

/* ---- bus master registers ------------------------------------------------------------- */

static void write_bm_command(struct piix3ide_bm *bm, u8 val)
{
	u8 before = bm->command;

	bm->command = val & (COMMAND_START | COMMAND_WRITE);
	if (!(val & COMMAND_START)) {
		bm->status &= (u8)~STATUS_ACTIVE;
	} else if (!(before & COMMAND_START)) {
		bm->at = (struct piix3ide_cursor){ .table = bm->table };
		bm->status |= STATUS_ACTIVE;
		ata_dma_ready(bm->channel);
	}
}

static u8 read_bm_byte(const struct piix3ide_bm *bm, u32 reg)
{
	switch (reg) {
	case BM_COMMAND:
		return bm->command;
	case BM_STATUS:
		return bm->status;
	case BM_TABLE ... BM_TABLE + 3:
		return (u8)(bm->table >> (8 * (reg - BM_TABLE)));
	}
	return 0xff;
}

static void write_bm_byte(struct piix3ide_bm *bm, u32 reg, u8 val)
{
	unsigned int shift = 8 * (reg - BM_TABLE);

	switch (reg) {
	case BM_COMMAND:
		write_bm_command(bm, val);
		break;
	case BM_STATUS:
		bm->status = (u8)((bm->status & STATUS_ACTIVE) | (val & STATUS_CAPABLE) |
				  (bm->status & ~val & (STATUS_ERROR | STATUS_IRQ)));
		break;
	case BM_TABLE ... BM_TABLE + 3:
		bm->table = ((bm->table & ~(0xffu << shift)) | (u32)val << shift) & ~3u;
		break;
	}
}

static u32 read_bm(void *dev, u32 offset, unsigned int size)
{
	const struct piix3ide_bm *bm = dev;
	u32 val = 0;

	for (unsigned int i = 0; i < size; i++, offset++)
		val |= (u32)read_bm_byte(&bm[offset / BM_STEP], offset % BM_STEP) << (8 * i);
	return val;
}

static void write_bm(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct piix3ide_bm *bm = dev;

	for (unsigned int i = 0; i < size; i++, offset++, val >>= 8)
		write_bm_byte(&bm[offset / BM_STEP], offset % BM_STEP, (u8)val);
}

const struct ws_region piix3ide_bm_regions[] = {
	{ "ide_bus_master", 0, PIIX3IDE_BM_SIZE, WS_SIZE_1 | WS_SIZE_2 | WS_SIZE_4, 0,
	  read_bm, write_bm },
};

const unsigned int piix3ide_n_bm_regions = WS_ARRAY_SIZE(piix3ide_bm_regions);

/* ---- the AT's ports ----------------------------------------------------------------------- */

static bool decodes(const struct ata_channel *ch)
{
	const struct piix3ide_bm *bm = ch->dma.ctx;
	const struct pci_function *fn = &bm->ide->fn;
	unsigned int i = (unsigned int)(bm - bm->ide->bm);

	return (pci_config_read(fn, PCI_COMMAND, 2) & PCI_COMMAND_IO) &&
	       (pci_config_read(fn, IDETIM + 2 * i, 2) & IDETIM_IDE);
}

static u32 read_command_block(void *dev, u32 offset, unsigned int size)
{
	return decodes(dev) ? ata_read(dev, offset, size) : ws_all_ones(size);
}

static void write_command_block(void *dev, u32 offset, unsigned int size, u32 val)
{
	if (decodes(dev))
		ata_write(dev, offset, size, val);
}

static u32 read_control_block(void *dev, u32 offset, unsigned int size)
{
	(void)offset;
	return decodes(dev) ? ata_read_control(dev) : ws_all_ones(size);
}

static void write_control_block(void *dev, u32 offset, unsigned int size, u32 val)
{
	(void)offset;
	(void)size;
	if (decodes(dev))
		ata_write_control(dev, (u8)val);
}

#define CHANNEL_ROWS(name, base) {							\
	{ name, (base), 8, WS_SIZE_1 | WS_SIZE_2 | WS_SIZE_4, 0,			\
	  read_command_block, write_command_block },					\
	{ name "_control", (base) + 0x206, 1, WS_SIZE_1, 0,				\
	  read_control_block, write_control_block },					\
}

static const struct ws_region primary[PIIX3IDE_N_REGIONS] = CHANNEL_ROWS("ide0", 0x1f0);
static const struct ws_region secondary[PIIX3IDE_N_REGIONS] = CHANNEL_ROWS("ide1", 0x170);

const struct ws_region *const piix3ide_regions[PIIX3IDE_CHANNELS] = { primary, secondary };

/* ---- the function ---------------------------------------------------------------------------- */

static void on_config(struct pci_function *fn, u32 offset, unsigned int size)
{
	struct piix3ide *p = (struct piix3ide *)((char *)fn - offsetof(struct piix3ide, fn));

	(void)offset;
	(void)size;
	if (p->moved.raise)
		dev_signal_raise(&p->moved);
}

static void reset_config(struct piix3ide *p)
{
	struct pci_function *fn = &p->fn;

	pci_function_init(fn, 0x8086, 0x7010, 0x010180, 0);
	pci_config_set(fn, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MASTER,
		       PCI_COMMAND_IO | PCI_COMMAND_MASTER);
	pci_config_set(fn, PCI_STATUS, 2, 0x0280, 0);
	pci_config_set(fn, PCI_LATENCY, 1, 0, 0xf0);
	pci_set_bar(fn, PIIX3IDE_BAR, PIIX3IDE_BM_BASE, PIIX3IDE_BM_SIZE, true);
	for (unsigned int i = 0; i < PIIX3IDE_CHANNELS; i++)
		pci_config_set(fn, IDETIM + 2 * i, 2, IDETIM_IDE, 0xf3ff);
	pci_config_set(fn, 0x44, 1, 0, 0xff);	/* SIDETIM */
	fn->written = on_config;
}

void piix3ide_reset(struct piix3ide *p)
{
	reset_config(p);
	for (unsigned int i = 0; i < PIIX3IDE_CHANNELS; i++) {
		p->bm[i].command = 0;
		p->bm[i].status = 0;
		p->bm[i].table = 0;
		p->bm[i].at = (struct piix3ide_cursor){ 0 };
		ata_reset(&p->channel[i]);
	}
	on_config(&p->fn, 0, 0);
}

void piix3ide_init(struct piix3ide *p)
{
	for (unsigned int i = 0; i < PIIX3IDE_CHANNELS; i++) {
		struct piix3ide_bm *bm = &p->bm[i];

		bm->ide = p;
		bm->channel = &p->channel[i];
		bm->channel->dma = (struct ata_dma){ bm_ready, gather, bm_end, bm_interrupt, bm };
	}
	piix3ide_reset(p);
}
