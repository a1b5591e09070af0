// SPDX-License-Identifier: GPL-2.0-only
#include "stats.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Subdirectories with counters, in the order in which they are printed. */
static const char *const groups[] = { "exits", "switches", "events" };

static void open_group(struct stats *s, const char *root, const char *group)
{
	char path[160];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", root, group);
	dir = opendir(path);
	if (!dir)
		return;
	while ((d = readdir(dir)) && s->n < STATS_MAX) {
		struct stats_counter *c = &s->counter[s->n];

		if (d->d_type != DT_REG || strlen(d->d_name) >= sizeof(c->name))
			continue;
		c->fd = openat(dirfd(dir), d->d_name, O_RDONLY | O_CLOEXEC);
		if (c->fd < 0)
			continue;
		snprintf(c->group, sizeof(c->group), "%s", group);
		snprintf(c->name, sizeof(c->name), "%s", d->d_name);
		s->n++;
	}
	closedir(dir);
}

void stats_open(struct stats *s, u32 id)
{
	char root[64];

	snprintf(root, sizeof(root), "/sys/class/vmdriver/vm%u", id);
	s->n = 0;
	for (size_t i = 0; i < WS_ARRAY_SIZE(groups); i++)
		open_group(s, root, groups[i]);
}

static int by_value(const void *a, const void *b)
{
	const struct stats_counter *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return strcmp(x->name, y->name);
}

void stats_print(struct stats *s, FILE *f)
{
	char text[32];

	for (unsigned int i = 0; i < s->n; i++) {
		ssize_t len = pread(s->counter[i].fd, text, sizeof(text) - 1, 0);

		text[len > 0 ? len : 0] = '\0';
		s->counter[i].value = strtoull(text, NULL, 10);
	}
	qsort(s->counter, s->n, sizeof(s->counter[0]), by_value);
	for (size_t g = 0; g < WS_ARRAY_SIZE(groups); g++) {
		unsigned long long sum = 0;

		for (unsigned int i = 0; i < s->n; i++)
			if (!strcmp(s->counter[i].group, groups[g]))
				sum += s->counter[i].value;
		if (!sum)
			continue;
		fprintf(f, "%-24s %14llu\n", groups[g], sum);
		for (unsigned int i = 0; i < s->n; i++)
			if (!strcmp(s->counter[i].group, groups[g]) && s->counter[i].value)
				fprintf(f, "  %-22s %14llu\n", s->counter[i].name,
					s->counter[i].value);
	}
}

void stats_close(struct stats *s)
{
	while (s->n)
		close(s->counter[--s->n].fd);
}
