// SPDX-License-Identifier: GPL-2.0-only
/*
 * The confinement of vmapp: in a child, what is given up and what still works.
 * The filter must hold for a thread that was there before it.
 */
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/types.h"
#include "uapi/vmdriver.h"
#include "vmapp/confine.h"

/* confine.c calls it before it ends the process. */
void serial_restore_terminal(void);
void serial_restore_terminal(void)
{
}

#define STATUS_ALLOWED	42
#define STATUS_REFUSED	1	/* what the filter's handler ends with */

static int go;			/* eventfd: the thread may start */

static void *on_thread(void *arg)
{
	void (*action)(void) = (void (*)(void))arg;
	u64 count;

	if (read(go, &count, sizeof(count)) == sizeof(count))
		action();
	return NULL;
}

/* The child's exit status after it has confined itself and done @action. */
static int status_after(void (*action)(void), bool thread)
{
	const u64 one = 1;
	int status, err_pipe[2];
	pthread_t t;
	pid_t pid;

	assert_int_equal(pipe(err_pipe), 0);
	pid = fork();
	if (!pid) {
		struct error err;

		dup2(err_pipe[1], STDERR_FILENO);
		go = eventfd(0, 0);
		pthread_create(&t, NULL, on_thread, (void *)action);
		if (confine_capabilities(&err) || confine_system_calls(&err)) {
			dprintf(STDERR_FILENO, "%s\n", err.text);
			_exit(2);
		}
		if (thread) {
			if (write(go, &one, sizeof(one)) == sizeof(one))
				pthread_join(t, NULL);
		} else {
			action();
		}
		_exit(STATUS_ALLOWED);
	}
	close(err_pipe[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_REFUSED) {
		char line[128] = "";

		assert_true(read(err_pipe[0], line, sizeof(line) - 1) > 0);
		assert_non_null(strstr(line, "vmapp: system call "));
		assert_non_null(strstr(line, " is not allowed"));
	}
	close(err_pipe[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void do_open(void)
{
	open("/etc/passwd", O_RDONLY);
}

static void do_exec(void)
{
	execl("/bin/true", "true", NULL);
}

static void do_fork(void)
{
	if (fork() == 0)
		_exit(0);
}

static void do_socket(void)
{
	socket(AF_INET, SOCK_STREAM, 0);
}

static void do_map_executable(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void do_make_executable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static void do_signal_parent(void)
{
	kill(getppid(), 0);
}

static void do_other_ioctl(void)
{
	ioctl(0, 0x5412, "x");		/* TIOCSTI: typing for another */
}

static const struct {
	const char *name;
	void (*action)(void);
} refused[] = {
	{ "open", do_open }, { "exec", do_exec }, { "fork", do_fork }, { "socket", do_socket },
	{ "mmap", do_map_executable }, { "mprotect", do_make_executable },
	{ "signal", do_signal_parent }, { "ioctl", do_other_ioctl },
};

static void test_refuses(void **state)
{
	for (unsigned int i = 0; i < WS_ARRAY_SIZE(refused); i++) {
		if (status_after(refused[i].action, false) != STATUS_REFUSED)
			fail_msg("%s was not refused", refused[i].name);
		if (status_after(refused[i].action, true) != STATUS_REFUSED)
			fail_msg("%s was not refused on another thread", refused[i].name);
	}
}

/* What the loop and the vCPU's thread do all the time. */
static void do_daily_work(void)
{
	struct itimerspec its = { .it_value.tv_nsec = 1 };
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	int fds[2] = { -1, -1 };
	char c, *p = malloc(1 << 20);

	p = realloc(p, 2 << 20);
	p[0] = 1;
	free(p);
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	pthread_kill(pthread_self(), 0);
	timerfd_settime(-1, 0, &its, NULL);
	ioctl(-1, VMDRV_RUN, 0);
	ioctl(-1, VMDRV_SET_IRQ, NULL);
	recv(fds[0], &c, 1, 0);
	accept4(fds[0], NULL, NULL, 0);
	unlink("/nonexistent/name.sock");
	isatty(0);
}

static void test_allows(void **state)
{
	assert_int_equal(status_after(do_daily_work, false), STATUS_ALLOWED);
	assert_int_equal(status_after(do_daily_work, true), STATUS_ALLOWED);
}

static void do_check_capabilities(void)
{
	/* Opened before; the filter lets it be read. */
	char text[4096] = "", *line;
	ssize_t n = pread(100, text, sizeof(text) - 1, 0);

	line = n > 0 ? strstr(text, "CapEff:\t0000000000000000") : NULL;
	if (!line || !strstr(text, "CapPrm:\t0000000000000000") || !strstr(text, "Seccomp:\t2"))
		_exit(3);
}

static void test_capabilities(void **state)
{
	struct error err;
	int status;
	pid_t pid = fork();

	if (!pid) {
		dup2(open("/proc/self/status", O_RDONLY), 100);
		if (confine_capabilities(&err) || confine_system_calls(&err))
			_exit(2);
		do_check_capabilities();
		_exit(STATUS_ALLOWED);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), STATUS_ALLOWED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_allows),
		cmocka_unit_test(test_capabilities),
	};

	return cmocka_run_group_tests_name("confine", tests, NULL, NULL);
}
