// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmapp's NICs: configuration, PCI, both data paths, and the way between them.
 * vmnet is one end of a socket pair, vmdriver a few variables: open(), mmap()
 * and ioctl() come here first.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmapp/nic.h"

int __real_open(const char *path, int flags, ...);
int __real_ioctl(int fd, unsigned long request, void *arg);
void *__real_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off);

#define VM_FD	1000

static struct {
	int port;			/* vmnet's end of the socket pair */
	int wire;			/* and ours */
	int open_error, attach_error;
	struct vmnet_attach attach;
	struct vmnet_status status;
	struct vmnet_irq_page *page;

	struct vmdrv_nic_decode decode;
	int decode_error;		/* with io set */
	u32 path;
	int path_error;
	u32 latch;
	struct lance_state state;
	int memory_error;
	unsigned int transmits, receives, resets, accesses;
	bool link;
} fake;

static int failed(int err)
{
	errno = err;
	return -1;
}

static int vmnet_call(unsigned long request, void *arg)
{
	switch (request) {
	case VMNET_GET_VERSION:
		return VMNET_API_VERSION;
	case VMNET_ATTACH:
		fake.attach = *(struct vmnet_attach *)arg;
		return fake.attach_error ? failed(fake.attach_error) : 0;
	case VMNET_GET_STATUS:
		*(struct vmnet_status *)arg = fake.status;
		return 0;
	default:
		return 0;
	}
}

static int vmdrv_call(unsigned long request, void *arg)
{
	struct vmdrv_nic_state *state = arg;

	switch (request) {
	case VMDRV_NIC_DECODE:
		if (((struct vmdrv_nic_decode *)arg)->io && fake.decode_error)
			return failed(fake.decode_error);
		fake.decode = *(struct vmdrv_nic_decode *)arg;
		return 0;
	case VMDRV_NIC_SET_PATH:
		if (fake.path_error)
			return failed(fake.path_error);
		fake.path = ((struct vmdrv_nic_path *)arg)->path;
		return 0;
	case VMDRV_GET_KNOB:
		/* Of the second NIC, what the module's parameter says. */
		((struct vmdrv_knob_value *)arg)->value =
			((struct vmdrv_knob_value *)arg)->nic ? VMDRV_PATH_VMM : fake.path;
		return 0;
	case VMDRV_NIC_GET_STATE:
		memcpy((void *)(uintptr_t)state->data, &fake.state, sizeof(fake.state));
		return 0;
	case VMDRV_NIC_SET_STATE:
		assert_int_equal(state->size, sizeof(fake.state));
		memcpy(&fake.state, (void *)(uintptr_t)state->data, sizeof(fake.state));
		return 0;
	case VMDRV_GET_LATCH:
		((struct vmdrv_latch *)arg)->value = fake.latch;
		return 0;
	case VMDRV_SET_LATCH:
		fake.latch = ((struct vmdrv_latch *)arg)->value;
		return 0;
	case VMDRV_NIC_TRANSMIT:
		fake.transmits++;
		return 0;
	case VMDRV_NIC_RECEIVE:
		fake.receives++;
		return 0;
	case VMDRV_NIC_ACCESS:
		fake.accesses++;
		((struct vmdrv_nic_access *)arg)->value = 0x1234;
		return 0;
	case VMDRV_NIC_SET_LINK:
		fake.link = ((struct vmdrv_nic_link *)arg)->up;
		return 0;
	case VMDRV_SET_MEMORY:
		return ((struct vmdrv_memory *)arg)->size && fake.memory_error ?
		       failed(fake.memory_error) : 0;
	case VMDRV_NIC_RESET:
		fake.resets++;
		return 0;
	default:
		return 0;
	}
}

int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	va_list ap;
	int mode;

	if (!strcmp(path, VMNET_DEVICE))
		return fake.open_error ? failed(fake.open_error) : dup(fake.port);
	va_start(ap, flags);
	mode = va_arg(ap, int);
	va_end(ap);
	return __real_open(path, flags, mode);
}

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (fd == VM_FD)
		return vmdrv_call(request, arg);
	if ((request >> 8 & 0xff) == VMNET_IOC)
		return vmnet_call(request, arg);
	return __real_ioctl(fd, request, arg);
}

void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	if (fd < 0)
		return __real_mmap(addr, len, prot, flags, fd, off);
	fake.page = __real_mmap(NULL, len, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return fake.page;
}

/* ---- a board with NICs ---- */

