// SPDX-License-Identifier: GPL-2.0-only
/* The control socket: the name, the protocol, clients that misbehave. */
#include "unit.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmapp/control.h"

static char dir[] = "/tmp/ws-control-XXXXXX";
static struct machine machine;
static struct control control;
static struct vmx config;
static struct error err;
static unsigned int requests;

/* The part of the machine that the protocol reaches. */
void machine_request(struct machine *m, unsigned int request)
{
	requests |= request;
}

static bool ending;

bool machine_call(struct machine *m, void (*call)(struct machine *m, void *arg), void *arg)
{
	if (!ending)
		call(m, arg);
	return !ending;
}

/* The part of the display. */
void svga_look(struct svga *s)
{
}

/* The part of the NICs. */
u32 nic_path(const struct nic *n)
{
	return n->path;
}

const char *nic_path_name(u32 path)
{
	return path == VMDRV_PATH_VMM ? "vmm" : "vmapp";
}

bool nic_path_parse(const char *name, u32 *path)
{
	*path = strcmp(name, "vmm") ? VMDRV_PATH_VMAPP : VMDRV_PATH_VMM;
	return *path == VMDRV_PATH_VMM || !strcmp(name, "vmapp");
}

int nic_set_path(struct nic *n, u32 path, struct error *e)
{
	if (path == VMDRV_PATH_VMM)
		return error_set(e, "it does not want to");
	n->path = path;
	return 0;
}

bool nic_status(struct nic *n, struct vmnet_status *status)
{
	status->counters[VMNET_TX_FRAMES] = 12;
	return true;
}

/* The part of the drives. */
static char changed_to[64];
static bool changed_by_force;

int drives_change_cd(struct drives *ds, const char *drive, int fd, const char *path, bool force,
		     struct error *e)
{
	char text[8] = "";

	assert_ptr_equal(ds, &machine.drives);
	changed_by_force = force;
	if (fd < 0) {
		strcpy(changed_to, "nothing");
		return 0;
	}
	assert_int_equal(pread(fd, text, sizeof(text) - 1, 0), 4);
	snprintf(changed_to, sizeof(changed_to), "%s: %s=%s", drive ? drive : "-", path, text);
	close(fd);
	return strcmp(path, "/bad") ? 0 : error_set(e, "it does not like that one");
}

static void set_irq(void *ctx, unsigned int irq, bool level)
{
	*(bool *)ctx = level;
}

static void arm(struct dev_timer *t, u64 when)
{
}

static void on_wake(void *arg)
{
}

static bool sci;
static struct dev_timer timer = { .arm = arm };

static int setup(void **state)
{
	memset(&machine, 0, sizeof(machine));
	pthread_mutex_init(&machine.lock, NULL);
	vmx_init(&config);
	vmx_override(&config, "foo=\"bar\"", &err);
	machine.config = &config;
	machine.vcpu_fd = -1;
	machine.mem.size = 64 * MIB;
	machine.id = 7;
	strcpy(machine.name, "one");
	machine.pm.sci = (struct dev_irq){ set_irq, &sci, 9, false };
	machine.pm.clock.now = loop_monotonic;
	machine.pm.timer = &timer;
	requests = 0;
	return loop_init(&machine.loop, &machine.lock, on_wake, NULL, &err) ||
	       control_open(&control, "one", &err) || control_start(&control, &machine, &err);
}

static int teardown(void **state)
{
	control_close(&control);
	loop_destroy(&machine.loop);
	vmx_free(&config);
	return 0;
}

static void run_loop(void)
{
	struct timeval tv = { .tv_usec = 10000 };

	event_base_loopexit(machine.loop.base, &tv);
	event_base_dispatch(machine.loop.base);
}

