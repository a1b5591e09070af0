// SPDX-License-Identifier: GPL-2.0-only
/* The parallel port: register by register, and a file as its printer. */
#include "unit.h"

#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

#include "vmapp/parallel.h"

static struct parallel par;
static bool level;
static unsigned int edges;
static char path[] = "/tmp/parportXXXXXX";

static void set_irq(void *ctx, unsigned int irq, bool up)
{
	assert_int_equal(irq, PARPORT_LPT1_IRQ);
	level = up;
	edges += up;
}

static void put(u32 reg, u8 val)
{
	parport_regions[0].write(&par.port, reg, 1, val);
}

static u8 get(u32 reg)
{
	return (u8)parport_regions[0].read(&par.port, reg, 1);
}

/* As a driver does it. */
static void print(u8 byte)
{
	put(0, byte);
	put(2, 0x0d);
	put(2, 0x0c);
}

static bool printed(const char *text)
{
	char buf[64] = "";
	FILE *f = fopen(path, "r");
	size_t n = fread(buf, 1, sizeof(buf) - 1, f);

	fclose(f);
	return n == strlen(text) && !memcmp(buf, text, n);
}

static int setup(void **state)
{
	struct vmx config;
	struct error err;
	char key[64];

	strcpy(path, "/tmp/parportXXXXXX");
	close(mkstemp(path));
	vmx_init(&config);
	snprintf(key, sizeof(key), "parallel0.fileName=%s", path);
	assert_int_equal(vmx_override(&config, key, &err), 0);
	assert_int_equal(vmx_override(&config, "parallel0.present=TRUE", &err), 0);
	memset(&par, 0, sizeof(par));
	par.port.irq = (struct dev_irq){ set_irq, NULL, PARPORT_LPT1_IRQ, false };
	assert_int_equal(parallel_open(&par, &config, &err), 0);
	parport_reset(&par.port);
	edges = 0;
	vmx_free(&config);
	return 0;
}

static int teardown(void **state)
{
	parallel_close(&par);
	unlink(path);
	return 0;
}

/* How BIOSes and drivers find one: both latches hold what they are given. */
static void test_registers(void **state)
{
	put(0, 0xaa);
	assert_int_equal(get(0), 0xaa);
	put(0, 0x55);
	assert_int_equal(get(0), 0x55);
	put(2, 0xff & ~PARPORT_STROBE);
	assert_int_equal(get(2), 0xfe);
	put(2, 0x0c);
	assert_int_equal(get(2), 0xec);
	assert_int_equal(get(1), 0xdf);
	assert_true(printed(""));
}

static void test_print(void **state)
{
	print('a');
	assert_int_equal(get(1), 0x9f);		/* acknowledged: once */
	assert_int_equal(get(1), 0xdf);
	print(0xff);
	put(0, 'x');
	put(2, 0x0d);
	put(2, 0x0d);				/* no second edge */
	assert_true(printed("a\xffx"));
	put(2, 0x09);				/* it is being initialized */
	put(2, 0x08);
	put(2, 0x09);
	assert_true(printed("a\xffx"));
	assert_int_equal(edges, 0);
}

static void test_irq(void **state)
{
	put(0, 'a');
	put(2, 0x1d);
	assert_true(level);
	put(2, 0x1c);
	assert_true(level);
	get(1);
	assert_false(level);
	put(2, 0x1d);
	assert_int_equal(edges, 2);
	put(2, 0x0c);
	assert_false(level);
	put(2, 0x1c);
	assert_true(level);
	parport_reset(&par.port);
	assert_false(level);
	assert_int_equal(get(1), 0xdf);
}

/* What does not fit waits, and is printed when there is room again. */
static void test_full_disk(void **state)
{
	struct rlimit old, limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = old;
	limit.rlim_cur = 1;
	setrlimit(RLIMIT_FSIZE, &limit);
	print('a');
	get(1);
	print('b');
	assert_int_equal(get(1), PARPORT_NACK | PARPORT_PAPER_OUT | PARPORT_SELECTED | 7);
	print('c');				/* nobody takes it */
	assert_true(printed("a"));
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(get(1), 0x9f);
	assert_true(printed("ab"));
	print('c');
	assert_true(printed("abc"));
	par.port.out_of_paper = true;
	put(2, 0x08);				/* a printer that is initialized forgets */
	assert_int_equal(get(1), 0x9f);
	assert_true(printed("abc"));
}

static void test_config(void **state)
{
	struct parallel p;
	struct vmx config;
	struct error err;

	vmx_init(&config);
	assert_int_equal(parallel_open(&p, &config, &err), 0);
	assert_int_equal(p.fd, -1);
	assert_int_equal(vmx_override(&config, "parallel0.present=TRUE", &err), 0);
	assert_int_equal(parallel_open(&p, &config, &err), -1);
	assert_non_null(strstr(err.text, "parallel0.fileName"));
	assert_int_equal(vmx_override(&config, "parallel0.fileName=/none/x", &err), 0);
	assert_int_equal(parallel_open(&p, &config, &err), -1);
	assert_non_null(strstr(err.text, "/none/x"));
	vmx_free(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_registers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_print, setup, teardown),
		cmocka_unit_test_setup_teardown(test_irq, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
		cmocka_unit_test(test_config),
	};

	return cmocka_run_group_tests_name("parport", tests, NULL, NULL);
}
