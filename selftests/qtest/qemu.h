/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's own devices, driven over the qtest protocol: their ports, the machine's
 * memory, interrupt lines, and a socket that is the pcnet's wire. The CPU sleeps.
 *
 * What goes wrong with QEMU itself ends the program, with a line on stderr.
 */
#ifndef SELFTESTS_QEMU_H
#define SELFTESTS_QEMU_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/**
 * struct qemu - a machine with a pcnet at I/O port QEMU_IO
 * @frozen: to be set before: time stands still
 * @pid: the process
 * @to, @from: the protocol
 * @wire: a frame is a datagram
 * @irq: level of the NIC's interrupt line, at the time of the last answer
 * @ide_irq: the same for the first IDE channel
 */
struct qemu {
	bool frozen;
	pid_t pid;
	FILE *to, *from;
	int wire;
	bool irq;
	bool ide_irq;
};

#define QEMU_IO		0xc000
#define QEMU_IDE_IRQ	14
#define QEMU_PROGRAM	"qemu-system-x86_64"
#define QEMU_RTC_BASE	"2020-02-28T23:59:50"

/* @bios: a file that can be overwritten; @disk: a raw image for the first IDE disk, or NULL. */
void qemu_start(struct qemu *q, const char *bios, const char *disk);
void qemu_stop(struct qemu *q);

uint32_t qemu_in(struct qemu *q, uint16_t port, unsigned int size);
void qemu_out(struct qemu *q, uint16_t port, unsigned int size, uint32_t val);
void qemu_read(struct qemu *q, uint32_t addr, void *buf, uint32_t len);
void qemu_write(struct qemu *q, uint32_t addr, const void *buf, uint32_t len);

/* A 32-bit register of the configuration space of the function in slot @slot. */
uint32_t qemu_config_in(struct qemu *q, unsigned int slot, unsigned int offset);
void qemu_config_out(struct qemu *q, unsigned int slot, unsigned int offset, uint32_t val);

#define QEMU_NIC_SLOT	4

/* The next frame that was sent, or -1 if there is none. */
ssize_t qemu_sent(struct qemu *q, void *buf, size_t room);

/* Let the NIC have a frame from the wire; it has it when this returns. */
void qemu_receive(struct qemu *q, const void *frame, size_t len);

#endif
