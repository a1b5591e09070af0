// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shell around the Lance's core in the VMM: ports, lines, frames. Registers
 * are served on the vCPU's thread, most of them right after the exit. Frames are
 * moved by threads of the owner's, in its address space: by VMApp's calls on
 * path vmm, by the vCPU's thread itself on path direct.
 */
#include <linux/err.h>
#include <linux/etherdevice.h>
#include <linux/file.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "compat.h"
#include "vmdriver.h"

#define NIC_BUDGET_MAX	256
#define NIC_RX_BUDGET	64	/* of one turn on path direct; LANCE_TX_BUDGET to send */
/* Beside the core's events: it is time for ... */
#define LANCE_EV_POLL	0x10000	/* lance_poll() */
#define LANCE_EV_TINT	0x20000	/* lance_tint() */
#define LANCE_EV_DUE	0x40000	/* frames that wait for a switch: they get one */
/* How long a frame may wait for a switch: what is left of the tick is to make one. */
#define COMBINE_NS	(TICK_NSEC - TICK_NSEC / 8)
/* So many frames leave at once: on path direct they gather, while one follows another so soon. */
#define GATHER_MAX	8
#define GATHER_NS	(50 * NSEC_PER_USEC)
/* How long a driver that has found sent frames by itself is not told of them. */
#define TAKEN_JIFFIES	max_t(unsigned long, HZ / 10, 1)
/* How long a user waits for VMApp to take a NIC to another path. */
#define PATH_WAIT	(5 * HZ)
/*
 * How often a started chip looks at its rings unasked. It is 2 ms on the chip;
 * no driver needs it that often, and each time costs an idle host a wake-up.
 */
#define NIC_POLL_JIFFIES	max_t(unsigned long, HZ / 50, 1)

struct vmdrv_nic *vmdrv_nic_find(struct vmdrv_vm *vm, u32 index)
{
	if (index >= VMDRV_NIC_MAX)
		return NULL;
	/* Pairs with the release in vmdrv_nic_create(). */
	return smp_load_acquire(&vm->nics[array_index_nospec(index, VMDRV_NIC_MAX)]);
}

/* Path vmapp leaves only the latch here. */
static bool in_vmm(const struct vmdrv_nic *nic)
{
	return nic->path != VMDRV_PATH_VMAPP;
}

/*
 * The lock has two parts. Whoever moves frames, which may sleep, takes both;
 * an access right after the exit takes the bit alone, and only if it is free.
 * The bit alone is held with interrupts off: waiting for it is short.
 */
static bool nic_trylock(struct vmdrv_nic *nic)
{
	lockdep_assert_irqs_disabled();
	return !test_and_set_bit_lock(0, &nic->busy);
}

static void nic_tryunlock(struct vmdrv_nic *nic)
{
	clear_bit_unlock(0, &nic->busy);
}

static void nic_lock(struct vmdrv_nic *nic)
{
	mutex_lock(&nic->lock);
	while (test_and_set_bit_lock(0, &nic->busy))
		cpu_relax();
}

static void nic_unlock(struct vmdrv_nic *nic)
{
	clear_bit_unlock(0, &nic->busy);
	mutex_unlock(&nic->lock);
}

/* ---- the core's way to memory ---- */

static bool bus_read(void *dev, u32 addr, void *buf, u32 len)
{
	struct vmdrv_nic *nic = dev;

	return !vmdrv_guest_read(nic->vm, addr, buf, len);
}

static bool bus_write(void *dev, u32 addr, const void *buf, u32 len)
{
	struct vmdrv_nic *nic = dev;

	return !vmdrv_guest_write(nic->vm, addr, buf, len);
}

struct skb_piece {
	struct sk_buff *skb;
	u32 offset;
};

static int copy_skb(void *arg, void __user *ptr, size_t n)
{
	struct skb_piece *piece = arg;
	struct iov_iter to;

	iov_iter_ubuf(&to, ITER_DEST, ptr, n);
	if (skb_copy_datagram_iter(piece->skb, piece->offset, &to, n))
		return -EFAULT;
	piece->offset += n;
	return 0;
}

/*
 * The one copy of a received frame: from the network's buffer into the guest's.
 * It has to be: where a frame belongs is known when its address has been seen,
 * and then the NIC has put it somewhere already. Only a NIC with a receive queue
 * for each guest address could be given the guest's buffers beforehand.
 */
static bool bus_copy(void *dev, void *rest, u32 offset, u32 addr, u32 len)
{
	struct skb_piece piece = { .skb = rest, .offset = offset };
	struct vmdrv_nic *nic = dev;

	return !vmdrv_guest_each(nic->vm, addr, len, true, copy_skb, &piece);
}

static const struct lance_bus nic_bus = {
	.read = bus_read,
	.write = bus_write,
	.copy = bus_copy,
};

/* ---- ports ---- */

static void unmap_ports_locked(struct vmdrv_nic *nic)
{
	ws_ports_remove(nic->vm->ports, nic);
	nic->latch = NULL;
}

/*
 * The 32 ports as three rows, RAP's a latch in the middle. The vCPU is not in
 * the guest: this is its thread, or its mutex is held.
 */
