// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Lance's core and QEMU's pcnet, told the same: what they answer, what they
 * write to memory, what they send and when they interrupt is compared, access
 * by access. Where QEMU is known not to do what the data sheet says, a probe
 * with a name shows it, and what is compared at random leaves just that out.
 *
 * Scripts are those of lance.h, on both, with these words more. A value is
 * followed by QEMU's if that is another: r0=4/14. QEMU may also answer as we do,
 * since a later version may have been mended.
 *
 *	t0.60=8300	descriptor 0 to send: 60 bytes (decimal), status (hex)
 *	v1.1536=8000	descriptor 1 for a received frame, in the same way
 *	x114		a frame of 114 bytes for us comes from the wire
 *	len=60/42	how long the last frame was that was sent (decimal)
 */
#include "lance.h"

#include "qemu.h"

#define RINGS_SIZE	0x6000u		/* from RX_RING on: both */
#define SEEDS		60
#define ACTIONS		40

static struct nic nic;
static struct qemu q;

static const char *bios;
static char trail[4096];	/* what was done at random */

/* ---- both at once ---- */

/* QEMU's answer is ours, or the one that it is known to give. */
static void same(const char *script, const char *word, u32 is, u32 ours, u32 known)
{
	if (is != ours && is != known)
		fail_msg("%s: %s%s\n  at %s: ours is %x, QEMU's %x", nic_rule, script, trail, word,
			 ours, is);
}

static void push(u32 addr, u32 len)
{
	qemu_write(&q, addr, nic.ram + addr, len);
}

static void push_rings(void)
{
	push(RX_RING, RINGS_SIZE);
}

static u32 in(u32 offset, unsigned int size)
{
	return qemu_in(&q, QEMU_IO + offset, size);
}

static void out(u32 offset, unsigned int size, u32 val)
{
	qemu_out(&q, QEMU_IO + offset, size, val);
}

/*
 * QEMU's CSRs as they are compared where no probe asks for them: without TDMD,
 * which stays, and without TXSTRT and its mask, which it mistakes for another.
 */
static u32 known_csr(u32 reg, u32 val)
{
	return reg == 0 ? val & ~LANCE_CSR0_TDMD : reg == 4 ? val & ~0xcu : val;
}

static void qemu_rap(u32 reg)
{
	out(lance_rap_offset(&nic.l), lance_rap_size(&nic.l), reg);
}

/* Frames that QEMU has sent since the last look, the last one in @buf. */
static unsigned int qemu_frames(u8 *buf, ssize_t *len)
{
	unsigned int n = 0;
	ssize_t got;

	while ((got = qemu_sent(&q, buf, LANCE_TX_MAX)) >= 0) {
		*len = got;
		n++;
	}
	return n;
}

static void receive_both(const char *script, const u8 *to, u32 len)
{
	u8 frame[LANCE_RX_MAX];
	enum lance_rx_result result = nic_receive(&nic, to, len);

	for (u32 i = 0; i < len; i++)
		frame[i] = i & 0xff;
	memcpy(frame, to, 6);
	memcpy(frame + 12, "\x08\x00", 2);
	qemu_receive(&q, frame, len);
	/* QEMU has no queue to hold it in. */
	if (result == LANCE_RX_HOLD) {
		lance_missed(&nic.l, 1);
		nic_settle(&nic);
	}
}

