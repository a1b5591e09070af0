// SPDX-License-Identifier: GPL-2.0-only
#include "nic.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/ethernet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define BUDGET		64		/* frames until others get their turn */
#define STUCK_NS	2000000ull	/* a guest without buffers is asked again after this */
#define ROM_MIN		0x200u
#define ROM_MAX		0x40000u
#define POLL_NS		20000000ull	/* of the rings; the chip itself does it every 2 ms */

static const struct {
	const char *name;
	u32 path;
} paths[] = {
	{ "vmapp", VMDRV_PATH_VMAPP },
	{ "vmm", VMDRV_PATH_VMM },
	{ "direct", VMDRV_PATH_DIRECT },
};

const char *nic_path_name(u32 path)
{
	for (size_t i = 0; i < WS_ARRAY_SIZE(paths); i++)
		if (paths[i].path == path)
			return paths[i].name;
	return "?";
}

bool nic_path_parse(const char *name, u32 *path)
{
	for (size_t i = 0; i < WS_ARRAY_SIZE(paths); i++)
		if (!strcasecmp(paths[i].name, name)) {
			*path = paths[i].path;
			return true;
		}
	return false;
}

/*
 * The Lance is the VMM's. Whether VMApp helps it to move frames, or path direct
 * does without, can change at any time, and is the VMM's to know.
 */
static bool in_vmm(const struct nic *n)
{
	return n->path != VMDRV_PATH_VMAPP;
}

u32 nic_path(const struct nic *n)
{
	struct vmdrv_knob_value knob = { .knob = VMDRV_KNOB_DATAPATH, .nic = n->index };

	return ioctl(n->all->vm_fd, VMDRV_GET_KNOB, &knob) ? n->path : knob.value;
}

/* On the loop's thread, in @ns or before. */
static void again_in(struct nic *n, u64 ns)
{
	u64 when = loop_monotonic(NULL) + ns;

	if (when < n->again.when)
		n->again.timer.arm(&n->again.timer, when);
}

/* Watches are the loop's thread's to change. */
static void update_watches(struct nic *n)
{
	loop_watch_enable(&n->readable, !n->gone && n->received != NIC_RECEIVED_STUCK);
	loop_watch_enable(&n->room, !n->gone && n->blocked);
	loop_watch_enable(&n->link_changed, !n->gone);
}

/* ---- guest memory --------------------------------------------------------------- */

static bool read_guest(void *dev, u32 addr, void *buf, u32 len)
{
	const struct nic *n = dev;
	const void *p = mem_ptr(n->all->mem, addr, len);

	if (p)
		memcpy(buf, p, len);
	return p;
}

static bool write_guest(void *dev, u32 addr, const void *buf, u32 len)
{
	const struct nic *n = dev;
	void *p = mem_ptr(n->all->mem, addr, len);
	u16 word;

	if (p && len == sizeof(word) && !(addr & 1)) {
		memcpy(&word, buf, sizeof(word));
		__atomic_store_n((u16 *)p, word, __ATOMIC_RELAXED);
	} else if (p) {
		memcpy(p, buf, len);
	}
	return p;
}

/* A frame as it was read: its beginning in the guest's buffer, the rest in ours. */
struct placed {
	u8 *guest;
	u32 room;
	u8 *ours;
};

static u8 *placed_at(const struct placed *at, u32 offset, u32 *len)
{
	if (offset >= at->room)
		return at->ours + (offset - at->room);
	if (*len > at->room - offset)
		*len = at->room - offset;
	return at->guest + offset;
}

/* Most of a frame is where it belongs already; then there is nothing to copy. */
static bool copy_placed(void *dev, void *rest, u32 offset, u32 addr, u32 len)
{
	const struct nic *n = dev;

	for (u32 part; len; offset += part, addr += part, len -= part) {
		u8 *from, *to;

		part = len;
		from = placed_at(rest, offset, &part);
		to = mem_ptr(n->all->mem, addr, part);
		if (!to)
			return false;
		if (to != from)
			memmove(to, from, part);
	}
	return true;
}

static const struct lance_bus lance_bus = {
	.read = read_guest,
	.write = write_guest,
	.copy = copy_placed,
};

/* ---- sending ---------------------------------------------------------------------- */

/* The frame where it lies; 0 pieces: not all of it is RAM. */
static int gather(const struct nic *n, struct iovec iov[LANCE_TX_CHAIN + 1])
{
	static const u8 zeros[LANCE_FRAME_MIN];
	const struct lance_tx *tx = &n->tx;
	int pieces = 0;

	for (u32 i = 0; i < tx->count; i++) {
		u16 len = tx->frag[i].len;
		void *p = mem_ptr(n->all->mem, tx->frag[i].addr, len);

		if (!len)
			continue;
		if (!p)
			return 0;
		iov[pieces++] = (struct iovec){ p, len };
	}
	if (tx->pad)
		iov[pieces++] = (struct iovec){ (void *)zeros, tx->pad };
	return pieces;
}

/*
 * False: vmnet has no room, try again later. Whatever else becomes of the frame
 * is vmnet's to count: a wire does not tell its sender either.
 */