static int connect_client(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(addr.sun_path, control.path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

/* Send @text; what comes back, "" for nothing, "EOF" at the end. */
static const char *ask(int fd, const char *text)
{
	static char answer[8192];
	ssize_t n;

	assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
	run_loop();
	n = read(fd, answer, sizeof(answer) - 1);
	if (!n)
		return "EOF";
	answer[n > 0 ? n : 0] = '\0';
	return answer;
}

static void test_name(void **state)
{
	struct control second;
	struct stat st;
	char path[sizeof(control.path)];
	int fd;

	assert_int_equal(stat(control.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(control_open(&second, "one", &err), -1);
	assert_non_null(strstr(err.text, "a VM named \"one\" is running"));
	control_close(&second);
	assert_int_equal(access(control.path, F_OK), 0);	/* not the loser's to remove */
	strcpy(path, control.path);
	control_close(&control);
	assert_int_equal(access(path, F_OK), -1);
	/* What a killed one left behind is replaced. */
	assert_int_equal(control_open(&second, "one", &err), 0);
	close(second.fd);
	assert_int_equal(control_open(&control, "one", &err), 0);
	assert_int_equal(control_start(&control, &machine, &err), 0);
	/* A file that is not a socket is not. */
	snprintf(path, sizeof(path), "%s/file.sock", dir);
	fd = creat(path, 0600);
	close(fd);
	assert_int_equal(control_open(&second, "file", &err), -1);
	assert_non_null(strstr(err.text, "is not a socket"));
	unlink(path);
	setenv("WORLDSWITCH_DIR", "/proc/none", 1);
	assert_int_equal(control_open(&second, "x", &err), -1);
	assert_non_null(strstr(err.text, "set WORLDSWITCH_DIR"));
	setenv("WORLDSWITCH_DIR", dir, 1);
}

static void test_display(void **state)
{
	int fd = connect_client();

	assert_non_null(strstr(ask(fd, "{\"cmd\":\"screentext\"}\n"), "no display"));
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"screenshot\"}\n"), "no display"));
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"sendkey\",\"keys\":[\"frob\"]}\n"), "frob"));
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"sendkey\",\"keys\":[5]}\n"), "no key"));
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"sendkey\",\"text\":\"\u00e4\"}\n"), "US keyboard"));
	assert_string_equal(ask(fd, "{\"cmd\":\"sendkey\",\"keys\":{},\"text\":7}\n"),
			    "{\"ok\":true}\n");
	close(fd);
}

/* The picture of a display comes along as a file. */
static void test_picture(void **state)
{
	char answer[128], control_buf[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { answer, sizeof(answer) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control_buf,
			      .msg_controllen = sizeof(control_buf) };
	static u8 memory[VGA_MEM_MAX], text[VGA_TEXT_SIZE];
	const char request[] = "{\"cmd\":\"screenshot\"}\n";
	struct vga *v = &machine.svga.vga;
	int fd = connect_client(), picture;

	machine.svga.present = true;
	v->mem = memory;
	v->mem_size = sizeof(memory);
	v->text = text;
	v->modified = v->touched = (struct dev_signal){ on_wake, NULL };
	vga_reset(v);
	vga_set_text_mode(v, NULL);
	assert_int_equal(send(fd, request, sizeof(request) - 1, 0), sizeof(request) - 1);
	run_loop();
	assert_true(recvmsg(fd, &msg, 0) > 0);
	assert_non_null(strstr(answer, "\"width\":720,\"height\":400"));
	assert_non_null(CMSG_FIRSTHDR(&msg));
	memcpy(&picture, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(picture));
	assert_int_equal(lseek(picture, 0, SEEK_END), 720 * 400 * 4);
	close(picture);
	memory[0] = 'A';
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"screentext\"}\n"),
			       "\"columns\":80,\"rows\":25,\"cursor\":0,\"text\":[\"A\",\"\","));
	v->gfx[VGA_GFX_MISC] |= VGA_GFX_GRAPHICS;
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"screentext\"}\n"), "no text"));
	close(fd);
}