static void qemu_word(const char *script, const char *word)
{
	static u8 frame[LANCE_TX_MAX];
	static ssize_t len;
	const char *eq = strchr(word, '='), *dot = strchr(word, '.'), *slash = strchr(word, '/');
	u32 val = eq ? strtoul(eq + 1, NULL, 16) : 0;
	u32 known = slash ? strtoul(slash + 1, NULL, 16) : val;
	u32 reg = strtoul(word + 1, NULL, dot ? 16 : 10);
	unsigned int size = dot ? strtoul(dot + 1, NULL, 10) : lance_rap_size(&nic.l);

	if (!strncmp(word, "irq=", 4)) {
		in(0, 1);	/* what was reported before is in the answer */
		same(script, word, q.irq, val, known);
	} else if (!strncmp(word, "tx=", 3)) {
		in(0, 1);
		same(script, word, qemu_frames(frame, &len), val, known);
	} else if (!strncmp(word, "len=", 4)) {
		same(script, word, len, strtoul(eq + 1, NULL, 10),
		     strtoul(slash ? slash + 1 : eq + 1, NULL, 10));
	} else if (word[0] == 'w') {
		qemu_rap(reg);
		out(LANCE_RDP, size, val);
	} else if (word[0] == 'r') {
		qemu_rap(reg);
		if (slash)
			same(script, word, in(LANCE_RDP, size), val, known);
		else
			same(script, word, known_csr(reg, in(LANCE_RDP, size)),
			     known_csr(reg, val), known);
	} else if (word[0] == 'W') {
		qemu_rap(reg);
		out(nic_bdp(&nic), size, val);
	} else if (word[0] == 'R') {
		qemu_rap(reg);
		same(script, word, in(nic_bdp(&nic), size), val, known);
	} else if (word[0] == 'o') {
		out(reg, size, val);
	} else if (word[0] == 'i') {
		same(script, word, in(reg, size), val, known);
	} else if (word[0] == 'p') {
		qemu_write(&q, reg, &val, size);
	} else if (word[0] == 'g') {
		u32 is = 0;

		qemu_read(&q, reg, &is, size);
		same(script, word, is, val, known);
	}
}

static void play_word(const char *script, const char *word)
{
	const char *eq = strchr(word, '='), *dot = strchr(word, '.');
	unsigned int n = strtoul(word + 1, NULL, 10);
	u32 len = dot ? strtoul(dot + 1, NULL, 10) : 0;
	u16 status = eq ? strtoul(eq + 1, NULL, 16) : 0;

	if (word[0] == 't' && word[1] != 'x') {
		nic_give_tx(&nic, n, len, status);
		push(TX_BUFFER(n), 0x1000);
		push_rings();
	} else if (word[0] == 'v') {
		nic_set_desc(&nic, RX_RING, n, RX_BUFFER(n), len, status);
		push_rings();
	} else if (word[0] == 'x') {
		receive_both(script, nic_mac, n);
	} else if (!strncmp(word, "len=", 4)) {
		qemu_word(script, word);
	} else {
		/* Which offset RAP has is known from before the access. */
		if (word[0] == 'o' || word[0] == 'i') {
			nic_play_word(&nic, script, word);
			qemu_word(script, word);
			return;
		}
		qemu_word(script, word);
		nic_play_word(&nic, script, word);
	}
}

static void play(const char *script)
{
	char copy[1024], *at, *word;

	strcpy(copy, script);
	for (word = strtok_r(copy, " ", &at); word; word = strtok_r(NULL, " ", &at))
		play_word(script, word);
}

/* Both as after power on; QEMU has no hard reset that is worth it. */
static void reset_both(void)
{
	nic_power_on(&nic);
	in(LANCE_DWIO_RESET, 4);
	in(LANCE_WIO_RESET, 2);
	in(LANCE_DWIO_RESET, 4);
	in(LANCE_WIO_RESET, 2);
	qemu_frames((u8[LANCE_TX_MAX]){ 0 }, &(ssize_t){ 0 });
	play("W2=2 W4=c0 W9=0 W20=0 w1=0 w2=0");
	push(INIT_BLOCK, 0x1000);
	push_rings();
}

/* Up to INIT, with four descriptors each way. */
static void init_both(unsigned int style, u16 mode)
{
	char script[32];

	reset_both();
	snprintf(script, sizeof(script), "W20=%x", style);
	play(script);
	nic_init_block(&nic, mode, 2, 2);
	for (unsigned int i = 0; i < 4; i++) {
		nic_set_desc(&nic, RX_RING, i, RX_BUFFER(i), BUFFER_SIZE, 0);
		nic_set_desc(&nic, TX_RING, i, TX_BUFFER(i), 0, 0);
	}
	push(INIT_BLOCK, 0x100);
	push_rings();
	play("w1=0 w2=1 w3=0 w4=115 w5=0 w0=1 r0=181");
}