static bool write_frame(struct nic *n)
{
	struct iovec iov[LANCE_TX_CHAIN + 1];
	int pieces = gather(n, iov);

	if (pieces && writev(n->fd, iov, pieces) < 0 && errno == EAGAIN)
		return false;
	n->sending = false;
	lance_tx_done(&n->lance, &n->tx, pieces);
	return true;
}

static void wait_for_room(struct nic *n)
{
	n->blocked = true;
	loop_wake(n->all->loop);
}

static void send_from_here(struct nic *n)
{
	/* The guest has stopped the chip meanwhile. */
	if (n->sending && n->tx.epoch != n->lance.epoch)
		n->sending = false;
	n->unsent = false;
	for (unsigned int left = LANCE_TX_BUDGET; left; left--) {
		if (!n->sending) {
			enum lance_tx_kind kind = lance_tx_next(&n->lance, &n->tx);

			if (kind == LANCE_TX_NONE || kind == LANCE_TX_BUSY)
				return;
			n->sending = kind == LANCE_TX_SEND;
		}
		if (!n->sending) {
			lance_tx_done(&n->lance, &n->tx, true);
		} else if (!write_frame(n)) {
			wait_for_room(n);
			return;
		}
	}
	n->unsent = true;
	again_in(n, 0);
}

static void send_from_vmm(struct nic *n)
{
	struct vmdrv_nic_move move = { .nic = n->index, .budget = BUDGET };

	/* What is left after that has the VMM exit once more. */
	if (ioctl(n->all->vm_fd, VMDRV_NIC_TRANSMIT, &move) < 0 && errno == EAGAIN)
		wait_for_room(n);
}

static void send_frames(struct nic *n)
{
	if (in_vmm(n))
		send_from_vmm(n);
	else
		send_from_here(n);
}

/* ---- receiving -------------------------------------------------------------------- */

/* The one copy of a frame: into the guest's next buffer, as far as that goes. */
static ssize_t read_frame(struct nic *n, struct placed *at)
{
	struct iovec iov[2];
	u32 addr;

	*at = (struct placed){ .ours = n->all->frame };
	if (lance_rx_buffer(&n->lance, &addr, &at->room))
		at->guest = mem_ptr(n->all->mem, addr, at->room);
	if (!at->guest)
		at->room = 0;
	iov[0] = (struct iovec){ at->guest, at->room };
	iov[1] = (struct iovec){ n->all->frame, sizeof(n->all->frame) };
	return readv(n->fd, iov, 2);
}

/*
 * Whether the guest gets the frame, its header decides. That is looked at in a
 * copy: the guest may be writing to its buffer, too.
 */
static void put_frame(struct nic *n, struct placed *at, u32 len)
{
	u8 header[ETH_HLEN];
	struct lance_frame frame = {
		.data = header,
		.linear = len < sizeof(header) ? len : sizeof(header),
		.len = len,
		.rest = at,
	};

	for (u32 part, i = 0; i < frame.linear; i += part) {
		const u8 *from;

		part = frame.linear - i;
		from = placed_at(at, i, &part);
		memcpy(header + i, from, part);
	}
	/* Ready, and yet no buffer was there: then it is lost. */
	if (lance_receive(&n->lance, &frame) == LANCE_RX_HOLD)
		lance_missed(&n->lance, 1);
}

/* A chip that is off lets frames pass; one that lacks buffers has them wait. */
static enum nic_received receive_here(struct nic *n)
{
	for (unsigned int left = BUDGET; left; left--) {
		struct placed at;
		ssize_t len;

		if (!lance_can_receive(&n->lance) && n->lance.held)
			return NIC_RECEIVED_STUCK;
		len = read_frame(n, &at);
		if (len <= 0)
			return NIC_RECEIVED_ALL;
		put_frame(n, &at, (u32)len);
	}
	return NIC_RECEIVED_SOME;
}

static enum nic_received receive_in_vmm(struct nic *n)
{
	struct vmdrv_nic_move move = { .nic = n->index, .budget = BUDGET };
	struct pollfd waiting = { .fd = n->fd, .events = POLLIN };

	if (ioctl(n->all->vm_fd, VMDRV_NIC_RECEIVE, &move) == BUDGET)
		return NIC_RECEIVED_SOME;
	if (poll(&waiting, 1, 0) > 0 && waiting.revents & POLLIN)
		return NIC_RECEIVED_STUCK;
	return NIC_RECEIVED_ALL;
}

static void receive(struct nic *n)
{
	n->received = in_vmm(n) ? receive_in_vmm(n) : receive_here(n);
	if (n->received != NIC_RECEIVED_ALL)
		again_in(n, n->received == NIC_RECEIVED_STUCK ? STUCK_NS : 0);
}

/* ---- the link --------------------------------------------------------------------- */

static void set_link(struct nic *n, bool up)
{
	struct vmdrv_nic_link link = { .nic = n->index, .up = up };

	n->link = up;
	lance_set_link(&n->lance, up);
	ioctl(n->all->vm_fd, VMDRV_NIC_SET_LINK, &link);
}

