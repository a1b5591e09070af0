// SPDX-License-Identifier: GPL-2.0-only
/*
 * How VMs begin and end: killed at any point, closed in any order, many at
 * once, while CPUs and the module itself come and go. What they took comes
 * back.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>

#include "kselftest_harness.h"
#include "vm.h"

extern guest_sym long_compute, long_count, long_fpu, irq_pit, irq_pic, real_hlt_off;
extern guest_sym mem_poke, prot_paging, real_spin;

static void sleep_us(long us)
{
	struct timespec t = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	nanosleep(&t, NULL);
}

static long read_number(const char *path)
{
	FILE *f = fopen(path, "r");
	long n = -1;

	if (f) {
		if (fscanf(f, "%ld", &n) != 1)
			n = -1;
		fclose(f);
	}
	return n;
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static long references(void)
{
	return read_number("/sys/module/vmdriver/refcnt");
}

static const struct {
	enum vm_mode mode;
	const char *entry;
} workloads[] = {
	{ VM_LONG, long_count }, { VM_REAL, real_hlt_off }, { VM_PROT, irq_pit },
	{ VM_LONG, long_compute }, { VM_PAE, prot_paging }, { VM_REAL, real_spin },
	{ VM_LONG, long_fpu },
};

/* Runs guests for ever: VMs are made and destroyed, too. */
static void run_for_ever(unsigned int n)
{
	static struct vm vm;

	for (;; n++) {
		n %= ARRAY_SIZE(workloads);
		vm_create(&vm, workloads[n].mode, workloads[n].entry);
		vm_run_guest(&vm);
		vm_destroy(&vm);
	}
}

TEST(killed_at_random_points)
{
	unsigned int seed = 42, i;
	pid_t pids[2];
	int j;

	for (i = 0; i < 50; i++) {
		/* two at a time: two processes that run guests side by side */
		for (j = 0; j < 2; j++) {
			pids[j] = fork();
			if (!pids[j])
				run_for_ever(i + j);
			ASSERT_LT(0, pids[j]);
		}
		for (j = 0; j < 2; j++) {
			sleep_us(rand_r(&seed) % 15000);
			ASSERT_EQ(0, kill(pids[j], SIGKILL));
		}
		for (j = 0; j < 2; j++)
			ASSERT_EQ(pids[j], waitpid(pids[j], NULL, 0));
		ASSERT_EQ(0, vm_count_all())
			TH_LOG("iteration %u", i);
	}
	EXPECT_EQ(0, references());
}

/* ---- two at once --------------------------------------------------------------- */

TEST(two_vms_in_two_processes)
{
	static struct vm vm;
	u8 results[2][16];
	int pipes[2][2], status, j;
	pid_t pids[2];
	u32 end;

	for (j = 0; j < 2; j++) {
		ASSERT_EQ(0, pipe(pipes[j]));
		pids[j] = fork();
		if (!pids[j]) {
			vm_create(&vm, VM_LONG, long_compute);
			end = vm_run_guest(&vm);
			if (end != VM_END_PASS)
				vm_die("%s", vm_end_text(&vm, end));
			if (write(pipes[j][1], vm_ptr(&vm, L_RESULT), 16) != 16)
				_exit(1);
			vm_destroy(&vm);
			_exit(0);
		}
	}
	for (j = 0; j < 2; j++) {
		ASSERT_EQ(pids[j], waitpid(pids[j], &status, 0));
		ASSERT_EQ(0, status);
		ASSERT_EQ(16, read(pipes[j][0], results[j], 16));
	}
	EXPECT_EQ(0, memcmp(results[0], results[1], 16));
}

TEST(many_vms_in_one_process)
{
	static struct vm vms[16];
	u32 i, end;

	for (i = 0; i < ARRAY_SIZE(vms); i++)
		vm_create(&vms[i], workloads[4].mode, workloads[4].entry);
	EXPECT_EQ(ARRAY_SIZE(vms), (size_t)vm_count_all());
	for (i = 0; i < ARRAY_SIZE(vms); i++) {
		end = vm_run_guest(&vms[i]);
		EXPECT_EQ(VM_END_PASS, end)
			TH_LOG("%s", vm_end_text(&vms[i], end));
	}
	for (i = 0; i < ARRAY_SIZE(vms); i++)
		vm_destroy(&vms[i]);
	EXPECT_EQ(0, vm_count_all());
}

