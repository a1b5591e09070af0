// SPDX-License-Identifier: GPL-2.0-only
/* The display over VNC: what a viewer sees and types, and viewers that misbehave. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <rfb/rfbclient.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmapp/machine.h"

static struct machine machine;
static struct vmx config;
static struct error err;
static u8 *memory;
static char dir[] = "/tmp/ws-vnc-XXXXXX";
static unsigned int port = 15900;
static pthread_t loop_thread;

/* The part of the machine that the display reaches. */
int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	(void)fd;
	(void)request;
	(void)arg;
	errno = ENOENT;
	return -1;
}

/* How many dots were drawn, and where. */
static unsigned int drawn;
static struct vga_surface *surface;

typedef void (*changed_fn)(void *ctx, unsigned int x, unsigned int y, unsigned int w,
			   unsigned int h);

static struct {
	changed_fn call;
	void *ctx;
} on_drawn;

static void count_drawn(void *ctx, unsigned int x, unsigned int y, unsigned int w, unsigned int h)
{
	drawn += w * h;
	on_drawn.call(on_drawn.ctx, x, y, w, h);
}

void __real_vga_draw(struct vga *v, struct vga_surface *s, bool follow, changed_fn changed,
		     void *ctx);
void __wrap_vga_draw(struct vga *v, struct vga_surface *s, bool follow, changed_fn changed,
		     void *ctx);
void __wrap_vga_draw(struct vga *v, struct vga_surface *s, bool follow, changed_fn changed,
		     void *ctx)
{
	surface = s;
	on_drawn.call = changed;
	on_drawn.ctx = ctx;
	__real_vga_draw(v, s, follow, count_drawn, ctx);
}

static void nothing(void *ctx)
{
	(void)ctx;
}

static void on_wake(void *ctx)
{
	(void)ctx;
	loop_stop(&machine.loop);
}

static void no_timer(struct dev_timer *t, u64 when)
{
	(void)t;
	(void)when;
}

static void no_irq(void *ctx, unsigned int irq, bool level)
{
	(void)ctx;
	(void)irq;
	(void)level;
}

static void *run_loop(void *arg)
{
	(void)arg;
	loop_run(&machine.loop);
	return NULL;
}

static void set(const char *format, ...)
{
	char assignment[256];
	va_list args;

	va_start(args, format);
	vsnprintf(assignment, sizeof(assignment), format, args);
	va_end(args);
	assert_int_equal(vmx_override(&config, assignment, &err), 0);
}

static int setup(void **state)
{
	static struct dev_timer timer = { .arm = no_timer };
	struct vga *v = &machine.svga.vga;

	(void)state;
	memset(&machine, 0, sizeof(machine));
	pthread_mutex_init(&machine.lock, NULL);
	strcpy(machine.name, "box");
	vmx_init(&config);
	memory = calloc(1, VGA_MEM_MAX + VGA_TEXT_SIZE);
	machine.svga.present = true;
	machine.svga.map = &machine.map;
	v->mem = memory;
	v->mem_size = VGA_MEM_MAX;
	v->text = memory + VGA_MEM_MAX;
	v->modified = v->touched = (struct dev_signal){ nothing, NULL };
	v->clock = (struct dev_clock){ loop_monotonic, NULL };
	vga_reset(v);
	vga_set_text_mode(v, NULL);
	machine.i8042.kbd_irq = machine.i8042.aux_irq = (struct dev_irq){ no_irq, NULL, 1, false };
	machine.i8042.reset.raise = nothing;
	machine.i8042.clock = v->clock;
	machine.i8042.timer = &timer;
	i8042_reset(&machine.i8042);
	machine.i8042.mouse.enabled = true;
	assert_int_equal(loop_init(&machine.loop, &machine.lock, on_wake, NULL, &err), 0);
	assert_int_equal(keys_init(&machine.keys, &machine.i8042, &machine.loop, &err), 0);
	set("RemoteDisplay.vnc.enabled=TRUE");
	set("RemoteDisplay.vnc.port=%u", ++port);
	return pthread_create(&loop_thread, NULL, run_loop, NULL);
}

