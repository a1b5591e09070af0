// SPDX-License-Identifier: GPL-2.0-only
#include "mc146818.h"

#include <string.h>
#include <time.h>

/* Names as in the data sheet, "Address Map" */
#define RTC_SECONDS	0x00
#define RTC_SECONDS_ALARM 0x01
#define RTC_MINUTES	0x02
#define RTC_MINUTES_ALARM 0x03
#define RTC_HOURS	0x04
#define RTC_HOURS_ALARM	0x05
#define RTC_DAY		0x06	/* 1 is Sunday */
#define RTC_DATE	0x07
#define RTC_MONTH	0x08
#define RTC_YEAR	0x09
#define RTC_REG_A	0x0a
#define RTC_REG_B	0x0b
#define RTC_REG_C	0x0c
#define RTC_REG_D	0x0d
#define RTC_CENTURY	0x32	/* the PC's convention */

#define REG_A_UIP	0x80
#define REG_A_DV	0x70	/* divider */
#define REG_A_DV_RUN	0x20
#define REG_A_DV_RESET	0x60	/* this bit pattern or 70h holds the divider */
#define REG_A_RS	0x0f	/* periodic rate */

#define REG_B_SET	0x80
#define REG_B_PIE	0x40
#define REG_B_AIE	0x20
#define REG_B_UIE	0x10
#define REG_B_DM	0x04	/* binary, not BCD */
#define REG_B_24	0x02

#define REG_C_IRQF	0x80
#define REG_C_PF	0x40
#define REG_C_AF	0x20
#define REG_C_UF	0x10

#define REG_D_VRT	0x80

#define ALARM_ANY	0xc0	/* both bits set: any value matches */
#define HOURS_PM	0x80

#define NSEC_PER_SEC	1000000000ull
#define SEC_PER_DAY	86400u
#define RTC_HZ		32768u
#define UPDATE_NS	2228000u	/* 244 us of warning and 1984 us of update */

static u64 guest_now(const struct mc146818 *rtc)
{
	return rtc->clock.now(rtc->clock.ctx) + (u64)rtc->offset;
}

/* The divider runs and the guest does not hold the update. */
static bool running(const struct mc146818 *rtc)
{
	return !(rtc->ram[RTC_REG_B] & REG_B_SET) &&
	       (rtc->ram[RTC_REG_A] & REG_A_DV_RESET) != REG_A_DV_RESET;
}

static u8 encode(const struct mc146818 *rtc, int v)
{
	return (u8)(rtc->ram[RTC_REG_B] & REG_B_DM ? v : v / 10 << 4 | v % 10);
}

static int decode(const struct mc146818 *rtc, u8 v)
{
	return rtc->ram[RTC_REG_B] & REG_B_DM ? v : (v >> 4) * 10 + (v & 15);
}

static u8 encode_hours(const struct mc146818 *rtc, int hour)
{
	if (rtc->ram[RTC_REG_B] & REG_B_24)
		return encode(rtc, hour);
	return (u8)(encode(rtc, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOURS_PM : 0));
}

static int decode_hours(const struct mc146818 *rtc, u8 v)
{
	if (rtc->ram[RTC_REG_B] & REG_B_24)
		return decode(rtc, v);
	return decode(rtc, v & (u8)~HOURS_PM) % 12 + (v & HOURS_PM ? 12 : 0);
}

/* The guest's time into the bytes that show it. */
static void store_time(struct mc146818 *rtc, u64 now)
{
	time_t t = (time_t)(now / NSEC_PER_SEC);
	struct tm tm;

	gmtime_r(&t, &tm);
	rtc->ram[RTC_SECONDS] = encode(rtc, tm.tm_sec);
	rtc->ram[RTC_MINUTES] = encode(rtc, tm.tm_min);
	rtc->ram[RTC_HOURS] = encode_hours(rtc, tm.tm_hour);
	rtc->ram[RTC_DAY] = encode(rtc, tm.tm_wday + 1);
	rtc->ram[RTC_DATE] = encode(rtc, tm.tm_mday);
	rtc->ram[RTC_MONTH] = encode(rtc, tm.tm_mon + 1);
	rtc->ram[RTC_YEAR] = encode(rtc, tm.tm_year % 100);
	rtc->ram[RTC_CENTURY] = encode(rtc, tm.tm_year / 100 + 19);
}

