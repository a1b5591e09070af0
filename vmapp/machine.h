/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM: its devices, its one vCPU, the requests that end or restart it.
 *
 * Two threads, and one for each drive (block.h). The vCPU's thread runs the guest
 * and does every vCPU call; the loop's thread does everything that comes from
 * outside; a drive's waits for its image. The device lock protects all of struct
 * machine; the vCPU's thread is without it only while the guest runs.
 */
#ifndef VMAPP_MACHINE_H
#define VMAPP_MACHINE_H

#include <limits.h>
#include <pthread.h>

#include "boot.h"
#include "bus.h"
#include "dev/i440fx.h"
#include "dev/i8237.h"
#include "dev/i8042.h"
#include "dev/mc146818.h"
#include "dev/piix4pm.h"
#include "dev/port92.h"
#include "drives.h"
#include "error.h"
#include "firmware.h"
#include "keys.h"
#include "loop.h"
#include "map.h"
#include "mem.h"
#include "nic.h"
#include "parallel.h"
#include "serial.h"
#include "svga.h"
#include "uapi/vmdriver.h"
#include "vmx.h"
#include "vnc.h"

enum machine_state {
	MACHINE_RUNNING,
	MACHINE_STOPPED,	/* for a reason; a reset starts it again */
};

/* What the vCPU's thread is asked to do, or'ed together. */
#define MACHINE_RESET	(1u << 0)
#define MACHINE_END	(1u << 1)	/* power off; the process ends */
#define MACHINE_CALL	(1u << 2)	/* machine_call() */

struct machine {
	pthread_mutex_t lock;		/* the device lock */
	pthread_cond_t changed;		/* requests, while the vCPU's thread does not run */
	pthread_t vcpu_thread;
	pthread_cond_t called;		/* MACHINE_CALL is done */
	void (*call)(struct machine *m, void *arg);
	void *call_arg;
	unsigned int requests;
	enum machine_state state;
	char reason[256];		/* STOPPED: why */
	u64 started;			/* loop_monotonic() */

	const struct vmx *config;
	char name[VMDRV_NAME_MAX];
	bool stay;			/* remain STOPPED, for somebody to look at */
	struct loop loop;
	struct bus bus;
	struct guest_mem mem;
	struct map map;
	bool direct;			/* a kernel is booted, without firmware */
	struct boot boot;
	struct firmware firmware;
	char kernel[PATH_MAX], initrd[PATH_MAX];

	int device_fd, vm_fd, vcpu_fd;
	u32 id;				/* of /sys/class/vmdriver/vm<id> */
	struct vmdrv_run *run;
	u32 run_size;

	struct serial serial[SERIAL_PORTS];
	struct mc146818 rtc;
	struct loop_timer rtc_timer;
	struct i8237 dma;
	struct i8042 i8042;
	struct loop_timer i8042_timer;
	struct port92 port92;
	struct parallel parallel;
	struct i440fx i440fx;
	struct piix4pm pm;
	struct loop_timer pm_timer;
	struct svga svga;
	struct keys keys;
	struct vnc vnc;
	struct nics nics;
	struct drives drives;
	u8 irq_holders[16];		/* devices that hold a line up: they may share it */
};

/* All zero becomes nothing: machine_destroy() works from here on. @config stays. */
void machine_init(struct machine *m, const struct vmx *config);

/* Make the VM (its name is set), its memory and devices, and load the guest. */
int machine_create(struct machine *m, struct error *err);
void machine_destroy(struct machine *m);

/* Start the vCPU's thread; it enters the guest once the caller drops the lock. */
int machine_start(struct machine *m, struct error *err);
/* Run the loop until the VM has ended, or has stopped and nobody is to look. */
void machine_loop(struct machine *m);

/* MACHINE_*; the caller holds the lock, on any thread. */
void machine_request(struct machine *m, unsigned int request);
/* The guest resets itself: what worldswitch.reboot says; the caller holds the lock. */
void machine_reboot(struct machine *m);
/*
 * Have the vCPU's thread call @call, out of the guest and with the lock held,
 * and wait for it. Not on that thread. False: the VM is about to end.
 */
bool machine_call(struct machine *m, void (*call)(struct machine *m, void *arg), void *arg);
/* The guest cannot go on; the vCPU's thread, with the lock held. */
void machine_stop(struct machine *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Everything as after power-on, and the guest loaded again; the vCPU's thread. */
int machine_reset(struct machine *m, struct error *err);

/* vcpu.c */
void *vcpu_main(void *machine);
void vcpu_init_signals(void);
/* Make the vCPU's thread look at requests. */
void vcpu_kick(struct machine *m);

#endif