static bool get_status(struct nic *n, struct vmnet_status *status)
{
	if (ioctl(n->fd, VMNET_GET_STATUS, status))
		return false;
	if (status->gone && !n->gone) {
		n->gone = true;
		n->blocked = false;	/* what is sent now is lost, not delayed */
		loop_wake(n->all->loop);
	}
	if (status->link != n->link)
		set_link(n, status->link);
	return true;
}

/* Frames that vmnet had to drop since the last look, as its queue was full. */
static u32 take_lost(struct nic *n)
{
	struct vmnet_status status;
	u64 before = n->lost;

	if (get_status(n, &status))
		n->lost = status.counters[VMNET_RX_QUEUE_FULL];
	return (u32)(n->lost - before);
}

/* Guest or VMApp were too slow for what came: the chip has missed the rest. */
static void count_missed(struct nic *n)
{
	if (n->path == VMDRV_PATH_VMAPP)	/* else the VMM counts */
		lance_missed(&n->lance, take_lost(n));
}

/* ---- what the chip wants, on path vmapp -------------------------------------------- */

/*
 * RAP is a latch of the VMM's as long as the ports answer. Fetch it before the
 * chip needs it, where an exit has not brought it along.
 */
static void fetch_rap(struct nic *n)
{
	struct vmdrv_latch latch = { .port = (u16)(n->decode.port + lance_rap_offset(&n->lance)),
				     .size = (u16)lance_rap_size(&n->lance) };

	if (n->path == VMDRV_PATH_VMAPP && n->decode.io &&
	    !ioctl(n->all->vm_fd, VMDRV_GET_LATCH, &latch))
		lance_set_rap(&n->lance, latch.value);
}

static void store_rap(const struct nic *n)
{
	struct vmdrv_latch latch = { .port = (u16)(n->decode.port + lance_rap_offset(&n->lance)),
				     .size = (u16)lance_rap_size(&n->lance),
				     .value = n->lance.rap };

	if (n->path == VMDRV_PATH_VMAPP && n->decode.io)
		ioctl(n->all->vm_fd, VMDRV_SET_LATCH, &latch);
}

static const struct ws_region port_window, memory_window;

/*
 * Have the windows answer where PCI's registers say. One that lies on somebody
 * else's ports answers nowhere.
 */
static void decode_rom(struct nic *n)
{
	const struct rom *rom = &n->all->rom;
	u32 base = rom->data ? pci_rom_base(&n->pci) : 0;

	map_set(n->all->map, MAP_NIC_ROM + n->index, base, base ? rom->room : 0, rom->data,
		VMDRV_MEM_READONLY);
}

static void decode(struct nic *n)
{
	u32 io = pci_bar_base(&n->pci, 0), mem = pci_bar_base(&n->pci, 1);
	u32 command = pci_config_read(&n->pci, PCI_COMMAND, 2);
	struct vmdrv_nic_decode d = {
		.nic = n->index,
		.master = !!(command & PCI_COMMAND_MASTER),
		.dwio = lance_is_dwio(&n->lance),
		.irq = (u8)i440fx_irq(n->all->bridge, NIC_SLOT + n->index),
	};
	struct bus *bus = n->all->bus;

	ws_ports_remove(&bus->ports, n);
	bus_remove_mmio(bus, n);
	if (io && io <= 0xffff && !ws_ports_add(&bus->ports, &port_window, 1, io, n)) {
		d.io = 1;
		d.port = (u16)io;
	}
	if (ioctl(n->all->vm_fd, VMDRV_NIC_DECODE, &d) && d.io) {
		ws_ports_remove(&bus->ports, n);
		d.io = 0;
		d.port = 0;
		ioctl(n->all->vm_fd, VMDRV_NIC_DECODE, &d);
	}
	if (mem)
		bus_add_mmio(bus, &memory_window, 1, mem, n);
	decode_rom(n);
	n->decode = d;
	store_rap(n);
	lance_set_dma(&n->lance, d.master);
}

/* A guest may give its NIC another address than its PROM's. */
static void follow_address(struct nic *n)
{
	struct vmnet_mac mac = { .pad = 0 };

	lance_get_padr(&n->lance, mac.mac);
	if (!memcmp(mac.mac, n->vmnet_mac, sizeof(mac.mac)) || ioctl(n->fd, VMNET_SET_MAC, &mac))
		return;
	memcpy(n->vmnet_mac, mac.mac, sizeof(mac.mac));
}

/* After everything that was done to the chip. What is left after it comes soon. */
static void attend(struct nic *n)
{
	struct lance *l = &n->lance;
	u32 events;

	if (n->path != VMDRV_PATH_VMAPP)
		return;
	events = lance_take_events(l);
	if (events & LANCE_EV_INIT) {
		lance_load(l);
		events |= lance_take_events(l);
	}
	if (events & LANCE_EV_LATCH && lance_is_dwio(l) != n->decode.dwio)
		decode(n);
	else if (events & LANCE_EV_LATCH)
		store_rap(n);
	if (events & LANCE_EV_FILTER)
		follow_address(n);
	if (events & LANCE_EV_TX && !n->blocked)
		send_frames(n);
	if (events & LANCE_EV_RX && n->received == NIC_RECEIVED_STUCK)
		receive(n);
	dev_irq_set(&n->irq, lance_irq(l));
	if (l->events & ~LANCE_EV_IRQ)
		again_in(n, 0);
	else if (n->again.when == DEV_NEVER && lance_needs_poll(l))
		again_in(n, POLL_NS);
}

