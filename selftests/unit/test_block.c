// SPDX-License-Identifier: GPL-2.0-only
/* Disk images: real files, and those that a real qemu-nbd opens. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmapp/block.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static char dir[] = "/tmp/test_block-XXXXXX";
static struct block b;
static int result;
static bool is_done;

static void on_done(void *dev, int err)
{
	assert_ptr_equal(dev, &b);
	result = err;
	is_done = true;
	pthread_cond_signal(&finished);
}

static const char *in_dir(const char *name)
{
	static char path[4][64];
	static unsigned int n;

	n = (n + 1) % 4;
	snprintf(path[n], sizeof(path[n]), "%s/%s", dir, name);
	return path[n];
}

static const char *make(const char *name, off_t size)
{
	const char *path = in_dir(name);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
	return path;
}

/* One request, until it is done: 0 or its errno. */
static int do_io(enum blk_op op, u64 offset, struct iovec *iov, unsigned int n)
{
	pthread_mutex_lock(&lock);
	is_done = false;
	b.blk.start(&b.blk, op, offset, iov, n);
	assert_false(is_done);
	while (!is_done)
		pthread_cond_wait(&finished, &lock);
	pthread_mutex_unlock(&lock);
	return result;
}

static int do_buf(enum blk_op op, u64 offset, void *buf, size_t len)
{
	return do_io(op, offset, &(struct iovec){ buf, len }, 1);
}

static int setup(void **state)
{
	struct error err;

	assert_int_equal(block_init(&b, &lock, "ide0:0", &err), 0);
	b.blk.done = on_done;
	b.blk.dev = &b;
	return 0;
}

static int teardown(void **state)
{
	block_destroy(&b);
	return 0;
}

static void refused(const char *path, const char *format, enum block_use use, bool read_only,
		    const char *why)
{
	struct error err = { "" };

	assert_int_equal(block_open(&b, path, format, use, read_only, &err), -1);
	if (!strstr(err.text, why) || strncmp(err.text, "ide0:0: ", 8) || strchr(err.text, '\n'))
		fail_msg("'%s' lacks '%s'", err.text, why);
	assert_null(b.path);
	assert_int_equal(b.fd, -1);
}

static void opened(const char *path, enum block_use use, bool read_only)
{
	struct error err = { "" };

	if (block_open(&b, path, NULL, use, read_only, &err))
		fail_msg("%s", err.text);
}

/* In pieces, over several segments. */
static void check_data(u64 size)
{
	static u8 in[3 * 4096], out[3 * 4096];
	struct iovec v[3] = { { in, 2 }, { in + 2, 8192 }, { in + 8194, 4094 } };

	for (unsigned int i = 0; i < sizeof(out); i++)
		out[i] = (u8)(i * 5 + i / 256);
	assert_int_equal(do_buf(BLK_WRITE, size - sizeof(out), out, sizeof(out)), 0);
	assert_int_equal(do_buf(BLK_FLUSH, 0, NULL, 0), 0);
	assert_int_equal(do_io(BLK_READ, size - sizeof(out), v, 3), 0);
	assert_memory_equal(in, out, sizeof(out));
	memset(in, 0x77, sizeof(in));
	assert_int_equal(do_io(BLK_WRITE, 0, v, 3), 0);
	assert_int_equal(do_buf(BLK_READ, 0, out, sizeof(out)), 0);
	assert_memory_equal(in, out, sizeof(out));
}

static void test_raw(void **state)
{
	struct stat st;

	opened(make("disk.img", 1 << 20), BLOCK_DISK, false);
	assert_int_equal(b.blk.size, 1 << 20);
	assert_false(b.blk.read_only);
	check_data(1 << 20);
	assert_int_equal(stat(in_dir("disk.img"), &st), 0);
	assert_int_equal(st.st_size, 1 << 20);
}

static void test_lock(void **state)
{
	const char *path = make("locked.img", 4096);
	struct error err;
	struct block second;

	opened(path, BLOCK_DISK, false);
	assert_int_equal(block_init(&second, &lock, "ide0:1", &err), 0);
	assert_int_equal(block_open(&second, path, NULL, BLOCK_DISK, false, &err), -1);
	assert_non_null(strstr(err.text, "in use by another VM"));
	assert_int_equal(block_open(&second, path, NULL, BLOCK_DISK, true, &err), -1);
	/* Several may read. */
	block_close(&b);
	opened(path, BLOCK_DISK, true);
	assert_true(b.blk.read_only);
	assert_int_equal(block_open(&second, path, NULL, BLOCK_DISK, true, &err), 0);
	block_destroy(&second);
}

static void test_bad_images(void **state)
{
	static const char vmdk[1024] = "KDMV";
	int fd;

	refused(in_dir("none.img"), NULL, BLOCK_DISK, false, "No such file");
	refused(dir, NULL, BLOCK_DISK, true, "neither a file nor a block device");
	refused(make("empty.img", 0), NULL, BLOCK_DISK, false, "is empty");
	refused(make("empty.iso", 0), NULL, BLOCK_CDROM, true, "is empty; give a CD image");
	refused(make("cut.img", 1000), NULL, BLOCK_DISK, false, "no whole sectors");
	refused("/dev/null", NULL, BLOCK_DISK, false, "neither");
	/* A format that the name does not tell is not guessed. */
	fd = open(make("other.img", 1024), O_WRONLY);
	assert_int_equal(write(fd, vmdk, sizeof(vmdk)), sizeof(vmdk));
	close(fd);
	refused(in_dir("other.img"), NULL, BLOCK_DISK, false, "looks like a vmdk image");
	assert_int_equal(block_open(&b, in_dir("other.img"), "raw", BLOCK_DISK, false, NULL), 0);
	block_close(&b);
	if (geteuid()) {
		chmod(make("read.img", 512), 0400);
		refused(in_dir("read.img"), NULL, BLOCK_DISK, false, "readOnly");
	}
}

