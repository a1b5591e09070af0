/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PCI function's configuration space: 256 bytes, of which a mask says what a
 * guest may write. A function that must know of writes gets them afterwards.
 */
#ifndef VMAPP_DEV_PCI_H
#define VMAPP_DEV_PCI_H

#include "dev.h"

#define PCI_CONFIG_SIZE	256
#define PCI_DEVFN_MAX	256
#define PCI_DEVFN(slot, fn) ((u8)((slot) << 3 | (fn)))

/* Registers of a type 0 header. */
#define PCI_COMMAND		0x04
#define PCI_COMMAND_IO		0x1u
#define PCI_COMMAND_MEMORY	0x2u
#define PCI_COMMAND_MASTER	0x4u
#define PCI_STATUS		0x06
#define PCI_LATENCY		0x0d
#define PCI_BAR(n)		(0x10 + 4 * (n))
#define PCI_BAR_IO		0x1u	/* of a BAR: a window of ports */
#define PCI_ROM			0x30
#define PCI_ROM_ENABLE		0x1u
#define PCI_SUBSYSTEM_VENDOR	0x2c
#define PCI_SUBSYSTEM		0x2e
#define PCI_INTERRUPT_LINE	0x3c
#define PCI_INTERRUPT_PIN	0x3d
#define PCI_MIN_GNT		0x3e
#define PCI_MAX_LAT		0x3f

struct pci_function {
	u8 config[PCI_CONFIG_SIZE];
	u8 writable[PCI_CONFIG_SIZE];	/* a set bit can be written */
	/* @offset to @offset + @size were written; NULL: no need to know. */
	void (*written)(struct pci_function *fn, u32 offset, unsigned int size);
};

/* The read-only part of a type 0 header: all else becomes zero. */
void pci_function_init(struct pci_function *fn, u16 vendor, u16 device, u32 class_code,
		       u8 revision);

/* @size bytes at @offset become @val; the guest may write the bits of @mask. */
void pci_config_set(struct pci_function *fn, u32 offset, unsigned int size, u32 val, u32 mask);

/* BAR @n (0 to 5): a window of @size bytes, a power of two, at @base at first. */
void pci_set_bar(struct pci_function *fn, unsigned int n, u32 base, u32 size, bool io);

/* Where BAR @n answers; 0: nowhere, or its kind of access is off in the command. */
u32 pci_bar_base(const struct pci_function *fn, unsigned int n);

/* An expansion ROM of @size bytes, a power of two and at least 2048; nowhere at first. */
void pci_set_rom(struct pci_function *fn, u32 size);
/* Where it answers; 0: nowhere. */
u32 pci_rom_base(const struct pci_function *fn);

/* What firmware has routed PIRQ A to D to at first. */
#define PCI_PIRQS	4
extern const u8 pci_pirq[PCI_PIRQS];
/* The PIRQ of the slot's INTA#, and its IRQ at first. */
unsigned int pci_slot_pirq(unsigned int slot);
unsigned int pci_slot_irq(unsigned int slot);

/* @size is 1, 2 or 4 and does not cross a doubleword. */
u32 pci_config_read(const struct pci_function *fn, u32 offset, unsigned int size);
void pci_config_write(struct pci_function *fn, u32 offset, unsigned int size, u32 val);

#endif