static int teardown(void **state)
{
	(void)state;
	vnc_close(&machine.vnc);
	pthread_mutex_lock(&machine.lock);
	loop_wake(&machine.loop);
	pthread_mutex_unlock(&machine.lock);
	pthread_join(loop_thread, NULL);
	keys_free(&machine.keys);
	loop_destroy(&machine.loop);
	free(memory);
	vmx_free(&config);
	return 0;
}

static void start(void)
{
	assert_int_equal(vnc_open(&machine.vnc, &machine, &config, &err), 0);
	pthread_mutex_lock(&machine.lock);
	assert_int_equal(vnc_start(&machine.vnc, &err), 0);
	pthread_mutex_unlock(&machine.lock);
}

/* ---- a viewer: libvncclient ---- */

static unsigned int updates, received;	/* rectangles, and their dots */

static void on_update(rfbClient *c, int x, int y, int w, int h)
{
	updates++;
	received += (unsigned int)(w * h);
}

static char *password(rfbClient *c)
{
	return strdup(rfbClientGetClientData(c, password));
}

static rfbClient *view(const char *host, int at, char *secret)
{
	rfbClient *c = rfbGetClient(8, 3, 4);

	free(c->serverHost);
	c->serverHost = strdup(host);
	c->serverPort = at;
	c->canHandleNewFBSize = TRUE;
	c->appData.encodingsString = "raw";	/* dots as they are */
	c->GotFrameBufferUpdate = on_update;
	c->GetPassword = password;
	rfbClientSetClientData(c, password, secret);
	return rfbInitClient(c, NULL, NULL) ? c : NULL;
}

static void leave(rfbClient *c)
{
	free(c->frameBuffer);
	rfbClientCleanup(c);
}

/* Until @done, at most five seconds. */
static bool wait_for(rfbClient *c, bool (*done)(rfbClient *c))
{
	for (unsigned int i = 0; i < 250 && !done(c); i++)
		if (WaitForMessage(c, 20000) > 0 && !HandleRFBServerMessage(c))
			return false;
	return done(c);
}

static u32 dot(rfbClient *c, unsigned int x, unsigned int y)
{
	u32 val = ((u32 *)c->frameBuffer)[y * (unsigned int)c->width + x];

	return (val >> c->format.redShift & 0xff) << 16 |
	       (val >> c->format.greenShift & 0xff) << 8 | (val >> c->format.blueShift & 0xff);
}

static bool is_blank(rfbClient *c)
{
	return updates && dot(c, 0, 16) == 0;
}

/* A blank with a white background in the second row's first cell. */
static bool is_marked(rfbClient *c)
{
	return c->width == 720 && dot(c, 0, 16) == 0xaaaaaa && dot(c, 8, 31) == 0xaaaaaa;
}

static bool is_linear(rfbClient *c)
{
	return c->width == 1024 && c->height == 768 && dot(c, 1, 767) == 0x123456;
}

static void write_memory(u32 at, u32 val)
{
	pthread_mutex_lock(&machine.lock);
	memcpy(memory + at, &val, sizeof(val));
	vga_mark(&machine.svga.vga, at);
	pthread_mutex_unlock(&machine.lock);
}

static void vbe(u16 index, u16 val)
{
	vbe_regions[0].write(&machine.svga.vga, 0, 2, index);
	vbe_regions[0].write(&machine.svga.vga, 1, 2, val);
}

static void test_view(void **state)
{
	rfbClient *c;

	start();
	updates = 0;
	c = view("127.0.0.1", (int)port, NULL);
	assert_non_null(c);
	assert_string_equal(c->desktopName, "box");
	assert_int_equal(c->width, 720);
	assert_int_equal(c->height, 400);
	assert_true(wait_for(c, is_blank));
	write_memory(80 * 4, ' ' | 0x70 << 8);
	assert_true(wait_for(c, is_marked));
	/* Another mode: another size, on the same connection. */
	pthread_mutex_lock(&machine.lock);
	vbe(VBE_XRES, 1024);
	vbe(VBE_YRES, 768);
	vbe(VBE_BPP, 32);
	vbe(VBE_ENABLE, VBE_ENABLED | VBE_LFB);
	pthread_mutex_unlock(&machine.lock);
	write_memory(767 * 4096 + 4, 0x123456);
	assert_true(wait_for(c, is_linear));
	leave(c);
}