bool nic_status(struct nic *n, struct vmnet_status *status)
{
	bool known = get_status(n, status);

	attend(n);
	return known;
}

/* ---- the windows ------------------------------------------------------------------- */

static u32 access_window(struct nic *n, u32 offset, unsigned int size, bool write, u32 val)
{
	struct vmdrv_nic_access a = { .nic = n->index, .offset = offset, .size = size,
				      .write = write, .value = val };

	if (in_vmm(n))
		return ioctl(n->all->vm_fd, VMDRV_NIC_ACCESS, &a) ? ws_all_ones(size) : a.value;
	if (write)
		lance_write(&n->lance, offset, size, val);
	else
		val = lance_read(&n->lance, offset, size);
	attend(n);
	return val;
}

static u32 read_port(void *dev, u32 offset, unsigned int size)
{
	struct nic *n = dev;

	lance_set_rap(&n->lance, n->all->bus->latch);
	return access_window(n, offset, size, false, 0);
}

static void write_port(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct nic *n = dev;

	lance_set_rap(&n->lance, n->all->bus->latch);
	access_window(n, offset, size, true, val);
}

static u32 read_memory(void *dev, u32 offset, unsigned int size)
{
	struct nic *n = dev;

	fetch_rap(n);
	return access_window(n, offset, size, false, 0);
}

static void write_memory(void *dev, u32 offset, unsigned int size, u32 val)
{
	struct nic *n = dev;

	fetch_rap(n);
	access_window(n, offset, size, true, val);
	store_rap(n);
}

/* All sizes, as the chip has them: a wrong one must not become several right ones. */
static const struct ws_region port_window = {
	"lance", 0, LANCE_IO_SIZE, WS_SIZE_1 | WS_SIZE_2 | WS_SIZE_4, 0, read_port, write_port
};

static const struct ws_region memory_window = {
	"lance_memory", 0, LANCE_IO_SIZE, WS_SIZE_1 | WS_SIZE_2 | WS_SIZE_4, 0,
	read_memory, write_memory
};

static void on_config(struct pci_function *fn, u32 offset, unsigned int size)
{
	struct nic *n = (struct nic *)((char *)fn - offsetof(struct nic, pci));

	(void)size;
	if (offset >= PCI_STATUS && (offset < PCI_BAR(0) || offset >= PCI_BAR(2)) &&
	    offset / 4 != PCI_ROM / 4)
		return;
	fetch_rap(n);
	decode(n);
	attend(n);
}

static void reset_config(struct nic *n)
{
	struct pci_function *fn = &n->pci;

	pci_function_init(fn, LANCE_PCI_VENDOR, LANCE_PCI_DEVICE, LANCE_PCI_CLASS,
			  LANCE_PCI_REVISION);
	pci_config_set(fn, PCI_COMMAND, 2,
		       PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
		       LANCE_PCI_COMMAND);
	pci_config_set(fn, PCI_STATUS, 2, LANCE_PCI_STATUS, 0);
	pci_config_set(fn, PCI_LATENCY, 1, 0, 0xff);
	pci_set_bar(fn, 0, NIC_IO_BASE + n->index * LANCE_IO_SIZE, LANCE_IO_SIZE, true);
	pci_set_bar(fn, 1, NIC_MEM_BASE + n->index * NIC_MEM_STEP, LANCE_IO_SIZE, false);
	if (n->all->rom.data)
		pci_set_rom(fn, n->all->rom.room);
	pci_config_set(fn, PCI_SUBSYSTEM_VENDOR, 2, LANCE_PCI_VENDOR, 0);
	pci_config_set(fn, PCI_SUBSYSTEM, 2, LANCE_PCI_DEVICE, 0);
	pci_config_set(fn, PCI_INTERRUPT_LINE, 1, pci_slot_irq(NIC_SLOT + n->index), 0xff);
	pci_config_set(fn, PCI_INTERRUPT_PIN, 1, LANCE_PCI_PIN, 0);
	pci_config_set(fn, PCI_MIN_GNT, 1, LANCE_PCI_MIN_GNT, 0);
	pci_config_set(fn, PCI_MAX_LAT, 1, LANCE_PCI_MAX_LAT, 0);
	fn->written = on_config;
}

static void nic_reset(struct nic *n)
{
	n->sending = false;
	n->unsent = false;
	lance_hard_reset(&n->lance);
	ioctl(n->all->vm_fd, VMDRV_NIC_RESET, n->index);
	reset_config(n);
	decode(n);
	attend(n);
}

