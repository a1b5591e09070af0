// SPDX-License-Identifier: GPL-2.0-only
/* The port table: adding and removing, splitting, latches, and 65,536 ports by chance. */
#include "unit.h"

#include "core/port_table.h"

/* A device that remembers: one byte per port, and a log of what reached it. */
struct memory {
	u8 bytes[64];
	unsigned int reads, writes;
	u32 last_offset;
	unsigned int last_size;
};

static u32 memory_read(void *dev, u32 offset, unsigned int size)
{
	struct memory *m = dev;
	u32 val = 0;

	assert_true(offset + size <= sizeof(m->bytes));
	memcpy(&val, m->bytes + offset, size);
	m->reads++;
	m->last_offset = offset;
	m->last_size = size;
	return val;
}

static void memory_write(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct memory *m = dev;

	assert_true(offset + size <= sizeof(m->bytes));
	assert_int_equal(val & ~ws_all_ones(size), 0);
	memcpy(m->bytes + offset, &val, size);
	m->writes++;
	m->last_offset = offset;
	m->last_size = size;
}

/* A handler that leaves rubbish above its size. */
static u32 rubbish_read(void *dev, u32 offset, unsigned int size)
{
	return 0xa5a5a5a5;
}

static int table_new(void **state)
{
	*state = calloc(1, sizeof(struct ws_port_table));
	return *state ? 0 : -1;
}

static int table_free(void **state)
{
	free(*state);
	return 0;
}

static bool empty(const struct ws_port_table *t)
{
	static const struct ws_port_table none;

	return !memcmp(t, &none, sizeof(none));
}

static const struct ws_region bytes8[] = {
	{ "bytes", 0, 8, WS_SIZE_1, 0, memory_read, memory_write },
};

static const struct ws_region wide[] = {
	{ "wide", 0, 8, WS_SIZE_1 | WS_SIZE_2 | WS_SIZE_4, 0, memory_read, memory_write },
};

static void test_nobody(void **state)
{
	struct ws_port_table *t = *state;
	u32 value = 0x1234;
	unsigned int size;

	for (size = 1; size <= 4; size *= 2) {
		assert_false(ws_ports_in(t, 0, size, &value));
		assert_false(ws_ports_in(t, 0x80, size, &value));
		assert_false(ws_ports_in(t, 0xffff, size, &value));
		assert_false(ws_ports_out(t, 0xffff, size, 0));
		assert_null(ws_port_latch(t, 0, size));
		assert_null(ws_port_latch(t, 0xffff, size));
	}
	assert_int_equal(value, 0x1234);
	assert_true(empty(t));
}