static int map_ports_locked(struct vmdrv_nic *nic)
{
	bool dwio = in_vmm(nic) ? lance_is_dwio(&nic->lance) : nic->dwio;
	u32 rap = dwio ? LANCE_DWIO_RAP : LANCE_WIO_RAP;
	unsigned int size = dwio ? 4 : 2;
	int err;

	unmap_ports_locked(nic);
	if (!nic->base)
		return 0;
	nic->regions[0] = (struct ws_region) {
		.name = "lance", .offset = 0, .len = rap, .flags = WS_REGION_WHOLE,
	};
	nic->regions[1] = (struct ws_region) {
		.name = "lance-rap", .offset = rap, .len = size, .sizes = size,
		.flags = WS_REGION_LATCH | WS_REGION_WHOLE,
	};
	nic->regions[2] = (struct ws_region) {
		.name = "lance", .offset = rap + size, .len = LANCE_IO_SIZE - rap - size,
		.flags = WS_REGION_WHOLE,
	};
	err = ws_ports_add(nic->vm->ports, nic->regions, VMDRV_NIC_ROWS, nic->base, nic);
	if (err)
		return err;
	nic->latch = ws_port_latch(nic->vm->ports, nic->base + rap, size);
	*nic->latch = nic->lance.rap;
	return 0;
}

/* ---- what the core wants done ---- */

static enum vmdrv_irq_source irq_source(const struct vmdrv_nic *nic)
{
	return VMDRV_IRQ_NIC0 + nic->index;
}

static void request_service(struct vmdrv_nic *nic, u32 events)
{
	struct vmdrv_vcpu *vcpu = READ_ONCE(nic->vm->vcpu);

	atomic_or(events, &nic->events);
	if (vcpu)
		set_bit(VMDRV_REQ_NIC, &vcpu->requests);
}

/*
 * Path direct: frames that the guest sends one right after the other stay in its
 * ring for a moment, and share a turn: so does who receives them. It is over with
 * the guest's stay, which a host interrupt, HLT, or the deadline ends. The first
 * one goes at once.
 */
static bool gather_locked(struct vmdrv_nic *nic)
{
	u64 now, before = nic->sent_last;

	if (nic->path != VMDRV_PATH_DIRECT || !READ_ONCE(nic->knobs[VMDRV_KNOB_SEND_COMBINING]))
		return false;
	now = ktime_get_ns();
	nic->sent_last = now;
	if (now - before > GATHER_NS ||
	    ++nic->gathered >= min_t(u32, GATHER_MAX, nic->lance.tx.len / 2))
		return false;
	nic->counts[NIC_COUNT_COMBINE_HELD]++;
	nic->vm->vcpu->gathering = true;
	if (!nic->held_since) {
		nic->held_since = now;
		hrtimer_start(&nic->deadline, ns_to_ktime(GATHER_NS), HRTIMER_MODE_REL);
	}
	return true;
}

/*
 * After the core was called: its line follows, the rest is left for the vCPU's
 * thread between two entries. If that is us, nobody has to be kicked.
 */
static void settle_locked(struct vmdrv_nic *nic, bool from_vcpu)
{
	u32 events = lance_take_events(&nic->lance);
	/* On path vmapp the line is VMApp's, whatever is left in our core. */
	bool level = in_vmm(nic) && lance_irq(&nic->lance);

	if (events & LANCE_EV_LATCH && nic->latch)
		*nic->latch = nic->lance.rap;
	if (events & LANCE_EV_IRQ && from_vcpu)
		vmdrv_irq_set_from_vcpu(nic->vm, irq_source(nic), nic->irq, level);
	else if (events & LANCE_EV_IRQ)
		vmdrv_irq_set(nic->vm, irq_source(nic), nic->irq, level);
	events &= LANCE_EV_INIT | LANCE_EV_TX | LANCE_EV_RX | LANCE_EV_FILTER;
	if (!events || (from_vcpu && events == LANCE_EV_TX && gather_locked(nic)))
		return;
	request_service(nic, events);
	if (!from_vcpu)
		vmdrv_kick(nic->vm);
}

/* ---- registers ---- */

static u32 access_locked(struct vmdrv_nic *nic, u32 offset, unsigned int size, bool in, u32 value)
{
	bool dwio = lance_is_dwio(&nic->lance);

	if (nic->latch)
		lance_set_rap(&nic->lance, *nic->latch);
	if (in)
		value = lance_read(&nic->lance, offset, size);
	else
		lance_write(&nic->lance, offset, size, value);
	if (unlikely(dwio != lance_is_dwio(&nic->lance)))
		map_ports_locked(nic);		/* the same ports: nobody can be in the way */
	else if (nic->latch)
		*nic->latch = nic->lance.rap;
	nic->counts[NIC_COUNT_ACCESS]++;
	return value;
}

bool vmdrv_nic_pio(struct vmdrv_vcpu *vcpu, struct vmdrv_nic *nic, u32 *value, bool may_wait)
{
	const struct vm_exit *exit = &vcpu->exit;
	bool served = false;

	if (may_wait) {
		nic_lock(nic);
		nic->counts[nic->path == VMDRV_PATH_VMAPP ? NIC_COUNT_ACCESS_VMAPP :
			    NIC_COUNT_ACCESS_SLOW]++;
	} else if (!nic_trylock(nic)) {
		return false;
	}
	if (in_vmm(nic)) {
		*value = access_locked(nic, exit->io.port - nic->base, exit->io.size,
				       exit->io.in, *value);
		if (nic->lance.events)
			settle_locked(nic, true);
		served = true;
	} else if (nic->latch) {
		vcpu->io_latch = *nic->latch;
	}
	if (may_wait)
		nic_unlock(nic);
	else
		nic_tryunlock(nic);
	return served;
}

/* ---- frames ---- */

/* The one copy of a sent frame. NULL: there is no memory, or the buffers are not the guest's. */
static struct sk_buff *copy_frame(struct vmdrv_nic *nic, const struct lance_tx *tx, bool *readable)
{
	struct sk_buff *skb = vmnet_port_alloc(tx->len, GFP_KERNEL);

