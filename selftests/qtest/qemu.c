// SPDX-License-Identifier: GPL-2.0-only
/* A QEMU that does what it is told over the qtest protocol: see qemu.h. */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qemu.h"

#define BIOS_SIZE	0x10000
#define WIRE_FD		3
#define NIC_IRQ		10	/* where the PIIX3 is told to route it */
#define LINE_MAX_SIZE	(64 * 1024)

/* The reset vector stops the CPU for good: cli; hlt; jmp. */
static void write_bios(const char *path)
{
	static char image[BIOS_SIZE];
	FILE *f = fopen(path, "w");

	memset(image, 0x90, sizeof(image));
	memcpy(image + 0xfff0, "\xfa\xf4\xeb\xfd", 4);
	if (!f || fwrite(image, sizeof(image), 1, f) != 1 || fclose(f))
		err(1, "%s", path);
}

static void run(const struct qemu *q, int protocol, int wire, const char *bios, const char *disk)
{
	char drive[512] = "if=none,id=none";

	if (disk)
		snprintf(drive, sizeof(drive), "if=ide,format=raw,cache=unsafe,file=%s", disk);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(wire, WIRE_FD) < 0 || dup2(protocol, 0) < 0 || dup2(protocol, 1) < 0)
		_exit(126);
	execlp(QEMU_PROGRAM, QEMU_PROGRAM, "-machine", "pc,accel=tcg", "-m", "64",
	       "-rtc", "clock=vm,base=" QEMU_RTC_BASE,
	       "-display", "none", "-nodefaults", "-bios", bios,
	       "-netdev", "dgram,id=wire,local.type=fd,local.str=3",
	       "-device", "pcnet,netdev=wire,mac=52:54:00:12:34:56,addr=4,romfile=",
	       "-drive", drive, "-qtest", "stdio", "-qtest-log", "/dev/null",
	       q->frozen ? "-S" : NULL, NULL);
	_exit(127);
}

/* One answer, without the "OK" before it; interrupts may be reported before. */
static void answer(struct qemu *q, char *line)
{
	for (;;) {
		unsigned int irq;
		char way[8];

		if (!fgets(line, LINE_MAX_SIZE, q->from))
			errx(1, "%s ended: see what it said above", QEMU_PROGRAM);
		if (sscanf(line, "IRQ %7s %u", way, &irq) == 2) {
			if (irq == NIC_IRQ)
				q->irq = !strcmp(way, "raise");
			if (irq == QEMU_IDE_IRQ)
				q->ide_irq = !strcmp(way, "raise");
			continue;
		}
		if (strncmp(line, "OK", 2))
			errx(1, "%s: %s", QEMU_PROGRAM, line);
		memmove(line, line + 2, strlen(line + 2) + 1);
		return;
	}
}

__attribute__((format(printf, 2, 3)))
static const char *command(struct qemu *q, const char *fmt, ...)
{
	static char line[LINE_MAX_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vfprintf(q->to, fmt, ap);
	va_end(ap);
	fputc('\n', q->to);
	if (fflush(q->to))
		err(1, "%s", QEMU_PROGRAM);
	answer(q, line);
	return line;
}

static const char suffix[] = { [1] = 'b', [2] = 'w', [4] = 'l' };

uint32_t qemu_in(struct qemu *q, uint16_t port, unsigned int size)
{
	return strtoul(command(q, "in%c 0x%x", suffix[size], port), NULL, 0);
}

void qemu_out(struct qemu *q, uint16_t port, unsigned int size, uint32_t val)
{
	command(q, "out%c 0x%x 0x%x", suffix[size], port, val);
}

void qemu_read(struct qemu *q, uint32_t addr, void *buf, uint32_t len)
{
	const char *hex = strstr(command(q, "read 0x%x %u", addr, len), "0x");
	uint8_t *p = buf;
	unsigned int byte;

	for (hex += 2; len--; hex += 2, p++) {
		if (sscanf(hex, "%2x", &byte) != 1)
			errx(1, "%s: no memory in its answer", QEMU_PROGRAM);
		*p = byte;
	}
}

void qemu_write(struct qemu *q, uint32_t addr, const void *buf, uint32_t len)
{
	const uint8_t *p = buf;
	char *hex = malloc(2 * len + 1);

	if (!hex)
		err(1, NULL);
	for (uint32_t i = 0; i < len; i++)
		sprintf(hex + 2 * i, "%02x", p[i]);
	command(q, "write 0x%x %u 0x%s", addr, len, hex);
	free(hex);
}

uint32_t qemu_config_in(struct qemu *q, unsigned int slot, unsigned int offset)
{
	qemu_out(q, 0xcf8, 4, 0x80000000 | slot << 11 | offset);
	return qemu_in(q, 0xcfc, 4);
}

void qemu_config_out(struct qemu *q, unsigned int slot, unsigned int offset, uint32_t val)
{
	qemu_out(q, 0xcf8, 4, 0x80000000 | slot << 11 | offset);
	qemu_out(q, 0xcfc, 4, val);
}

ssize_t qemu_sent(struct qemu *q, void *buf, size_t room)
{
	ssize_t n = recv(q->wire, buf, room, MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN)
		err(1, "%s: its wire", QEMU_PROGRAM);
	return n;
}

void qemu_receive(struct qemu *q, const void *frame, size_t len)
{
	if (send(q->wire, frame, len, 0) != (ssize_t)len)
		err(1, "%s: its wire", QEMU_PROGRAM);
	/* One event loop does both: it has been round when it answers the second time. */
	for (unsigned int i = 0; i < 3; i++)
		command(q, "readl 0x0");
}

void qemu_start(struct qemu *q, const char *bios, const char *disk)
{
	int protocol[2], wire[2];

	write_bios(bios);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, protocol) ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, wire))
		err(1, "socketpair");
	q->irq = false;
	q->ide_irq = false;
	q->pid = fork();
	if (q->pid < 0)
		err(1, "fork");
	if (q->pid == 0)
		run(q, protocol[1], wire[1], bios, disk);
	close(protocol[1]);
	close(wire[1]);
	q->wire = wire[0];
	q->to = fdopen(protocol[0], "w");
	q->from = fdopen(dup(protocol[0]), "r");
	if (!q->to || !q->from)
		err(1, "fdopen");
	command(q, "irq_intercept_in ioapic");
	qemu_config_out(q, 1, 0x60, NIC_IRQ * 0x01010101);
	qemu_config_out(q, QEMU_NIC_SLOT, 0x10, QEMU_IO);
	qemu_config_out(q, QEMU_NIC_SLOT, 0x04, 7);
}

void qemu_stop(struct qemu *q)
{
	kill(q->pid, SIGTERM);
	waitpid(q->pid, NULL, 0);
	fclose(q->to);
	fclose(q->from);
	close(q->wire);
}
