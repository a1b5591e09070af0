// SPDX-License-Identifier: GPL-2.0-only
/* nettest: the command line. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "nettest.h"

#define USAGE_ERROR	2

const struct nt_mode nt_modes[NT_OPS] = {
	[NT_SEND] = {
		"send", "TCP, from here to HOST", .sha256 = true,
		.size_min = 1, .size_max = NT_MAX_TCP_SIZE, .size_default = 4096,
		.amount_max = NT_MAX_BYTES, .amount_default = 100 << 20,
		.client = tcp_source, .server = tcp_sink,
	},
	[NT_RECEIVE] = {
		"receive", "TCP, from HOST to here", .sha256 = true,
		.size_min = 1, .size_max = NT_MAX_TCP_SIZE, .size_default = 4096,
		.amount_max = NT_MAX_BYTES, .amount_default = 100 << 20,
		.client = tcp_sink, .server = tcp_source,
	},
	[NT_UDP_SEND] = {
		"udp-send", "datagrams, from here to HOST", .udp = true,
		.size_min = 8, .size_max = 65507, .size_default = 64,
		.amount_max = NT_MAX_COUNT, .amount_default = 10000,
		.client = udp_source, .server = udp_sink,
	},
	[NT_UDP_RECEIVE] = {
		"udp-receive", "datagrams, from HOST to here", .udp = true,
		.size_min = 8, .size_max = 65507, .size_default = 64,
		.amount_max = NT_MAX_COUNT, .amount_default = 10000,
		.client = udp_sink, .server = udp_source,
	},
	[NT_RR] = {
		"rr", "TCP, requests and as long responses, one at a time",
		.size_min = 1, .size_max = 65536, .size_default = 1,
		.amount_max = NT_MAX_COUNT, .amount_default = 10000,
		.client = tcp_ask, .server = tcp_echo,
	},
	[NT_UDP_RR] = {
		"udp-rr", "the same in datagrams", .udp = true,
		.size_min = 8, .size_max = 65507, .size_default = 64,
		.amount_max = NT_MAX_COUNT, .amount_default = 10000,
		.client = udp_ask, .server = udp_echo,
	},
};

static const char usage[] =
"usage: nettest serve [--port N]\n"
"       nettest MODE HOST [OPTION]...\n"
"\n"
"HOST is the IPv4 or IPv6 address of a machine that runs nettest serve. MODE is\n";

static const char options[] =
"\n"
"  --port N	the server's port (default: 7333; serve: 0 is any that is free)\n"
"  --bytes N	how much data: send, receive (default: 100M; K, M, G are 1024^n)\n"
"  --count N	how many datagrams or round trips (default: 10000)\n"
"  --size N	bytes in a write or read (default: 4096), in a datagram (8 to\n"
"		65507, default: 64), in a request (default: 1)\n"
"  --rate N	datagrams a second (default: as many as go)\n"
"  --blind	udp-send to HOST's --port, where nobody need be; counts what is sent\n"
"  --sha256	compare a checksum of the data between both ends: send, receive\n"
"  --seed N	of the data (default: 1)\n"
"  --timeout S	give up after S seconds without progress (default: 30)\n"
"  --json	the result as one line of JSON\n"
"\n"
"The exit status is 0 when all data has come through unchanged (lost datagrams\n"
"are only counted), 1 when it has not or there was no connection, and 2 when the\n"
"arguments are wrong. Mb/s are 1,000,000 bits a second.\n";

int nt_fail(const char *format, ...)
{
	va_list args;
	char line[512];

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fprintf(stderr, "nettest: %s\n", line);
	return -1;
}

static void print_usage(FILE *out)
{
	size_t i;

	fputs(usage, out);
	for (i = 0; i < NT_OPS; i++)
		fprintf(out, "  %-12s	%s\n", nt_modes[i].name, nt_modes[i].help);
	fputs(options, out);
}

/* What was asked for; an op of NT_OPS is the server. */
struct arguments {
	struct nt_test test;
	const char *host;
	uint64_t port;
	uint64_t timeout;
	uint64_t size;
	uint64_t rate;
	uint64_t seed;
	bool json;
};