	if (!skb)
		return NULL;
	*readable = lance_tx_copy(&nic->lance, tx, skb->data);
	if (*readable)
		return skb;
	kfree_skb(skb);
	return NULL;
}

/* A frame to the network, by loan or by copy. False: it cannot be taken now. */
static bool send_frame(struct vmdrv_nic *nic, const struct lance_tx *tx)
{
	struct sk_buff *skb = vmdrv_loan_give_locked(nic, tx);
	bool readable = true;

	if (!skb) {
		skb = copy_frame(nic, tx, &readable);
		if (!vmdrv_loan_skip_locked(nic, tx, readable)) {
			lance_tx_unfetch(&nic->lance, tx);
			kfree_skb(skb);
			return false;
		}
	}
	nic->counts[skb ? NIC_COUNT_TX : NIC_COUNT_TX_LOST]++;
	if (skb)
		__skb_queue_tail(&nic->leaving, skb);
	return true;
}

/* One frame from the guest's ring to the network. False: there is none now. */
static bool transmit_one(struct vmdrv_nic *nic)
{
	struct lance_tx *tx = &nic->tx;

	if (vmdrv_loans_reap_locked(nic))
		return false;
	switch (lance_tx_next(&nic->lance, tx)) {
	case LANCE_TX_NONE:
	case LANCE_TX_BUSY:
		return false;
	case LANCE_TX_SEND:
		return send_frame(nic, tx);
	default:
		lance_tx_done(&nic->lance, tx, true);
		return true;
	}
}

static bool move_valid(const struct vmdrv_nic *nic, const struct vmdrv_nic_move *args)
{
	return nic && args->budget && args->budget <= NIC_BUDGET_MAX;
}

/*
 * Softirqs wait until the last one is through: who gets the frames, if it is on
 * this host, is woken once for all of them. What the network refuses, it counts.
 */
static void send_leaving_locked(struct vmdrv_nic *nic)
{
	struct sk_buff *skb;

	local_bh_disable();
	while ((skb = __skb_dequeue(&nic->leaving)))
		vmnet_port_transmit(nic->port, skb);
	local_bh_enable();
}

/*
 * Up to @budget frames; how many. *room is false if the network has none for
 * the next one: VMNET_EVENT_TX comes then. When there is, it has some for
 * GATHER_MAX, too.
 */
static u32 transmit_locked(struct vmdrv_nic *nic, u32 budget, bool *room)
{
	u32 n = 0;

	while (n < budget && (*room = vmnet_port_room(nic->port)) && transmit_one(nic)) {
		if (++n % GATHER_MAX == 0)
			send_leaving_locked(nic);
	}
	send_leaving_locked(nic);
	vmdrv_loans_reap_locked(nic);
	nic->counts[NIC_COUNT_TX_BATCH] += n > 0;
	nic->counts[NIC_COUNT_TX_FULL] += !*room;
	return n;
}

/* The frames that waited are on their way: how long have they? */
static void end_hold_locked(struct vmdrv_nic *nic)
{
	u64 *max = &nic->counts[NIC_COUNT_COMBINE_LONGEST_NS];

	if (!nic->held_since)
		return;
	*max = max(*max, ktime_get_ns() - nic->held_since);
	nic->held_since = 0;
	nic->gathered = 0;
	hrtimer_try_to_cancel(&nic->deadline);
}

int vmdrv_nic_transmit(struct vmdrv_vm *vm, const struct vmdrv_nic_move *args)
{
	struct vmdrv_nic *nic = vmdrv_nic_find(vm, args->nic);
	bool room = true;
	u32 n = 0;

	if (!move_valid(nic, args))
		return -EINVAL;
	nic_lock(nic);
	if (nic->path == VMDRV_PATH_VMM) {
		end_hold_locked(nic);
		n = transmit_locked(nic, args->budget, &room);
		settle_locked(nic, false);
		if (n == args->budget) {
			request_service(nic, LANCE_EV_TX | LANCE_EV_DUE);
			vmdrv_kick(vm);
		}
	}
	nic_unlock(nic);
	return room ? n : -EAGAIN;
}

static void receive_one(struct vmdrv_nic *nic, struct sk_buff *skb)
{
	u8 header[ETH_HLEN];
	struct lance_frame frame = {
		.data = skb->data,
		.linear = skb_headlen(skb),
		.len = skb->len,
		.rest = skb,
	};
	enum lance_rx_result result = LANCE_RX_LENGTH;

	if (frame.linear < sizeof(header) && !skb_copy_bits(skb, 0, header, sizeof(header))) {
		frame.data = header;
		frame.linear = sizeof(header);
	}
	if (frame.linear >= sizeof(header))
		result = lance_receive(&nic->lance, &frame);
	/* There was a buffer when it was fetched, but not one that could be read. */
	if (result == LANCE_RX_HOLD)
		lance_missed(&nic->lance, 1);
	nic->counts[result == LANCE_RX_DELIVERED ? NIC_COUNT_RX : NIC_COUNT_RX_LOST]++;
	consume_skb(skb);
}

/* What did not fit into the port's queue was missed by the chip. */
static void count_missed_locked(struct vmdrv_nic *nic)
{
	u32 overflows = vmnet_port_overflows(nic->port);

	lance_missed(&nic->lance, overflows - nic->overflows);
	nic->overflows = overflows;
}

static u32 receive_locked(struct vmdrv_nic *nic, u32 budget)
{
	struct sk_buff *skb;
	u32 n;

	for (n = 0; n < budget && vmnet_port_waiting(nic->port); n++) {
		/* Frames without a buffer wait where they are; a chip that is off loses them. */
		if (!lance_can_receive(&nic->lance) && nic->lance.held) {
			nic->counts[NIC_COUNT_RX_HELD]++;
			break;
		}
		skb = vmnet_port_receive(nic->port);
		if (!skb)
			break;
		receive_one(nic, skb);
	}
	count_missed_locked(nic);
	return n;
}