static struct board {
	struct nics nics;
	struct bus bus;
	struct map map;
	struct i440fx bridge;
	struct guest_mem mem;
	struct loop loop;
	pthread_mutex_t lock;
	struct vmx config;
	struct error err;
	bool level[16];
} *board;

static void set_irq(void *ctx, unsigned int irq, bool level)
{
	((struct board *)ctx)->level[irq] = level;
}

static void on_shadow(void *ctx)
{
}

static void on_routed(void *ctx)
{
	nics_route(&((struct board *)ctx)->nics);
}

static void on_wake(void *arg)
{
	nics_wake(&((struct board *)arg)->nics);
}

static void set(const char *assignment)
{
	assert_int_equal(vmx_override(&board->config, assignment, &board->err), 0);
}

static int setup(void **state)
{
	int pair[2];

	(void)state;
	memset(&fake, 0, sizeof(fake));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	fake.port = pair[0];
	fake.wire = pair[1];
	fake.status.link = 1;
	board = calloc(1, sizeof(*board));
	pthread_mutex_init(&board->lock, NULL);
	vmx_init(&board->config);
	assert_int_equal(mem_create(&board->mem, 4, &board->err), 0);
	assert_int_equal(loop_init(&board->loop, &board->lock, on_wake, board, &board->err), 0);
	board->bridge.shadow.raise = on_shadow;
	board->bridge.irq = (struct dev_irq){ set_irq, board, 0, false };
	board->bridge.routed = (struct dev_signal){ on_routed, board };
	i440fx_init(&board->bridge);
	board->nics.vm_fd = VM_FD;
	board->nics.bus = &board->bus;
	board->map.vm_fd = VM_FD;
	board->nics.map = &board->map;
	board->nics.bridge = &board->bridge;
	board->nics.mem = &board->mem;
	board->nics.loop = &board->loop;
	board->nics.irq_notification = true;
	set("ethernet0.present=TRUE");
	set("worldswitch.ethernet0.datapath=vmapp");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	nics_destroy(&board->nics);
	loop_destroy(&board->loop);
	mem_destroy(&board->mem);
	vmx_free(&board->config);
	free(board);
	close(fake.port);
	close(fake.wire);
	return 0;
}

static struct nic *make(void)
{
	if (nics_create(&board->nics, &board->config, "guest", &board->err))
		fail_msg("%s", board->err.text);
	nics_reset(&board->nics);
	return &board->nics.nic[0];
}

static void refused(const char *why)
{
	assert_int_equal(nics_create(&board->nics, &board->config, "guest", &board->err), -1);
	if (!strstr(board->err.text, why))
		fail_msg("no \"%s\" in: %s", why, board->err.text);
}

/* The loop's thread has its turn; the callbacks take the lock. */
static void turn(void)
{
	event_base_loop(board->loop.base, EVLOOP_NONBLOCK);
}

/* ---- configuration ---- */

static void test_defaults(void **state)
{
	struct nic *n = make();
	u8 mac[6];

	(void)state;
	assert_string_equal(fake.attach.network, "bridged0");
	assert_memory_equal(n->mac, "\x00\x0c\x29", 3);
	assert_memory_equal(fake.attach.mac, n->mac, 6);
	assert_int_equal(fake.decode.irq, 11);
	assert_int_equal(n->path, VMDRV_PATH_VMAPP);
	assert_true(n->link && fake.link);

	/* The same name, the same address; another NIC, another one. */
	memcpy(mac, n->mac, 6);
	nics_destroy(&board->nics);
	set("ethernet1.present=TRUE");
	set("ethernet1.connectionType=hostonly");
	memset(board->nics.nic, 0, sizeof(board->nics.nic));
	i440fx_init(&board->bridge);
	make();
	assert_memory_equal(n->mac, mac, 6);
	assert_memory_not_equal(board->nics.nic[1].mac, mac, 6);
	assert_string_equal(fake.attach.network, "hostonly0");
	assert_int_equal(fake.decode.nic, 1);
	assert_int_equal(fake.decode.irq, 10);
	assert_int_equal(board->nics.nic[1].path, VMDRV_PATH_VMM);
}

static void test_bad_address(void **state)
{
	static const char *const bad[] = {
		"00:0c:29:00:00", "00:0c:29:00:00:1", "00:0c:29:00:00:01:02", "hello",
		"01:0c:29:00:00:01", "00:00:00:00:00:00", "00-0c-29-00-00-01",
	};

	(void)state;
	for (size_t i = 0; i < WS_ARRAY_SIZE(bad); i++) {
		char text[64];

		snprintf(text, sizeof(text), "ethernet0.address=%s", bad[i]);
		set(text);
		refused("00:0c:29");
		nics_destroy(&board->nics);
	}
}