static bool is_white(rfbClient *c)
{
	return dot(c, 719, 399) == 0xaaaaaa;
}

static bool has_spot(rfbClient *c)
{
	return dot(c, 5, 0) == 0xabcdef;
}

/*
 * All of a text screen is new: each dot is drawn once and sent once. And it is drawn
 * where the library reads it, so that what it puts into its messages is the one copy.
 */
static void test_one_copy(void **state)
{
	rfbClient *c;

	start();
	updates = 0;
	c = view("127.0.0.1", (int)port, NULL);
	assert_non_null(c);
	assert_true(wait_for(c, is_blank));
	pthread_mutex_lock(&machine.lock);
	for (u32 i = 0; i < 80 * 25; i++)
		memcpy(memory + i * 4, "\x20\x70", 2);
	vga_mark(&machine.svga.vga, 0);
	drawn = received = 0;
	pthread_mutex_unlock(&machine.lock);
	assert_true(wait_for(c, is_white));
	for (unsigned int i = 0; i < 10; i++)	/* whatever else may come */
		if (WaitForMessage(c, 20000) > 0)
			assert_true(HandleRFBServerMessage(c));
	pthread_mutex_lock(&machine.lock);
	assert_int_equal(drawn, 720 * 400);
	assert_int_equal(received, 720 * 400);
	surface->pixels[5] = 0xabcdef;
	pthread_mutex_unlock(&machine.lock);
	SendFramebufferUpdateRequest(c, 0, 0, 720, 400, FALSE);
	assert_true(wait_for(c, has_spot));
	leave(c);
}

static bool key_came(rfbClient *c)
{
	static const u8 codes[] = { 0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8 };
	static unsigned int n;
	const struct ws_region *row = &i8042_regions[0];

	(void)c;
	pthread_mutex_lock(&machine.lock);
	i8042_expired(&machine.i8042);
	for (unsigned int i = 0; i < i8042_n_regions; i++)
		if (i8042_regions[i].offset == 0x60)
			row = &i8042_regions[i];
	if (machine.i8042.status & 1) {
		u32 code = row->read(&machine.i8042, 0, 1);

		assert_true(n < sizeof(codes));
		assert_int_equal(code, codes[n++]);
	}
	pthread_mutex_unlock(&machine.lock);
	return n == sizeof(codes);
}

static bool mouse_moved(rfbClient *c)
{
	bool moved;

	(void)c;
	pthread_mutex_lock(&machine.lock);
	moved = machine.i8042.mouse.events || machine.i8042.mouse.packet.len ||
		machine.i8042.status & 0x20;
	pthread_mutex_unlock(&machine.lock);
	return moved;
}

static bool nobody_there(rfbClient *c)
{
	bool gone;

	(void)c;
	usleep(20000);
	pthread_mutex_lock(&machine.lock);
	gone = !machine.vnc.viewers;
	pthread_mutex_unlock(&machine.lock);
	return gone;
}

static void test_input(void **state)
{
	rfbClient *c;

	start();
	c = view("127.0.0.1", (int)port, NULL);
	assert_non_null(c);
	SendKeyEvent(c, 'a', TRUE);
	SendKeyEvent(c, 'a', FALSE);
	SendKeyEvent(c, 0x1234567, TRUE);	/* there is no such key */
	SendKeyEvent(c, XK_Up, TRUE);
	usleep(200000);
	leave(c);			/* its last key goes up with it */
	c = view("127.0.0.1", (int)port, NULL);
	assert_non_null(c);
	assert_true(wait_for(c, key_came));
	SendPointerEvent(c, 100, 50, 0);
	assert_true(wait_for(c, mouse_moved));
	leave(c);
	for (unsigned int i = 0; i < 100 && !nobody_there(NULL); i++)
		;
	assert_true(nobody_there(NULL));
}

static void test_password(void **state)
{
	rfbClient *c;

	set("RemoteDisplay.vnc.password=secret");
	start();
	assert_null(view("127.0.0.1", (int)port, "wrong"));
	c = view("127.0.0.1", (int)port, "secret");
	assert_non_null(c);
	leave(c);
}

/* ---- those that are no viewers ---- */