int vmdrv_nic_receive(struct vmdrv_vm *vm, const struct vmdrv_nic_move *args)
{
	struct vmdrv_nic *nic = vmdrv_nic_find(vm, args->nic);
	u32 n = 0;

	if (!move_valid(nic, args))
		return -EINVAL;
	nic_lock(nic);
	if (nic->path == VMDRV_PATH_VMM)
		n = receive_locked(nic, args->budget);
	settle_locked(nic, false);
	nic_unlock(nic);
	return n;
}

/* ---- path vmm: send combining, the paper's 3.3 ---- */

/*
 * When VMApp is called anyway, and often, a frame to send need not call it. It
 * stays where the guest has put it, in the ring, and goes with the next switch:
 * no later than the one that combine_max frames cause, or HLT, or a whole tick.
 */
static bool combine_locked(struct vmdrv_nic *nic, u32 events)
{
	u32 max = min(READ_ONCE(nic->knobs[VMDRV_KNOB_COMBINE_MAX]), nic->lance.tx.len);

	if (!READ_ONCE(nic->knobs[VMDRV_KNOB_SEND_COMBINING]))
		return false;
	if (events & LANCE_EV_DUE) {
		nic->counts[NIC_COUNT_COMBINE_EXPIRED] += nic->held_since != 0;
		return false;
	}
	if (vmdrv_switch_rate(nic->vm->vcpu) < READ_ONCE(nic->knobs[VMDRV_KNOB_COMBINE_RATE]))
		return false;
	if (lance_tx_waiting(&nic->lance, max) == max) {
		nic->counts[NIC_COUNT_COMBINE_FULL]++;
		return false;
	}
	nic->counts[NIC_COUNT_COMBINE_HELD]++;
	if (!nic->held_since)
		nic->held_since = ktime_get_ns();
	/* It may be that what waited before was taken back by a reset. */
	if (!hrtimer_active(&nic->deadline))
		hrtimer_start(&nic->deadline, ns_to_ktime(COMBINE_NS), HRTIMER_MODE_REL);
	nic->vm->vcpu->nics |= BIT(nic->index);
	return true;
}

static enum hrtimer_restart deadline_timer(struct hrtimer *timer)
{
	struct vmdrv_nic *nic = container_of(timer, struct vmdrv_nic, deadline);

	request_service(nic, LANCE_EV_TX | LANCE_EV_DUE);
	vmdrv_kick(nic->vm);
	return HRTIMER_NORESTART;
}

/* Does VMApp have to come in? */
static bool ask_vmapp_locked(struct vmdrv_nic *nic, u32 events)
{
	bool tx = events & LANCE_EV_TX && lance_tx_pending(&nic->lance);

	if (events & LANCE_EV_DUE && !tx)
		nic->held_since = 0;
	if (!(tx && !combine_locked(nic, events)) &&
	    !(events & LANCE_EV_RX && vmnet_port_waiting(nic->port)))
		return false;
	nic->vm->vcpu->nics |= BIT(nic->index);
	return true;
}

/* ---- path direct: nobody has to come in ---- */

static void port_notify(struct vmnet_port_borrower *borrower, u32 events)
{
	struct vmdrv_nic *nic = container_of(borrower, struct vmdrv_nic, borrower);

	request_service(nic, (events & VMNET_EVENT_RX ? LANCE_EV_RX : 0) |
			     (events & VMNET_EVENT_TX ? LANCE_EV_TX : 0));
	vmdrv_kick(nic->vm);
}

/*
 * Interrupts for frames that were sent. The first one in a tick comes at once, unless
 * the driver has them masked; those that follow share theirs until most of the ring is
 * done, the guest has nothing else to do, or is interrupted anyway, or a tick is over.
 */
static void moderate_locked(struct vmdrv_nic *nic)
{
	unsigned long now = jiffies;

	if (nic->tint_tick == now || lance_tint_masked(&nic->lance))
		nic->lance.batch = nic->lance.tx.len - nic->lance.tx.len / 8;
	else
		nic->lance.batch = 1;
	nic->tint_tick = now;
}

/* Before a turn: have all that were sent before been reported? */
static void begin_turn_locked(struct vmdrv_nic *nic)
{
	if (nic->lance.sent)
		return;
	nic->taken = 0;
	nic->tint_last = jiffies + TAKEN_JIFFIES;
}

/*
 * It is time for the interrupt of frames that were sent. A driver that answers to what
 * has come sends while it is at work on its rings, and often has taken these frames back
 * before it unmasks its interrupts: one by itself would tell it nothing. So it comes with
 * the next, or when CSR0 is read.
 */
static void report_sent_locked(struct vmdrv_nic *nic)
{
	if (!nic->lance.sent)
		return;
	if (!time_before(jiffies, nic->tint_last) || !lance_tx_taken(&nic->lance)) {
		lance_tint(&nic->lance);
	} else if (nic->taken != nic->lance.sent) {
		nic->taken = nic->lance.sent;
		nic->counts[NIC_COUNT_TINT_SPARED]++;
		mod_timer(&nic->tint, nic->tint_last);
	}
}

static void tint_timer(struct timer_list *timer)
{
	struct vmdrv_nic *nic = container_of(timer, struct vmdrv_nic, tint);

	if (!READ_ONCE(nic->lance.sent))
		return;
	request_service(nic, LANCE_EV_TINT);
	vmdrv_kick(nic->vm);
}

