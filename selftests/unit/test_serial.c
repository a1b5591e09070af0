// SPDX-License-Identifier: GPL-2.0-only
/* The serial back ends and the stream behind them, with a real event loop. */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "vmapp/serial.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char dir[] = "/tmp/ws-serial-XXXXXX";
static struct loop loop;
static struct vmx config;
static struct serial port;
static unsigned int quits;
static struct error err;

static void on_wake(void *arg)
{
	serial_wake(&port);
}

static void set_irq(void *ctx, unsigned int irq, bool level)
{
}

static void on_quit(void *ctx)
{
	quits++;
}

static void set(const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	assert_int_equal(vmx_override(&config, text, &err), 0);
}

static int setup(void **state)
{
	memset(&port, 0, sizeof(port));
	quits = 0;
	vmx_init(&config);
	port.uart.irq = (struct dev_irq){ set_irq, NULL, 4, false };
	port.quit = (struct dev_signal){ on_quit, NULL };
	return loop_init(&loop, &lock, on_wake, NULL, &err);
}

static int teardown(void **state)
{
	serial_close(&port);
	serial_restore_terminal();
	loop_destroy(&loop);
	vmx_free(&config);
	return 0;
}

static void open_port(void)
{
	if (serial_open(&port, 0, &config, &loop, &err))
		fail_msg("%s", err.text);
	ns16550_reset(&port.uart);
	serial_start(&port);
	ns16550_regions[0].write(&port.uart, 2, 1, 0x01);	/* FIFOs */
	ns16550_regions[0].write(&port.uart, 4, 1, 0x0b);	/* RTS */
}

static bool transmitter_empty(void)
{
	return ns16550_regions[0].read(&port.uart, 5, 1) & 0x20;
}

static void guest_sends(const char *text, size_t len)
{
	while (len--)
		ns16550_regions[0].write(&port.uart, 0, 1, (u8)*text++);
}

/* What the guest can read now. */
static const char *guest_reads(void)
{
	static char text[SERIAL_INPUT + 64];
	size_t n = 0;

	while (n < sizeof(text) - 1 && (ns16550_regions[0].read(&port.uart, 5, 1) & 1))
		text[n++] = (char)ns16550_regions[0].read(&port.uart, 0, 1);
	text[n] = '\0';
	return text;
}

/* Let the loop run until nothing has happened for a while: batches wait 4 ms. */
static void run_loop(void)
{
	struct timeval tv = { .tv_usec = 30000 };

	event_base_loopexit(loop.base, &tv);
	event_base_dispatch(loop.base);
}

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(addr.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	run_loop();
	return fd;
}

static void assert_receives(int fd, const char *text)
{
	char buf[256] = "";
	ssize_t n = read(fd, buf, sizeof(buf) - 1);

	assert_int_equal(n, strlen(text));
	assert_string_equal(buf, text);
}

static void test_not_present(void **state)
{
	set("serial0.present=FALSE");
	assert_int_equal(serial_open(&port, 0, &config, &loop, &err), 0);
	assert_null(port.loop);
	serial_start(&port);
}

static void test_file(void **state)
{
	char path[64], text[256];
	size_t len = sizeof(text), total = 1000 * len;
	struct stat st;
	u8 *got;
	int fd;

	snprintf(path, sizeof(path), "%s/out", dir);
	set("serial0.fileType=file");
	assert_int_equal(serial_open(&port, 0, &config, &loop, &err), -1);
	assert_non_null(strstr(err.text, "serial0.fileType is \"file\": set serial0.fileName"));
	serial_close(&port);
	set("serial0.fileName=%s", path);
	open_port();
	for (unsigned int i = 0; i < len; i++)
		text[i] = (char)(i * 7);
	/* Far more than the ring, by a guest that looks at THRE. */
	for (unsigned int n = 0; n < 1000; n++)
		for (unsigned int i = 0; i < len; i++) {
			while (!transmitter_empty())
				run_loop();
			guest_sends(text + i, 1);
		}
	serial_close(&port);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, total);
	got = malloc(total);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, got, total), total);
	for (size_t i = 0; i < total; i++)
		if (got[i] != (u8)text[i % len])
			fail_msg("byte %zu differs", i);
	close(fd);
	free(got);
	unlink(path);
}