/* What is refused, and that it leaves nothing behind. */
static void test_add_refuses(void **state)
{
	static const struct ws_region ok = { "ok", 0, 4, WS_SIZE_1, 0, NULL, NULL };
	static const struct {
		struct ws_region region;
		u32 base;
		int err;
	} cases[] = {
		{ { "empty", 0, 0, WS_SIZE_1, 0, NULL, NULL }, 0x10, -WS_EINVAL },
		{ { "base", 0, 1, WS_SIZE_1, 0, NULL, NULL }, 0x10000, -WS_EINVAL },
		{ { "base", 0, 1, WS_SIZE_1, 0, NULL, NULL }, 0xffffffff, -WS_EINVAL },
		{ { "offset", 0x10000, 1, WS_SIZE_1, 0, NULL, NULL }, 0, -WS_EINVAL },
		{ { "offset", 0xffffffff, 1, WS_SIZE_1, 0, NULL, NULL }, 1, -WS_EINVAL },
		{ { "offset", 0xf000, 1, WS_SIZE_1, 0, NULL, NULL }, 0x1000, -WS_EINVAL },
		{ { "wraps", 0, 2, WS_SIZE_1, 0, NULL, NULL }, 0xffff, -WS_EINVAL },
		{ { "wraps", 0, 0xffffffff, WS_SIZE_1, 0, NULL, NULL }, 2, -WS_EINVAL },
		{ { "latch", 0, 3, WS_SIZE_1, WS_REGION_LATCH, NULL, NULL }, 0, -WS_EINVAL },
		{ { "latch", 0, 2, WS_SIZE_1, WS_REGION_LATCH, NULL, NULL }, 0, -WS_EINVAL },
		{ { "latch", 0, 2, WS_SIZE_2, WS_REGION_LATCH, NULL, NULL }, 1, -WS_EINVAL },
		{ { "latch", 2, 4, WS_SIZE_4, WS_REGION_LATCH, NULL, NULL }, 0, -WS_EINVAL },
		{ { "latch", 0, 8, 8, WS_REGION_LATCH, NULL, NULL }, 0, -WS_EINVAL },
		{ { "latch", 0, 1, WS_SIZE_1, WS_REGION_LATCH, memory_read, NULL }, 0,
		  -WS_EINVAL },
		{ { "latch", 0, 1, WS_SIZE_1, WS_REGION_LATCH, NULL, memory_write }, 0,
		  -WS_EINVAL },
	};
	struct ws_port_table *t = *state;
	struct ws_region rows[2];
	size_t i;

	for (i = 0; i < WS_ARRAY_SIZE(cases); i++) {
		/* As the second row, so that the first one has to go again. */
		rows[0] = ok;
		rows[0].offset = 0x4000;
		rows[1] = cases[i].region;
		assert_int_equal(ws_ports_add(t, &rows[1], 1, cases[i].base, NULL), cases[i].err);
		if (cases[i].base < 0x1000)
			assert_int_equal(ws_ports_add(t, rows, 2, cases[i].base, NULL),
					 cases[i].err);
		assert_true(empty(t));
	}
	assert_int_equal(ws_ports_add_latch(t, 0x80, 3), -WS_EINVAL);
	assert_int_equal(ws_ports_add_latch(t, 0x80, 0), -WS_EINVAL);
	assert_int_equal(ws_ports_add_latch(t, 0x81, 2), -WS_EINVAL);
	assert_int_equal(ws_ports_add_latch(t, 0xfffe, 4), -WS_EINVAL);
	assert_true(empty(t));
}

static void test_edges(void **state)
{
	struct ws_port_table *t = *state;
	struct memory m = { .bytes = { 0x11, 0x22 } };
	static const struct ws_region last = {
		"last", 0, 2, WS_SIZE_1 | WS_SIZE_2, 0, memory_read, memory_write
	};
	u32 value;

	assert_int_equal(ws_ports_add(t, &last, 1, 0xfffe, &m), 0);
	assert_true(ws_ports_in(t, 0xfffe, 2, &value));
	assert_int_equal(value, 0x2211);
	/* What is beyond port FFFFh is nobody's. */
	assert_true(ws_ports_in(t, 0xfffe, 4, &value));
	assert_int_equal(value, 0xffff2211);
	assert_true(ws_ports_in(t, 0xffff, 2, &value));
	assert_int_equal(value, 0xff22);
	assert_true(ws_ports_out(t, 0xffff, 4, 0xddccbbaa));
	assert_int_equal(m.bytes[1], 0xaa);
	assert_int_equal(m.bytes[0], 0x11);
}