static void start_both(unsigned int style)
{
	init_both(style, 0);
	play("w0=142 r0=73");
}

/* ---- what is the same ---- */

struct script {
	const char *rule;
	const char *script;
};

static const struct script agreed[] = {
	{ "address PROM", "i0.1=52 i5.1=56 i9.1=11 ic.1=1 id.1=2 ie.1=57 i0.2=5452 ic.2=201" },
	{ "wrong sizes", "i0.4=ffffffff i10.1=ff i10.4=ffffffff i14.1=ff i11.2=ffff i1e.2=ffff" },
	{ "identity", "r88=1003 r89=262 o12.2=ffff i12.2=7f" },
	{ "soft reset", "w8=1 w3=100 w15=ffff i14.2=0 i12.2=0 r0=4 r3=0 r4=115 r5=0 r8=0 r12=5452 "
	  "r13=1200 r14=5634 r15=21c4 r100=200 r103=105 r112=0 r114=0 r122=0 r124=0" },
	{ "BCRs", "R0=5 R1=5 R2=2 R4=80c0 R5=84 R6=88 R7=90 R9=0 R18=9001 R19=2 R20=200 R22=ff06" },
	{ "styles",
	  "W20=0 R20=200 W20=1 R20=101 W20=2 R20=302 r58=302 W20=3 R20=303 W20=4 R20=200" },
	{ "DWIO", "o10.4=4 o14.4=58 i10.4=2621003 i0.4=12005452 ic.4=57570201 i10.2=ffff "
	  "o14.4=14 i1c.4=200" },
	{ "bring-up", "W20=2 w1=0 w2=1 w4=115 p10000.4=20200000 p10014.4=11000 p10018.4=14000 w0=1 "
	  "r0=181 w0=42 r0=1f3 irq=1 w0=142 r0=73 irq=0" },
	{ "DRX and DTX", "W20=2 w1=0 w2=1 w4=115 p10000.4=20200003 p10014.4=11000 p10018.4=14000 "
	  "w0=1 r0=181 w0=2 r0=183" },
};

/* Set up by start_both(2). */
static const struct script running[] = {
	{ "a frame", "t0.60=8300 w0=48 r0=2f3 irq=1 tx=1 len=60 g14006.2=300 w0=0 irq=0 r0=2b3 "
	  "w0=200 r0=33 irq=0" },
	{ "three frames, one TDMD",
	  "t2.62=8300 t1.61=8300 t0.60=8300 w0=48 r0=2f3 tx=3 g14026.2=300" },
	{ "a chain", "t1.100=8100 t0.14=8200 w0=48 r0=2f3 tx=1 len=114 g14006.2=200 g14016.2=100" },
	{ "masked", "w3=200 t0.60=8300 w0=48 r0=273 irq=0 tx=1 w3=0 r0=2f3 irq=1 w0=240 irq=0" },
	{ "received",
	  "v0.1536=8000 x114 r0=4f3 irq=1 g11006.2=340 g11008.2=76 w0=440 r0=73 irq=0" },
	{ "received in two", "v1.1536=8000 v0.60=8000 x114 r0=4f3 g11006.2=200 g11016.2=140 "
	  "g11018.2=76" },
	{ "short", "v0.1536=8000 x20 r0=4f3 g11008.2=40" },
	{ "missed", "x114 r0=90f3 irq=1 r112=1 w0=1040 r0=73 irq=0" },
	{ "UINTCMD", "w4=195 irq=1 r4=155 w4=155 irq=0 r4=115" },
	{ "CSR0 written back", "r0=73 w0=73 r0=73" },
	{ "buffers too small", "v0.60=8000 v1.60=8000 x300 r0=4f3 g11006.2=200 g11016.2=5400" },
};