/* A CD image that was cut off ends in zeros. */
static void test_cd(void **state)
{
	u8 buf[4096];
	int fd = open(make("cut.iso", 2148), O_WRONLY);

	assert_int_equal(pwrite(fd, "end", 3, 2145), 3);
	close(fd);
	opened(in_dir("cut.iso"), BLOCK_CDROM, true);
	assert_int_equal(b.blk.size, 4096);
	memset(buf, 0xff, sizeof(buf));
	assert_int_equal(do_buf(BLK_READ, 0, buf, 4096), 0);
	assert_memory_equal(buf + 2144, "\0end\0\0", 6);
	assert_int_equal(buf[4095], 0);
}

/* Errors of the host come back as such, and end. */
static void test_errors(void **state)
{
	struct rlimit limit = { 2048, RLIM_INFINITY }, before;
	u8 buf[4096] = { 1 };

	opened(make("small.img", 8192), BLOCK_DISK, false);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	setrlimit(RLIMIT_FSIZE, &limit);
	assert_int_equal(do_buf(BLK_WRITE, 4096, buf, 4096), EFBIG);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(do_buf(BLK_WRITE, 4096, buf, 4096), 0);
	/* Somebody cuts it off while it is in use. */
	assert_int_equal(truncate(in_dir("small.img"), 4096), 0);
	assert_int_equal(do_buf(BLK_READ, 4096, buf, 4096), EIO);
	assert_int_equal(do_buf(BLK_READ, 0, buf, 4096), 0);
	if (!access("/dev/full", W_OK)) {
		block_close(&b);
		b.fd = open("/dev/full", O_RDWR);
		b.path = strdup("/dev/full");
		assert_int_equal(do_buf(BLK_WRITE, 0, buf, 512), ENOSPC);
	}
}

/* A drive that is reset hears no more of what was under way. */
static void test_drain(void **state)
{
	static u8 buf[1 << 20];

	opened(make("drain.img", sizeof(buf)), BLOCK_DISK, false);
	pthread_mutex_lock(&lock);
	is_done = false;
	b.blk.start(&b.blk, BLK_WRITE, 0, &(struct iovec){ buf, sizeof(buf) }, 1);
	block_drain(&b);
	assert_false(b.busy);
	assert_false(is_done);
	pthread_mutex_unlock(&lock);
	assert_int_equal(do_buf(BLK_READ, 0, buf, 512), 0);
}

static bool run(const char *command)
{
	char line[256];

	snprintf(line, sizeof(line), "cd %s && { %s; } >/dev/null 2>&1", dir, command);
	return !system(line);
}

static void test_formats(void **state)
{
	static const char *const formats[] = { "qcow2", "vmdk", "vdi", "vhd" };
	struct error err;
	struct block second;
	u8 buf[512];

	if (!run("command -v qemu-img && command -v qemu-nbd"))
		skip();
	for (unsigned int i = 0; i < WS_ARRAY_SIZE(formats); i++) {
		char command[128], name[32];

		snprintf(name, sizeof(name), "disk.%s", formats[i]);
		snprintf(command, sizeof(command), "qemu-img create -f %s %s 8M",
			 i == 3 ? "vpc" : formats[i], name);
		assert_true(run(command));
		opened(in_dir(name), BLOCK_DISK, false);
		assert_true(b.blk.size >= 8 << 20);	/* a VHD ends at a cylinder */
		check_data(b.blk.size);
		assert_int_equal(block_init(&second, &lock, "ide0:1", &err), 0);
		assert_int_equal(block_open(&second, in_dir(name), NULL, BLOCK_DISK, false, &err),
				 -1);
		if (!strstr(err.text, "in use by another"))
			fail_msg("%s", err.text);
		block_destroy(&second);
		block_close(&b);
		/* All of it is in the file, and nobody has that any more. */
		opened(in_dir(name), BLOCK_DISK, false);
		block_close(&b);
	}
	/* A qcow2 that may only be read is, and refuses to be written. */
	assert_true(run("chmod 400 disk.qcow2"));
	opened(in_dir("disk.qcow2"), BLOCK_DISK, true);
	assert_true(b.blk.read_only);
	assert_int_equal(do_buf(BLK_READ, 0, buf, sizeof(buf)), 0);
	assert_int_equal(do_buf(BLK_WRITE, 0, buf, sizeof(buf)), EPERM);
	block_close(&b);
	assert_true(run("head -c 60 disk.qcow2 >cut.qcow2"));
	refused(in_dir("cut.qcow2"), NULL, BLOCK_DISK, false, "cannot open");
	make("not.qcow2", 4096);
	refused(in_dir("not.qcow2"), NULL, BLOCK_DISK, false, "not in qcow2 format");
	refused(in_dir("none.qcow2"), NULL, BLOCK_DISK, false, "No such file");
}

static int clean(void **state)
{
	return run("rm -rf ../\"${PWD##*/}\"") ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_raw, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_images, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_formats, setup, teardown),
	};

	if (!mkdtemp(dir))
		return 1;
	return cmocka_run_group_tests_name("block", tests, NULL, clean);
}
