// SPDX-License-Identifier: GPL-2.0-only
#include "svga.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "loop.h"

#define ROM_MIN		0x800u
#define ROM_MAX		0x20000u
#define MEMORY_SIZE	(VGA_MEM_MAX + VGA_TEXT_SIZE + SVGA2_FIFO_SIZE)
#define FONT_SIZE	(256 * 16)

/* ---- memory without exits ---- */

/* Pages of @slot that were written, from page @first of the array on. */
static void look_at(struct svga *s, enum map_slot slot, u32 first)
{
	const struct vmdrv_memory *at = &s->map->slot[slot];
	u64 bitmap[VGA_PAGES_MAX / 64];
	struct vmdrv_dirty d = { .slot = slot, .pages = (u32)(at->size / VGA_PAGE),
				 .bitmap = (uintptr_t)bitmap };

	if (!at->size || !(at->flags & VMDRV_MEM_LOG_DIRTY))
		return;
	if (ioctl(s->map->vm_fd, VMDRV_GET_DIRTY, &d) < 0) {
		s->vga.changed = true;	/* nobody knows: all of it, then */
		return;
	}
	for (u32 i = 0; i < d.pages; i++)
		if (bitmap[i / 64] >> (i % 64) & 1)
			vga_mark(&s->vga, ((first + i) * VGA_PAGE) & (s->vga.mem_size - 1));
}

static void look_at_memory(struct svga *s)
{
	look_at(s, MAP_VGA_ARRAY, 0);
	if (s->map->slot[MAP_VGA_WINDOW].flags & VMDRV_MEM_LOG_DIRTY)
		look_at(s, MAP_VGA_WINDOW, (u32)(s->plain.mem - s->vga.mem) / VGA_PAGE);
}

void svga_look(struct svga *s)
{
	svga2_look(&s->svga2);
	look_at_memory(s);
}

static void close_window(struct svga *s)
{
	look_at_memory(s);
	map_set(s->map, MAP_VGA_WINDOW, 0, 0, NULL, 0);
	vga_set_text_ram(&s->vga, false);
}

/* After a register write: is what the guest has still what it should have? */
static void on_modified(void *ctx)
{
	struct svga *s = ctx;
	struct vga_plain p;

	if (!s->map->slot[MAP_VGA_WINDOW].size ||
	    (vga_plain(&s->vga, &p) && p.start == s->plain.start && p.mem == s->plain.mem))
		return;
	close_window(s);
}

/* The guest uses memory that need not cost it an exit: from now on it does not. */
static void on_touched(void *ctx)
{
	struct svga *s = ctx;
	bool text;

	if (!vga_plain(&s->vga, &s->plain))
		return;
	text = s->plain.mem == s->vga.text;
	vga_set_text_ram(&s->vga, text);
	/* Text is compared cell by cell when it is drawn. If it cannot be, exits do. */
	map_set(s->map, MAP_VGA_WINDOW, s->plain.start, s->plain.size, s->plain.mem,
		text ? 0 : VMDRV_MEM_LOG_DIRTY);
}

static void decode(struct svga *s)
{
	u32 rom = s->rom.data ? pci_rom_base(&s->pci) : 0;

	bus_window_update(s->bus, &s->io);
	bus_window_update(s->bus, &s->window);
	bus_window_update(s->bus, &s->fifo);
	look_at(s, MAP_VGA_ARRAY, 0);
	map_set(s->map, MAP_VGA_ARRAY, s->window.base, s->window.base ? s->vga.mem_size : 0,
		s->vga.mem, VMDRV_MEM_LOG_DIRTY);
	map_set(s->map, MAP_SVGA_FIFO, s->fifo.base, s->fifo.base ? SVGA2_FIFO_SIZE : 0,
		s->svga2.fifo, 0);
	map_set(s->map, MAP_VGA_ROM, rom, rom ? s->rom.room : 0, s->rom.data,
		VMDRV_MEM_READONLY);
}

static void on_config(struct pci_function *fn, u32 offset, unsigned int size)
{
	struct svga *s = (struct svga *)((char *)fn - offsetof(struct svga, pci));

	(void)offset;
	(void)size;
	decode(s);
}