static void play_all(const struct script *fresh, unsigned int n_fresh,
		     const struct script *started, unsigned int n_started)
{
	for (unsigned int i = 0; i < n_fresh + n_started; i++) {
		const struct script *s = i < n_fresh ? &fresh[i] : &started[i - n_fresh];

		nic_rule = s->rule;
		if (i < n_fresh)
			reset_both();
		else
			start_both(2);
		play(s->script);
	}
	nic_rule = "";
	reset_both();
}

static void test_agreed(void **state)
{
	play_all(agreed, WS_ARRAY_SIZE(agreed), running, WS_ARRAY_SIZE(running));
}

static void test_pci(void **state)
{
	const unsigned int bars[] = { LANCE_PCI_BAR_IO, LANCE_PCI_BAR_MEM };

	assert_int_equal(qemu_config_in(&q, QEMU_NIC_SLOT, 0),
			 LANCE_PCI_DEVICE << 16 | LANCE_PCI_VENDOR);
	assert_int_equal(qemu_config_in(&q, QEMU_NIC_SLOT, 4) >> 16, LANCE_PCI_STATUS);
	assert_int_equal(qemu_config_in(&q, QEMU_NIC_SLOT, 8),
			 LANCE_PCI_CLASS << 8 | LANCE_PCI_REVISION);
	assert_int_equal(qemu_config_in(&q, QEMU_NIC_SLOT, 0x3c) >> 8,
			 LANCE_PCI_MAX_LAT << 16 | LANCE_PCI_MIN_GNT << 8 | LANCE_PCI_PIN);
	for (unsigned int i = 0; i < 2; i++) {
		u32 was = qemu_config_in(&q, QEMU_NIC_SLOT, bars[i]);

		qemu_config_out(&q, QEMU_NIC_SLOT, bars[i], 0xffffffff);
		assert_int_equal(qemu_config_in(&q, QEMU_NIC_SLOT, bars[i]) & ~15u,
				 (u32)-LANCE_IO_SIZE);
		qemu_config_out(&q, QEMU_NIC_SLOT, bars[i], was);
	}
}

/* ---- what is not ---- */

static const struct script probes[] = {
	{ "an odd word of the address PROM is a byte", "i1.2=ffff/54" },
	{ "reserved bits of CSR5 latch", "w5=ffff r5=c56f/f56f" },
	{ "reserved bits of CSR3 latch", "w3=ffff r3=5f7f/ffff" },
	{ "CSR80, 100 and 124 do not latch",
	  "r80=d410/1410 w80=0 r80=c000/1410 w100=1 r100=1/200 w124=10 r124=10/0" },
	{ "ring lengths are positive, and 1 after a reset",
	  "w76=fff0 w78=fff8 i14.2=0 r76=fff0/1 r78=fff8/1" },
	{ "a soft reset leaves DWIO", "o10.4=0 i18.4=0 i14.4=0/ffffffff" },
	{ "initialization without a block does nothing",
	  "W20=2 w24=1000 w25=1 w30=4000 w31=1 w76=fffc w78=fffc t0.60=8300 w0=42 w0=48 tx=1/0" },
};

