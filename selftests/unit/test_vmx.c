// SPDX-License-Identifier: GPL-2.0-only
/* The .vmx parser: what it takes, what it says to what it does not, and rubbish. */
#include "unit.h"

#include <unistd.h>

#include "core/types.h"
#include "vmapp/vmx.h"

static struct error err;

static int parse(struct vmx *v, const char *text)
{
	vmx_init(v);
	err.text[0] = '\0';
	return vmx_parse(v, "t.vmx", text, strlen(text), &err);
}

static void test_accepts(void **state)
{
	struct vmx v;

	assert_int_equal(parse(&v,
			       "#!/usr/bin/vmware\n"
			       ".encoding = \"UTF-8\"\r\n"
			       "\n"
			       "  memsize=\"512\"   # a comment\n"
			       "DISPLAYNAME = \"Old |22Linux|22 |7C box\"\n"
			       "serial0.FileType = \"PTY\"\n"
			       "serial0.present = true\n"
			       "ethernet0.virtualDev = \"vlance\"\n"
			       "worldswitch.append = \"\"\n"
			       "worldswitch.initrd = \"/no newline at the end\""), 0);
	assert_int_equal(vmx_check(&v, &err), 0);
	assert_int_equal(vmx_uint(&v, "MemSize"), 512);
	assert_string_equal(vmx_str(&v, "displayName"), "Old \"Linux\" | box");
	assert_string_equal(vmx_str(&v, "serial0.fileType"), "PTY");
	assert_true(vmx_bool(&v, "serial0.present"));
	assert_string_equal(vmx_str(&v, "worldswitch.append"), "");
	assert_string_equal(vmx_str(&v, "worldswitch.initrd"), "/no newline at the end");
	assert_string_equal(vmx_str(&v, "ethernet0.virtualdev"), "vlance");
	vmx_free(&v);
}

static void test_defaults(void **state)
{
	struct vmx v;

	vmx_init(&v);
	assert_int_equal(vmx_check(&v, &err), 0);
	assert_int_equal(vmx_uint(&v, "memsize"), 256);
	assert_true(vmx_bool(&v, "serial0.present"));
	assert_false(vmx_bool(&v, "serial1.present"));
	assert_string_equal(vmx_str(&v, "worldswitch.tripleFault"), "stop");
	assert_false(vmx_bool(&v, "ethernet0.present"));
	assert_string_equal(vmx_str(&v, "ethernet7.virtualDev"), "vlance");
	assert_string_equal(vmx_str(&v, "ethernet7.connectionType"), "bridged");
	assert_string_equal(vmx_str(&v, "worldswitch.ethernet7.datapath"), "");
	assert_string_equal(vmx_str(&v, "ethernet8.virtualDev"), "");
	assert_string_equal(vmx_str(&v, "no.such.key"), "");
	vmx_free(&v);
}

static void test_refuses(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "memsize\n", "t.vmx:1: a line must read" },
		{ "\n\n= \"x\"\n", "t.vmx:3: a line must read" },
		{ "mem size = \"x\"\n", "t.vmx:1: a line must read" },
		{ "a = \"x\n", "t.vmx:1: the closing quote is missing" },
		{ "a = \"x\" y\n", "t.vmx:1: there is something behind" },
		{ "a = x\"y\n", "t.vmx:1: a quote in the middle" },
		{ "a = \"|2\"\n", "t.vmx:1: '|' must be followed" },
		{ "a = \"|zz\"\n", "t.vmx:1: '|' must be followed" },
		{ "a = \"|00\"\n", "t.vmx:1: '|' must be followed" },
		{ "a = \"|", "t.vmx:1: '|' must be followed" },
		{ "a = \"1\"\nb = \"2\"\nA = \"3\"\n", "t.vmx:3: the key is there twice" },
	};

	for (size_t i = 0; i < WS_ARRAY_SIZE(cases); i++) {
		struct vmx v;

		assert_int_equal(parse(&v, cases[i].text), -1);
		if (strncmp(err.text, cases[i].says, strlen(cases[i].says)))
			fail_msg("'%s' gives '%s'", cases[i].text, err.text);
		vmx_free(&v);
	}
}

static void test_types(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "memsize = \"abc\"", "t.vmx:1: memsize = \"abc\": a whole number from 4 to" },
		{ "memsize = \"3\"", "t.vmx:1: memsize = \"3\": a whole number" },
		{ "memsize = \"-5\"", "t.vmx:1: memsize = \"-5\": a whole number" },
		{ "memsize = \" 5\"", "t.vmx:1: memsize = \" 5\": a whole number" },
		{ "memsize = \"99999999999999999999\"", "t.vmx:1: memsize" },
		{ "memsize = \"256M\"", "t.vmx:1: memsize" },
		{ "numvcpus = \"2\"", "t.vmx:1: numvcpus" },
		{ "serial0.present = \"yes\"", "t.vmx:1: serial0.present = \"yes\": TRUE or FALSE" },
		{ "serial0.fileType = \"st\"", "t.vmx:1: serial0.fileType = \"st\": one of stdio|" },
		{ "serial0.fileType = \"stdio|pty\"", "t.vmx:1: '|' must" },
		{ "ethernet0.virtualDev = \"e1000\"", "t.vmx:1: ethernet0.virtualDev" },
		{ "ethernet7.connectionType = \"nat\"", "t.vmx:1: ethernet7.connectionType" },
	};

	for (size_t i = 0; i < WS_ARRAY_SIZE(cases); i++) {
		struct vmx v;

		assert_int_equal(parse(&v, cases[i].text) || vmx_check(&v, &err), 1);
		if (strncmp(err.text, cases[i].says, strlen(cases[i].says)))
			fail_msg("'%s' gives '%s'", cases[i].text, err.text);
		vmx_free(&v);
	}
}