static int connect_raw(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((u16)port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

/* One wants the whole picture again and again and reads nothing of it. */
static int connect_stalled(void)
{
	static const char hello[] = "RFB 003.008\n\x01\x01";
	u8 request[10] = { 3, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff };
	int fd = connect_raw();

	assert_true(send(fd, hello, sizeof(hello) - 1, MSG_NOSIGNAL) > 0);
	for (unsigned int i = 0; i < 2000; i++)
		send(fd, request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT);
	return fd;
}

static void test_stalled(void **state)
{
	u64 before, longest = 0;
	int fd;

	pthread_mutex_lock(&machine.lock);	/* 16 MiB a picture: no socket holds that */
	vbe(VBE_XRES, 2560);
	vbe(VBE_YRES, 1600);
	vbe(VBE_BPP, 32);
	vbe(VBE_ENABLE, VBE_ENABLED | VBE_LFB);
	pthread_mutex_unlock(&machine.lock);
	start();
	fd = connect_stalled();
	/* The machine goes on meanwhile: nobody keeps its lock while he waits. */
	for (unsigned int i = 0; i < 100; i++) {
		usleep(10000);
		write_memory(i * 4096, i);
		before = loop_monotonic(NULL);
		pthread_mutex_lock(&machine.lock);
		if (loop_monotonic(NULL) - before > longest)
			longest = loop_monotonic(NULL) - before;
		pthread_mutex_unlock(&machine.lock);
	}
	assert_true(longest < 1000000000);
	/* Nor does he hold up the end. */
	before = loop_monotonic(NULL);
	vnc_close(&machine.vnc);
	assert_true(loop_monotonic(NULL) - before < 4000000000ull);
	close(fd);
}

static void test_garbage(void **state)
{
	uint64_t seed = 99;
	rfbClient *c;
	int many[12];

	start();
	for (unsigned int n = 0; n < 60; n++) {
		int fd = connect_raw();
		u8 noise[512];

		for (unsigned int i = 0; i < sizeof(noise); i++)
			noise[i] = (u8)unit_random(&seed);
		if (n % 3)
			memcpy(noise, "RFB 003.008\n\x01\x01", 14);
		if (n % 3 == 2)
			noise[14] = (u8)(n % 12);	/* a message's type */
		send(fd, noise, sizeof(noise), MSG_NOSIGNAL);
		close(fd);
	}
	for (unsigned int i = 0; i < WS_ARRAY_SIZE(many); i++)
		many[i] = connect_raw();	/* more than may be there */
	usleep(200000);
	for (unsigned int i = 0; i < WS_ARRAY_SIZE(many); i++)
		close(many[i]);
	usleep(200000);
	c = view("127.0.0.1", (int)port, NULL);
	assert_non_null(c);
	leave(c);
}

static void test_config(void **state)
{
	struct vnc second;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char line[12];
	int fd;

	set("RemoteDisplay.vnc.password=123456789");
	assert_int_equal(vnc_open(&machine.vnc, &machine, &config, &err), -1);
	assert_non_null(strstr(err.text, "8 characters"));
	set("RemoteDisplay.vnc.password=12345678");
	machine.svga.present = false;
	assert_int_equal(vnc_open(&machine.vnc, &machine, &config, &err), -1);
	assert_non_null(strstr(err.text, "svga.present"));
	machine.svga.present = true;
	start();
	assert_int_equal(vnc_open(&second, &machine, &config, &err), -1);
	assert_non_null(strstr(err.text, "RemoteDisplay.vnc.port"));
	vnc_close(&second);
	vnc_close(&machine.vnc);

	/* A socket of the file system's is the user's alone, and goes with the VM. */
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/vnc", dir);
	set("worldswitch.vnc.socket=%s", addr.sun_path);
	start();
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(recv(fd, line, sizeof(line), MSG_WAITALL), 12);
	assert_memory_equal(line, "RFB 003.008\n", 12);
	close(fd);
	vnc_close(&machine.vnc);
	assert_int_equal(access(addr.sun_path, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_view, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_input, setup, teardown),
		cmocka_unit_test_setup_teardown(test_password, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stalled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_config, setup, teardown),
	};
	int failed;

	rfbEnableClientLogging = FALSE;
	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests_name("vnc", tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