void nics_reset(struct nics *ns)
{
	for (unsigned int i = 0; i < VMDRV_NIC_MAX; i++)
		if (ns->nic[i].all)
			nic_reset(&ns->nic[i]);
}

void nics_route(struct nics *ns)
{
	for (unsigned int i = 0; i < VMDRV_NIC_MAX; i++) {
		struct nic *n = &ns->nic[i];

		if (!n->all)
			continue;
		fetch_rap(n);
		decode(n);
	}
}

/* ---- what vmnet and the clock have to say: on the loop's thread ---------------------- */

/* Was @n's bit set in a word of the IRQ page? It is not any more. */
static bool take_bit(const struct nic *n, __u64 *word)
{
	u64 bit = 1ull << n->bit;

	return __atomic_load_n(word, __ATOMIC_RELAXED) & bit &&
	       __atomic_fetch_and(word, ~bit, __ATOMIC_SEQ_CST) & bit;
}

/*
 * A clear bit says that the vCPU's thread was quicker. If the event comes once
 * more, something waits that had a bit before.
 */
static void on_readable(void *arg)
{
	struct nic *n = arg;
	bool doubtful = !take_bit(n, &n->all->page->rx) && !n->doubted;

	n->doubted = doubtful;
	if (doubtful) {
		n->all->spared++;
	} else if (n->received != NIC_RECEIVED_STUCK) {
		receive(n);
		attend(n);
	}
	update_watches(n);
}

static void on_room(void *arg)
{
	struct nic *n = arg;

	take_bit(n, &n->all->page->tx);
	n->blocked = false;
	send_frames(n);
	attend(n);
	update_watches(n);
}

static void on_link(void *arg)
{
	struct nic *n = arg;
	struct vmnet_status status;

	take_bit(n, &n->all->page->link);
	nic_status(n, &status);
	update_watches(n);
}

static void on_again(void *arg)
{
	struct nic *n = arg;

	count_missed(n);
	if (n->unsent)
		send_frames(n);
	if (n->received != NIC_RECEIVED_ALL)
		receive(n);
	if (n->path == VMDRV_PATH_VMAPP && lance_needs_poll(&n->lance))
		lance_poll(&n->lance);
	attend(n);
	update_watches(n);
}

void nics_wake(struct nics *ns)
{
	for (unsigned int i = 0; i < VMDRV_NIC_MAX; i++)
		if (ns->nic[i].all)
			update_watches(&ns->nic[i]);
}

/* ---- on the vCPU's thread ------------------------------------------------------------ */

void nics_move(struct nics *ns, u32 which)
{
	for (unsigned int i = 0; i < VMDRV_NIC_MAX; i++) {
		struct nic *n = &ns->nic[i];

		if (!(which & 1u << i) || !n->all)
			continue;
		if (!n->blocked)
			send_frames(n);
		if (n->received == NIC_RECEIVED_STUCK)
			receive(n);
	}
}

void nics_enter(struct nics *ns)
{
	if (ns->page && ns->irq_notification)
		__atomic_store_n(&ns->page->looking, 1, __ATOMIC_RELAXED);
}

/* The counterpart of on_readable(), on_room() and on_link(). */
static void serve_bits(struct nic *n)
{
	struct vmnet_irq_page *page = n->all->page;
	struct vmnet_status status;

	if (take_bit(n, &page->link))
		get_status(n, &status);
	if (take_bit(n, &page->tx) && n->blocked) {
		n->blocked = false;
		send_frames(n);
	}
	if (take_bit(n, &page->rx) && n->received != NIC_RECEIVED_STUCK) {
		n->all->found++;
		receive(n);
	}
	attend(n);
}