/* A turn: what is to be sent, and what has come. What the budget leaves gets another one. */
static void move_direct_locked(struct vmdrv_nic *nic, u32 events)
{
	struct vmdrv_vcpu *vcpu = nic->vm->vcpu;
	u32 again = 0;
	bool room;

	if (events & LANCE_EV_TINT)
		report_sent_locked(nic);
	if (events & LANCE_EV_TX) {
		end_hold_locked(nic);
		moderate_locked(nic);
		if (transmit_locked(nic, LANCE_TX_BUDGET, &room) == LANCE_TX_BUDGET)
			again |= LANCE_EV_TX;
		if (nic->lance.sent != nic->taken)
			timer_reduce(&nic->tint, jiffies + 1);
	}
	if (events & LANCE_EV_RX && receive_locked(nic, NIC_RX_BUDGET) == NIC_RX_BUDGET)
		again |= LANCE_EV_RX;
	if (!again)
		return;
	atomic_or(again, &nic->events);
	vcpu->nics_again = true;
}

void vmdrv_nics_gathered(struct vmdrv_vcpu *vcpu)
{
	struct vmdrv_nic *nic;
	int i;

	vcpu->gathering = false;
	for (i = 0; i < VMDRV_NIC_MAX; i++) {
		nic = vmdrv_nic_find(vcpu->vm, i);
		if (!nic || !READ_ONCE(nic->held_since))
			continue;
		nic_lock(nic);
		/* On path vmm what waits is VMApp's. */
		if (nic->path == VMDRV_PATH_DIRECT) {
			begin_turn_locked(nic);
			move_direct_locked(nic, LANCE_EV_TX);
			settle_locked(nic, true);
		}
		nic_unlock(nic);
	}
}

/* True if frames wait for a world switch: with HLT there is one, as in the paper's 3.5. */
static bool idle_locked(struct vmdrv_nic *nic)
{
	report_sent_locked(nic);
	if (nic->lance.events)
		settle_locked(nic, true);
	if (nic->path != VMDRV_PATH_VMM || !nic->held_since)
		return false;
	nic->counts[NIC_COUNT_COMBINE_HALTED]++;
	nic->vm->vcpu->nics |= BIT(nic->index);
	return true;
}

bool vmdrv_nics_idle(struct vmdrv_vcpu *vcpu)
{
	struct vmdrv_nic *nic;
	bool wanted = false;
	int i;

	for (i = 0; i < VMDRV_NIC_MAX; i++) {
		nic = vmdrv_nic_find(vcpu->vm, i);
		if (!nic || !(READ_ONCE(nic->lance.sent) || READ_ONCE(nic->held_since)))
			continue;
		nic_lock(nic);
		wanted |= idle_locked(nic);
		nic_unlock(nic);
	}
	/* Halted, it needs no turn of its own before the next of the NICs. */
	if (vcpu->nics_again) {
		vcpu->nics_again = false;
		set_bit(VMDRV_REQ_NIC, &vcpu->requests);
	}
	return wanted;
}

/* ---- the vCPU's thread between two entries ---- */

static bool service(struct vmdrv_nic *nic)
{
	u32 events = atomic_xchg(&nic->events, 0);
	bool wanted = false;
	u8 mac[ETH_ALEN];

	if (!events)
		return false;
	nic_lock(nic);
	if (!in_vmm(nic))
		goto unlock;
	begin_turn_locked(nic);
	vmdrv_loans_reap_locked(nic);
	if (events & LANCE_EV_INIT) {
		lance_load(&nic->lance);
		events |= LANCE_EV_TX;
	}
	if (events & LANCE_EV_POLL)
		lance_poll(&nic->lance);
	events |= nic->lance.events;
	nic->lance.events &= LANCE_EV_IRQ | LANCE_EV_LATCH;
	if (events & LANCE_EV_FILTER) {
		lance_get_padr(&nic->lance, mac);
		vmnet_port_set_mac(nic->port, mac);	/* refused: the network knows better */
	}
	if (nic->path == VMDRV_PATH_DIRECT)
		move_direct_locked(nic, events);
	else
		wanted = ask_vmapp_locked(nic, events);
	if (lance_needs_poll(&nic->lance) && !timer_pending(&nic->poll))
		mod_timer(&nic->poll, jiffies + NIC_POLL_JIFFIES);
	settle_locked(nic, true);
unlock:
	nic_unlock(nic);
	return wanted;
}

bool vmdrv_nics_service(struct vmdrv_vcpu *vcpu)
{
	struct vmdrv_nic *nic;
	bool wanted = false;
	int i;

	clear_bit(VMDRV_REQ_NIC, &vcpu->requests);
	smp_mb__after_atomic();	/* before the NICs' events are taken */
	for (i = 0; i < VMDRV_NIC_MAX; i++) {
		nic = vmdrv_nic_find(vcpu->vm, i);
		if (nic && service(nic))
			wanted = true;
	}
	return wanted;
}

void vmdrv_nics_leave(struct vmdrv_vcpu *vcpu)
{
	u32 nics = vcpu->nics;
	struct vmdrv_nic *nic;

	vcpu->nics = 0;
	for (; nics; nics &= nics - 1) {
		nic = vmdrv_nic_find(vcpu->vm, __ffs(nics));
		if (!nic || !READ_ONCE(nic->held_since))
			continue;
		nic_lock(nic);
		end_hold_locked(nic);
		nic_unlock(nic);
	}
}

static void poll_timer(struct timer_list *timer)
{
	struct vmdrv_nic *nic = container_of(timer, struct vmdrv_nic, poll);

	request_service(nic, LANCE_EV_POLL);
	vmdrv_kick(nic->vm);
}

