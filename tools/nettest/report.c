// SPDX-License-Identifier: GPL-2.0-only
/* What the client prints. */
#include <inttypes.h>
#include <string.h>

#include "nettest.h"

static void print_digest(FILE *out, const uint8_t *digest)
{
	int i;

	for (i = 0; i < SHA256_SIZE; i++)
		fprintf(out, "%02x", digest[i]);
}

static double per_second(double count, uint64_t ns)
{
	return ns ? count * 1e9 / ns : 0;
}

static double average_rtt(const struct nt_result *result)
{
	return result->received ? (double)result->ns / result->received : 0;
}

/* The numbers of a test, as both forms of the report show them. */
struct figures {
	const struct nt_test *test;
	const struct nt_result *source;
	const struct nt_result *sink;
	uint64_t ns;		/* the client's for TCP, for UDP the sink's */
};

static void report_tcp(FILE *out, const struct figures *f, bool json)
{
	double mbps = per_second(f->sink->bytes * 8 / 1e6, f->ns);

	if (json) {
		fprintf(out, "\"bytes\": %" PRIu64 ", \"seconds\": %.9f, \"mbps\": %.3f, "
			"\"writes\": %" PRIu64 ", \"reads\": %" PRIu64
			", \"retransmits\": %" PRIu64, f->sink->bytes, f->ns / 1e9, mbps, f->source->calls,
			f->sink->calls, f->source->retransmits);
		if (f->test->flags & NT_SHA256) {
			fputs(", \"sha256_source\": \"", out);
			print_digest(out, f->source->sha256);
			fputs("\", \"sha256_sink\": \"", out);
			print_digest(out, f->sink->sha256);
			putc('"', out);
		}
		return;
	}
	fprintf(out, "%" PRIu64 " bytes in %.3f s: %.2f Mb/s; %" PRIu64 " writes and %" PRIu64
		" reads of up to %u bytes, %" PRIu64 " segments sent again\n",
		f->sink->bytes, f->ns / 1e9, mbps, f->source->calls, f->sink->calls,
		f->test->size, f->source->retransmits);
	if (f->test->flags & NT_SHA256) {
		fputs("sha256 ", out);
		print_digest(out, f->source->sha256);
		fputs(" sent\nsha256 ", out);
		print_digest(out, f->sink->sha256);
		fputs(" received\n", out);
	}
}

static void report_udp(FILE *out, const struct figures *f, bool json)
{
	const struct nt_result *sink = f->sink;
	uint64_t lost = sink->sent > sink->received ? sink->sent - sink->received : 0;
	double pps = per_second(sink->received, f->ns);

	fprintf(out, json ? "\"sent\": %" PRIu64 ", \"received\": %" PRIu64 ", \"lost\": %" PRIu64
		", \"reordered\": %" PRIu64 ", \"duplicated\": %" PRIu64 ", \"corrupt\": %" PRIu64 :
		"sent %" PRIu64 ", received %" PRIu64 ", lost %" PRIu64
		", reordered %" PRIu64 ", duplicated %" PRIu64 ", corrupt %" PRIu64,
		sink->sent, sink->received, lost, sink->reordered, sink->duplicated,
		sink->corrupt);
	fprintf(out, json ? ", \"seconds\": %.9f, \"pps\": %.1f, \"mbps\": %.3f" :
		"\n%.3f s: %.1f packets a second, %.2f Mb/s received\n",
		f->ns / 1e9, pps, pps * f->test->size * 8 / 1e6);
}

static void report_blind(FILE *out, const struct figures *f, bool json)
{
	const struct nt_result *r = f->source;

	fprintf(out, json ? "\"sent\": %" PRIu64 ", \"seconds\": %.9f, \"pps\": %.1f" :
		"sent %" PRIu64 " in %.3f s: %.1f packets a second\n", r->sent, r->ns / 1e9,
		per_second(r->sent, r->ns));
}

static void report_rr(FILE *out, const struct figures *f, bool json)
{
	const struct nt_result *r = f->source;

	fprintf(out, json ? "\"count\": %" PRIu64 ", \"seconds\": %.9f, \"rate\": %.1f, "
		"\"rtt_us\": {\"average\": %.3f, \"min\": %.3f, \"max\": %.3f}, "
		"\"corrupt\": %" PRIu64 ", \"retransmits\": %" PRIu64 :
		"%" PRIu64 " round trips in %.3f s: %.1f a second; %.1f us on average, "
		"%.1f at least, %.1f at most; %" PRIu64 " corrupt, %" PRIu64 " segments sent again\n",
		r->received, r->ns / 1e9, per_second(r->received, r->ns), average_rtt(r) / 1e3,
		r->rtt_min / 1e3, r->rtt_max / 1e3, r->corrupt, r->retransmits);
}

void nt_report(FILE *out, const struct nt_end *end, bool json)
{
	const struct nt_mode *mode = &nt_modes[end->test->op];
	bool source = mode->client == tcp_source || mode->client == udp_source ||
		      mode->client == tcp_ask || mode->client == udp_ask;
	struct figures f = {
		.test = end->test,
		.source = source ? &end->mine : &end->theirs,
		.sink = source ? &end->theirs : &end->mine,
	};

	f.ns = mode->udp && end->test->op != NT_UDP_RR ? f.sink->ns : end->mine.ns;
	if (json)
		fprintf(out, "{\"mode\": \"%s\", \"size\": %u, ", mode->name, f.test->size);
	if (end->test->flags & NT_BLIND)
		report_blind(out, &f, json);
	else if (end->test->op == NT_RR || end->test->op == NT_UDP_RR)
		report_rr(out, &f, json);
	else if (mode->udp)
		report_udp(out, &f, json);
	else
		report_tcp(out, &f, json);
	if (json)
		fputs("}\n", out);
	fflush(out);
}