static void test_batches(void **state)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "%s/out", dir);
	set("serial0.fileType=file");
	set("serial0.fileName=%s", path);
	open_port();
	guest_sends("hello", 5);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);	/* waits for more */
	run_loop();
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 5);
	unlink(path);
}

static void test_pipe(void **state)
{
	char path[64];
	int a, b;

	snprintf(path, sizeof(path), "%s/ser", dir);
	set("serial0.fileType=pipe");
	set("serial0.fileName=%s", path);
	open_port();
	guest_sends("early", 5);		/* nobody is there yet */
	run_loop();
	a = connect_to(path);
	assert_receives(a, "early");
	guest_sends(" more", 5);
	run_loop();
	assert_receives(a, " more");
	assert_int_equal(write(a, "typed\x01x", 7), 7);
	run_loop();
	assert_string_equal(guest_reads(), "typed\x01x");	/* no escapes here */
	/* A second one waits until the first has gone. */
	b = connect_to(path);
	guest_sends("1", 1);
	run_loop();
	assert_receives(a, "1");
	close(a);
	run_loop();
	guest_sends("2", 1);
	run_loop();
	assert_receives(b, "2");
	/* One that does not read loses the oldest; the guest is not held up. */
	for (unsigned int i = 0; i < 40; i++) {
		char kib[10240];

		memset(kib, 'a' + i % 26, sizeof(kib));
		guest_sends(kib, sizeof(kib));
		assert_true(transmitter_empty());
		run_loop();
	}
	close(b);
	run_loop();
	serial_close(&port);
	assert_int_equal(access(path, F_OK), -1);
}