static void test_info(void **state)
{
	int fd = connect_client();
	json_t *info, *conf;

	strcpy(machine.reason, "a \"quoted\" reason");
	machine.state = MACHINE_STOPPED;
	info = json_loads(ask(fd, "{\"cmd\":\"info\"}\n"), 0, NULL);
	assert_non_null(info);
	assert_true(json_is_true(json_object_get(info, "ok")));
	assert_string_equal(json_string_value(json_object_get(info, "name")), "one");
	assert_int_equal(json_integer_value(json_object_get(info, "pid")), getpid());
	assert_int_equal(json_integer_value(json_object_get(info, "id")), 7);
	assert_int_equal(json_integer_value(json_object_get(info, "memory_mib")), 64);
	assert_string_equal(json_string_value(json_object_get(info, "state")), "stopped");
	assert_string_equal(json_string_value(json_object_get(info, "reason")), machine.reason);
	assert_true(json_is_array(json_object_get(info, "serial")));
	conf = json_object_get(info, "config");
	assert_string_equal(json_string_value(json_object_get(conf, "foo")), "\"bar\"");
	json_decref(info);
	close(fd);
}

static void test_commands(void **state)
{
	static const char ok[] = "{\"ok\":true}\n";
	int fd = connect_client();

	piix4pm_reset(&machine.pm);
	assert_string_equal(ask(fd, "{\"cmd\":\"powerdown\"}\n"), ok);
	assert_int_equal(machine.pm.pm1_sts, 0x100);
	assert_string_equal(ask(fd, "{\"cmd\":\"reset\"}\n"), ok);
	assert_int_equal(requests, MACHINE_RESET);
	assert_string_equal(ask(fd, "{\"cmd\":\"quit\"}\n"), ok);
	assert_int_equal(requests, MACHINE_RESET | MACHINE_END);
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"nmi\"}\n"), "\"ok\":false"));
	machine.state = MACHINE_STOPPED;
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"powerdown\"}\n"), "the VM is stopped"));
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"console\"}\n"), "has no serial0"));
	/* In pieces, and two at once. */
	assert_string_equal(ask(fd, "{\"cmd\":"), "");
	assert_string_equal(ask(fd, "\"reset\"}\n{\"cmd\":\"reset\"}\n"),
			    "{\"ok\":true}\n{\"ok\":true}\n");
	close(fd);
}

static void test_misbehaviour(void **state)
{
	static const char *const bad[] = {
		"\n", "x\n", "{}\n", "[]\n", "{\"cmd\":1}\n", "{\"cmd\":\"\"}\n",
		"{\"cmd\":\"info\"}}\n", "\"cmd\"\n", "{\"cmd\":null}\n",
	};
	char *flood = malloc(9000);
	int fd = connect_client(), many[40];

	for (unsigned int i = 0; i < WS_ARRAY_SIZE(bad); i++)
		assert_non_null(strstr(ask(fd, bad[i]), "\"ok\":false"));
	memset(flood, 'x', 8999);
	flood[8999] = '\0';
	assert_non_null(strstr(ask(fd, flood), "too long"));
	close(fd);
	free(flood);
	/* Some go without a word, and there is an end to how many may come. */
	for (unsigned int i = 0; i < WS_ARRAY_SIZE(many); i++) {
		many[i] = connect_client();
		run_loop();
	}
	for (unsigned int i = 0; i < WS_ARRAY_SIZE(many); i++)
		close(many[i]);
	run_loop();
	fd = connect_client();
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"info\"}\n"), "\"ok\":true"));
	/* One that never reads is dropped, others are served. */
	for (unsigned int i = 0; i < 3000; i++) {
		if (send(fd, "{\"cmd\":\"info\"}\n", 15, MSG_NOSIGNAL) < 0)
			break;
		if (i % 50 == 0)
			run_loop();
	}
	run_loop();
	close(fd);
	fd = connect_client();
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"info\"}\n"), "\"ok\":true"));
	close(fd);
}