/* ---- ends in unusual orders -------------------------------------------------------- */

static void *run_thread(void *arg)
{
	vm_ioctl(*(int *)arg, VMDRV_RUN, NULL);
	return NULL;
}

/* The descriptors go while the guest runs: it runs on until its thread leaves. */
TEST(closed_while_running)
{
	struct sigaction sa = { .sa_handler = vm_on_signal };
	static struct vm vm;
	pthread_t thread;
	int vcpu;

	sigaction(SIGUSR1, &sa, NULL);
	vm_create(&vm, VM_LONG, long_count);
	vcpu = vm.vcpu;
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_thread, &vcpu));
	while (!*(volatile u64 *)(vm.ram + L_RESULT))
		sleep_us(1000);
	close(vm.dev);
	close(vm.fd);
	close(vm.vcpu);
	EXPECT_EQ(1, vm_count_all());
	munmap(vm.ram, L_RAM_SIZE);	/* now it stops by itself, with nobody to tell */
	vm.run->immediate_exit = 1;
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	munmap(vm.run, vm.caps.run_size);
	EXPECT_EQ(0, vm_count_all());
	EXPECT_EQ(0, references());
}

/* The mapping of the run page alone keeps what it needs, and nothing else. */
TEST(run_page_outlives_its_descriptors)
{
	static struct vm vm;

	vm_create(&vm, VM_LONG, long_compute);
	ASSERT_EQ(0, vm_run(&vm));
	close(vm.vcpu);
	close(vm.fd);
	close(vm.dev);
	memset(vm.run, 0x55, vm.caps.run_size);
	EXPECT_EQ(0x55, vm.data[4095]);
	munmap(vm.run, vm.caps.run_size);
	EXPECT_EQ(0, vm_count_all());
	EXPECT_EQ(0, references());
}

/* The process that made it is gone; a child has the descriptors, but no VM. */
TEST(maker_dies_before_its_descriptors)
{
	static struct vm vm;
	int report[2], answer = 0;
	pid_t maker;

	ASSERT_EQ(0, pipe(report));
	maker = fork();
	if (!maker) {
		vm_create(&vm, VM_LONG, long_compute);
		if (vm_run(&vm))
			_exit(1);
		if (fork())
			_exit(0);
		/* the grandchild: long enough for its parent to be gone */
		sleep_us(200000);
		answer = vm_ioctl(vm.vcpu, VMDRV_RUN, NULL);
		close(vm.fd);
		close(vm.vcpu);
		munmap(vm.run, vm.caps.run_size);
		if (answer == -EIO && vm_count_all())
			answer = 1;
		if (write(report[1], &answer, sizeof(answer)) < 0)
			_exit(1);
		_exit(0);
	}
	ASSERT_EQ(maker, waitpid(maker, NULL, 0));
	ASSERT_EQ((ssize_t)sizeof(answer), read(report[0], &answer, sizeof(answer)));
	EXPECT_EQ(-EIO, answer);
}

/* ---- nothing is left ------------------------------------------------------------------ */

/* Memory in use that is not a cache, in KiB. */
static long used_kib(void)
{
	static const char *const free_names[] = {
		"MemFree:", "Buffers:", "Cached:", "SReclaimable:",
	};
	long total = 0, free = 0, kib;
	char name[64];
	size_t i;
	FILE *f;

	sync();
	f = fopen("/proc/meminfo", "r");
	if (!f)
		vm_die("no /proc/meminfo");
	while (fscanf(f, "%63s %ld kB\n", name, &kib) >= 1) {
		if (!strcmp(name, "MemTotal:"))
			total = kib;
		for (i = 0; i < ARRAY_SIZE(free_names); i++)
			if (!strcmp(name, free_names[i]))
				free += kib;
	}
	fclose(f);
	return total - free;
}

static void cycles(int n)
{
	static struct vm vm;

	while (n--) {
		vm_create(&vm, workloads[4].mode, workloads[4].entry);
		if (vm_run_guest(&vm) != VM_END_PASS)
			vm_die("a guest has failed");
		vm_destroy(&vm);
	}
}

/*
 * A VM has 16 KiB and more of its own: 300 that stay would be 5 MiB at least, each
 * time. What others on the machine take meanwhile, they do not take three times.
 */
