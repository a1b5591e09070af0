// SPDX-License-Identifier: GPL-2.0-only
/*
 * exitbench - what does an exit cost?
 *
 * Each test is a guest that does one thing over and over; what so many rounds
 * more take is divided by them. In the lab with --icount one nanosecond is one
 * instruction, and so is a tick of the TSC in Bochs, so the figure is an exact
 * count of what guest and host executed. The least of some repeats is taken:
 * ticks of the host's own clock come on top of the others.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "exitbench.h"

#define PORT_USER	0x99	/* a port that nobody in either kernel serves */
#define PORT_END	0x9a	/* likewise: the guest is done */
#define TOUCH_BASE	0x100000
#define ROUNDS		3000
#define TSC_ROUNDS	64	/* that fit between two of the host's ticks */

static const struct hypervisor *const hypervisors[] = {
	&worldswitch_hypervisor,
	&kvm_hypervisor,
};

enum where {
	IN_VMM,
	IN_LATCH,	/* the VMM, if this hypervisor has latches; else outside */
	OUTSIDE,	/* this process */
	IN_LANCE,	/* the VMM, if it has a Lance; else there is no such test */
};

/**
 * struct test - one guest
 * @name: in the output
 * @help: what one round is
 * @body: the code of a round, in 32-bit mode; must keep ESI and EDI
 * @len: bytes of @body
 * @where: who serves the port, and must have
 */
struct test {
	const char *name;
	const char *help;
	const uint8_t *body;
	size_t len;
	enum where where;
};

#define BODY(...)	(const uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ })

static const struct test tests[] = {
	{ "none", "nothing: the loop itself", BODY(0x90), IN_VMM },
	{ "latch-out", "OUT 80h, a latch", BODY(0xe6, 0x80), IN_LATCH },
	{ "latch-in", "IN 80h", BODY(0xe4, 0x80), IN_LATCH },
	{ "pic-out", "OUT 21h, the PIC's mask", BODY(0xe6, 0x21), IN_VMM },
	{ "pic-in", "IN 21h", BODY(0xe4, 0x21), IN_VMM },
	{ "user-out", "OUT 99h, to this process and back", BODY(0xe6, PORT_USER), OUTSIDE },
	{ "user-in", "IN 99h, likewise", BODY(0xe4, PORT_USER), OUTSIDE },
	{ "lance-out", "OUT to CSR0 of the Lance",
	  BODY(0x66, 0xba, 0x10, 0xc0,		/* mov dx, RDP */
	       0xb8, 0x40, 0, 0, 0,		/* mov eax, IENA */
	       0x66, 0xef), IN_LANCE },	/* out dx, ax */
	{ "lance-in", "IN from CSR0",
	  BODY(0x66, 0xba, 0x10, 0xc0,		/* mov dx, RDP */
	       0x66, 0xed), IN_LANCE },	/* in ax, dx */
	{ "rap-out", "OUT to RAP, its address port",
	  BODY(0x66, 0xba, 0x12, 0xc0,		/* mov dx, RAP */
	       0x66, 0xef), IN_LANCE },	/* out dx, ax */
	{ "cpuid", "CPUID leaf 0",
	  BODY(0x31, 0xc0,			/* xor eax, eax */
	       0x0f, 0xa2), IN_VMM },	/* cpuid */
	{ "touch", "first write to a 4 KiB page",
	  BODY(0x89, 0x37,			/* mov [edi], esi */
	       0x81, 0xc7, 0, 0x10, 0, 0),	/* add edi, 4096 */
	  IN_VMM },
};

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