static void test_bad_network(void **state)
{
	(void)state;
	set("ethernet0.connectionType=custom");
	refused("ethernet0.vnet");
	nics_destroy(&board->nics);
	set("ethernet0.vnet=a-name-that-is-longer-than-a-network-can-have");
	refused("too long");
	nics_destroy(&board->nics);
	set("ethernet0.vnet=lan");
	fake.attach_error = ENOENT;
	refused("vmctl net create lan");
	nics_destroy(&board->nics);
	fake.attach_error = EADDRINUSE;
	refused("in use");
	nics_destroy(&board->nics);
	fake.open_error = ENOENT;
	refused("modprobe vmnet");
	nics_destroy(&board->nics);
	fake.open_error = EACCES;
	refused("vmusers");
}

/* ---- PCI ---- */

static void test_config_space(void **state)
{
	struct nic *n = make();

	(void)state;
	assert_ptr_equal(board->bridge.bus[PCI_DEVFN(4, 0)], &n->pci);
	assert_int_equal(pci_config_read(&n->pci, 0, 4), 0x20001022);
	assert_int_equal(pci_config_read(&n->pci, 4, 4), 0x02800007);
	assert_int_equal(pci_config_read(&n->pci, 8, 4), 0x02000010);
	assert_int_equal(pci_config_read(&n->pci, 0x10, 4), 0xc001);
	assert_int_equal(pci_config_read(&n->pci, 0x14, 4), 0xfeb00000);
	assert_int_equal(pci_config_read(&n->pci, 0x30, 4), 0);
	assert_int_equal(pci_config_read(&n->pci, 0x3c, 4), 0xff06010b);
	assert_int_equal(fake.decode.port, 0xc000);
	assert_true(fake.decode.io && fake.decode.master);

	pci_config_write(&n->pci, 4, 2, 0);
	assert_false(fake.decode.io || fake.decode.master);
	pci_config_write(&n->pci, 0x10, 4, 0xffffffff);
	pci_config_write(&n->pci, 0x14, 4, 0xffffffff);
	assert_int_equal(pci_config_read(&n->pci, 0x10, 4), 0xffffffe1);
	assert_int_equal(pci_config_read(&n->pci, 0x14, 4), 0xffffffe0);
	pci_config_write(&n->pci, 0x10, 4, 0xd003);
	pci_config_write(&n->pci, 4, 2, 0xffff);
	assert_int_equal(pci_config_read(&n->pci, 4, 2), 0x0147);
	assert_int_equal(fake.decode.port, 0xd000);
	assert_true(fake.decode.io);

	nics_reset(&board->nics);
	assert_int_equal(pci_config_read(&n->pci, 0x10, 4), 0xc001);
	assert_int_equal(fake.decode.port, 0xc000);
	assert_int_equal(fake.resets, 2);
}

static u32 ignore_read(void *dev, u32 offset, unsigned int size)
{
	(void)dev;
	(void)offset;
	return ws_all_ones(size);
}

static void test_window_in_the_way(void **state)
{
	static const struct ws_region com = { "com", 0x3f8, 8, WS_SIZE_1, 0, ignore_read, NULL };
	struct nic *n = make();

	(void)state;
	assert_int_equal(ws_ports_add(&board->bus.ports, &com, 1, 0, NULL), 0);
	pci_config_write(&n->pci, 0x10, 4, 0x3e1);
	assert_false(fake.decode.io);
	pci_config_write(&n->pci, 0x10, 4, 0x10001);	/* no port has this number */
	assert_false(fake.decode.io);
	fake.decode_error = EEXIST;			/* a device of the VMM's is there */
	pci_config_write(&n->pci, 0x10, 4, 0x21);
	assert_false(fake.decode.io);
	fake.decode_error = 0;
	pci_config_write(&n->pci, 0x10, 4, 0xc001);
	assert_true(fake.decode.io);
}

/* ---- registers ---- */

static u32 port(bool out, u32 offset, unsigned int size, u32 val)
{
	struct vmdrv_run *run = calloc(1, sizeof(*run));
	u8 data[4];

	memcpy(data, &val, sizeof(data));
	run->io.port = (u16)(0xc000 + offset);
	run->io.size = (u8)size;
	run->io.direction = out ? VMDRV_IO_OUT : VMDRV_IO_IN;
	run->io.count = 1;
	run->io.latch = fake.latch;
	bus_io(&board->bus, run, data);
	free(run);
	memcpy(&val, data, sizeof(data));
	return val & ws_all_ones(size);
}

