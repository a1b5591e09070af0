// SPDX-License-Identifier: GPL-2.0-only
#include "pci.h"

#include <string.h>

void pci_function_init(struct pci_function *fn, u16 vendor, u16 device, u32 class_code,
		       u8 revision)
{
	memset(fn, 0, sizeof(*fn));
	fn->config[0x00] = (u8)vendor;
	fn->config[0x01] = (u8)(vendor >> 8);
	fn->config[0x02] = (u8)device;
	fn->config[0x03] = (u8)(device >> 8);
	fn->config[0x08] = revision;
	fn->config[0x09] = (u8)class_code;
	fn->config[0x0a] = (u8)(class_code >> 8);
	fn->config[0x0b] = (u8)(class_code >> 16);
}

u32 pci_config_read(const struct pci_function *fn, u32 offset, unsigned int size)
{
	u32 val = 0;

	for (unsigned int i = 0; i < size; i++)
		val |= (u32)fn->config[(offset + i) % PCI_CONFIG_SIZE] << (8 * i);
	return val;
}

void pci_config_write(struct pci_function *fn, u32 offset, unsigned int size, u32 val)
{
	for (unsigned int i = 0; i < size; i++) {
		u32 at = (offset + i) % PCI_CONFIG_SIZE;
		u8 mask = fn->writable[at];

		fn->config[at] = (u8)((fn->config[at] & ~mask) | (val >> (8 * i) & mask));
	}
	if (fn->written)
		fn->written(fn, offset, size);
}