static void test_nics(void **state)
{
	int fd = connect_client();
	struct nic *n = &machine.nics.nic[3];
	json_t *info, *nic;

	n->all = &machine.nics;
	n->index = 3;
	n->path = VMDRV_PATH_VMM;
	strcpy(n->network, "lan");
	memcpy(n->mac, "\x00\x0c\x29\x01\x02\xfe", 6);
	info = json_loads(ask(fd, "{\"cmd\":\"info\"}\n"), 0, NULL);
	assert_int_equal(json_array_size(json_object_get(info, "nics")), 1);
	nic = json_array_get(json_object_get(info, "nics"), 0);
	assert_int_equal(json_integer_value(json_object_get(nic, "nic")), 3);
	assert_int_equal(json_integer_value(json_object_get(nic, "tx_frames")), 12);
	assert_string_equal(json_string_value(json_object_get(nic, "address")),
			    "00:0c:29:01:02:fe");
	assert_string_equal(json_string_value(json_object_get(nic, "path")), "vmm");
	assert_string_equal(json_string_value(json_object_get(nic, "network")), "lan");
	assert_string_equal(json_string_value(json_object_get(nic, "link")), "down");
	json_decref(info);

	assert_non_null(strstr(ask(fd, "{\"cmd\":\"datapath\",\"nic\":2,\"path\":\"vmm\"}\n"),
			       "no such NIC"));
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"datapath\",\"nic\":-1,\"path\":\"vmm\"}\n"),
			       "no such NIC"));
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"datapath\",\"nic\":3,\"path\":\"x\"}\n"),
			       "data path is"));
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"datapath\",\"nic\":3}\n"), "data path is"));
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"datapath\",\"nic\":3,\"path\":\"vmm\"}\n"),
			       "does not want to"));
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"datapath\",\"nic\":3,\"path\":\"vmapp\"}\n"),
			       "\"ok\":true"));
	assert_int_equal(n->path, VMDRV_PATH_VMAPP);
	ending = true;
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"datapath\",\"nic\":3,\"path\":\"vmapp\"}\n"),
			       "about to end"));
	ending = false;
	close(fd);
	run_loop();
}

/* A line with @n files, all of them the same one. */
static void send_files(int fd, const char *text, int file, unsigned int n)
{
	char space[CMSG_SPACE(4 * sizeof(int))] = "";
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = CMSG_SPACE(n * sizeof(int)),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	for (unsigned int i = 0; i < n; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &file, sizeof(int));
	assert_int_equal(sendmsg(fd, &msg, 0), iov.iov_len);
}

static unsigned int open_files(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 100; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_cdrom(void **state)
{
	int fd = connect_client(), file = open(dir, O_TMPFILE | O_RDWR, 0600);
	unsigned int before;

	assert_int_equal(write(file, "data", 4), 4);
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"cdrom\",\"path\":\"/x\"}\n"), "is wanted"));
	before = open_files();
	send_files(fd, "{\"cmd\":\"cdrom\",\"path\":\"/x\",\"drive\":\"ide1:0\"}\n", file, 1);
	assert_non_null(strstr(ask(fd, ""), "\"ok\":true"));
	assert_string_equal(changed_to, "ide1:0: /x=data");
	send_files(fd, "{\"cmd\":\"cdrom\",\"path\":\"/bad\"}\n", file, 1);
	assert_non_null(strstr(ask(fd, ""), "it does not like that one"));
	assert_non_null(strstr(ask(fd, "{\"cmd\":\"cdrom\",\"eject\":true,\"force\":true}\n"),
			       "\"ok\":true"));
	assert_string_equal(changed_to, "nothing");
	assert_true(changed_by_force);
	assert_int_equal(open_files(), before);
	/* Files that nobody asked for are closed, at the latest with the connection. */
	for (unsigned int i = 0; i < 10; i++) {
		send_files(fd, "{\"cmd\":\"nonsense\"}\n", file, 4);
		ask(fd, "");
	}
	assert_true(open_files() <= before + 1);
	close(fd);
	run_loop();
	assert_int_equal(open_files(), before - 2);
	close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_info, setup, teardown),
		cmocka_unit_test_setup_teardown(test_display, setup, teardown),
		cmocka_unit_test_setup_teardown(test_picture, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nics, setup, teardown),
		cmocka_unit_test_setup_teardown(test_commands, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cdrom, setup, teardown),
		cmocka_unit_test_setup_teardown(test_misbehaviour, setup, teardown),
	};
	int failed;

	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(dir) || setenv("WORLDSWITCH_DIR", dir, 1))
		return 1;
	failed = cmocka_run_group_tests_name("control", tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