static u32 csr(u32 n)
{
	fake.latch = n;
	return port(false, LANCE_RDP, 2, 0);
}

static void set_csr(u32 n, u32 val)
{
	fake.latch = n;
	port(true, LANCE_RDP, 2, val);
}

static void test_registers(void **state)
{
	struct nic *n = make();

	(void)state;
	assert_int_equal(csr(88), 0x1003);
	assert_int_equal(csr(0), LANCE_CSR0_STOP);
	assert_int_equal(port(false, 0, 1, 0), n->mac[0]);

	/* A soft reset clears RAP where it is: in the VMM. */
	fake.latch = 88;
	port(false, LANCE_WIO_RESET, 2, 0);
	assert_int_equal(fake.latch, 0);

	/* Through memory RAP is there, too, and what is there comes back. */
	bus_mmio_write(&board->bus, 0xfeb00012, 2, 89);
	assert_int_equal(fake.latch, 89);
	assert_int_equal(bus_mmio_read(&board->bus, 0xfeb00010, 2), 0x0262);

	/* A 32-bit write moves RAP. */
	assert_false(fake.decode.dwio);
	port(true, LANCE_RDP, 4, 0);
	assert_true(fake.decode.dwio);
	fake.latch = 88;
	assert_int_equal(port(false, LANCE_RDP, 4, 0), 0x02621003);
	nics_reset(&board->nics);
	assert_false(fake.decode.dwio);
}

/* ---- frames ---- */

#define INIT_BLOCK	0x10000u
#define RX_RING		0x11000u
#define TX_RING		0x12000u
#define RX_BUFFER(i)	(0x20000u + (i) * 0x800)
#define TX_BUFFER(i)	(0x30000u + (i) * 0x800)
#define RING		4u

static void poke(u32 addr, u32 val)
{
	memcpy(mem_ptr(&board->mem, addr, 4), &val, 4);
}

static u32 peek(u32 addr)
{
	u32 val;

	memcpy(&val, mem_ptr(&board->mem, addr, 4), 4);
	return val;
}

/* Descriptors of software style 2. */
static void give(u32 ring, u32 i, u32 addr, u32 len, u32 flags)
{
	poke(ring + 16 * i, addr);
	poke(ring + 16 * i + 8, 0);
	poke(ring + 16 * i + 4, flags << 16 | 0xf000 | (-len & 0xfff));
}

#define OWN	0x8000u
#define WHOLE	0x8300u

/* Promiscuous, 4 descriptors each way, interrupts on. */
static void start(void)
{
	for (u32 i = 0; i < RING; i++) {
		give(RX_RING, i, RX_BUFFER(i), 1544, OWN);
		poke(TX_RING + 16 * i + 4, 0);
	}
	poke(INIT_BLOCK, 0x20208000);
	poke(INIT_BLOCK + 0x14, RX_RING);
	poke(INIT_BLOCK + 0x18, TX_RING);
	fake.latch = 20;
	port(true, LANCE_WIO_BDP, 2, 2);
	set_csr(1, INIT_BLOCK & 0xffff);
	set_csr(2, INIT_BLOCK >> 16);
	set_csr(4, 0x0915);
	set_csr(0, LANCE_CSR0_INIT);
	assert_int_equal(csr(0) & LANCE_CSR0_IDON, LANCE_CSR0_IDON);
	set_csr(0, LANCE_CSR0_IDON | LANCE_CSR0_STRT | LANCE_CSR0_IENA);
	assert_false(board->level[11]);
}

static void fill(u8 *p, size_t len, u8 first)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (u8)(first + i);
}

static void send_one(u32 i, u32 len, u8 first)
{
	fill(mem_ptr(&board->mem, TX_BUFFER(i), len), len, first);
	give(TX_RING, i, TX_BUFFER(i), len, WHOLE);
}

static void on_wire(size_t len, u8 first)
{
	u8 want[1600], got[1600];

	fill(want, len, first);
	assert_int_equal(recv(fake.wire, got, sizeof(got), 0), len);
	assert_memory_equal(got, want, len);
}

