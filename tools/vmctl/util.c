// SPDX-License-Identifier: GPL-2.0-only
/* vmctl: one form for errors, options and output. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vmctl.h"

static void put_sanitized(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char ch = *text;

		/* U+0080 to U+009F, two bytes in UTF-8, control terminals as well. */
		if (ch == 0xc2 && (text[1] & 0xe0) == 0x80) {
			text++;
			ch = '?';
		}
		putc(ch < ' ' || ch == 0x7f ? '?' : ch, out);
	}
}

void vmctl_puts(const char *text)
{
	put_sanitized(stdout, text);
}

__attribute__((format(printf, 3, 0)))
static void complain(const char *what, const char *remedy, const char *cause, va_list args)
{
	char line[1024];

	/* Causes quote names and other processes' words: keep it one line. */
	vsnprintf(line, sizeof(line), cause, args);
	fputs("vmctl: ", stderr);
	if (what)
		fprintf(stderr, "%s: ", what);
	put_sanitized(stderr, line);
	if (remedy) {
		fputs("; ", stderr);
		put_sanitized(stderr, remedy);
	}
	putc('\n', stderr);
}

int vmctl_fail(const char *what, const char *remedy, const char *cause, ...)
{
	va_list args;

	va_start(args, cause);
	complain(what, remedy, cause, args);
	va_end(args);
	return VMCTL_FAILED;
}

int vmctl_usage(const char *what, const char *cause, ...)
{
	char remedy[64];
	va_list args;

	snprintf(remedy, sizeof(remedy), "see 'vmctl help%s%s'", what ? " " : "",
		 what ? what : "");
	va_start(args, cause);
	complain(what, remedy, cause, args);
	va_end(args);
	return VMCTL_USAGE;
}

int vmctl_getopt(int argc, char **argv, const struct option *options)
{
	int opt;

	opterr = 0;
	opt = getopt_long(argc, argv, ":", options, NULL);
	if (opt == ':')
		vmctl_usage(argv[0], "option '%s' needs a value", argv[optind - 1]);
	else if (opt == '?')
		vmctl_usage(argv[0], "'%s' is not an option of it", argv[optind - 1]);
	return opt == ':' ? '?' : opt;
}

int vmctl_operands(int argc, char **argv, int min, int max, const char *name)
{
	int n = argc - optind;

	if (n < min)
		return vmctl_usage(argv[0], "%s is missing", name);
	if (n > max)
		return vmctl_usage(argv[0], "'%s' is one argument too many", argv[optind + max]);
	return 0;
}

int vmctl_seconds(const char *command, const char *option, const char *text)
{
	char *end;
	double s;

	errno = 0;
	s = strtod(text, &end);
	if (end == text || *end || errno || !isfinite(s) || s < 0.001 || s > 86400) {
		vmctl_usage(command, "%s '%s' is not a number of seconds up to 86400",
			    option, text);
		return -1;
	}
	return (int)(s * 1000);
}

int64_t vmctl_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

void vmctl_print_json(json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(json);
}

void vmctl_uptime(char *buf, size_t size, double seconds)
{
	/* The number comes from another process: keep it convertible. */
	unsigned long s = seconds > 0 && seconds < 1e12 ? (unsigned long)seconds : 0;
	int n = 0;

	if (s >= 86400)
		n = snprintf(buf, size, "%lud ", s / 86400);
	snprintf(buf + n, size - n, "%02lu:%02lu:%02lu", s / 3600 % 24, s / 60 % 60, s % 60);
}

ssize_t vmctl_read_line(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	buf[n] = '\0';
	n = strcspn(buf, "\n");
	buf[n] = '\0';
	return n;
}

bool vmctl_find_vmapp(char *path, size_t size)
{
	static const char * const places[] = {
		"../libexec/worldswitch/vmapp",	/* installed */
		"../vmapp/vmapp",		/* in the build tree */
	};
	const char *named = getenv("WS_VMAPP");
	char self[PATH_MAX];
	ssize_t n;

	if (named && *named)
		return snprintf(path, size, "%s", named) < (int)size && !access(path, X_OK);

	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return false;
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < VMCTL_ARRAY_SIZE(places); i++)
		if (snprintf(path, size, "%s/%s", self, places[i]) < (int)size &&
		    !access(path, X_OK))
			return true;
	return false;
}