static void test_overlap(void **state)
{
	static const struct ws_region twice[] = {
		{ "a", 0, 4, WS_SIZE_1, 0, NULL, NULL },
		{ "b", 8, 4, WS_SIZE_1, 0, NULL, NULL },
		{ "c", 3, 2, WS_SIZE_1, 0, NULL, NULL },
	};
	struct ws_port_table *t = *state;
	struct memory m = { .bytes = { 0 } };
	unsigned int base;

	assert_int_equal(ws_ports_add(t, twice, 3, 0x100, &m), -WS_EEXIST);
	assert_true(empty(t));
	assert_int_equal(ws_ports_add(t, bytes8, 1, 0x100, &m), 0);
	for (base = 0xf9; base < 0x108; base++)
		assert_int_equal(ws_ports_add(t, bytes8, 1, base, &m), -WS_EEXIST);
	assert_int_equal(ws_ports_add_latch(t, 0x106, 2), -WS_EEXIST);
	assert_int_equal(ws_ports_add(t, bytes8, 1, 0xf8, &m), 0);
	assert_int_equal(ws_ports_add(t, bytes8, 1, 0x108, &m), 0);
	ws_ports_remove(t, &m);
	assert_true(empty(t));
}

static void test_full(void **state)
{
	struct ws_port_table *t = *state;
	struct memory m, other = { .bytes = { 0x77 } };
	unsigned int i;
	u32 value;

	for (i = 0; i < 255; i++)
		assert_int_equal(ws_ports_add(t, bytes8, 1, i * 8, i == 99 ? &other : &m), 0);
	assert_int_equal(ws_ports_add(t, bytes8, 1, 255 * 8, &m), -WS_ENOSPC);
	assert_false(ws_ports_in(t, 255 * 8, 1, &value));
	assert_true(ws_ports_in(t, 99 * 8, 1, &value));
	assert_int_equal(value, 0x77);
	/* A row that was given back is used again. */
	ws_ports_remove(t, &other);
	assert_false(ws_ports_in(t, 99 * 8, 1, &value));
	assert_int_equal(ws_ports_add_latch(t, 0x8000, 4), 0);
	assert_int_equal(ws_ports_add_latch(t, 0x8004, 4), -WS_ENOSPC);
}

static void test_split(void **state)
{
	struct ws_port_table *t = *state;
	struct memory a = { .bytes = { 1, 2, 3, 4, 5, 6, 7, 8 } };
	struct memory b = { .bytes = { 0x81, 0x82 } };
	static const struct ws_region two = { "two", 0, 2, WS_SIZE_1, 0, memory_read, NULL };
	u32 value;

	assert_int_equal(ws_ports_add(t, bytes8, 1, 0x300, &a), 0);
	assert_int_equal(ws_ports_add(t, &two, 1, 0x308, &b), 0);

	assert_true(ws_ports_in(t, 0x300, 4, &value));
	assert_int_equal(value, 0x04030201);
	assert_int_equal(a.reads, 4);
	assert_int_equal(a.last_offset, 3);
	assert_int_equal(a.last_size, 1);

	/* Across two devices, and over the end of the second one. */
	assert_true(ws_ports_in(t, 0x307, 2, &value));
	assert_int_equal(value, 0x8108);
	assert_true(ws_ports_in(t, 0x309, 4, &value));
	assert_int_equal(value, 0xffffff82);
	/* The first bytes are nobody's. */
	assert_true(ws_ports_in(t, 0x2fe, 4, &value));
	assert_int_equal(value, 0x0201ffff);
	assert_false(ws_ports_in(t, 0x2fc, 4, &value));

	assert_true(ws_ports_out(t, 0x2fe, 4, 0x44332211));
	assert_int_equal(a.bytes[0], 0x33);
	assert_int_equal(a.bytes[1], 0x44);
	assert_int_equal(a.writes, 2);
	/* No write handler: ignored, but handled. */
	assert_true(ws_ports_out(t, 0x308, 2, 0xffff));
	assert_int_equal(b.bytes[0], 0x81);
}

