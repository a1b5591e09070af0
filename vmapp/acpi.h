/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ACPI tables of the machine, in the guest's F0000h-FFFFFh, where an OS
 * without other directions looks for them.
 */
#ifndef VMAPP_ACPI_H
#define VMAPP_ACPI_H

#include "core/types.h"
#include "mem.h"

/**
 * acpi_build() - write the tables
 * @com: bit n set: COM n+1 exists
 * Returns the guest physical address of the root pointer (RSDP).
 */
u64 acpi_build(struct guest_mem *mem, unsigned int com);

#endif
