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

struct pci_function {
	u8 config[PCI_CONFIG_SIZE];
	u8 writable[PCI_CONFIG_SIZE];	/* a set bit can be written */
	/* @offset to @offset + @size were written; NULL: no need to know. */
	void (*written)(struct pci_function *fn, u32 offset, unsigned int size);
};

/* The read-only part of a type 0 header: all else becomes zero. */
void pci_function_init(struct pci_function *fn, u16 vendor, u16 device, u32 class_code,
		       u8 revision);

/* @size is 1, 2 or 4 and does not cross a doubleword. */
u32 pci_config_read(const struct pci_function *fn, u32 offset, unsigned int size);
void pci_config_write(struct pci_function *fn, u32 offset, unsigned int size, u32 val);

#endif
