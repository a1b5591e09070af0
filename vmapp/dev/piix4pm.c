// SPDX-License-Identifier: GPL-2.0-only
#include "piix4pm.h"

#define PM_TMR_HZ	3579545ull
#define NSEC_PER_SEC	1000000000ull

/* PM1 status and enable */
#define TMR_STS		(1u << 0)	/* bit 23 of the timer changed */
#define BM_STS		(1u << 4)
#define GBL_STS		(1u << 5)
#define PWRBTN_STS	(1u << 8)
#define RTC_STS		(1u << 10)
#define WAK_STS		(1u << 15)
#define STS_ALL		(TMR_STS | BM_STS | GBL_STS | PWRBTN_STS | RTC_STS | WAK_STS)
#define EN_ALL		(TMR_STS | GBL_STS | PWRBTN_STS | RTC_STS)

/* PM1 control */
#define SCI_EN		(1u << 0)
#define SLP_TYP_SHIFT	10
#define SLP_TYP_MASK	(7u << SLP_TYP_SHIFT)
#define SLP_EN		(1u << 13)
#define SLP_TYP_S5	0u

/* TMR_STS is set each time that bit 23 changes: every 2^23 ticks. */
#define TMR_HALF_SHIFT	23

static u64 ticks(const struct piix4pm *pm)
{
	u64 now = pm->clock.now(pm->clock.ctx);

	/* In two steps: the product of all of it would overflow in an hour and a half. */
	return now / NSEC_PER_SEC * PM_TMR_HZ + now % NSEC_PER_SEC * PM_TMR_HZ / NSEC_PER_SEC;
}

static u64 ticks_to_ns(u64 t)
{
	return t / PM_TMR_HZ * NSEC_PER_SEC +
	       (t % PM_TMR_HZ * NSEC_PER_SEC + PM_TMR_HZ - 1) / PM_TMR_HZ;
}

/* Bring TMR_STS up to date, then the interrupt line and the timer. */
static void update(struct piix4pm *pm)
{
	u64 t = ticks(pm);
	bool waiting;

	if (t >> TMR_HALF_SHIFT != pm->seen >> TMR_HALF_SHIFT)
		pm->pm1_sts |= TMR_STS;
	pm->seen = t;
	dev_irq_set(&pm->sci, pm->pm1_sts & pm->pm1_en);
	waiting = (pm->pm1_en & TMR_STS) && !(pm->pm1_sts & TMR_STS);
	pm->timer->arm(pm->timer, waiting ?
		       ticks_to_ns(((t >> TMR_HALF_SHIFT) + 1) << TMR_HALF_SHIFT) : DEV_NEVER);
}

void piix4pm_reset(struct piix4pm *pm)
{
	pm->pm1_sts = 0;
	pm->pm1_en = 0;
	pm->pm1_cnt = 0;
	pm->seen = ticks(pm);
	update(pm);
}

void piix4pm_power_button(struct piix4pm *pm)
{
	pm->pm1_sts |= PWRBTN_STS;
	update(pm);
}

void piix4pm_expired(void *dev)
{
	update(dev);
}

/* The registers are 16 bits wide and may be accessed by bytes. */
static u16 merge(u16 old, u32 offset, unsigned int size, u32 val)
{
	u32 mask = ws_all_ones(size) << (8 * offset);

	return (u16)((old & ~mask) | (val << (8 * offset) & mask));
}

static u32 read_sts(void *dev, u32 offset, unsigned int size)
{
	struct piix4pm *pm = dev;

	update(pm);
	return (u32)pm->pm1_sts >> (8 * offset) & ws_all_ones(size);
}

/* Writing a one clears the bit. */
static void write_sts(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct piix4pm *pm = dev;

	update(pm);
	pm->pm1_sts &= (u16)~(merge(0, offset, size, val) & STS_ALL);
	update(pm);
}

static u32 read_en(void *dev, u32 offset, unsigned int size)
{
	const struct piix4pm *pm = dev;

	return (u32)pm->pm1_en >> (8 * offset) & ws_all_ones(size);
}

static void write_en(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct piix4pm *pm = dev;

	pm->pm1_en = merge(pm->pm1_en, offset, size, val) & EN_ALL;
	update(pm);
}

static u32 read_cnt(void *dev, u32 offset, unsigned int size)
{
	const struct piix4pm *pm = dev;

	return (pm->pm1_cnt | SCI_EN) >> (8 * offset) & ws_all_ones(size);
}

/* SLP_EN reads as zero: it acts when it is written. */
static void write_cnt(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct piix4pm *pm = dev;
	u16 cnt = merge(pm->pm1_cnt, offset, size, val);

	pm->pm1_cnt = cnt & SLP_TYP_MASK;
	if ((cnt & SLP_EN) && (cnt & SLP_TYP_MASK) >> SLP_TYP_SHIFT == SLP_TYP_S5)
		dev_signal_raise(&pm->power_off);
}

/* 24 bits; a narrower read gets its bytes of them. */
static u32 read_tmr(void *dev, u32 offset, unsigned int size)
{
	return (u32)(ticks(dev) & 0xffffff) >> (8 * offset) & ws_all_ones(size);
}

const struct ws_region piix4pm_regions[] = {
	{ "pm1_sts", PIIX4PM_BASE + PIIX4PM_PM1_STS, 2, WS_SIZE_1 | WS_SIZE_2, 0,
	  read_sts, write_sts },
	{ "pm1_en", PIIX4PM_BASE + PIIX4PM_PM1_EN, 2, WS_SIZE_1 | WS_SIZE_2, 0,
	  read_en, write_en },
	{ "pm1_cnt", PIIX4PM_BASE + PIIX4PM_PM1_CNT, 2, WS_SIZE_1 | WS_SIZE_2, 0,
	  read_cnt, write_cnt },
	{ "pm_tmr", PIIX4PM_BASE + PIIX4PM_PM_TMR, 4, WS_SIZE_1 | WS_SIZE_2 | WS_SIZE_4, 0,
	  read_tmr, NULL },
};

const unsigned int piix4pm_n_regions = WS_ARRAY_SIZE(piix4pm_regions);