static void test_send(void **state)
{
	u8 got[1600];

	(void)state;
	make();
	start();
	send_one(0, 100, 1);
	set_csr(0, LANCE_CSR0_TDMD | LANCE_CSR0_IENA);
	on_wire(100, 1);
	assert_int_equal(peek(TX_RING + 4) >> 31, 0);
	assert_true(board->level[11]);
	/* Routed elsewhere meanwhile, here and in the VMM; RAP stays where it was. */
	fake.latch = 4;
	pci_config_write(&board->bridge.isa, 0x63, 1, 5);
	assert_true(board->level[5] && !board->level[11]);
	assert_int_equal(fake.decode.irq, 5);
	assert_int_equal(fake.latch, 4);
	pci_config_write(&board->bridge.isa, 0x63, 1, 0x80);
	assert_int_equal(fake.decode.irq, 0);
	assert_false(board->level[5]);
	pci_config_write(&board->bridge.isa, 0x63, 1, 11);
	assert_true(board->level[11]);
	set_csr(0, LANCE_CSR0_TINT);
	assert_false(board->level[11]);

	/* In three pieces, the middle one empty; then one that is too short. */
	fill(mem_ptr(&board->mem, TX_BUFFER(1), 80), 80, 7);
	give(TX_RING, 1, TX_BUFFER(1), 30, OWN | LANCE_MD_STP);
	give(TX_RING, 2, TX_BUFFER(2), 0, OWN);
	give(TX_RING, 3, TX_BUFFER(1) + 30, 50, OWN | LANCE_MD_ENP);
	send_one(0, 20, 9);
	set_csr(0, LANCE_CSR0_TDMD);
	on_wire(80, 7);
	assert_int_equal(recv(fake.wire, got, sizeof(got), 0), 60);
	assert_int_equal(got[19], 28);
	assert_int_equal(got[20], 0);

	/* From where there is no RAM nothing is sent. */
	give(TX_RING, 1, 0xfeb00000, 100, WHOLE);
	set_csr(0, LANCE_CSR0_TDMD);
	assert_int_equal(recv(fake.wire, got, sizeof(got), 0), -1);
	assert_int_equal(csr(0) & LANCE_CSR0_MERR, LANCE_CSR0_MERR);
}

/* What vmnet has no room for stays the chip's, and goes out when there is room. */
static void test_send_blocked(void **state)
{
	unsigned int sent = 0, got = 0;
	struct nic *n = make();
	u8 frame[1600];

	(void)state;
	start();
	for (; sent < 10000 && !n->blocked; sent++) {
		send_one(sent % RING, 1500, (u8)sent);
		set_csr(0, LANCE_CSR0_TDMD);
	}
	assert_true(n->blocked);
	assert_int_equal(peek(TX_RING + 16 * ((sent - 1) % RING) + 4) >> 31, 1);
	for (int i = 0; i < 1000 && got < sent; i++) {
		while (recv(fake.wire, frame, sizeof(frame), 0) == 1500)
			assert_int_equal(frame[0], (u8)got++);
		turn();
	}
	assert_int_equal(got, sent);
	assert_false(n->blocked);
	assert_int_equal(peek(TX_RING + 16 * ((sent - 1) % RING) + 4) >> 31, 0);
}

static void from_wire(size_t len, u8 first)
{
	u8 frame[1600];

	fill(frame, len, first);
	assert_int_equal(send(fake.wire, frame, len, 0), len);
	__atomic_fetch_or(&fake.page->rx, 1, __ATOMIC_SEQ_CST);
}

static void received(u32 i, size_t len, u8 first)
{
	u8 want[1600];

	fill(want, len, first);
	assert_int_equal(peek(RX_RING + 16 * i + 4) >> 24, 3);
	assert_int_equal(peek(RX_RING + 16 * i + 8) & 0xfff, len + 4);
	assert_memory_equal(mem_ptr(&board->mem, RX_BUFFER(i), len), want, len);
}

static void test_receive(void **state)
{
	(void)state;
	make();
	start();
	from_wire(100, 2);	/* an even first byte: not a group address */
	turn();
	received(0, 100, 2);
	assert_true(board->level[11]);
	assert_int_equal(fake.page->rx, 0);
}