void die(const char *format, ...)
{
	int error = errno;
	va_list args;

	fputs("exitbench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, error ? ": %s\n" : "\n", strerror(error));
	exit(1);
}

static bool by_tsc;	/* --tsc */

size_t exitbench_memory = 32 << 20;

static uint64_t now(void)
{
	struct timespec t;

	if (by_tsc)
		return __builtin_ia32_rdtsc();
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* The page tables of the host are filled: "touch" is about the guest's only. */
static void *new_memory(void)
{
	void *memory = mmap(NULL, exitbench_memory, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("%zu MiB of memory for the guest", exitbench_memory >> 20);
	/* EINVAL: this kernel has no huge pages. */
	if (madvise(memory, exitbench_memory, MADV_NOHUGEPAGE) && errno != EINVAL)
		die("asking for small pages");
	memset(memory, 0xf4, exitbench_memory);
	return memory;
}

static void assemble(uint8_t *code, const struct test *test)
{
	const uint32_t base = TOUCH_BASE;

	*code++ = 0xbf;			/* mov edi, base */
	memcpy(code, &base, 4);
	code += 4;
	memcpy(code, test->body, test->len);
	code += test->len;
	*code++ = 0x4e;			/* dec esi */
	*code++ = 0x75;			/* jnz body */
	*code++ = -(test->len + 3);
	*code++ = 0xe6;			/* out end, al */
	*code++ = PORT_END;
}

/**
 * struct cost - of all rounds of a loop
 * @time: nanoseconds, or ticks of the TSC
 * @exits: other than by host interrupts
 */
struct cost {
	uint64_t time;
	uint64_t exits;
};

static struct cost run_once(const struct hypervisor *hv, const struct test *test, uint32_t rounds)
{
	uint8_t *memory = new_memory();
	bool out = test->where == OUTSIDE || (test->where == IN_LATCH && !hv->latches);
	uint32_t expected = out ? rounds : 0;
	uint32_t outside = 0;
	struct cost cost;

	assemble(memory + EXITBENCH_ENTRY, test);
	hv->create(memory, rounds, test->where == IN_LANCE);
	cost.time = now();
	while (hv->run() != PORT_END)
		outside++;
	cost.time = now() - cost.time;
	cost.exits = hv->exits ? hv->exits() : 0;
	hv->destroy();
	munmap(memory, exitbench_memory);

	errno = 0;
	if (outside != expected)
		die("%s, %s: %u port accesses came out, not %u", hv->name, test->name,
		    outside, expected);
	return cost;
}

static struct cost least(const struct hypervisor *hv, const struct test *test, uint32_t rounds,
			 int repeats)
{
	struct cost best = { .time = UINT64_MAX };

	while (repeats--) {
		struct cost cost = run_once(hv, test, rounds);

		if (cost.time < best.time)
			best = cost;
	}
	return best;
}

/* What comes once, like the first faults, is the same with more rounds: it is taken off. */
static void run_test(const struct hypervisor *hv, const struct test *test, int repeats)
{
	uint32_t rounds = by_tsc ? TSC_ROUNDS : ROUNDS;
	struct cost once, twice;

	if (test->where == IN_LANCE && !hv->lance)
		return;
	once = least(hv, test, rounds, repeats);
	twice = least(hv, test, 2 * rounds, repeats);
	printf("%s\t%s\t%.1f", hv->name, test->name,
	       ((double)twice.time - once.time) / rounds);
	if (hv->exits)
		printf("\t%.2f", ((double)twice.exits - once.exits) / rounds);
	putchar('\n');
	fflush(stdout);
}

static const struct hypervisor *find_hypervisor(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(hypervisors); i++)
		if (!strcmp(hypervisors[i]->name, name))
			return hypervisors[i];
	errno = 0;
	die("no hypervisor is called %s; see exitbench --help", name);
}

static void usage(void)
{
	puts("usage: exitbench [--on worldswitch|kvm] [--repeat N] [--tsc] [TEST]...\n"
	     "Prints hypervisor, test, nanoseconds (ticks of the TSC) a round and, where it is known,\n"
	     "exits a round, separated by tabs. Tests:");
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		printf("  %-12s%s\n", tests[i].name, tests[i].help);
}

static bool wanted(const struct test *test, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, test->name))
			return true;
	return false;
}

static void check_names(char **names)
{
	for (; *names; names++) {
		size_t i = 0;

		while (i < ARRAY_SIZE(tests) && strcmp(*names, tests[i].name))
			i++;
		errno = 0;
		if (i == ARRAY_SIZE(tests))
			die("no test is called %s; see exitbench --help", *names);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "on", required_argument, NULL, 'o' },
		{ "repeat", required_argument, NULL, 'r' },
		{ "tsc", no_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	const struct hypervisor *hv = hypervisors[0];
	int repeats = 5, c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			hv = find_hypervisor(optarg);
			break;
		case 'r':
			repeats = atoi(optarg);
			errno = 0;
			if (repeats < 1 || repeats > 1000)
				die("--repeat wants a number from 1 to 1000");
			break;
		case 't':
			by_tsc = true;
			exitbench_memory = 2 << 20;	/* enough, and filling it takes time */
			break;
		case 'h':
			usage();
			return 0;
		default:
			return 1;
		}
	}
	check_names(argv + optind);
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		if (wanted(&tests[i], argv + optind))
			run_test(hv, &tests[i], repeats);
	return 0;
}