/* Another program's socket is left alone; one that nobody listens at is taken over. */
static void test_pipe_in_use(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int other = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/used", dir);
	assert_int_equal(bind(other, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(other, 1), 0);
	set("serial0.fileType=pipe");
	set("serial0.fileName=%s", addr.sun_path);
	assert_int_equal(serial_open(&port, 0, &config, &loop, &err), -1);
	assert_non_null(strstr(err.text, "in use by another process; choose another name"));
	serial_close(&port);
	assert_int_equal(access(addr.sun_path, F_OK), 0);
	close(other);
	memset(&port, 0, sizeof(port));
	port.quit = (struct dev_signal){ on_quit, NULL };
	open_port();
	close(connect_to(addr.sun_path));
	serial_close(&port);
	assert_int_equal(access(addr.sun_path, F_OK), -1);
	/* What is no socket is not removed. */
	close(open(addr.sun_path, O_WRONLY | O_CREAT, 0600));
	memset(&port, 0, sizeof(port));
	assert_int_equal(serial_open(&port, 0, &config, &loop, &err), -1);
	assert_non_null(strstr(err.text, "is not a socket"));
	serial_close(&port);
	assert_int_equal(unlink(addr.sun_path), 0);
}

static void test_attach(void **state)
{
	int sv[2];

	set("serial0.fileType=none");
	open_port();
	guest_sends("history", 7);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
	assert_int_equal(serial_attach(&port, sv[1], "abc", 3), 0);
	assert_receives(sv[0], "history");
	assert_string_equal(guest_reads(), "abc");
	guest_sends("!", 1);
	run_loop();
	assert_receives(sv[0], "!");
	/* It goes away while there is output for it. */
	close(sv[0]);
	guest_sends("gone", 4);
	run_loop();
	assert_null(port.sinks);
}

/* More input than there is room for: none is lost, it waits in the connection. */
static void test_input_throttled(void **state)
{
	char sent[20000], got[20001] = "";
	size_t done = 0, n = 0;
	int sv[2];

	set("serial0.fileType=none");
	open_port();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
	assert_int_equal(serial_attach(&port, sv[1], NULL, 0), 0);
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (char)('a' + i % 26);
	while (n < sizeof(sent)) {
		ssize_t w = write(sv[0], sent + done, sizeof(sent) - done);

		done += w > 0 ? (size_t)w : 0;
		run_loop();
		n += strlen(strcpy(got + n, guest_reads()));
	}
	assert_memory_equal(got, sent, sizeof(sent));
	close(sv[0]);
	run_loop();
}

static void test_pty(void **state)
{
	int fd;

	set("serial0.fileType=pty");
	open_port();
	assert_string_equal(serial_type_name(&port), "pty");
	fd = open(port.path, O_RDWR | O_NONBLOCK | O_NOCTTY);
	assert_true(fd >= 0);
	guest_sends("a\nb\r\n", 5);
	run_loop();
	assert_receives(fd, "a\nb\r\n");	/* raw: nothing is translated */
	assert_int_equal(write(fd, "x\r\x03", 3), 3);
	run_loop();
	assert_string_equal(guest_reads(), "x\r\x03");
	close(fd);
	guest_sends("nobody", 6);
	run_loop();
}

/* Standard input and output on a terminal of ours. */
static void test_stdio(void **state)
{
	int in = dup(0), out = dup(1), master, slave;
	struct termios before, during, after;
	struct pollfd p;

	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	fcntl(master, F_SETFL, O_NONBLOCK);
	dup2(slave, 0);
	dup2(slave, 1);
	tcgetattr(0, &before);
	set("serial0.fileType=stdio");
	open_port();
	tcgetattr(0, &during);
	guest_sends("login: ", 7);
	run_loop();
	p = (struct pollfd){ .fd = master, .events = POLLIN };
	poll(&p, 1, 1000);
	dup2(in, 0);		/* from here on asserts may print */
	dup2(out, 1);
	assert_int_equal(during.c_lflag & (ICANON | ECHO | ISIG), 0);
	assert_receives(master, "login: ");
	assert_int_equal(write(master, "a\x01\x01" "b\x01zc\x03", 8), 8);
	dup2(slave, 0);
	run_loop();
	assert_string_equal(guest_reads(), "a\x01" "b\x01zc\x03");
	assert_int_equal(write(master, "\x01x", 2), 2);
	run_loop();
	assert_int_equal(quits, 1);
	serial_close(&port);
	serial_restore_terminal();
	tcgetattr(0, &after);
	assert_int_equal(after.c_lflag, before.c_lflag);
	assert_int_equal(after.c_iflag, before.c_iflag);
	assert_int_equal(after.c_oflag, before.c_oflag);
	dup2(in, 0);
	close(in);
	close(out);
	close(master);
	close(slave);
}

/* Input that cannot be waited for: a file is read as the guest asks for it. */
static void test_stdin_file(void **state)
{
	char path[64], text[3000];
	int in = dup(0), out = dup(1), fd, null = open("/dev/null", O_WRONLY);

	snprintf(path, sizeof(path), "%s/in", dir);
	memset(text, 't', sizeof(text));
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	lseek(fd, 0, SEEK_SET);
	dup2(fd, 0);
	dup2(null, 1);
	set("serial0.fileType=stdio");
	open_port();
	dup2(out, 1);
	assert_int_equal(strlen(guest_reads()), sizeof(text));
	serial_close(&port);
	dup2(in, 0);
	close(in);
	close(out);
	close(fd);
	close(null);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_not_present, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_batches, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pipe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pipe_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attach, setup, teardown),
		cmocka_unit_test_setup_teardown(test_input_throttled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stdio, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stdin_file, setup, teardown),
	};
	int failed;

	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests_name("serial", tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