/* The bytes become the guest's time; @frac: ns since the last full second. */
static void load_time(struct mc146818 *rtc, u64 frac)
{
	/* timegm() carries over whatever is out of range. */
	struct tm tm = {
		.tm_sec = decode(rtc, rtc->ram[RTC_SECONDS]),
		.tm_min = decode(rtc, rtc->ram[RTC_MINUTES]),
		.tm_hour = decode_hours(rtc, rtc->ram[RTC_HOURS]),
		.tm_mday = decode(rtc, rtc->ram[RTC_DATE]),
		.tm_mon = decode(rtc, rtc->ram[RTC_MONTH]) - 1,
		.tm_year = decode(rtc, rtc->ram[RTC_YEAR]) +
			   100 * (decode(rtc, rtc->ram[RTC_CENTURY]) - 19),
	};
	time_t t = timegm(&tm);
	u64 now = rtc->clock.now(rtc->clock.ctx);

	if (t < 0)
		t = 0;
	rtc->offset = (s64)((u64)t * NSEC_PER_SEC + frac - now);
	rtc->seen = guest_now(rtc);
}

/* Second of the day that the alarm bytes @field allow, -1 for any. */
static int alarm_field(const struct mc146818 *rtc, unsigned int field)
{
	u8 v = rtc->ram[field];

	if ((v & ALARM_ANY) == ALARM_ANY)
		return -1;
	return field == RTC_HOURS_ALARM ? decode_hours(rtc, v) : decode(rtc, v);
}

/*
 * The first second after @from that the alarm matches, at most a day later;
 * 0: none, the bytes name no time of day.
 */
static u64 next_alarm(const struct mc146818 *rtc, u64 from)
{
	int s = alarm_field(rtc, RTC_SECONDS_ALARM);
	int m = alarm_field(rtc, RTC_MINUTES_ALARM);
	int h = alarm_field(rtc, RTC_HOURS_ALARM);

	u64 t = from + 1;

	if (h > 23 || m > 59 || s > 59)
		return 0;
	while (t <= from + SEC_PER_DAY) {
		if (h >= 0 && t / 3600 % 24 != (u64)h)
			t = (t / 3600 + 1) * 3600;
		else if (m >= 0 && t / 60 % 60 != (u64)m)
			t = (t / 60 + 1) * 60;
		else if (s >= 0 && t % 60 != (u64)s)
			t++;
		else
			return t;
	}
	return 0;
}

/* log2 of the periodic interrupt's length in 32768ths of a second; -1: off. */
static int period_shift(const struct mc146818 *rtc)
{
	int rs = rtc->ram[RTC_REG_A] & REG_A_RS;

	if (!rs)
		return -1;
	return rs <= 2 ? rs + 6 : rs - 1;	/* 1 and 2 mean 8 and 9 */
}

static u64 to_ticks(u64 ns)
{
	return ns / NSEC_PER_SEC * RTC_HZ + ns % NSEC_PER_SEC * RTC_HZ / NSEC_PER_SEC;
}

static u64 from_ticks(u64 ticks)
{
	return ticks / RTC_HZ * NSEC_PER_SEC +
	       (ticks % RTC_HZ * NSEC_PER_SEC + RTC_HZ - 1) / RTC_HZ;
}

/* What happened since the last look. */
static void catch_up(struct mc146818 *rtc, u64 now)
{
	int shift = period_shift(rtc);
	u64 last = rtc->seen;
	u64 alarm;

	rtc->seen = now;
	if (now <= last)	/* the host's clock was set back */
		return;
	if (shift >= 0 && to_ticks(now) >> shift != to_ticks(last) >> shift)
		rtc->ram[RTC_REG_C] |= REG_C_PF;
	if (!running(rtc) || now / NSEC_PER_SEC == last / NSEC_PER_SEC)
		return;
	rtc->ram[RTC_REG_C] |= REG_C_UF;
	if (rtc->ram[RTC_REG_C] & REG_C_AF)
		return;
	alarm = next_alarm(rtc, last / NSEC_PER_SEC);
	if (alarm && alarm <= now / NSEC_PER_SEC)
		rtc->ram[RTC_REG_C] |= REG_C_AF;
}