TEST(memory_comes_back)
{
	long before, more = LONG_MAX;
	int i;

	cycles(50);
	for (i = 0; i < 3 && more >= 3000; i++) {
		before = used_kib();
		cycles(300);
		more = used_kib() - before;
		TH_LOG("%ld KiB more in use", more);
	}
	EXPECT_LT(more, 3000);
	EXPECT_EQ(0, references());
}

TEST(no_leak_that_the_kernel_knows)
{
	static const char path[] = "/sys/kernel/debug/kmemleak";
	char line[200];
	FILE *f;

	if (write_text(path, "clear"))
		SKIP(return, "this kernel has no kmemleak");
	cycles(20);
	sleep_us(6000000);		/* what is younger than 5 s is not reported */
	ASSERT_EQ(0, write_text(path, "scan"));
	ASSERT_EQ(0, write_text(path, "scan"));
	f = fopen(path, "r");
	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f))
		EXPECT_EQ(NULL, strstr(line, "vmdriver"))
			TH_LOG("%s", line);
	fclose(f);
}

/* ---- CPUs come and go ---- */

static volatile bool stop_thread;
static u32 thread_end;
static int thread_runs;

static void *run_guests(void *arg)
{
	static struct vm vm;

	(void)arg;
	while (!stop_thread) {
		vm_create(&vm, VM_LONG, long_compute);
		thread_end = vm_run_guest(&vm);
		vm_destroy(&vm);
		if (thread_end != VM_END_PASS)
			break;
		thread_runs++;
	}
	return NULL;
}

TEST(cpu_goes_offline_and_comes_back)
{
	static const char path[] = "/sys/devices/system/cpu/cpu1/online";
	pthread_t thread;
	int i;

	if (access(path, W_OK))
		SKIP(return, "there is no CPU to take away");
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_guests, NULL));
	for (i = 0; i < 5; i++) {
		sleep_us(30000);
		ASSERT_EQ(0, write_text(path, "0"));
		sleep_us(30000);
		ASSERT_EQ(0, write_text(path, "1"));
	}
	stop_thread = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(VM_END_PASS, thread_end);
	EXPECT_LT(0, thread_runs);
}

/* ---- the host's NMIs ---- */

static void *spin_on_cpu_1(void *arg)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(1, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		vm_die("cannot go to CPU 1");
	thread_end = vm_run_guest(arg);
	return NULL;
}

/* They end the guest's turn and reach the host's handler, which the kernel waits for. */
TEST(host_nmi_while_a_guest_runs)
{
	struct sigaction sa = { .sa_handler = vm_on_signal };
	static struct vm vm;
	pthread_t thread;
	int i;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "one CPU does not send itself any");
	sigaction(SIGUSR1, &sa, NULL);
	vm_create(&vm, VM_REAL, real_spin);
	ASSERT_EQ(0, pthread_create(&thread, NULL, spin_on_cpu_1, &vm));
	while (!vm_counter(&vm, "exits/intr"))
		sleep_us(10000);
	for (i = 0; i < 100 && vm_counter(&vm, "exits/nmi") < 3; i++) {
		/* backtraces of all CPUs, got by NMI */
		ASSERT_EQ(0, write_text("/proc/sysrq-trigger", "l"));
		sleep_us(10000);
	}
	EXPECT_LE(3, vm_counter(&vm, "exits/nmi"));
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	EXPECT_EQ(VM_END_INTR, thread_end)
		TH_LOG("%s", vm_end_text(&vm, thread_end));
	vm_destroy(&vm);
}

/* ---- the host sleeps ---- */

struct sleeper {
	struct vm vm;
	pthread_t thread;
	int cpu;
	u32 end;
};