static void test_whole(void **state)
{
	static const struct ws_region word = {
		"word", 16, 4, WS_SIZE_2, 0, memory_read, memory_write
	};
	static const struct ws_region odd = { "odd", 32, 4, WS_SIZE_4, 0, rubbish_read, NULL };
	static const struct ws_region wo = { "wo", 36, 4, WS_SIZE_4, 0, NULL, NULL };
	struct ws_port_table *t = *state;
	struct memory m = { .bytes = { 1, 2, 3, 4, 5, 6, 7, 8 } };
	u32 value;

	assert_int_equal(ws_ports_add(t, wide, 1, 0x400, &m), 0);
	assert_int_equal(ws_ports_add(t, &word, 1, 0x400, &m), 0);
	assert_int_equal(ws_ports_add(t, &odd, 1, 0x400, &m), 0);
	assert_int_equal(ws_ports_add(t, &wo, 1, 0x400, &m), 0);

	assert_true(ws_ports_in(t, 0x401, 4, &value));
	assert_int_equal(value, 0x05040302);
	assert_int_equal(m.reads, 1);
	/* One byte too far: in bytes. */
	assert_true(ws_ports_in(t, 0x405, 4, &value));
	assert_int_equal(value, 0xff080706);
	assert_int_equal(m.reads, 4);

	/* A row without byte access has none in a split either. */
	assert_true(ws_ports_in(t, 0x410, 2, &value));
	assert_int_equal(value, 0x0201);
	assert_true(ws_ports_in(t, 0x410, 4, &value));
	assert_int_equal(value, 0xffffffff);
	assert_true(ws_ports_in(t, 0x410, 1, &value));
	assert_int_equal(value, 0xff);
	m.writes = 0;
	assert_true(ws_ports_out(t, 0x410, 1, 0x12));
	assert_int_equal(m.writes, 0);

	assert_true(ws_ports_in(t, 0x420, 4, &value));
	assert_int_equal(value, 0xa5a5a5a5);
	assert_true(ws_ports_in(t, 0x424, 4, &value));
	assert_int_equal(value, 0xffffffff);
	assert_true(ws_ports_out(t, 0x424, 4, 1));
}

static void test_latch(void **state)
{
	struct ws_port_table *t = *state;
	unsigned int size;
	u32 value, *latch;

	assert_int_equal(ws_ports_add_latch(t, 0x80, 1), 0);
	assert_int_equal(ws_ports_add_latch(t, 0x90, 2), 0);
	assert_int_equal(ws_ports_add_latch(t, 0xa0, 4), 0);
	assert_int_equal(ws_ports_add_latch(t, 0xffff, 1), 0);
	assert_int_equal(ws_ports_add_latch(t, 0, 1), 0);

	/* Only the port and the size of the latch are the latch. */
	for (size = 1; size <= 4; size *= 2) {
		u32 port;

		for (port = 0; port < 65536; port++) {
			latch = ws_port_latch(t, port, size);
			if ((port == 0x80 && size == 1) || (port == 0x90 && size == 2) ||
			    (port == 0xa0 && size == 4) || (port == 0xffff && size == 1) ||
			    (port == 0 && size == 1))
				assert_non_null(latch);
			else
				assert_null(latch);
		}
	}
	*ws_port_latch(t, 0xa0, 4) = 0xdeadbeef;
	assert_true(ws_ports_in(t, 0xa0, 4, &value));
	assert_int_equal(value, 0xdeadbeef);

	assert_true(ws_ports_out(t, 0x80, 1, 0x1234));
	assert_int_equal(*ws_port_latch(t, 0x80, 1), 0x34);
	/* A word there is two bytes, of which one is the latch's. */
	assert_true(ws_ports_out(t, 0x80, 2, 0x5678));
	assert_true(ws_ports_in(t, 0x80, 2, &value));
	assert_int_equal(value, 0xff78);
	/* A byte of a wider latch is nobody's. */
	assert_true(ws_ports_out(t, 0x90, 2, 0x4321));
	assert_true(ws_ports_out(t, 0x90, 1, 0x99));
	assert_true(ws_ports_in(t, 0x91, 1, &value));
	assert_int_equal(value, 0xff);
	assert_true(ws_ports_in(t, 0x90, 2, &value));
	assert_int_equal(value, 0x4321);
}