/* Set up by start_both(2). */
static const struct script running_probes[] = {
	{ "UINT is forgotten soon", "w4=195 irq=1 w3=0 irq=1/0 r0=f3/73" },
	{ "TXON stays over STOP", "w0=4 r0=4/14" },
	{ "STRT does not go back to the ring's base",
	  "t0.60=8300 w0=48 tx=1 w0=4 t0.60=8300 w0=42 w0=48 tx=1/0" },
	{ "TDMD stays if nothing is there", "w0=48 r0=73/7b" },
	{ "frames are sent in spite of SPND", "w5=1 t0.60=8300 w0=48 tx=0/1" },
	{ "TXSTRT has the number of its mask", "w4=0 t0.60=8300 w0=48 tx=1 r4=8/4" },
	{ "LTINTEN asks for TOKINTD", "w5=4000 t0.60=8300 w0=48 tx=1 irq=0/1" },
	{ "frames are not padded", "w4=915 t0.42=8300 w0=48 tx=1 len=60/42" },
	{ "babble is not told of", "t0.1600=8300 w0=48 tx=1 r0=c2f3/2fb" },
	{ "the FCS is zero", "v0.1536=8000 x60 g2003c.4=35dfc2d7/0" },
	{ "ONES is looked at", "t0.60=0 p14004.4=83000fc4 w0=48 tx=1/0" },
	{ "a frame without bytes interrupts", "t0.0=8300 w0=48 tx=0 irq=0/1" },
	{ "errors of a broken chain are in its first descriptor",
	  "t1.60=8000 t0.60=8200 w0=48 tx=0 g14006.2=200/4200 g14016.2=4000/0" },
	{ "CSR15 is written while it runs", "w15=80 r15=0/80" },
	{ "a frame has at most three buffers",
	  "v0.76=8000 v1.76=8000 v2.76=8000 v3.76=8000 x300 g11036.2=140/8000" },
	{ "a ring that is not RAM is not told of",
	  "w0=4 p10018.4=e0000000 w0=1 r0=181/191 w0=142 w0=48 r0=88f3/7b" },
};

static void test_probes(void **state)
{
	play_all(probes, WS_ARRAY_SIZE(probes), running_probes, WS_ARRAY_SIZE(running_probes));
}

/* ---- at random ---- */

static uint64_t seed;

static u32 random_below(u32 n)
{
	return unit_random(&seed) % n;
}

__attribute__((format(printf, 1, 2)))
static void note(const char *fmt, ...)
{
	size_t used = strlen(trail);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(trail + used, sizeof(trail) - used, fmt, ap);
	va_end(ap);
}

/* Registers that are the same on both, whatever was done. */
static void compare_registers(void)
{
	static const u8 csrs[] = { 0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 30, 31,
				   58, 88, 89, 112 };

	for (unsigned int i = 0; i < sizeof(csrs); i++) {
		u32 ours = known_csr(csrs[i], nic_csr(&nic, csrs[i]));
		char name[16];

		snprintf(name, sizeof(name), "CSR%u", csrs[i]);
		qemu_rap(csrs[i]);
		same("", name, known_csr(csrs[i], in(LANCE_RDP, 2)), ours, ours);
	}
	in(0, 1);
	same("", "the line", q.irq, nic.irq, nic.irq);
}

static void compare_memory(u32 addr, u32 len)
{
	static u8 buf[RINGS_SIZE];

	qemu_read(&q, addr, buf, len);
	for (u32 i = 0; i < len; i++)
		if (buf[i] != nic.ram[addr + i])
			fail_msg("%s: at %x ours is %02x, QEMU's %02x", trail, addr + i,
				 nic.ram[addr + i], buf[i]);
}

static void compare_frames(void)
{
	static u8 frame[LANCE_TX_MAX];

	for (unsigned int i = 0; i < nic.frames; i++) {
		ssize_t len = qemu_sent(&q, frame, sizeof(frame));

		same("", "a frame's length", len, nic.sent[i].len, nic.sent[i].len);
		assert_memory_equal(frame, nic.sent[i].data, len);
	}
	same("", "the number of frames", qemu_sent(&q, frame, sizeof(frame)), -1, -1);
	nic.frames = 0;
}

static void acknowledge(void)
{
	u32 csr0 = nic_csr(&nic, 0);
	char script[64];

	note(" ack");
	snprintf(script, sizeof(script), "r0=%x w0=%x", csr0,
		 (csr0 & LANCE_CSR0_W1C) | (random_below(4) ? LANCE_CSR0_IENA : 0));
	play(script);
}