static void test_override(void **state)
{
	struct vmx v;
	char names[64];

	assert_int_equal(parse(&v, "memsize = \"64\"\nfoo = \"1\"\nbar = \"2\"\n"), 0);
	assert_int_equal(vmx_override(&v, "MEMSIZE=32", &err), 0);
	assert_int_equal(vmx_override(&v, "worldswitch.append=a=b |22 \"q\"", &err), 0);
	assert_int_equal(vmx_override(&v, "noequals", &err), -1);
	assert_int_equal(vmx_override(&v, "=x", &err), -1);
	assert_int_equal(vmx_override(&v, "a b=x", &err), -1);
	assert_int_equal(vmx_uint(&v, "memsize"), 32);
	assert_string_equal(vmx_str(&v, "worldswitch.append"), "a=b |22 \"q\"");
	assert_int_equal(vmx_unknown(&v, names, sizeof(names)), 2);
	assert_string_equal(names, "foo, bar");
	assert_int_equal(vmx_unknown(&v, names, 5), 2);
	assert_int_equal(vmx_override(&v, "memsize=x", &err), 0);
	assert_int_equal(vmx_check(&v, &err), -1);
	assert_string_equal(err.text, "memsize=x: a whole number from 4 to 67108864 is wanted");
	vmx_free(&v);
}

static void test_paths(void **state)
{
	static const char text[] = "worldswitch.kernel = \"vmlinuz\"\n"
				   "worldswitch.initrd = \"/boot/initrd\"\n";
	struct vmx v;
	char path[24];

	vmx_init(&v);
	assert_int_equal(vmx_parse(&v, "/vms/a/a.vmx", text, strlen(text), &err), 0);
	vmx_path(&v, "worldswitch.kernel", path, sizeof(path));
	assert_string_equal(path, "/vms/a/vmlinuz");
	vmx_path(&v, "worldswitch.initrd", path, sizeof(path));
	assert_string_equal(path, "/boot/initrd");
	vmx_path(&v, "serial0.fileName", path, sizeof(path));
	assert_string_equal(path, "");
	vmx_path(&v, "worldswitch.kernel", path, 14);
	assert_string_equal(path, "");
	/* From the command line it counts from where one is. */
	assert_int_equal(vmx_override(&v, "worldswitch.kernel=vmlinuz", &err), 0);
	vmx_path(&v, "worldswitch.kernel", path, sizeof(path));
	assert_string_equal(path, "vmlinuz");
	vmx_free(&v);
	assert_int_equal(parse(&v, text), 0);
	vmx_path(&v, "worldswitch.kernel", path, sizeof(path));
	assert_string_equal(path, "vmlinuz");
	vmx_free(&v);
}

static void test_limits(void **state)
{
	size_t size = VMX_VALUE_MAX + 300;
	char *text = malloc(size);
	struct vmx v;

	/* A key one too long, a value one too long, and the longest that fit. */
	memset(text, 'k', VMX_KEY_MAX);
	strcpy(text + VMX_KEY_MAX, " = \"v\"");
	assert_int_equal(parse(&v, text), -1);
	vmx_free(&v);
	assert_int_equal(parse(&v, text + 1), 0);
	vmx_free(&v);
	strcpy(text, "k = \"");
	memset(text + 5, 'v', VMX_VALUE_MAX);
	strcpy(text + 5 + VMX_VALUE_MAX, "\"");
	assert_int_equal(parse(&v, text), -1);
	vmx_free(&v);
	strcpy(text + 5 + VMX_VALUE_MAX - 1, "\"");
	assert_int_equal(parse(&v, text), 0);
	vmx_free(&v);
	vmx_init(&v);
	assert_int_equal(vmx_parse(&v, "t.vmx", "a = \"\0\"\n", 9, &err), -1);
	vmx_free(&v);
	free(text);
}

static void test_load(void **state)
{
	struct vmx v;

	vmx_init(&v);
	assert_int_equal(vmx_load(&v, "/no/such.vmx", &err), -1);
	assert_non_null(strstr(err.text, "cannot open /no/such.vmx: No such file"));
	assert_int_equal(vmx_load(&v, "/", &err), -1);
	assert_non_null(strstr(err.text, "is not a .vmx file"));
	vmx_free(&v);
}

/* A valid file with bytes changed, dropped and doubled; and noise of its own characters. */
static void test_fuzz(void **state)
{
	static const char valid[] = "a.b = \"1|22\"\nmemsize = \"64\" # c\n\n.e=x\n";
	static const char alphabet[] = "ab.=\"|27# \n\t\r\x80";
	char text[128];
	uint64_t seed = 1;
	struct vmx v;

	for (unsigned int i = 0; i < 200000; i++) {
		size_t len = sizeof(valid) - 1;

		memcpy(text, valid, len);
		if (i & 1) {
			len = unit_random(&seed) % sizeof(text);
			for (size_t j = 0; j < len; j++)
				text[j] = alphabet[unit_random(&seed) % (sizeof(alphabet) - 1)];
		} else {
			for (int j = (int)(unit_random(&seed) % 4); j >= 0; j--)
				text[unit_random(&seed) % len] = (char)unit_random(&seed);
			len -= unit_random(&seed) % len;
		}
		vmx_init(&v);
		if (!vmx_parse(&v, "t", text, len, &err))
			vmx_check(&v, &err);
		vmx_free(&v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_override),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_fuzz),
	};

	return cmocka_run_group_tests_name("vmx", tests, NULL, NULL);
}