/* The key of a latch against EXITINFO1 as SVM gives it. */
static void test_latch_key(void **state)
{
	u32 key = ws_port_latch_key(0x80, 1);
	u32 out = 0x80u << 16 | 1 << 4, other;
	unsigned int bit;

	assert_int_equal((out | 2 << 7) & WS_PORT_KEY_MASK, key);	/* 32-bit addresses */
	assert_int_equal((out | 1) & WS_PORT_KEY_MASK, key | WS_PORT_KEY_IN);
	for (bit = 0; bit < 32; bit++) {
		other = out ^ 1u << bit;
		if ((1u << bit) & WS_PORT_KEY_MASK)
			assert_int_not_equal(other & WS_PORT_KEY_MASK, key);
	}
}

/* Against a flat model: who owns each byte, and what it holds. */
static void test_random(void **state)
{
	enum { SPAN = 256, DEVICES = 8 };
	struct ws_port_table *t = *state;
	static struct ws_region rows[DEVICES];
	static struct memory memory[DEVICES];
	int owner[SPAN + 4], i, step, d;
	u64 seed = 88172645463325252ull;

	for (i = 0; i < SPAN + 4; i++)
		owner[i] = -1;
	for (step = 0; step < 100000; step++) {
		unsigned int r = unit_random(&seed);
		u32 port = r >> 8 & (SPAN - 1), size = 1 << (r >> 4 & 3) % 3, value, want = 0;
		bool taken = false, any = false;
		u32 len = 1 + (r >> 16) % 32;

		d = (r >> 24) % DEVICES;
		switch (r & 15) {
		case 0:
			ws_ports_remove(t, &memory[d]);
			for (i = 0; i < SPAN; i++)
				if (owner[i] == d)
					owner[i] = -1;
			rows[d].len = 0;
			break;
		case 1:
			if (rows[d].len || port + len > SPAN)
				break;
			for (i = port; i < (int)(port + len); i++)
				taken |= owner[i] >= 0;
			rows[d] = (struct ws_region){
				"row", port, len, 1 | (r >> 21 & 6), 0, memory_read, memory_write
			};
			assert_int_equal(ws_ports_add(t, &rows[d], 1, 0x8000, &memory[d]),
					 taken ? -WS_EEXIST : 0);
			for (i = port; !taken && i < (int)(port + len); i++)
				owner[i] = d;
			if (taken)
				rows[d].len = 0;
			break;
		default:
			value = unit_random(&seed) & ws_all_ones(size);
			for (i = 0; i < (int)size; i++) {
				d = owner[port + i];
				any |= d >= 0;
				if (d < 0) {
					want |= 0xffu << i * 8;
					continue;
				}
				want |= (u32)memory[d].bytes[port + i - rows[d].offset] << i * 8;
			}
			if (r & 8) {
				u32 got;

				assert_int_equal(ws_ports_in(t, 0x8000 + port, size, &got), any);
				if (any)
					assert_int_equal(got, want);
				break;
			}
			assert_int_equal(ws_ports_out(t, 0x8000 + port, size, value), any);
			for (i = 0; i < (int)size; i++) {
				d = owner[port + i];
				if (d >= 0)
					assert_int_equal(memory[d].bytes[port + i - rows[d].offset],
							 value >> i * 8 & 0xff);
			}
		}
	}
}

#define TABLE_TEST(f)	cmocka_unit_test_setup_teardown(f, table_new, table_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(test_nobody),
		TABLE_TEST(test_add_refuses),
		TABLE_TEST(test_edges),
		TABLE_TEST(test_overlap),
		TABLE_TEST(test_full),
		TABLE_TEST(test_split),
		TABLE_TEST(test_whole),
		TABLE_TEST(test_latch),
		TABLE_TEST(test_latch_key),
		TABLE_TEST(test_random),
	};

	return cmocka_run_group_tests_name("port_table", tests, NULL, NULL);
}