/* A frame in several buffers is whole, wherever it was read to at first. */
static void test_receive_chain(void **state)
{
	static const u32 sizes[RING] = { 10, 40, 60, 1544 };
	u8 want[100], got[128];
	size_t at = 0;

	(void)state;
	make();
	start();
	for (u32 i = 0; i < RING; i++)
		give(RX_RING, i, RX_BUFFER(i), sizes[i], OWN);
	fill(want, sizeof(want), 2);
	from_wire(sizeof(want), 2);
	turn();
	for (u32 i = 0; i < 3; i++) {
		memcpy(got + at, mem_ptr(&board->mem, RX_BUFFER(i), sizes[i]), sizes[i]);
		at += sizes[i];
	}
	assert_memory_equal(got, want, sizeof(want));
	assert_int_equal(peek(RX_RING + 4) >> 24, 2);			/* STP */
	assert_int_equal(peek(RX_RING + 16 * 2 + 4) >> 24, 1);		/* ENP */
	assert_int_equal(peek(RX_RING + 16 * 2 + 8) & 0xfff, sizeof(want) + 4);

	/* Two bytes in front; and in the second frame a buffer that is no RAM. */
	set_csr(122, 1);
	fill(want, sizeof(want), 8);
	from_wire(sizeof(want), 8);
	turn();
	assert_int_equal(peek(RX_RING + 16 * 3 + 4) >> 24, 3);
	assert_memory_equal(mem_ptr(&board->mem, RX_BUFFER(3) + 2, 100), want, 100);
	give(RX_RING, 0, 0xfff00000, 1544, OWN);
	from_wire(sizeof(want), 8);
	for (int i = 0; i < 1000 && !(csr(0) & LANCE_CSR0_MERR); i++) {
		usleep(1000);
		turn();
	}
	assert_true(csr(0) & LANCE_CSR0_MERR);
}

/* On the way to the guest the bits are looked at, and then the loop has nothing to do. */
static void test_receive_by_bit(void **state)
{
	(void)state;
	make();
	start();
	nics_enter(&board->nics);
	assert_int_equal(fake.page->looking, 1);
	from_wire(100, 2);
	nics_leave(&board->nics);
	assert_int_equal(fake.page->looking, 0);
	received(0, 100, 2);
	assert_int_equal(board->nics.found, 1);

	/* A frame without a bit is doubted once, not twice. */
	from_wire(200, 4);
	fake.page->rx = 0;
	turn();
	assert_int_equal(board->nics.spared, 1);
	turn();
	received(1, 200, 4);
}

/* Without IRQ notification vmnet wakes the loop at any time, and poll() says what there is. */
static void test_receive_by_select(void **state)
{
	(void)state;
	make();
	start();
	board->nics.irq_notification = false;
	nics_enter(&board->nics);
	assert_int_equal(fake.page->looking, 0);
	nics_select(&board->nics);
	assert_int_equal(board->nics.selects, 1);
	from_wire(100, 2);
	fake.page->rx = 0;
	nics_select(&board->nics);
	received(0, 100, 2);
	assert_int_equal(fake.page->rx, 0);
	nics_leave(&board->nics);

	/* The knob is turned while the bits are looked at: nobody is left asleep. */
	board->nics.irq_notification = true;
	nics_enter(&board->nics);
	board->nics.irq_notification = false;
	from_wire(200, 4);
	nics_leave(&board->nics);
	assert_int_equal(fake.page->looking, 0);
	received(1, 200, 4);
	board->nics.irq_notification = true;
	nics_select(&board->nics);
	assert_int_equal(board->nics.selects, 2);
}

/* A guest without buffers: frames wait in order, and the loop does not spin. */
static void test_receive_stuck(void **state)
{
	struct nic *n = make();

	(void)state;
	start();
	for (u8 i = 0; i < 6; i++) {
		from_wire(100, (u8)(2 * i));
		turn();
	}
	for (u8 i = 0; i < RING; i++)
		received(i, 100, (u8)(2 * i));
	assert_int_equal(n->received, NIC_RECEIVED_STUCK);
	assert_false(n->readable.enabled);
	assert_true(n->again.when != DEV_NEVER);
	for (u32 i = 0; i < RING; i++)
		give(RX_RING, i, RX_BUFFER(i), 1544, OWN);
	for (int i = 0; i < 1000 && n->received != NIC_RECEIVED_ALL; i++) {
		usleep(1000);
		turn();
	}
	received(0, 100, 8);
	received(1, 100, 10);
	assert_true(n->readable.enabled);
}

static void wait_for_missed(u16 n)
{
	for (int i = 0; i < 1000 && csr(112) != n; i++) {
		usleep(1000);
		turn();
	}
	assert_int_equal(csr(112), n);
}