/* ---- life ---- */

struct nic_attr {
	struct attribute attr;
	unsigned int count;
};

static bool is_knob(const struct attribute *attr)
{
	return attr->mode & 0200;
}

static ssize_t nic_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	struct vmdrv_nic *nic = container_of(kobj, struct vmdrv_nic, kobj);
	unsigned int count;

	if (is_knob(attr))
		return vmdrv_nic_knob_show(nic, attr, buf);
	count = container_of(attr, struct nic_attr, attr)->count;
	return sysfs_emit(buf, "%llu\n", READ_ONCE(nic->counts[count]));
}

static ssize_t nic_store(struct kobject *kobj, struct attribute *attr, const char *buf, size_t len)
{
	struct vmdrv_nic *nic = container_of(kobj, struct vmdrv_nic, kobj);

	return is_knob(attr) ? vmdrv_nic_knob_store(nic, attr, buf, len) : -EIO;
}

static const struct sysfs_ops nic_sysfs_ops = {
	.show = nic_show,
	.store = nic_store,
};

#define NIC_ATTR(_name, _count)	\
	static struct nic_attr nic_##_name = {	\
		.attr = { .name = __stringify(_name), .mode = 0444 }, .count = _count,	\
	}
NIC_ATTR(tx, NIC_COUNT_TX);
NIC_ATTR(tx_lost, NIC_COUNT_TX_LOST);
NIC_ATTR(rx, NIC_COUNT_RX);
NIC_ATTR(rx_held, NIC_COUNT_RX_HELD);
NIC_ATTR(rx_lost, NIC_COUNT_RX_LOST);
NIC_ATTR(access, NIC_COUNT_ACCESS);
NIC_ATTR(access_slow, NIC_COUNT_ACCESS_SLOW);
NIC_ATTR(access_vmapp, NIC_COUNT_ACCESS_VMAPP);
NIC_ATTR(tx_batches, NIC_COUNT_TX_BATCH);
NIC_ATTR(tx_full, NIC_COUNT_TX_FULL);
NIC_ATTR(combine_held, NIC_COUNT_COMBINE_HELD);
NIC_ATTR(combine_full, NIC_COUNT_COMBINE_FULL);
NIC_ATTR(combine_halted, NIC_COUNT_COMBINE_HALTED);
NIC_ATTR(combine_expired, NIC_COUNT_COMBINE_EXPIRED);
NIC_ATTR(combine_longest_ns, NIC_COUNT_COMBINE_LONGEST_NS);
NIC_ATTR(tint_spared, NIC_COUNT_TINT_SPARED);
NIC_ATTR(lent, NIC_COUNT_LENT);
NIC_ATTR(lent_copied, NIC_COUNT_LENT_COPIED);
NIC_ATTR(lent_late, NIC_COUNT_LENT_LATE);
NIC_ATTR(lent_longest_ns, NIC_COUNT_LENT_LONGEST_NS);

static struct attribute *nic_attrs[] = {
	&nic_tx.attr, &nic_tx_lost.attr, &nic_rx.attr, &nic_rx_held.attr,
	&nic_rx_lost.attr, &nic_access.attr, &nic_access_slow.attr,
	&nic_access_vmapp.attr,
	&nic_tx_batches.attr, &nic_tx_full.attr, &nic_combine_held.attr,
	&nic_combine_full.attr, &nic_combine_halted.attr, &nic_combine_expired.attr,
	&nic_combine_longest_ns.attr, &nic_tint_spared.attr,
	&nic_lent.attr, &nic_lent_copied.attr, &nic_lent_late.attr, &nic_lent_longest_ns.attr,
	NULL
};
ATTRIBUTE_GROUPS(nic);

static void nic_release(struct kobject *kobj)
{
	struct vmdrv_nic *nic = container_of(kobj, struct vmdrv_nic, kobj);

	mutex_destroy(&nic->lock);
	kfree(nic);
}

static void nic_ownership(VMDRV_OWNERSHIP_KOBJECT kobj, kuid_t *uid, kgid_t *gid)
{
	const struct vmdrv_nic *nic = container_of(kobj, struct vmdrv_nic, kobj);

	*uid = nic->vm->uid;
	*gid = nic->vm->gid;
}

static const struct kobj_type nic_ktype = {
	.release = nic_release,
	.sysfs_ops = &nic_sysfs_ops,
	.get_ownership = nic_ownership,
	.default_groups = nic_groups,
};

static int create_locked(struct vmdrv_vm *vm, const struct vmdrv_nic_create *args,
			 struct file *file)
{
	struct vmnet_port *port = vmnet_port_of_file(file);
	struct vmdrv_nic *nic;
	int err;