/* Some frames of one to three buffers, as many as fit into the ring. */
static void transmit(void)
{
	unsigned int at = nic.l.tx.pos, room = 4;

	while (room) {
		unsigned int n = 1 + random_below(room < 3 ? room : 3);

		for (unsigned int i = 0; i < n; i++) {
			u32 len = i + 1 < n ? 1 + random_below(400) : 60 + random_below(700);
			u16 status = LANCE_MD_OWN | (i ? 0 : LANCE_MD_STP) |
				     (i + 1 < n ? 0 : LANCE_MD_ENP);

			nic_give_tx(&nic, at, len, status);
			push(TX_BUFFER(at), 0x1000);
			note(" t%u.%u=%x", at, len, status);
			at = (at + 1) % 4;
		}
		room -= n;
		if (random_below(2))
			break;
	}
	push_rings();
	play("w0=48");
	compare_frames();
}

/* One to three buffers that are large enough, or too few of them, or none. */
static void receive(void)
{
	static const u8 to[][6] = {
		{ 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 }, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb }, { 0x02, 0x00, 0x00, 0x00, 0x00, 0x01 },
		{ 0x33, 0x33, 0x00, 0x00, 0x00, 0x01 },
	};
	unsigned int n = random_below(4), at = nic.l.rx.pos;
	u32 len = 60 + random_below(1000), size = n < 3 ? 1536 : 64 + random_below(600);
	const u8 *dst = to[random_below(WS_ARRAY_SIZE(to))];

	for (unsigned int i = 0; i < 4; i++) {
		unsigned int k = (at + i) % 4;

		nic_set_desc(&nic, RX_RING, k, RX_BUFFER(k), size, i < n ? LANCE_MD_OWN : 0);
		memset(nic.ram + RX_BUFFER(k), 0, 0x1000);
		push(RX_BUFFER(k), 0x1000);
	}
	push_rings();
	note(" x%u to %02x, %u buffers of %u", len, dst[0], n, size);
	receive_both("", dst, len);
	/* Their FCS is not one. */
	if (n && n < 3)
		compare_memory(RX_BUFFER(at), len);
}

static void change_filter(void)
{
	char script[128];
	u32 hash = random_below(0x10000);
	u32 mode = random_below(8) << 13;

	note(" filter %x %x", hash, mode);
	snprintf(script, sizeof(script), "w5=1 w8=%x w9=%x w10=%x w11=%x w15=%x w5=0", hash,
		 ~hash & 0xffff, hash ^ 0x5555, hash >> 3, mode);
	play(script);
}

static void change_masks(void)
{
	static const u16 masks[] = { 0, 0x5f00, 0x0200, 0x0400, 0x1100, 0x4a00, 0x5700 };
	char script[32];

	snprintf(script, sizeof(script), "w3=%x", masks[random_below(WS_ARRAY_SIZE(masks))]);
	note(" %s", script);
	play(script);
}

/* At once acknowledged, as long as QEMU knows of it. */
static void interrupt_by_command(void)
{
	note(" UINTCMD");
	play("w4=195");
	same("", "the line", q.irq, nic.irq, nic.irq);
	play("w4=155");
}

static void test_random(void **state)
{
	static void (*const actions[])(void) = {
		transmit, transmit, transmit, receive, receive, receive, acknowledge, acknowledge,
		change_filter, change_masks, interrupt_by_command,
	};

	for (unsigned int i = 0; i < SEEDS; i++) {
		seed = 1000 + i;
		trail[0] = 0;
		note("seed %u, style %u:", i, i & 3);
		start_both(i & 3);
		for (unsigned int k = 0; k < ACTIONS; k++) {
			actions[random_below(WS_ARRAY_SIZE(actions))]();
			compare_registers();
			compare_memory(RX_RING, 0x100);
			compare_memory(TX_RING, 0x100);
		}
	}
	trail[0] = 0;
}

static int start(void **state)
{
	qemu_start(&q, bios, NULL);
	return 0;
}

static int stop(void **state)
{
	qemu_stop(&q);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pci),
		cmocka_unit_test(test_agreed),
		cmocka_unit_test(test_probes),
		cmocka_unit_test(test_random),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: lance_diff FILE (for QEMU's firmware, overwritten)\n");
		return 2;
	}
	bios = argv[1];
	return cmocka_run_group_tests_name("lance_diff", tests, start, stop);
}