/* What vmnet's queue had no room for is missed, and counted on one path only. */
static void test_missed(void **state)
{
	struct nic *n = make();

	(void)state;
	start();
	for (u8 i = 0; i < RING + 1; i++) {
		from_wire(100, (u8)(2 * i));
		turn();
	}
	assert_int_equal(n->received, NIC_RECEIVED_STUCK);
	assert_int_equal(csr(0) & LANCE_CSR0_MISS, 0);
	fake.status.counters[VMNET_RX_QUEUE_FULL] = 7;
	wait_for_missed(7);
	assert_true(csr(0) & LANCE_CSR0_MISS);
	assert_int_equal(nic_set_path(n, VMDRV_PATH_VMM, &board->err), 0);
	fake.status.counters[VMNET_RX_QUEUE_FULL] = 20;
	assert_int_equal(nic_set_path(n, VMDRV_PATH_VMAPP, &board->err), 0);
	assert_int_equal(n->received, NIC_RECEIVED_STUCK);
	fake.status.counters[VMNET_RX_QUEUE_FULL] = 21;
	wait_for_missed(8);
}

/* A chip that is off has frames pass by. */
static void test_receive_off(void **state)
{
	u8 byte;

	(void)state;
	make();
	from_wire(100, 2);
	turn();
	assert_int_equal(recv(fake.port, &byte, 1, MSG_DONTWAIT), -1);
	start();
	assert_int_equal(csr(0) & LANCE_CSR0_RINT, 0);
}

/* ---- the other path, and the way there and back ---- */

