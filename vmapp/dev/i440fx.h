/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * i440FX host bridge: PCI configuration mechanism 1 for the functions of bus 0,
 * and itself as function 00.0, whose PAM registers say where RAM shadows ROM.
 * The PIIX3's ISA bridge is 01.0: its reset control register, which lies inside the
 * doubleword of the configuration address, and its PIRQ route registers, which say
 * to which IRQ the four interrupt lines of PCI go.
 */
#ifndef VMAPP_DEV_I440FX_H
#define VMAPP_DEV_I440FX_H

#include "pci.h"

#define I440FX_RESET_PORT	0xcf9
#define I440FX_RESET_HARD	0x02	/* the whole machine, not the CPU alone */
#define I440FX_RESET_CPU	0x04	/* from 0 to 1: now */

/*
 * The areas that PAM registers have: twelve of 16 KiB from C0000h on, and F0000h
 * to FFFFFh. Of each: do reads come from RAM (else from ROM), do writes go there?
 */
#define I440FX_PAM_AREAS	13
#define I440FX_PAM_READ		0x1u
#define I440FX_PAM_WRITE	0x2u

struct i440fx {
	u32 address;		/* CONFADD */
	u8 reset_control;
	struct pci_function bridge, isa;
	u8 holders[PCI_PIRQS];	/* functions that hold a PIRQ up: they share it */
	u8 routed_to[PCI_PIRQS];	/* the IRQ that it goes to; 0: none */
	struct pci_function *bus[PCI_DEVFN_MAX];	/* by devfn; NULL: nobody */
	struct dev_signal reset;
	struct dev_signal shadow;	/* after a write to the PAM registers */
	struct dev_irq irq;		/* a line, but for its number */
	struct dev_signal routed;	/* after a PIRQ went elsewhere; raise NULL: nobody asks */
	bool cold;			/* firmware is still to come */
};

/*
 * Once; the last five members are the caller's to set before. The bus then has
 * 00.0 and 01.0.
 */
void i440fx_init(struct i440fx *b);
/* As after power-on; or, if not @cold, after firmware, with RAM wherever ROM was. */
void i440fx_reset(struct i440fx *b);
/* I440FX_PAM_* of area @n. */
unsigned int i440fx_pam(const struct i440fx *b, unsigned int n);
/* Where area @n is. */
u32 i440fx_pam_area(unsigned int n, u32 *size);
/* The INTA# of @slot, as a line of its function's; and the IRQ that it is now, 0: none. */
struct dev_irq i440fx_line(struct i440fx *b, unsigned int slot);
unsigned int i440fx_irq(const struct i440fx *b, unsigned int slot);
/* -1: the place is taken. */
int i440fx_add(struct i440fx *b, u8 devfn, struct pci_function *fn);

extern const struct ws_region i440fx_regions[];
extern const unsigned int i440fx_n_regions;

#endif
