/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who answers: the ports and the device memory that vmapp serves. Reads that
 * nobody answers are all ones, writes are lost; both are counted.
 */
#ifndef VMAPP_BUS_H
#define VMAPP_BUS_H

#include "core/port_table.h"
#include "dev/pci.h"
#include "uapi/vmdriver.h"

#define BUS_MMIO_MAX	16

struct bus_mmio {
	u64 base;			/* guest physical, of the row's offset 0 */
	const struct ws_region *row;
	void *dev;
};

struct bus {
	struct ws_port_table ports;
	struct bus_mmio mmio[BUS_MMIO_MAX];
	unsigned int n_mmio;
	u64 nobody_in, nobody_out;	/* port accesses that nobody answered */
	u64 nobody_mmio;
	u32 latch;			/* run->io.latch, during bus_io() */
};

/* As ws_ports_add(), for memory: 0, -WS_EEXIST, -WS_ENOSPC. */
int bus_add_mmio(struct bus *b, const struct ws_region *rows, unsigned int n, u64 base, void *dev);

/* Take out every row that was added with @dev. */
void bus_remove_mmio(struct bus *b, const void *dev);

/*
 * A PCI function's window of ports or memory: rows that answer where BAR @bar
 * says. @dev names its rows alone: no two windows of ports, or of memory, and no
 * fixed rows share it.
 */
struct bus_window {
	struct pci_function *fn;
	unsigned int bar;
	const struct ws_region *rows;
	unsigned int n;
	void *dev;
	u32 base;	/* where they are now; 0: nowhere */
};

/*
 * After a write to the function's registers, or a reset of it: have the window
 * answer where it should. One that lies on somebody else's addresses answers
 * nowhere. The vCPU is out of the guest.
 */
void bus_window_update(struct bus *b, struct bus_window *w);

/* A VMDRV_EXIT_IO: all of its elements, in order; IN puts the answers into @data. */
void bus_io(struct bus *b, const struct vmdrv_run *run, u8 *data);

/* @size is 1 to 8; what does not fit a row is done in parts, low first. */
u64 bus_mmio_read(struct bus *b, u64 gpa, unsigned int size);
void bus_mmio_write(struct bus *b, u64 gpa, unsigned int size, u64 val);

#endif