static void *count_on_cpu(void *arg)
{
	struct sleeper *s = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(s->cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		vm_die("cannot go to CPU %d", s->cpu);
	s->end = vm_run_guest(&s->vm);
	return NULL;
}

static bool counts_on(struct sleeper *s)
{
	u64 n = vm_read64(&s->vm, L_RESULT);
	int i;

	for (i = 0; i < 1000 && vm_read64(&s->vm, L_RESULT) == n; i++)
		sleep_us(10000);
	return vm_read64(&s->vm, L_RESULT) != n;
}

static bool log_has(const char *text)
{
	static char log[1 << 20];
	int n = klogctl(3 /* read all */, log, sizeof(log) - 1);

	log[n > 0 ? n : 0] = '\0';
	return strstr(log, text);
}

/*
 * As far into hibernation as it goes without a place to write the image to: devices
 * and all CPUs but the first go off, the first one's system devices as well, and all
 * of it comes back. Not where files are 9p's, which does not come back.
 */
TEST(guests_go_on_after_the_host_has_slept)
{
	struct sigaction sa = { .sa_handler = vm_on_signal };
	static struct sleeper sleepers[2];
	int nr = sysconf(_SC_NPROCESSORS_ONLN) < 2 ? 1 : 2, i;
	struct statfs root;

	ASSERT_EQ(0, statfs("/", &root));
	if (root.f_type != RAMFS_MAGIC && root.f_type != TMPFS_MAGIC)
		SKIP(return, "the host would not find its files again");
	if (write_text("/sys/power/disk", "shutdown"))
		SKIP(return, "this kernel does not hibernate");
	sigaction(SIGUSR1, &sa, NULL);
	for (i = 0; i < nr; i++) {
		sleepers[i].cpu = i;
		vm_create(&sleepers[i].vm, VM_LONG, long_count);
		ASSERT_EQ(0, pthread_create(&sleepers[i].thread, NULL, count_on_cpu, &sleepers[i]));
		EXPECT_TRUE(counts_on(&sleepers[i]));
	}
	/* there is no swap */
	EXPECT_GT(0, write_text("/sys/power/state", "disk"));
	EXPECT_TRUE(log_has("hibernation: Image created"));
	for (i = 0; i < nr; i++) {
		EXPECT_TRUE(counts_on(&sleepers[i]))
			TH_LOG("CPU %d", i);
		pthread_kill(sleepers[i].thread, SIGUSR1);
		pthread_join(sleepers[i].thread, NULL);
		EXPECT_EQ(VM_END_INTR, sleepers[i].end)
			TH_LOG("CPU %d: %s", i, vm_end_text(&sleepers[i].vm, sleepers[i].end));
		vm_destroy(&sleepers[i].vm);
	}
}

/* ---- the module ---- */

/* Where the module is: WS_VMDRIVER_KO, or the build's own place for it. */
static int open_module(void)
{
	const char *path = getenv("WS_VMDRIVER_KO");
	static char text[400];
	struct utsname u;

	if (!path) {
		uname(&u);
		snprintf(text, sizeof(text), "build/modules/%s/vmdriver.ko", u.release);
		path = text;
	}
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int unload(void)
{
	return syscall(SYS_delete_module, "vmdriver", O_NONBLOCK) ? -errno : 0;
}

TEST(module_is_unloaded_only_when_idle)
{
	static struct vm vm;
	int ko = open_module(), i, ret;
	u32 end;

	if (ko < 0)
		SKIP(return, "no vmdriver.ko here to load again");
	for (i = 0; i < 3; i++) {
		vm_create(&vm, VM_LONG, long_compute);
		ASSERT_EQ(0, vm_run(&vm));
		ret = unload();
		EXPECT_TRUE(ret == -EWOULDBLOCK || ret == -EBUSY)
			TH_LOG("with a VM: %d", ret);
		close(vm.dev);
		close(vm.fd);
		ret = unload();
		EXPECT_TRUE(ret == -EWOULDBLOCK || ret == -EBUSY)
			TH_LOG("with a vCPU: %d", ret);
		end = vm_run_guest(&vm);
		EXPECT_EQ(VM_END_PASS, end)
			TH_LOG("%s", vm_end_text(&vm, end));
		close(vm.vcpu);
		ret = unload();
		EXPECT_TRUE(ret == -EWOULDBLOCK || ret == -EBUSY)
			TH_LOG("with a run page: %d", ret);
		munmap(vm.run, vm.caps.run_size);
		munmap(vm.ram, L_RAM_SIZE);

		ret = unload();
		ASSERT_EQ(0, ret);
		EXPECT_NE(0, access(VMDRV_DEVICE, F_OK));
		EXPECT_NE(0, access("/sys/class/vmdriver", F_OK));
		ASSERT_EQ(0, syscall(SYS_finit_module, ko, "", 0));
		cycles(1);
	}
	close(ko);
}

TEST_HARNESS_MAIN