/* The next moment at which an enabled flag may be set. */
static u64 next_event(const struct mc146818 *rtc, u64 now)
{
	u8 enabled = rtc->ram[RTC_REG_B];
	u64 next = DEV_NEVER, t;
	int shift = period_shift(rtc);

	if ((enabled & REG_B_PIE) && shift >= 0)
		next = from_ticks(((to_ticks(now) >> shift) + 1) << shift);
	if (!running(rtc))
		return next;
	if (enabled & REG_B_UIE) {
		t = (now / NSEC_PER_SEC + 1) * NSEC_PER_SEC;
		next = t < next ? t : next;
	}
	if (enabled & REG_B_AIE) {
		t = next_alarm(rtc, now / NSEC_PER_SEC) * NSEC_PER_SEC;
		next = t && t < next ? t : next;
	}
	return next;
}

/* Bring flags, interrupt line and timer up to date. */
static void update(struct mc146818 *rtc)
{
	u64 now = guest_now(rtc), next = DEV_NEVER;
	bool irq;

	catch_up(rtc, now);
	irq = rtc->ram[RTC_REG_C] & rtc->ram[RTC_REG_B] & (REG_C_PF | REG_C_AF | REG_C_UF);
	if (irq)
		rtc->ram[RTC_REG_C] |= REG_C_IRQF;
	else
		rtc->ram[RTC_REG_C] &= (u8)~REG_C_IRQF;
	dev_irq_set(&rtc->irq, irq);
	/* The line stays up until register C is read: nothing to wait for before. */
	if (!irq)
		next = next_event(rtc, now);
	rtc->timer->arm(rtc->timer, next == DEV_NEVER ? next : next - (u64)rtc->offset);
}

void mc146818_expired(void *dev)
{
	update(dev);
}

static bool is_time(u8 index)
{
	return index == RTC_CENTURY ||
	       (index <= RTC_YEAR && index != RTC_SECONDS_ALARM && index != RTC_MINUTES_ALARM &&
		index != RTC_HOURS_ALARM);
}

static u8 read_reg(struct mc146818 *rtc, u8 index)
{
	u64 now = guest_now(rtc);
	u8 val;

	if (is_time(index)) {
		if (running(rtc))
			store_time(rtc, now);
	} else if (index == RTC_REG_A) {
		bool uip = running(rtc) && now % NSEC_PER_SEC >= NSEC_PER_SEC - UPDATE_NS;

		return (u8)(rtc->ram[RTC_REG_A] | (uip ? REG_A_UIP : 0));
	} else if (index == RTC_REG_C) {
		update(rtc);
		val = rtc->ram[RTC_REG_C];
		rtc->ram[RTC_REG_C] = 0;
		update(rtc);
		return val;
	}
	return rtc->ram[index];
}

/* A and B decide whether the time stands still: freeze it, or let it go on. */
static void write_control(struct mc146818 *rtc, u8 index, u8 val)
{
	bool was = running(rtc), held;
	u64 now = guest_now(rtc);

	held = (rtc->ram[RTC_REG_A] & REG_A_DV_RESET) == REG_A_DV_RESET;
	catch_up(rtc, now);
	if (was)
		store_time(rtc, now);	/* in the format that B had until now */
	if (index == RTC_REG_A)
		rtc->ram[RTC_REG_A] = val & (u8)~REG_A_UIP;
	else
		rtc->ram[RTC_REG_B] = val & REG_B_SET ? val & (u8)~REG_B_UIE : val;
	/* A released divider ends its first second after half of one. */
	if (!was && running(rtc))
		load_time(rtc, held ? NSEC_PER_SEC / 2 : now % NSEC_PER_SEC);
	update(rtc);
}

