// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl stat: the driver's counters of a VM. A file of sysfs is a counter;
 * which causes there are is the driver's business, not ours.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmctl.h"

/* The folders of counters in a VM's sysfs directory. */
static const struct {
	const char *dir;
	const char *title;
	bool total;		/* the sum means something */
} groups[] = {
	{ "exits", "exits, guest to VMM", true },
	{ "switches", "world switches, VMM to VMApp", true },
	{ "events", "events", false },
	{ "memory", "second-level page tables", false },
};

#define GROUPS VMCTL_ARRAY_SIZE(groups)

struct counter {
	char name[64];
	uint64_t value;
	double rate;		/* per second since the sample before */
};

struct sample {
	int64_t when_ms;
	struct {
		struct counter *counters;
		size_t n;
	} group[GROUPS];
};

struct stat_options {
	bool json;
	bool all;
	int interval_ms;	/* 0: once */
	long count;		/* 0: for ever */
};

static void free_sample(struct sample *s)
{
	for (size_t g = 0; g < GROUPS; g++)
		free(s->group[g].counters);
	*s = (struct sample){ };
}

static int is_visible(const struct dirent *e)
{
	return *e->d_name != '.';
}

/* Add the counter in @path/@name; a file that holds no number is none. */
static void add_counter(struct sample *s, size_t g, const char *path, const char *name)
{
	struct counter *c = &s->group[g].counters[s->group[g].n];
	char file[PATH_MAX], text[32], *end;

	if (snprintf(file, sizeof(file), "%s/%s", path, name) >= (int)sizeof(file) ||
	    vmctl_read_line(file, text, sizeof(text)) <= 0)
		return;
	errno = 0;
	c->value = strtoull(text, &end, 10);
	if (*end || errno || snprintf(c->name, sizeof(c->name), "%s", name) >=
	    (int)sizeof(c->name))
		return;
	s->group[g].n++;
}