static int parse_number(const char *option, const char *text, uint64_t min, uint64_t max,
			uint64_t *value)
{
	static const char suffixes[] = "KMG";
	const char *suffix;
	char *end;
	int shift = 0;

	errno = 0;
	*value = strtoull(text, &end, 10);
	suffix = *end ? strchr(suffixes, *end) : NULL;
	if (suffix) {
		shift = (suffix - suffixes + 1) * 10;
		end++;
	}
	/* strtoull() itself would take blanks and signs. */
	if (*text < '0' || *text > '9' || *end || errno || *value > UINT64_MAX >> shift ||
	    *value << shift < min || *value << shift > max)
		return nt_fail("%s wants a number from %llu to %llu, not \"%s\"", option,
			       (unsigned long long)min, (unsigned long long)max, text);
	*value <<= shift;
	return 0;
}

/* Takes the option at @argv; the number of its words, or -1. */
static int parse_option(struct arguments *args, char **argv)
{
	bool server = args->test.op == NT_OPS;
	const struct nt_mode *mode = server ? NULL : &nt_modes[args->test.op];
	const struct {
		const char *name;
		bool applies;
		uint64_t min, max;
		uint64_t *value;
	} numbers[] = {
		{ "--port", true, server ? 0 : 1, 65535, &args->port },
		{ "--bytes", mode && mode->sha256, 1, NT_MAX_BYTES, &args->test.amount },
		{ "--count", mode && !mode->sha256, 1, NT_MAX_COUNT, &args->test.amount },
		{ "--size", mode, mode ? mode->size_min : 0, mode ? mode->size_max : 0,
		  &args->size },
		{ "--rate", mode && mode->udp && args->test.op != NT_UDP_RR, 1, NT_MAX_RATE, &args->rate },
		{ "--seed", mode, 0, UINT32_MAX, &args->seed },
		{ "--timeout", mode, 1, 86400, &args->timeout },
	}, *number;

	for (number = numbers; number < numbers + sizeof(numbers) / sizeof(*numbers); number++) {
		if (strcmp(*argv, number->name) || !number->applies)
			continue;
		if (!argv[1])
			return nt_fail("%s wants a value", *argv);
		return parse_number(*argv, argv[1], number->min, number->max, number->value) ?
		       -1 : 2;
	}
	if (mode && !strcmp(*argv, "--json")) {
		args->json = true;
		return 1;
	}
	if (mode && mode->sha256 && !strcmp(*argv, "--sha256")) {
		args->test.flags |= NT_SHA256;
		return 1;
	}
	if (mode && args->test.op == NT_UDP_SEND && !strcmp(*argv, "--blind")) {
		args->test.flags |= NT_BLIND;
		return 1;
	}
	return nt_fail("%s has no option %s; see nettest --help", mode ? mode->name : "serve",
		       *argv);
}

static int parse(struct arguments *args, char **argv)
{
	uint32_t op;
	int words;

	for (op = 0; op < NT_OPS && strcmp(*argv, nt_modes[op].name); op++)
		;
	if (op == NT_OPS && strcmp(*argv, "serve"))
		return nt_fail("there is no mode \"%s\"; see nettest --help", *argv);
	*args = (struct arguments){
		.test = { .op = op }, .port = NT_PORT, .timeout = NT_TIMEOUT, .seed = 1,
	};
	if (op < NT_OPS) {
		args->test.amount = nt_modes[op].amount_default;
		args->size = nt_modes[op].size_default;
	}

	while (*++argv) {
		while (**argv == '-') {
			words = parse_option(args, argv);
			if (words < 0)
				return -1;
			argv += words;
			if (!*argv)
				goto done;
		}
		if (op == NT_OPS)
			return nt_fail("serve takes no address, only --port; not \"%s\"", *argv);
		if (args->host)
			return nt_fail("one HOST only, not %s and %s", args->host, *argv);
		args->host = *argv;
	}
done:
	if (op < NT_OPS && !args->host)
		return nt_fail("whom to? nettest %s HOST [OPTION]...", nt_modes[op].name);
	args->test.size = args->size;
	args->test.rate = args->rate;
	args->test.seed = args->seed;
	return 0;
}

int main(int argc, char **argv)
{
	struct arguments args;

	if (argc < 2) {
		print_usage(stderr);
		return USAGE_ERROR;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_usage(stdout);
		return 0;
	}
	if (parse(&args, argv + 1))
		return USAGE_ERROR;
	if (args.test.op == NT_OPS) {
		nt_serve(args.port);
		return 1;
	}
	/* Early in a boot there may be no randomness yet; the time will do. */
	if (getrandom(&args.test.token, sizeof(args.test.token), GRND_NONBLOCK) < 0)
		args.test.token = nt_now();
	return nt_client(args.host, args.port, &args.test, args.timeout * 1000, args.json);
}