static void write_reg(struct mc146818 *rtc, u8 index, u8 val)
{
	u64 now;

	if (index == RTC_REG_A || index == RTC_REG_B) {
		write_control(rtc, index, val);
		return;
	}
	if (index == RTC_REG_C || index == RTC_REG_D)
		return;
	now = guest_now(rtc);
	if (is_time(index) && running(rtc)) {
		store_time(rtc, now);
		rtc->ram[index] = val;
		load_time(rtc, now % NSEC_PER_SEC);
	}
	catch_up(rtc, guest_now(rtc));	/* an alarm before this one counts by the old bytes */
	rtc->ram[index] = val;
	if (index <= RTC_YEAR || index == RTC_CENTURY)
		update(rtc);
}

static u32 mc146818_read(void *dev, u32 offset, unsigned int size)
{
	struct mc146818 *rtc = dev;

	(void)size;
	return offset ? read_reg(rtc, rtc->index) : 0xff;	/* the index is write-only */
}

/* Bit 7 of the index would mask NMIs; the machine has no source of them here. */
static void mc146818_write(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct mc146818 *rtc = dev;

	(void)size;
	if (offset)
		write_reg(rtc, rtc->index, (u8)val);
	else
		rtc->index = val & (MC146818_RAM - 1);
}

static void put16(struct mc146818 *rtc, unsigned int at, u64 val, u64 max)
{
	val = val < max ? val : max;
	rtc->ram[at] = (u8)val;
	rtc->ram[at + 1] = (u8)(val >> 8);
}

static void put_checksum(struct mc146818 *rtc)
{
	u16 sum = 0;

	for (unsigned int i = 0x10; i <= 0x2d; i++)
		sum = (u16)(sum + rtc->ram[i]);
	rtc->ram[0x2e] = (u8)(sum >> 8);
	rtc->ram[0x2f] = (u8)sum;
}

void mc146818_set_floppies(struct mc146818 *rtc, u8 first, u8 second)
{
	rtc->ram[0x10] = (u8)(first << 4 | second);
	rtc->ram[0x14] &= 0x3e;			/* equipment: how many, if any */
	if (first || second)
		rtc->ram[0x14] |= 0x01 | (first && second ? 0x40 : 0);
	put_checksum(rtc);
}

void mc146818_init(struct mc146818 *rtc, u64 low, u64 high)
{
	const u64 ext_k = (low - 0x100000) / 1024;
	u64 high_64k = high / 65536;

	memset(rtc->ram, 0, sizeof(rtc->ram));
	rtc->index = 0;
	rtc->offset = 0;
	rtc->ram[RTC_REG_A] = REG_A_DV_RUN | 6;	/* 1024 Hz, as a BIOS leaves it */
	rtc->ram[RTC_REG_B] = REG_B_24;
	rtc->ram[RTC_REG_D] = REG_D_VRT;
	rtc->ram[0x14] = 0x06;			/* equipment: FPU, PS/2 port */
	put16(rtc, 0x15, 640, 0xffff);		/* KiB below 1 MiB */
	put16(rtc, 0x17, ext_k, 0xffff);	/* KiB above */
	put16(rtc, 0x30, ext_k, 0xffff);
	put16(rtc, 0x34, low > 0x1000000 ? (low - 0x1000000) / 65536 : 0, 0xffff);
	put16(rtc, 0x5b, high_64k, 0xffffff);	/* 24 bits */
	rtc->ram[0x5d] = (u8)(high_64k >> 16);
	put_checksum(rtc);
	rtc->seen = guest_now(rtc);
	update(rtc);
}

void mc146818_set_boot_order(struct mc146818 *rtc, u16 order)
{
	rtc->ram[0x38] = (u8)(order >> 4 & 0xf0) | 0x01;	/* no test of a floppy's signature */
	rtc->ram[0x3d] = (u8)order;
}

void mc146818_reset(struct mc146818 *rtc)
{
	rtc->ram[RTC_REG_B] &= (u8)~(REG_B_PIE | REG_B_AIE | REG_B_UIE);
	rtc->ram[RTC_REG_C] = 0;
	rtc->seen = guest_now(rtc);
	update(rtc);
}

const struct ws_region mc146818_regions[] = {
	{ "mc146818", MC146818_BASE, 2, WS_SIZE_1, 0, mc146818_read, mc146818_write },
};

const unsigned int mc146818_n_regions = WS_ARRAY_SIZE(mc146818_regions);
