// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl paper: the paper's comparison on a VM that runs. Whatever traffic it
 * has goes on, while one profile after the other is set for a while, and what a
 * packet cost in each is shown. The knobs are as before in the end.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "tune.h"
#include "vmctl.h"

#define SETTLE_MS	200	/* after the knobs were turned: what was under way is over */

/* What is counted; @packets both ways, of all NICs. */
struct reading {
	int64_t when_ms;
	uint64_t packets, exits, switches, interrupts, halted_ns, cpu_ticks;
};

struct paper {
	struct client *c;
	const char *dir;	/* of the VM in sysfs */
	struct genl *genl;
	int ms;			/* for each profile */
	json_t *rows;		/* NULL: as text */
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* ---- reading --------------------------------------------------------------- */

static uint64_t read_number(const char *dir, const char *folder, const char *name)
{
	char path[PATH_MAX], text[32];

	if (snprintf(path, sizeof(path), "%s/%s/%s", dir, folder, name) >= (int)sizeof(path) ||
	    vmctl_read_line(path, text, sizeof(text)) <= 0)
		return 0;
	return strtoull(text, NULL, 10);
}

/* Of all the counters in a folder. */
static uint64_t read_sum(const char *dir, const char *folder)
{
	char path[PATH_MAX];
	const struct dirent *e;
	uint64_t sum = 0;
	DIR *d;

	if (snprintf(path, sizeof(path), "%s/%s", dir, folder) >= (int)sizeof(path))
		return 0;
	d = opendir(path);
	if (!d)
		return 0;
	while ((e = readdir(d)))
		if (*e->d_name != '.')
			sum += read_number(dir, folder, e->d_name);
	closedir(d);
	return sum;
}

/* Of vmapp's process, all threads; the guest's time is in it. */
static uint64_t read_cpu(pid_t pid)
{
	char path[32], text[512], *end;
	unsigned long long user = 0, system = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (vmctl_read_line(path, text, sizeof(text)) <= 0)
		return 0;
	end = strrchr(text, ')');
	if (!end || sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
			   &user, &system) != 2)
		return 0;
	return user + system;
}

struct port_sum {
	uint32_t pid;
	uint64_t packets;
};

static void add_port(const struct nlmsghdr *msg, void *data)
{
	struct port_sum *sum = data;
	struct port_info info;

	port_info_parse(&info, msg);
	if (info.pid == sum->pid)
		sum->packets += info.counters[VMNET_TX_FRAMES] + info.counters[VMNET_RX_FRAMES];
}

static int take_reading(const struct paper *p, struct reading *r)
{
	struct port_sum sum = { .pid = p->c->pid };

	if (port_info_each(p->genl, NULL, add_port, &sum))
		return VMCTL_FAILED;
	*r = (struct reading){
		.when_ms = vmctl_now_ms(),
		.packets = sum.packets,
		.exits = read_sum(p->dir, "exits"),
		.switches = read_sum(p->dir, "switches"),
		.interrupts = read_number(p->dir, "events", "irq"),
		.halted_ns = read_number(p->dir, "events", "halt_ns"),
		.cpu_ticks = read_cpu(p->c->pid),
	};
	return VMCTL_OK;
}

/* ---- showing --------------------------------------------------------------- */

static double per_packet(uint64_t before, uint64_t after, uint64_t packets)
{
	return packets ? (double)(after - before) / packets : 0;
}

static void show(const struct paper *p, const char *profile, const struct reading *a,
		 const struct reading *b)
{
	double seconds = (b->when_ms - a->when_ms) / 1000.0;
	uint64_t packets = b->packets - a->packets;
	double rate = packets / seconds;
	double exits = per_packet(a->exits, b->exits, packets);
	double switches = per_packet(a->switches, b->switches, packets);
	double interrupts = per_packet(a->interrupts, b->interrupts, packets);
	double halted = (b->halted_ns - a->halted_ns) / seconds / 1e7;
	double cpu = (b->cpu_ticks - a->cpu_ticks) * 100.0 / sysconf(_SC_CLK_TCK) / seconds;

	if (p->rows) {
		json_array_append_new(p->rows, json_pack("{s:s,s:f,s:f,s:f,s:f,s:f,s:f,s:f}",
			"profile", profile, "seconds", seconds, "packets_per_second", rate,
			"exits", exits, "switches", switches, "interrupts", interrupts,
			"halted_percent", halted, "cpu_percent", cpu));
		return;
	}
	printf("%-20s %10.0f %8.2f %8.3f %8.3f %7.1f%% %6.1f%%\n", profile, rate, exits,
	       switches, interrupts, halted, cpu);
	fflush(stdout);
}

/* False when the VM or the user has ended it. */
static bool wait_ms(const struct paper *p, int ms)
{
	struct pollfd fd = { .fd = p->c->fd, .events = POLLIN };
	int64_t due = vmctl_now_ms() + ms, left;

	while (!interrupted && (left = due - vmctl_now_ms()) > 0)
		if (poll(&fd, 1, left) > 0)
			return false;
	return !interrupted;
}

static int measure(const struct paper *p)
{
	struct reading before, after;
	const char *profile;

	if (!p->rows)
		printf("%-20s %10s %8s %8s %8s %8s %7s\n", "", "packets/s", "exits", "switches",
		       "irqs", "halted", "CPU");
	for (size_t i = 0; (profile = tune_profile_name(i)); i++) {
		if (tune_set_profile(p->c, p->dir, profile))
			return VMCTL_FAILED;
		if (!wait_ms(p, SETTLE_MS) || take_reading(p, &before) || !wait_ms(p, p->ms) ||
		    take_reading(p, &after))
			return vmctl_fail("paper", NULL, "'%s' was measured up to profile %s only",
					  p->c->name, profile);
		show(p, profile, &before, &after);
	}
	return VMCTL_OK;
}

static int run(struct paper *p)
{
	const struct sigaction action = { .sa_handler = interrupt };
	static struct genl genl;
	struct tune_saved saved;
	int err;

	if (tune_save(p->dir, &saved))
		return VMCTL_FAILED;
	err = genl_open(&genl);
	if (err)
		return err;
	p->genl = &genl;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	err = measure(p);
	if (tune_restore(p->c, p->dir, &saved))
		err = VMCTL_FAILED;
	genl_close(&genl);
	return err;
}

int cmd_paper(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "seconds", required_argument, NULL, 's' },
		{ }
	};
	struct paper p = { .ms = 5000 };
	char dir[PATH_MAX];
	bool json = false;
	struct client c;
	int err, option;

	while ((option = vmctl_getopt(argc, argv, options)) != -1) {
		if (option == 's')
			p.ms = vmctl_seconds(argv[0], "--seconds", optarg);
		else if (option == 'j')
			json = true;
		if (p.ms < 0 || (option != 's' && option != 'j'))
			return VMCTL_USAGE;
	}
	err = vmctl_operands(argc, argv, 1, 1, "the VM's NAME");
	if (!err)
		err = client_open(&c, argv[0], argv[optind]);
	if (err)
		return err;
	p.c = &c;
	p.dir = dir;
	p.rows = json ? json_array() : NULL;
	err = client_sysfs(&c, argv[0], dir, sizeof(dir)) ? run(&p) : VMCTL_FAILED;
	if (p.rows)
		vmctl_print_json(p.rows);
	client_close(&c);
	return err;
}
