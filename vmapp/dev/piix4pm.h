/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The power management registers of a PIIX4 that an ACPI OS uses: PM1 event,
 * PM1 control, the 3.58 MHz timer. They sit at a fixed place and the FADT says
 * so; SCI_EN is always set: there is no other mode to switch from.
 */
#ifndef VMAPP_DEV_PIIX4PM_H
#define VMAPP_DEV_PIIX4PM_H

#include "dev.h"

#define PIIX4PM_BASE	0x600
#define PIIX4PM_IRQ	9	/* SCI, level */

#define PIIX4PM_PM1_STS	0x0
#define PIIX4PM_PM1_EN	0x2
#define PIIX4PM_PM1_CNT	0x4
#define PIIX4PM_PM_TMR	0x8
#define PIIX4PM_LEN	0xc

struct piix4pm {
	u16 pm1_sts, pm1_en, pm1_cnt;
	u64 seen;		/* the timer when overflows were last looked for */
	struct dev_irq sci;
	struct dev_clock clock;
	struct dev_timer *timer;	/* for the overflow interrupt */
	struct dev_signal power_off;
};

/* As after power-on. The last four members are the caller's to set before. */
void piix4pm_reset(struct piix4pm *pm);

/* Somebody presses the power button. */
void piix4pm_power_button(struct piix4pm *pm);

/* For dev_timer.expired. */
void piix4pm_expired(void *dev);

extern const struct ws_region piix4pm_regions[];
extern const unsigned int piix4pm_n_regions;

#endif
