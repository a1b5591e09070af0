/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The display adapter: a VGA (dev/vga.h) and VMware's SVGA II (dev/svga2.h) as one
 * PCI function, with its memory where the guest can use it without an exit wherever
 * a store is no more than a store: text, the chained modes, the linear ones and the
 * FIFO. In planar modes, and until the first access after a change of mode, accesses
 * come through the bus.
 */
#ifndef VMAPP_SVGA_H
#define VMAPP_SVGA_H

#include "bus.h"
#include "dev/i440fx.h"
#include "dev/svga2.h"
#include "dev/vga.h"
#include "error.h"
#include "map.h"
#include "rom.h"
#include "vmx.h"

#define SVGA_SLOT	2		/* of PCI */
#define SVGA_BASE	0xfd000000u	/* as firmware would have placed its windows */
#define SVGA_FIFO_BASE	0xfe000000u
#define SVGA_IO_BASE	0xc120u

struct svga {
	bool present;
	struct vga vga;
	struct svga2 svga2;
	struct vga_plain plain;		/* what the window's slot is, while there is one */
	struct pci_function pci;
	struct vga_array array;
	struct bus_window io, window, fifo;	/* of the SVGA2_BAR_* */
	u8 *memory;			/* the array, and behind it text and the FIFO */
	struct rom rom;			/* the VGA's BIOS */
	struct bus *bus;
	struct map *map;
};

/**
 * svga_create() - make the adapter, if the configuration has one
 * @direct: there is no firmware; by default there is no adapter either
 * @bus, @map: where it answers; the map is not used before svga_reset()
 *
 * Returns 0, or -1 with @err set; then and later, svga_destroy() gives all back.
 */
int svga_create(struct svga *s, const struct vmx *config, bool direct, struct bus *bus,
		struct map *map, struct i440fx *bridge, struct error *err);
void svga_destroy(struct svga *s);

/* As after power-on; @direct: as a BIOS leaves it, in text mode. */
void svga_reset(struct svga *s, bool direct);

/* What the guest has written without an exit counts as written, and is done. */
void svga_look(struct svga *s);

#endif