void nics_leave(struct nics *ns)
{
	struct vmnet_irq_page *page = ns->page;

	if (!page || !__atomic_load_n(&page->looking, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&page->looking, 0, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!(__atomic_load_n(&page->rx, __ATOMIC_RELAXED) |
	      __atomic_load_n(&page->tx, __ATOMIC_RELAXED) |
	      __atomic_load_n(&page->link, __ATOMIC_RELAXED)))
		return;
	for (unsigned int i = 0; i < VMDRV_NIC_MAX; i++)
		if (ns->nic[i].all)
			serve_bits(&ns->nic[i]);
}

/* What poll() says of a NIC becomes the bits that vmnet would have set for it. */
static void select_one(struct nic *n, short events)
{
	struct vmnet_irq_page *page = n->all->page;
	u64 bit = 1ull << n->bit;

	if (events & POLLIN)
		__atomic_fetch_or(&page->rx, bit, __ATOMIC_RELAXED);
	if (events & POLLOUT)
		__atomic_fetch_or(&page->tx, bit, __ATOMIC_RELAXED);
	if (events & (POLLPRI | POLLHUP))
		__atomic_fetch_or(&page->link, bit, __ATOMIC_RELAXED);
	if (events)
		serve_bits(n);
}

void nics_select(struct nics *ns)
{
	struct pollfd fds[VMDRV_NIC_MAX];

	if (!ns->page || ns->irq_notification)
		return;
	for (unsigned int i = 0; i < VMDRV_NIC_MAX; i++) {
		struct nic *n = &ns->nic[i];

		fds[i] = (struct pollfd){ .fd = n->all && !n->gone ? n->fd : -1,
					  .events = POLLIN | POLLPRI };
		if (n->blocked)
			fds[i].events |= POLLOUT;
	}
	ns->selects++;
	if (poll(fds, VMDRV_NIC_MAX, 0) <= 0)
		return;
	for (unsigned int i = 0; i < VMDRV_NIC_MAX; i++)
		if (fds[i].fd >= 0)
			select_one(&ns->nic[i], fds[i].revents);
}

/* ---- switching the data path ---------------------------------------------------------- */

static int set_path(const struct nic *n, u32 path)
{
	struct vmdrv_nic_path p = { .nic = n->index, .path = path };

	return ioctl(n->all->vm_fd, VMDRV_NIC_SET_PATH, &p);
}

/* A frame that is being sent is fetched from the guest's ring again, over there. */
static int move_to_vmm(struct nic *n, u32 path)
{
	struct lance_state state;
	struct vmdrv_nic_state arg = { .nic = n->index, .size = sizeof(state),
				       .data = (uintptr_t)&state };

	fetch_rap(n);
	lance_get(&n->lance, &state);
	if (set_path(n, path))
		return -1;
	if (ioctl(n->all->vm_fd, VMDRV_NIC_SET_STATE, &arg)) {
		set_path(n, VMDRV_PATH_VMAPP);
		return -1;
	}
	n->sending = false;
	lance_hard_reset(&n->lance);
	lance_take_events(&n->lance);
	dev_irq_set(&n->irq, false);
	n->path = path;
	return 0;
}

static int move_to_vmapp(struct nic *n)
{
	struct lance_state state;
	struct vmdrv_nic_state arg = { .nic = n->index, .size = sizeof(state),
				       .data = (uintptr_t)&state };

	/* First the path: nothing moves a frame after it. */
	if (set_path(n, VMDRV_PATH_VMAPP))
		return -1;
	if (ioctl(n->all->vm_fd, VMDRV_NIC_GET_STATE, &arg)) {
		set_path(n, n->path);
		return -1;
	}
	lance_set(&n->lance, &state);	/* came from the same code */
	n->path = VMDRV_PATH_VMAPP;
	take_lost(n);			/* until now the VMM has counted */
	return 0;
}

static int move(struct nic *n, u32 path)
{
	if (path == VMDRV_PATH_VMAPP)
		return in_vmm(n) ? move_to_vmapp(n) : set_path(n, path);
	if (!in_vmm(n))
		return move_to_vmm(n, path);
	if (set_path(n, path))
		return -1;
	n->path = path;
	return 0;
}

int nic_set_path(struct nic *n, u32 path, struct error *err)
{
	if (move(n, path))
		return error_set(err, "the VMM does not take ethernet%u to data path %s: %s",
				 n->index, nic_path_name(path), strerror(errno));
	decode(n);
	n->blocked = false;
	send_frames(n);
	receive(n);
	attend(n);
	loop_wake(n->all->loop);
	return 0;
}

void nics_set_path(struct nics *ns, u32 nic, u32 path)
{
	struct error err;

	/* If it cannot be, the VMM hears that, too: somebody waits there. */
	if (nic < VMDRV_NIC_MAX && ns->nic[nic].all && nic_set_path(&ns->nic[nic], path, &err))
		set_path(&ns->nic[nic], ns->nic[nic].path);
}

/* ---- making them ------------------------------------------------------------------------ */

static const char *config_str(const struct nic *n, const struct vmx *config, const char *format)
{
	char key[48];

	snprintf(key, sizeof(key), format, n->index);
	return vmx_str(config, key);
}

/* VMware's prefix, and a hash (FNV-1a) of what tells this NIC from others. */
static void make_mac(u8 mac[6], const char *vm, unsigned int index)
{
	u32 hash = 2166136261u;

	for (; *vm; vm++)
		hash = (hash ^ (u8)*vm) * 16777619u;
	hash = (hash ^ index) * 16777619u;
	mac[0] = 0x00;
	mac[1] = 0x0c;
	mac[2] = 0x29;
	mac[3] = (u8)(hash >> 24 ^ hash);
	mac[4] = (u8)(hash >> 16);
	mac[5] = (u8)(hash >> 8);
}

static int choose_mac(struct nic *n, const struct vmx *config, const char *vm, struct error *err)
{
	const char *text = config_str(n, config, "ethernet%u.address");
	u8 *m = n->mac;
	int end = -1;

	if (!*text) {
		make_mac(m, vm, n->index);
		return 0;
	}
	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", m, m + 1, m + 2, m + 3, m + 4,
		   m + 5, &end) != 6 || end != 17 || text[end])
		return error_set(err, "ethernet%u.address = \"%s\" is not a MAC address; it looks like 00:0c:29:12:34:56",
				 n->index, text);
	if (m[0] & 1 || !(m[0] | m[1] | m[2] | m[3] | m[4] | m[5]))
		return error_set(err, "ethernet%u.address = \"%s\" cannot be a NIC's own; take one that begins with 00:0c:29",
				 n->index, text);
	return 0;
}