	lockdep_assert_held(&vm->lock);
	if (IS_ERR(port))
		return PTR_ERR(port);
	if (vm->nics[args->nic])
		return -EEXIST;
	nic = kzalloc(sizeof(*nic), GFP_KERNEL_ACCOUNT);
	if (!nic)
		return -ENOMEM;
	err = vmdrv_loans_create(nic);
	if (err) {
		kfree(nic);
		return err;
	}
	nic->vm = vm;
	mutex_init(&nic->lock);
	nic->index = args->nic;
	nic->port = port;
	nic->borrower.notify = port_notify;
	nic->wanted = VMDRV_NIC_NOWHERE;
	vmdrv_knobs_init(nic->knobs);
	nic->path = nic->knobs[VMDRV_KNOB_DATAPATH];
	timer_setup(&nic->poll, poll_timer, 0);
	timer_setup(&nic->tint, tint_timer, 0);
	__skb_queue_head_init(&nic->leaving);
	hrtimer_init(&nic->deadline, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	nic->deadline.function = deadline_timer;
	lance_init(&nic->lance, &nic_bus, nic, args->mac);
	nic->file = file;
	err = kobject_init_and_add(&nic->kobj, &nic_ktype, &vm->device.kobj, "nic%u", nic->index);
	if (!err)
		err = sysfs_create_files(&nic->kobj, vmdrv_nic_knob_attrs);
	if (err) {
		vmdrv_loans_destroy(nic);
		kobject_put(&nic->kobj);
		return err;
	}
	if (nic->path == VMDRV_PATH_DIRECT)
		vmnet_port_borrow(port, &nic->borrower);
	/* Pairs with vmdrv_nic_find(). */
	smp_store_release(&vm->nics[args->nic], nic);
	return 0;
}

int vmdrv_nic_create(struct vmdrv_vm *vm, const struct vmdrv_nic_create *args)
{
	struct file *file;
	int err;

	if (args->nic >= VMDRV_NIC_MAX || args->pad[0] || args->pad[1] ||
	    !is_valid_ether_addr(args->mac))
		return -EINVAL;
	file = fget(args->vmnet_fd);
	if (!file)
		return -EBADF;
	mutex_lock(&vm->lock);
	err = create_locked(vm, args, file);
	mutex_unlock(&vm->lock);
	if (err)
		fput(file);	/* else the NIC has it */
	return err;
}

void vmdrv_nics_destroy(struct vmdrv_vm *vm)
{
	struct vmdrv_nic *nic;
	int i;

	/* Nobody turns a knob any more, or waits for VMApp to do so. */
	WRITE_ONCE(vm->dying, true);
	wake_up_all(&vm->path_wait);
	for (i = 0; i < VMDRV_NIC_MAX; i++) {
		nic = vm->nics[i];
		if (!nic)
			continue;
		kobject_del(&nic->kobj);
		if (nic->path == VMDRV_PATH_DIRECT)
			vmnet_port_borrow(nic->port, NULL);
		timer_shutdown_sync(&nic->poll);
		timer_shutdown_sync(&nic->tint);
		hrtimer_cancel(&nic->deadline);
		vmdrv_loans_destroy(nic);
		fput(nic->file);
		kobject_put(&nic->kobj);
	}
}

/* ---- what changes the ports: the vCPU must not be in the guest ---- */

/* The NIC with its lock and the vCPU's, or an error. */
static struct vmdrv_nic *quiesce(struct vmdrv_vm *vm, u32 index)
{
	struct vmdrv_vcpu *vcpu = READ_ONCE(vm->vcpu);
	struct vmdrv_nic *nic = vmdrv_nic_find(vm, index);

	if (!nic || !vcpu)
		return ERR_PTR(-EINVAL);
	if (!mutex_trylock(&vcpu->mutex))
		return ERR_PTR(-EBUSY);
	nic_lock(nic);
	return nic;
}

static void resume(struct vmdrv_nic *nic)
{
	struct vmdrv_vcpu *vcpu = nic->vm->vcpu;

	nic_unlock(nic);
	mutex_unlock(&vcpu->mutex);
}

/* An access can move RAP among the ports: the vCPU must be out of the guest. */
int vmdrv_nic_access(struct vmdrv_vm *vm, struct vmdrv_nic_access *args)
{
	struct vmdrv_nic *nic;
	int err = -EINVAL;

	if (args->offset >= LANCE_IO_SIZE || args->write > 1 || args->pad ||
	    (args->size != 1 && args->size != 2 && args->size != 4))
		return -EINVAL;
	nic = quiesce(vm, args->nic);
	if (IS_ERR(nic))
		return PTR_ERR(nic);
	if (in_vmm(nic)) {
		args->value = access_locked(nic, args->offset, args->size, !args->write,
					    args->value);
		settle_locked(nic, false);
		err = 0;
	}
	resume(nic);
	return err;
}

/* The line leaves where it was and is what it is at its new place. */
static void set_irq_locked(struct vmdrv_nic *nic, u32 irq)
{
	if (irq == nic->irq)
		return;
	vmdrv_irq_set(nic->vm, irq_source(nic), nic->irq, false);
	nic->irq = irq;
	vmdrv_irq_set(nic->vm, irq_source(nic), irq, in_vmm(nic) && lance_irq(&nic->lance));
}

int vmdrv_nic_decode(struct vmdrv_vm *vm, const struct vmdrv_nic_decode *args)
{
	struct vmdrv_nic *nic;
	int err;

	if (args->io > 1 || args->master > 1 || args->port % LANCE_IO_SIZE || args->dwio > 1 ||
	    args->irq > 15 || (args->irq && args->irq < 3) || args->pad[0] || args->pad[1])
		return -EINVAL;
	nic = quiesce(vm, args->nic);
	if (IS_ERR(nic))
		return PTR_ERR(nic);
	set_irq_locked(nic, args->irq);
	if (nic->latch)		/* it goes with its port */
		lance_set_rap(&nic->lance, *nic->latch);
	nic->base = args->io ? args->port : 0;
	nic->dwio = args->dwio;
	lance_set_dma(&nic->lance, args->master);
	err = map_ports_locked(nic);
	if (err)
		nic->base = 0;
	settle_locked(nic, false);
	resume(nic);
	return err;
}

/* Who is told of frames from now on, and who holds the line. */
static void set_path_locked(struct vmdrv_nic *nic, u32 path)
{
	bool was_direct = nic->path == VMDRV_PATH_DIRECT;
	bool direct = path == VMDRV_PATH_DIRECT;

	end_hold_locked(nic);
	if (in_vmm(nic))
		count_missed_locked(nic);
	else
		nic->overflows = vmnet_port_overflows(nic->port);	/* VMApp has counted */
	nic->path = path;
	if (!in_vmm(nic))
		vmdrv_loans_forget_locked(nic);
	if (was_direct != direct)
		vmnet_port_borrow(nic->port, was_direct ? NULL : &nic->borrower);
	nic->counts[NIC_COUNT_COMBINE_LONGEST_NS] = 0;
	lance_tint(&nic->lance);
	nic->lance.batch = 1;
	vmdrv_irq_set(nic->vm, irq_source(nic), nic->irq, in_vmm(nic) && lance_irq(&nic->lance));
	request_service(nic, LANCE_EV_TX | LANCE_EV_DUE | LANCE_EV_RX);
	WRITE_ONCE(nic->wanted, VMDRV_NIC_NOWHERE);
	set_bit(VMDRV_REQ_PATH, &nic->vm->vcpu->requests);	/* another NIC may want to */
	vmdrv_kick(nic->vm);
	wake_up_all(&nic->vm->path_wait);
}

int vmdrv_nic_set_path(struct vmdrv_vm *vm, const struct vmdrv_nic_path *args)
{
	struct vmdrv_nic *nic;

	if (args->path > VMDRV_PATH_DIRECT)
		return -EINVAL;
	nic = quiesce(vm, args->nic);
	if (IS_ERR(nic))
		return PTR_ERR(nic);
	set_path_locked(nic, args->path);
	resume(nic);
	return 0;
}

struct vmdrv_nic *vmdrv_nics_wanted(struct vmdrv_vcpu *vcpu)
{
	struct vmdrv_nic *nic;
	int i;