static void reset_config(struct svga *s, bool direct)
{
	struct pci_function *fn = &s->pci;

	pci_function_init(fn, SVGA2_VENDOR, SVGA2_DEVICE, SVGA2_CLASS, 0);
	pci_config_set(fn, PCI_COMMAND, 2, direct ? PCI_COMMAND_IO | PCI_COMMAND_MEMORY : 0,
		       PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	pci_set_bar(fn, SVGA2_BAR_IO, SVGA_IO_BASE, SVGA2_PORTS, true);
	pci_set_bar(fn, SVGA2_BAR_ARRAY, SVGA_BASE, s->vga.mem_size, false);
	pci_set_bar(fn, SVGA2_BAR_FIFO, SVGA_FIFO_BASE, SVGA2_FIFO_SIZE, false);
	pci_config_set(fn, PCI_SUBSYSTEM_VENDOR, 2, SVGA2_VENDOR, 0);
	pci_config_set(fn, PCI_SUBSYSTEM, 2, SVGA2_DEVICE, 0);
	pci_config_set(fn, PCI_INTERRUPT_LINE, 1, direct ? pci_slot_irq(SVGA_SLOT) : 0, 0xff);
	pci_config_set(fn, PCI_INTERRUPT_PIN, 1, 1, 0);
	if (s->rom.data)
		pci_set_rom(fn, s->rom.room);
	fn->written = on_config;
	decode(s);
}

/* The 8x16 font in a BIOS: character 0 is blank, and 1 a face that all of them have. */
static const u8 *find_font(const struct rom *rom)
{
	static const u8 face[16] = { 0x00, 0x00, 0x7e, 0x81, 0xa5, 0x81, 0x81, 0xbd,
				     0x99, 0x81, 0x81, 0x7e };
	const u8 *p = rom->data ? memmem(rom->data, rom->size, face, sizeof(face)) : NULL;

	if (!p || p - rom->data < 16 || rom->size - (u32)(p - rom->data) < FONT_SIZE - 16)
		return NULL;
	return p - 16;
}

void svga_reset(struct svga *s, bool direct)
{
	if (!s->present)
		return;
	vga_reset(&s->vga);
	madvise(s->memory, MEMORY_SIZE, MADV_DONTNEED);	/* all zero again */
	svga2_reset(&s->svga2);
	if (direct)
		vga_set_text_mode(&s->vga, find_font(&s->rom));
	reset_config(s, direct);
}

/* ---- making it ---- */

static int add(struct svga *s, struct i440fx *bridge, struct error *err)
{
	if (ws_ports_add(&s->bus->ports, vga_regions, vga_n_regions, 0, &s->vga) ||
	    ws_ports_add(&s->bus->ports, vbe_regions, vbe_n_regions, 0, &s->vga) ||
	    bus_add_mmio(s->bus, vga_memory, vga_n_memory, VGA_WINDOW, &s->vga) ||
	    i440fx_add(bridge, PCI_DEVFN(SVGA_SLOT, 0), &s->pci))
		return error_set(err, "two devices want the display adapter's place");
	return 0;
}

int svga_create(struct svga *s, const struct vmx *config, bool direct, struct bus *bus,
		struct map *map, struct i440fx *bridge, struct error *err)
{
	const char *wanted = vmx_str(config, "svga.present");
	char path[PATH_MAX];
	void *memory;

	s->present = *wanted ? vmx_bool(config, "svga.present") : !direct;
	if (!s->present)
		return 0;
	s->bus = bus;
	s->map = map;
	vmx_path(config, "vbios.filename", path, sizeof(path));
	if (rom_load(&s->rom, path, "vbios.filename", ROM_MIN, ROM_MAX, err))
		return -1;
	memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return error_set(err, "no memory for the display: %s", strerror(errno));
	s->memory = memory;
	s->vga.mem = s->memory;
	s->vga.mem_size = VGA_MEM_MAX;
	s->vga.text = s->memory + VGA_MEM_MAX;
	s->vga.clock = (struct dev_clock){ loop_monotonic, NULL };
	s->vga.modified = (struct dev_signal){ on_modified, s };
	s->vga.touched = (struct dev_signal){ on_touched, s };
	s->array.vga = &s->vga;
	s->svga2.vga = &s->vga;
	s->svga2.irq = i440fx_line(bridge, SVGA_SLOT);
	s->svga2.fifo = s->vga.text + VGA_TEXT_SIZE;
	s->svga2.pci = &s->pci;
	s->io = (struct bus_window){ &s->pci, SVGA2_BAR_IO, svga2_regions, svga2_n_regions,
				     &s->svga2, 0 };
	s->window = (struct bus_window){ &s->pci, SVGA2_BAR_ARRAY, vga_array, vga_n_array,
					 &s->array, 0 };
	s->fifo = (struct bus_window){ &s->pci, SVGA2_BAR_FIFO, svga2_fifo, svga2_n_fifo,
				       &s->svga2, 0 };
	return add(s, bridge, err);
}

void svga_destroy(struct svga *s)
{
	if (s->memory)
		munmap(s->memory, MEMORY_SIZE);
	s->memory = NULL;
	rom_free(&s->rom);
}