static int choose_network(struct nic *n, const struct vmx *config, struct error *err)
{
	const char *type = config_str(n, config, "ethernet%u.connectionType");
	const char *network = config_str(n, config, "ethernet%u.vnet");

	if (!*network && !strcasecmp(type, "custom"))
		return error_set(err, "ethernet%u.connectionType is \"custom\": set ethernet%u.vnet to the name of a network (vmctl net list)",
				 n->index, n->index);
	if (!*network)
		network = strcasecmp(type, "hostonly") ? "bridged0" : "hostonly0";
	if (strlen(network) >= sizeof(n->network))
		return error_set(err, "ethernet%u.vnet = \"%s\" is too long for a network's name; vmctl net list has the names",
				 n->index, network);
	strcpy(n->network, network);
	return 0;
}

static int open_vmnet(struct nic *n, struct error *err)
{
	n->fd = open(VMNET_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (n->fd >= 0) {
		int version = ioctl(n->fd, VMNET_GET_VERSION);

		if (version == VMNET_API_VERSION)
			return 0;
		return error_set(err, "the vmnet module has interface %d, vmapp needs %d; install both from one release",
				 version, VMNET_API_VERSION);
	}
	return error_set(err, "ethernet%u: cannot open %s: %s; %s", n->index, VMNET_DEVICE,
			 strerror(errno), errno == EACCES || errno == EPERM ?
			 "join the group vmusers, or run as root" :
			 "load the module: modprobe vmnet (as root)");
}

/* All NICs use the page of the first one. */
static int join_irq_page(struct nic *n, struct error *err)
{
	struct nics *ns = n->all;
	struct vmnet_share share = { .bit = n->bit };
	void *page;

	if (ns->first) {
		share.fd = ns->first->fd;
		if (ioctl(n->fd, VMNET_SHARE_IRQ_PAGE, &share))
			return error_set(err, "ethernet%u: cannot share an IRQ page: %s", n->index,
					 strerror(errno));
		return 0;
	}
	page = mmap(NULL, VMNET_IRQ_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, n->fd, 0);
	if (page == MAP_FAILED)
		return error_set(err, "ethernet%u: cannot map vmnet's IRQ page: %s", n->index,
				 strerror(errno));
	ns->first = n;
	ns->page = page;
	return 0;
}

static int attach(struct nic *n, const struct vmx *config, struct error *err)
{
	const char *type = config_str(n, config, "ethernet%u.connectionType");
	struct vmnet_attach how = { .flags = 0 };

	strcpy(how.network, n->network);
	memcpy(how.mac, n->mac, sizeof(how.mac));
	memcpy(n->vmnet_mac, n->mac, sizeof(n->mac));
	if (!ioctl(n->fd, VMNET_ATTACH, &how))
		return 0;
	switch (errno) {
	case ENOENT:
		return error_set(err, "ethernet%u: there is no network \"%s\"; make it as root: vmctl net create %s --type %s",
				 n->index, n->network, n->network,
				 !strcasecmp(type, "hostonly") ? "hostonly" :
				 !strcasecmp(type, "custom") ? "private" : "bridged --nic INTERFACE");
	case EADDRINUSE:
		return error_set(err, "ethernet%u: address %02x:%02x:%02x:%02x:%02x:%02x is in use on network \"%s\"; set ethernet%u.address to another",
				 n->index, n->mac[0], n->mac[1], n->mac[2], n->mac[3], n->mac[4],
				 n->mac[5], n->network, n->index);
	case ENOSPC:
		return error_set(err, "ethernet%u: network \"%s\" has no free port; end another VM, or make a second network",
				 n->index, n->network);
	default:
		return error_set(err, "ethernet%u: cannot join network \"%s\": %s; see vmctl net show %s",
				 n->index, n->network, strerror(errno), n->network);
	}
}

/* libevent knows no POLLPRI: an epoll of our own becomes readable with it. */
static int watch(struct nic *n, struct error *err)
{
	struct epoll_event pri = { .events = EPOLLPRI };
	struct loop *loop = n->all->loop;

	n->again.timer.expired = on_again;
	n->again.timer.dev = n;
	if (loop_timer_init(&n->again, loop, CLOCK_MONOTONIC, err))
		return -1;
	n->link_fd = epoll_create1(EPOLL_CLOEXEC);
	if (n->link_fd < 0 || epoll_ctl(n->link_fd, EPOLL_CTL_ADD, n->fd, &pri) ||
	    loop_watch_init(&n->readable, loop, n->fd, EV_READ, on_readable, n) ||
	    loop_watch_init(&n->room, loop, n->fd, EV_WRITE, on_room, n) ||
	    loop_watch_init(&n->link_changed, loop, n->link_fd, EV_READ, on_link, n))
		return error_set(err, "ethernet%u: cannot wait for vmnet: %s; raise the limit of open files (ulimit -n)",
				 n->index, strerror(errno));
	update_watches(n);
	return 0;
}

/* A key that is not there leaves what the module's parameter says. */
static int set_knob(const struct nics *ns, u32 knob, u32 nic, const char *value)
{
	struct vmdrv_knob_value v = { .knob = knob, .nic = nic };

	if (!*value)
		return 0;
	if (!strcasecmp(value, "TRUE"))
		v.value = 1;
	else
		v.value = (u32)strtoul(value, NULL, 10);	/* FALSE is 0 */
	return ioctl(ns->vm_fd, VMDRV_SET_KNOB, &v);
}

static int set_knobs(struct nic *n, const struct vmx *config)
{
	static const struct {
		u32 knob;
		const char *key;
	} knobs[] = {
		{ VMDRV_KNOB_SEND_COMBINING, "worldswitch.ethernet%u.sendCombining" },
		{ VMDRV_KNOB_COMBINE_MAX, "worldswitch.ethernet%u.combineMax" },
		{ VMDRV_KNOB_COMBINE_RATE, "worldswitch.ethernet%u.combineRate" },
		{ VMDRV_KNOB_ZEROCOPY_MIN, "worldswitch.ethernet%u.zerocopyMin" },
	};

	for (size_t i = 0; i < WS_ARRAY_SIZE(knobs); i++)
		if (set_knob(n->all, knobs[i].knob, n->index,
			     config_str(n, config, knobs[i].key)))
			return -1;
	n->path = nic_path(n);
	if (nic_path_parse(config_str(n, config, "worldswitch.ethernet%u.datapath"), &n->path))
		return set_path(n, n->path);
	return 0;
}

/* One ROM is every NIC's, if the firmware may boot from one. */
static int load_rom(struct nics *ns, const struct vmx *config, struct error *err)
{
	char path[PATH_MAX];

	vmx_path(config, "nbios.filename", path, sizeof(path));
	if (!ns->firmware || ns->rom.data ||
	    !strcasestr(vmx_str(config, "bios.bootOrder"), "ethernet"))
		return 0;
	return rom_load(&ns->rom, path, "nbios.filename", ROM_MIN, ROM_MAX, err);
}

static int nic_create(struct nic *n, const struct vmx *config, const char *vm, struct error *err)
{
	struct vmdrv_nic_create create = { .nic = n->index };
	struct vmnet_status status;

	if (choose_mac(n, config, vm, err) || choose_network(n, config, err) ||
	    open_vmnet(n, err) || join_irq_page(n, err) || attach(n, config, err) ||
	    watch(n, err))
		return -1;
	create.vmnet_fd = n->fd;
	memcpy(create.mac, n->mac, sizeof(create.mac));
	lance_init(&n->lance, &lance_bus, n, n->mac);
	if (ioctl(n->all->vm_fd, VMDRV_NIC_CREATE, &create) || set_knobs(n, config))
		return error_set(err, "cannot make ethernet%u: %s; vmctl doctor may know more",
				 n->index, strerror(errno));
	get_status(n, &status);
	return i440fx_add(n->all->bridge, PCI_DEVFN(NIC_SLOT + n->index, 0), &n->pci);
}

int nics_create(struct nics *ns, const struct vmx *config, const char *vm, struct error *err)
{
	unsigned int bits = 0;

	if (set_knob(ns, VMDRV_KNOB_IRQ_NOTIFICATION, 0,
		     vmx_str(config, "worldswitch.irqNotification")) ||
	    set_knob(ns, VMDRV_KNOB_HOST_IRQ_TO_VMAPP, 0,
		     vmx_str(config, "worldswitch.hostIrqToVmapp")) ||
	    set_knob(ns, VMDRV_KNOB_PAIRS, 0, vmx_str(config, "worldswitch.pairs")))
		return error_set(err, "the VMM does not take its knobs: %s", strerror(errno));
	for (unsigned int i = 0; i < VMDRV_NIC_MAX; i++) {
		struct nic *n = &ns->nic[i];
		char key[32];

		snprintf(key, sizeof(key), "ethernet%u.present", i);
		if (!vmx_bool(config, key))
			continue;
		*n = (struct nic){ .all = ns, .index = i, .bit = bits++, .fd = -1, .link_fd = -1,
				   .irq = i440fx_line(ns->bridge, NIC_SLOT + i) };
		if (load_rom(ns, config, err) || nic_create(n, config, vm, err))
			return -1;
	}
	return 0;
}

static void nic_destroy(struct nic *n)
{
	loop_watch_free(&n->readable);
	loop_watch_free(&n->room);
	loop_watch_free(&n->link_changed);
	loop_timer_free(&n->again);
	if (n->link_fd >= 0)
		close(n->link_fd);
	if (n->fd >= 0)
		close(n->fd);
	n->all = NULL;
}

void nics_destroy(struct nics *ns)
{
	for (unsigned int i = 0; i < VMDRV_NIC_MAX; i++)
		if (ns->nic[i].all)
			nic_destroy(&ns->nic[i]);
	if (ns->page)
		munmap(ns->page, VMNET_IRQ_PAGE_SIZE);
	rom_free(&ns->rom);
	ns->page = NULL;
	ns->first = NULL;
}
