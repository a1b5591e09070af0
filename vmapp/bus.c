// SPDX-License-Identifier: GPL-2.0-only
#include "bus.h"

#include <string.h>

int bus_add_mmio(struct bus *b, const struct ws_region *rows, unsigned int n, u64 base, void *dev)
{
	if (n > BUS_MMIO_MAX - b->n_mmio)
		return -WS_ENOSPC;
	for (unsigned int i = 0; i < n; i++) {
		u64 start = base + rows[i].offset, end = start + rows[i].len;

		for (unsigned int j = 0; j < b->n_mmio; j++) {
			u64 other = b->mmio[j].base + b->mmio[j].row->offset;

			if (start < other + b->mmio[j].row->len && other < end)
				return -WS_EEXIST;
		}
	}
	for (unsigned int i = 0; i < n; i++)
		b->mmio[b->n_mmio++] = (struct bus_mmio){ base, &rows[i], dev };
	return 0;
}

void bus_remove_mmio(struct bus *b, const void *dev)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < b->n_mmio; i++)
		if (b->mmio[i].dev != dev)
			b->mmio[kept++] = b->mmio[i];
	b->n_mmio = kept;
}

void bus_window_update(struct bus *b, struct bus_window *w)
{
	bool io = pci_config_read(w->fn, PCI_BAR(w->bar), 1) & PCI_BAR_IO;
	u32 base = pci_bar_base(w->fn, w->bar);

	if (io && base > 0xffff)
		base = 0;
	if (base == w->base)
		return;
	if (io)
		ws_ports_remove(&b->ports, w->dev);
	else
		bus_remove_mmio(b, w->dev);
	w->base = base;
	if (base && (io ? ws_ports_add(&b->ports, w->rows, w->n, base, w->dev) :
			  bus_add_mmio(b, w->rows, w->n, base, w->dev)))
		w->base = 0;
}

void bus_io(struct bus *b, const struct vmdrv_run *run, u8 *data)
{
	unsigned int size = run->io.size;
	u32 count = run->io.count, val;

	b->latch = run->io.latch;
	if (count > VMDRV_DATA_SIZE / size)
		count = VMDRV_DATA_SIZE / size;
	for (u32 i = 0; i < count; i++, data += size) {
		if (run->io.direction == VMDRV_IO_IN) {
			val = ws_all_ones(size);
			if (!ws_ports_in(&b->ports, run->io.port, size, &val))
				b->nobody_in++;
			memcpy(data, &val, size);
		} else {
			val = 0;
			memcpy(&val, data, size);
			if (!ws_ports_out(&b->ports, run->io.port, size, val))
				b->nobody_out++;
		}
	}
}

/* The row at @gpa; @off is the place inside it. */
static const struct bus_mmio *find_mmio(const struct bus *b, u64 gpa, u32 *off)
{
	for (unsigned int i = 0; i < b->n_mmio; i++) {
		const struct bus_mmio *m = &b->mmio[i];
		u64 start = m->base + m->row->offset;

		if (gpa >= start && gpa - start < m->row->len) {
			*off = (u32)(gpa - start);
			return m;
		}
	}
	return NULL;
}

/* The largest native access at @off of at most @size bytes. WS_SIZE_n is n. */
static unsigned int part_size(const struct ws_region *row, u32 off, unsigned int size)
{
	for (unsigned int part = 4; part > 1; part /= 2)
		if (part <= size && (row->sizes & part) && part <= row->len - off)
			return part;
	return 1;
}

u64 bus_mmio_read(struct bus *b, u64 gpa, unsigned int size)
{
	unsigned int part;
	u64 val = 0;

	for (unsigned int done = 0; done < size; done += part) {
		u32 off, got = 0xff;
		const struct bus_mmio *m = find_mmio(b, gpa + done, &off);

		part = m ? part_size(m->row, off, size - done) : 1;
		if (m && m->row->read)
			got = m->row->read(m->dev, off, part);
		else if (m)
			got = ws_all_ones(part);
		else if (!done)
			b->nobody_mmio++;
		val |= (u64)got << (8 * done);
	}
	return val;
}

void bus_mmio_write(struct bus *b, u64 gpa, unsigned int size, u64 val)
{
	unsigned int part;

	for (unsigned int done = 0; done < size; done += part) {
		u32 off;
		const struct bus_mmio *m = find_mmio(b, gpa + done, &off);

		part = m ? part_size(m->row, off, size - done) : 1;
		if (m && m->row->write)
			m->row->write(m->dev, off, part,
				      (u32)(val >> (8 * done)) & ws_all_ones(part));
		else if (!m && !done)
			b->nobody_mmio++;
	}
}
