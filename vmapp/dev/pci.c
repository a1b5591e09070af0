// SPDX-License-Identifier: GPL-2.0-only
#include "pci.h"

#include <string.h>

const u8 pci_pirq[PCI_PIRQS] = { 10, 10, 11, 11 };

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

void pci_config_set(struct pci_function *fn, u32 offset, unsigned int size, u32 val, u32 mask)
{
	for (unsigned int i = 0; i < size; i++) {
		fn->config[offset + i] = (u8)(val >> (8 * i));
		fn->writable[offset + i] = (u8)(mask >> (8 * i));
	}
}

/* Whoever writes all ones reads the size in the bits that did not take them. */
void pci_set_bar(struct pci_function *fn, unsigned int n, u32 base, u32 size, bool io)
{
	pci_config_set(fn, PCI_BAR(n), 4, base | (io ? PCI_BAR_IO : 0), ~(size - 1));
}

u32 pci_bar_base(const struct pci_function *fn, unsigned int n)
{
	u32 bar = pci_config_read(fn, PCI_BAR(n), 4);
	u32 wanted = bar & PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;

	if (!(pci_config_read(fn, PCI_COMMAND, 2) & wanted))
		return 0;
	return bar & ~(bar & PCI_BAR_IO ? 0x3u : 0xfu);
}

void pci_set_rom(struct pci_function *fn, u32 size)
{
	pci_config_set(fn, PCI_ROM, 4, 0, ~(size - 1) | PCI_ROM_ENABLE);
}

u32 pci_rom_base(const struct pci_function *fn)
{
	u32 rom = pci_config_read(fn, PCI_ROM, 4);

	if (!(rom & PCI_ROM_ENABLE) ||
	    !(pci_config_read(fn, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY))
		return 0;
	return rom & ~PCI_ROM_ENABLE;
}

unsigned int pci_slot_pirq(unsigned int slot)
{
	return (slot + PCI_PIRQS - 1) % PCI_PIRQS;
}

unsigned int pci_slot_irq(unsigned int slot)
{
	return pci_pirq[pci_slot_pirq(slot)];
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