static bool read_group(struct sample *s, size_t g, const char *vm_dir)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int n;

	if (snprintf(path, sizeof(path), "%s/%s", vm_dir, groups[g].dir) >= (int)sizeof(path))
		return false;
	n = scandir(path, &entries, is_visible, alphasort);
	if (n < 0)
		return false;
	s->group[g].counters = calloc(n + 1, sizeof(struct counter));
	for (int i = 0; i < n; i++) {
		if (s->group[g].counters)
			add_counter(s, g, path, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return s->group[g].counters;
}

/* Returns false when there is no counter at all (any more). */
static bool read_sample(struct sample *s, const char *vm_dir)
{
	bool any = false;

	s->when_ms = vmctl_now_ms();
	for (size_t g = 0; g < GROUPS; g++)
		any |= read_group(s, g, vm_dir);
	return any;
}

static const struct counter *find_counter(const struct sample *s, size_t g, const char *name)
{
	for (size_t i = 0; i < s->group[g].n; i++)
		if (!strcmp(s->group[g].counters[i].name, name))
			return &s->group[g].counters[i];
	return NULL;
}

static void compute_rates(struct sample *now, const struct sample *before)
{
	double seconds = (now->when_ms - before->when_ms) / 1000.0;

	for (size_t g = 0; seconds > 0 && g < GROUPS; g++) {
		for (size_t i = 0; i < now->group[g].n; i++) {
			struct counter *c = &now->group[g].counters[i];
			const struct counter *old = find_counter(before, g, c->name);

			if (old && c->value >= old->value)
				c->rate = (c->value - old->value) / seconds;
		}
	}
}

static int by_count(const void *a, const void *b)
{
	const struct counter *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return strcmp(x->name, y->name);
}

static void print_counter(const struct counter *c, bool rates)
{
	printf("  %-26s %14llu", c->name, (unsigned long long)c->value);
	if (rates)
		printf(" %12.1f", c->rate);
	putchar('\n');
}

static struct counter total_of(const struct sample *s, size_t g)
{
	struct counter total = { .name = "total" };

	for (size_t i = 0; i < s->group[g].n; i++) {
		total.value += s->group[g].counters[i].value;
		total.rate += s->group[g].counters[i].rate;
	}
	return total;
}

static void print_text(struct sample *s, bool rates, bool all)
{
	for (size_t g = 0; g < GROUPS; g++) {
		struct counter total = total_of(s, g);
		size_t n = s->group[g].n;

		if (!n || (!total.value && !all && !groups[g].total))
			continue;
		qsort(s->group[g].counters, n, sizeof(struct counter), by_count);
		printf("%-28s %14s%s\n", groups[g].title, "count", rates ? "   per second" : "");
		for (size_t i = 0; i < n; i++)
			if (s->group[g].counters[i].value || all)
				print_counter(&s->group[g].counters[i], rates);
		if (groups[g].total)
			print_counter(&total, rates);
	}
}

static void print_json(const struct sample *s, const char *name, bool rates)
{
	json_t *root = json_pack("{s:s, s:I}", "name", name, "time_ms", (json_int_t)s->when_ms);
	json_t *totals = json_object(), *per_second = json_object();

	for (size_t g = 0; g < GROUPS; g++) {
		json_t *counts = json_object(), *speeds = json_object();

		for (size_t i = 0; i < s->group[g].n; i++) {
			const struct counter *c = &s->group[g].counters[i];

			json_object_set_new(counts, c->name, json_integer(c->value));
			json_object_set_new(speeds, c->name, json_real(c->rate));
		}
		json_object_set_new(root, groups[g].dir, counts);
		json_object_set_new(per_second, groups[g].dir, speeds);
		if (groups[g].total)
			json_object_set_new(totals, groups[g].dir,
					    json_integer(total_of(s, g).value));
	}
	json_object_set_new(root, "totals", totals);
	if (rates)
		json_object_set(root, "per_second", per_second);
	json_decref(per_second);
	json_dumpf(root, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(root);
}

/* Sleep until the next sample is due. Returns false when the VM has ended. */
static bool wait_interval(const struct client *c, int64_t due)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	for (;;) {
		int64_t left = due - vmctl_now_ms();

		if (left <= 0)
			return true;
		if (poll(&p, 1, left) > 0)
			return false;
	}
}

static int print_samples(struct client *c, const char *vm_dir, const struct stat_options *o)
{
	struct sample before = { }, now = { };
	long left = o->count ? o->count : o->interval_ms ? 0 : 1;
	bool first = true;

	for (;;) {
		if (!read_sample(&now, vm_dir))
			break;
		if (!first)
			compute_rates(&now, &before);
		if (o->json)
			print_json(&now, c->name, !first);
		else
			print_text(&now, !first, o->all);
		fflush(stdout);
		free_sample(&before);
		before = now;
		now = (struct sample){ };
		first = false;
		if (ferror(stdout) || (left && !--left))
			break;
		if (!wait_interval(c, before.when_ms + o->interval_ms))
			break;
		if (!o->json)
			putchar('\n');
	}
	free_sample(&now);
	free_sample(&before);
	if (first)
		return vmctl_fail("stat", "is this vmdriver of another version?",
				  "no counters in %s", vm_dir);
	return VMCTL_OK;
}

static int parse(int argc, char **argv, struct stat_options *o)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "all", no_argument, NULL, 'a' },
		{ "interval", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'n' },
		{ }
	};
	char *end;
	int opt;

	while ((opt = vmctl_getopt(argc, argv, options)) != -1) {
		switch (opt) {
		case 'j':
			o->json = true;
			break;
		case 'a':
			o->all = true;
			break;
		case 'i':
			o->interval_ms = vmctl_seconds(argv[0], "--interval", optarg);
			if (o->interval_ms < 0)
				return VMCTL_USAGE;
			break;
		case 'n':
			o->count = strtol(optarg, &end, 10);
			if (end == optarg || *end || o->count < 1 || o->count > 1000000000)
				return vmctl_usage(argv[0], "--count '%s' is not a number above 0",
						   optarg);
			break;
		default:
			return VMCTL_USAGE;
		}
	}
	if (o->count && !o->interval_ms)
		o->interval_ms = 1000;
	return vmctl_operands(argc, argv, 1, 1, "the VM's NAME");
}

int cmd_stat(int argc, char **argv)
{
	struct stat_options o = { };
	char vm_dir[PATH_MAX];
	struct client c;
	int err;

	err = parse(argc, argv, &o);
	if (!err)
		err = client_open(&c, argv[0], argv[optind]);
	if (err)
		return err;
	if (client_sysfs(&c, argv[0], vm_dir, sizeof(vm_dir)))
		err = print_samples(&c, vm_dir, &o);
	else
		err = VMCTL_FAILED;
	client_close(&c);
	return err;
}