	for (i = 0; i < VMDRV_NIC_MAX; i++) {
		nic = vmdrv_nic_find(vcpu->vm, i);
		if (nic && READ_ONCE(nic->wanted) != VMDRV_NIC_NOWHERE)
			return nic;
	}
	return NULL;
}

/* Between vmm and direct the core stays: no more than the lock is needed. */
static bool set_path_here(struct vmdrv_nic *nic, u32 path)
{
	bool done = false;

	nic_lock(nic);
	if (nic->path == path) {
		done = true;
	} else if (in_vmm(nic) && path != VMDRV_PATH_VMAPP) {
		set_path_locked(nic, path);
		done = true;
	} else {
		WRITE_ONCE(nic->wanted, path);
	}
	nic_unlock(nic);
	return done;
}

int vmdrv_nic_want_path(struct vmdrv_nic *nic, u32 path)
{
	struct vmdrv_vm *vm = nic->vm;
	struct vmdrv_vcpu *vcpu = READ_ONCE(vm->vcpu);
	long left;

	if (!vcpu)
		return -EAGAIN;
	if (set_path_here(nic, path))
		return 0;
	set_bit(VMDRV_REQ_PATH, &vcpu->requests);
	vmdrv_kick(vm);
	left = wait_event_interruptible_timeout(vm->path_wait,
						READ_ONCE(nic->wanted) != path ||
						READ_ONCE(vm->dying), PATH_WAIT);
	if (left <= 0) {
		cmpxchg(&nic->wanted, path, VMDRV_NIC_NOWHERE);
		return left ? -EINTR : -EAGAIN;
	}
	if (READ_ONCE(vm->dying))
		return -ENODEV;
	return READ_ONCE(nic->path) == path ? 0 : -EIO;
}

void vmdrv_nic_recheck(struct vmdrv_nic *nic)
{
	request_service(nic, LANCE_EV_TX);
	vmdrv_kick(nic->vm);
}

int vmdrv_nic_state(struct vmdrv_vm *vm, const struct vmdrv_nic_state *args, bool set)
{
	void __user *data = u64_to_user_ptr(args->data);
	struct lance_state state;
	struct vmdrv_nic *nic;
	int err = 0;

	if (args->size != sizeof(state))
		return -EINVAL;
	if (set && copy_from_user(&state, data, sizeof(state)))
		return -EFAULT;
	nic = quiesce(vm, args->nic);
	if (IS_ERR(nic))
		return PTR_ERR(nic);
	if (set) {
		err = lance_set(&nic->lance, &state);
		if (!err)
			err = map_ports_locked(nic);
		if (!err && in_vmm(nic))
			settle_locked(nic, false);
		lance_take_events(&nic->lance);
	} else {
		if (nic->latch)
			lance_set_rap(&nic->lance, *nic->latch);
		vmdrv_loans_await_locked(nic);
		lance_tint(&nic->lance);
		lance_get(&nic->lance, &state);
	}
	resume(nic);
	if (!set && copy_to_user(data, &state, sizeof(state)))
		err = -EFAULT;
	return err;
}

int vmdrv_nic_reset(struct vmdrv_vm *vm, unsigned long index)
{
	struct vmdrv_nic *nic;

	if (index >= VMDRV_NIC_MAX)
		return -EINVAL;
	nic = quiesce(vm, index);
	if (IS_ERR(nic))
		return PTR_ERR(nic);
	lance_hard_reset(&nic->lance);
	map_ports_locked(nic);
	settle_locked(nic, false);
	resume(nic);
	return 0;
}

int vmdrv_nic_set_link(struct vmdrv_vm *vm, const struct vmdrv_nic_link *args)
{
	struct vmdrv_nic *nic = vmdrv_nic_find(vm, args->nic);

	if (!nic || args->up > 1)
		return -EINVAL;
	nic_lock(nic);
	lance_set_link(&nic->lance, args->up);
	settle_locked(nic, false);
	nic_unlock(nic);
	return 0;
}