/* What firmware boots from the network with: where the ROM's BAR says, and as long. */
static void test_rom(void **state)
{
	const struct vmdrv_memory *slot = &board->map.slot[MAP_NIC_ROM];
	char path[] = "/tmp/romXXXXXX", key[64];
	int fd = mkstemp(path);
	struct nic *n;

	assert_int_equal(ftruncate(fd, 5000), 0);
	assert_int_equal(pwrite(fd, "\x55\xaa", 2, 0), 2);
	snprintf(key, sizeof(key), "nbios.filename=%s", path);
	set(key);
	board->nics.firmware = true;
	n = make();
	pci_config_write(&n->pci, PCI_ROM, 4, 0xfffffffe);
	assert_int_equal(pci_config_read(&n->pci, PCI_ROM, 4), 0xffffe000);
	pci_config_write(&n->pci, PCI_COMMAND, 2, 0);
	pci_config_write(&n->pci, PCI_ROM, 4, 0xfeb40001);
	assert_int_equal(slot->size, 0);
	pci_config_write(&n->pci, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(slot->gpa, 0xfeb40000);
	assert_int_equal(slot->size, 8192);
	assert_int_equal(slot->flags, VMDRV_MEM_READONLY);
	assert_memory_equal((void *)(uintptr_t)slot->hva, "\x55\xaa", 3);
	assert_int_equal(((u8 *)(uintptr_t)slot->hva)[5000], 0xff);
	pci_config_write(&n->pci, PCI_ROM, 1, 0);
	assert_int_equal(slot->size, 0);
	fake.memory_error = EEXIST;	/* on other memory: it is nowhere */
	pci_config_write(&n->pci, PCI_ROM, 1, 1);
	assert_int_equal(slot->size, 0);
	fake.memory_error = 0;
	nics_reset(&board->nics);
	assert_int_equal(pci_config_read(&n->pci, PCI_ROM, 4), 0);
	unlink(path);
	close(fd);
}

/* None for a kernel that is booted without firmware, or if nobody wants it. */
static void test_no_rom(void **state)
{
	set("nbios.filename=/none");
	pci_config_write(&make()->pci, PCI_ROM, 4, ~0u);
	assert_int_equal(pci_config_read(&board->nics.nic[0].pci, PCI_ROM, 4), 0);
}

static void test_bad_rom(void **state)
{
	set("nbios.filename=/none");
	board->nics.firmware = true;
	refused("nbios.filename");
	set("bios.bootOrder=hdd,cdrom");
	pci_config_write(&make()->pci, PCI_ROM, 4, ~0u);
	assert_int_equal(pci_config_read(&board->nics.nic[0].pci, PCI_ROM, 4), 0);
}

static void test_path_vmm(void **state)
{
	struct nic *n;

	(void)state;
	set("worldswitch.ethernet0.datapath=vmm");
	n = make();
	assert_int_equal(fake.path, VMDRV_PATH_VMM);
	assert_int_equal(bus_mmio_read(&board->bus, 0xfeb00010, 2), 0x1234);
	assert_int_equal(fake.accesses, 1);
	nics_move(&board->nics, 1);
	assert_int_equal(fake.transmits, 1);
	nics_move(&board->nics, 0xfe);	/* NICs that are not there */
	assert_int_equal(fake.transmits, 1);
	from_wire(100, 2);
	turn();
	assert_int_equal(fake.receives, 1);
	/* It was not taken: the guest has no buffers. */
	assert_int_equal(n->received, NIC_RECEIVED_STUCK);
	assert_false(n->readable.enabled);
}

static void test_switching(void **state)
{
	struct lance_state before;
	struct nic *n = make();

	(void)state;
	start();
	from_wire(100, 2);
	turn();
	assert_true(board->level[11]);
	fake.latch = 58;
	n->lance.rap = 0;		/* the VMM's is the true one */
	assert_int_equal(nic_set_path(n, VMDRV_PATH_VMM, &board->err), 0);
	assert_int_equal(fake.path, VMDRV_PATH_VMM);
	assert_int_equal(fake.state.rap, 58);
	assert_int_equal(fake.state.rx.pos, 1);
	assert_false(board->level[11]);	/* the VMM has its own */
	assert_true(fake.transmits && fake.receives);

	before = fake.state;
	assert_int_equal(nic_set_path(n, VMDRV_PATH_VMAPP, &board->err), 0);
	assert_true(board->level[11]);
	assert_int_equal(fake.latch, 58);
	assert_int_equal(n->lance.rx.pos, 1);
	from_wire(100, 4);
	turn();
	received(1, 100, 4);
	assert_int_equal(nic_set_path(n, VMDRV_PATH_VMM, &board->err), 0);
	assert_memory_equal(fake.state.csr + 1, before.csr + 1, sizeof(before.csr) - 2);

	/* Between vmm and direct nothing is VMApp's; somebody else may have done it. */
	assert_int_equal(nic_set_path(n, VMDRV_PATH_DIRECT, &board->err), 0);
	assert_int_equal(nic_path(n), VMDRV_PATH_DIRECT);
	nics_set_path(&board->nics, 0, VMDRV_PATH_VMAPP);
	assert_int_equal(n->path, VMDRV_PATH_VMAPP);
	nics_set_path(&board->nics, 0, VMDRV_PATH_DIRECT);
	assert_int_equal(fake.path, VMDRV_PATH_DIRECT);
	nics_set_path(&board->nics, 7, VMDRV_PATH_VMAPP);
	nics_set_path(&board->nics, 99, VMDRV_PATH_VMAPP);
	assert_int_equal(nic_set_path(n, VMDRV_PATH_VMM, &board->err), 0);

	/* Refused: all as it was. */
	fake.path_error = EAGAIN;
	assert_int_equal(nic_set_path(n, VMDRV_PATH_VMAPP, &board->err), -1);
	assert_int_equal(n->path, VMDRV_PATH_VMM);
}

/* A frame that had no room goes out once, whoever sends it. */
static void test_switching_blocked(void **state)
{
	struct nic *n = make();
	unsigned int sent = 0;

	(void)state;
	start();
	for (; sent < 10000 && !n->blocked; sent++) {
		send_one(sent % RING, 1500, (u8)sent);
		set_csr(0, LANCE_CSR0_TDMD);
	}
	assert_int_equal(nic_set_path(n, VMDRV_PATH_VMM, &board->err), 0);
	assert_false(n->sending || n->blocked);
	assert_int_equal(fake.state.tx.pos, (sent - 1) % RING);
}

static void test_gone(void **state)
{
	struct nic *n = make();
	struct vmnet_status status;

	(void)state;
	start();
	fake.status.link = 0;
	fake.status.gone = 1;
	fake.page->link = 1;
	nics_enter(&board->nics);
	nics_leave(&board->nics);
	assert_true(n->gone);
	assert_false(n->link || fake.link);
	turn();
	assert_false(n->readable.enabled || n->link_changed.enabled || n->room.enabled);
	assert_true(nic_status(n, &status));
	send_one(0, 100, 2);
	set_csr(0, LANCE_CSR0_TDMD);
	assert_int_equal(peek(TX_RING + 4) >> 31, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_defaults),
		TEST(test_bad_address),
		TEST(test_bad_network),
		TEST(test_config_space),
		TEST(test_window_in_the_way),
		TEST(test_registers),
		TEST(test_send),
		TEST(test_send_blocked),
		TEST(test_receive),
		TEST(test_receive_chain),
		TEST(test_receive_by_bit),
		TEST(test_receive_by_select),
		TEST(test_receive_stuck),
		TEST(test_missed),
		TEST(test_receive_off),
		TEST(test_rom),
		TEST(test_no_rom),
		TEST(test_bad_rom),
		TEST(test_path_vmm),
		TEST(test_switching),
		TEST(test_switching_blocked),
		TEST(test_gone),
	};

	return cmocka_run_group_tests_name("nic", tests, NULL, NULL);
}
