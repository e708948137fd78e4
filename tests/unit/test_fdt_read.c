// SPDX-License-Identifier: BSD-2-Clause
/* The machine description: real FDTs against what fdtget reads from them, and our own for the edges. */
#include "tests/unit/fdt_blobs.h"

#include "fdt/read.h"

#define LINES_MAX 640
#define LINE_SIZE 160

/* A machine, or what is expected of one, as sorted lines of text. */
struct lines {
	size_t count;
	char line[LINES_MAX][LINE_SIZE];
};

static void add(struct lines *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct lines *lines, const char *format, ...)
{
	va_list args;

	assert_true(lines->count < LINES_MAX);
	va_start(args, format);
	vsnprintf(lines->line[lines->count++], LINE_SIZE, format, args);
	va_end(args);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void sort(struct lines *lines)
{
	qsort(lines->line, lines->count, LINE_SIZE, compare_lines);
}

static void add_range(struct lines *lines, const char *key, struct region range)
{
	if (range.size)
		add(lines, "%s %#llx %#llx", key, (unsigned long long)range.base,
		    (unsigned long long)range.size);
}

static void add_isa(struct lines *lines, uint32_t isa)
{
	static const char names[][8] = {"zicbom", "zknh", "rotate", "clmul", "v", "zvkb", "zvknha", "zvknhb"};
	char text[LINE_SIZE] = "isa";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (isa >> i & 1)
			strcat(strcat(text, " "), names[i]);
	}
	add(lines, "%s", text);
}

static void add_number(struct lines *lines, const char *key, uint32_t number)
{
	if (number)
		add(lines, "%s %#x", key, number);
}

static void add_harts(struct lines *lines, const struct machine *m)
{
	for (size_t i = 0; i < m->hart_count; i++)
		add(lines, m->hart[i].id ? "hart %#llx %s %u" : "hart 0x%llx %s %u",
		    (unsigned long long)m->hart[i].id, m->hart[i].enabled ? "on" : "off",
		    m->hart[i].mmu_levels);
	add_isa(lines, m->isa);
	add_number(lines, "cbom", m->cbom_block_size);
	add_number(lines, "timebase", m->timebase_frequency);
}

static void add_reserved(struct lines *lines, const struct machine *m)
{
	for (size_t i = 0; i < m->reserved_count; i++) {
		const struct machine_reservation *r = &m->reserved[i];

		add(lines, "reserved %#llx %#llx %s %s", (unsigned long long)r->range.base,
		    (unsigned long long)r->range.size, r->no_map ? "nomap" : "map", r->name);
	}
	add(lines, "dynamic 0x%zx", m->pool_count);
	for (size_t i = 0; i < m->pool_count && i < MACHINE_POOLS_MAX; i++) {
		const struct pool *p = &m->pool[i];

		add(lines, "pool %s %#llx by %#llx", p->name, (unsigned long long)p->size,
		    (unsigned long long)p->align);
		for (size_t r = 0; r < p->range_count; r++)
			add_range(lines, p->name, p->range[r]);
	}
}

static void describe(struct lines *lines, const struct machine *m)
{
	lines->count = 0;
	for (size_t i = 0; i < m->ram.count; i++)
		add_range(lines, "ram", m->ram.region[i]);
	for (size_t at = 0; at < m->compatible_size; at += strlen(m->compatible + at) + 1)
		add(lines, "compatible %s", m->compatible + at);
	if (m->has_keys)
		add(lines, "keys");
	if (*m->bootargs)
		add(lines, "bootargs %s", m->bootargs);
	add_range(lines, "initrd", m->initrd);
	add_range(lines, "bundle", m->bundle);
	add_reserved(lines, m);
	add_harts(lines, m);
	sort(lines);
}

static const struct {
	const char *name;
	enum lb_err code;
} codes[] = {
	{"LB_EFORMAT", LB_EFORMAT},
	{"LB_ERANGE", LB_ERANGE},
	{"LB_ENOENT", LB_ENOENT},
};

static const char *code_name(enum lb_err code)
{
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].code == code)
			return codes[i].name;
	return lb_err_name(code);
}

static void load_expected(struct lines *lines, const char *name)
{
	size_t size;
	char *text = (char *)read_made(name, ".expect", &size);

	lines->count = 0;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		add(lines, "%s", line);
	sort(lines);
	free(text);
}

static void check_as_expected(const struct blob *blob)
{
	static struct lines expected, found;
	static struct machine m;
	struct diag diag = {""};
	enum lb_err err = fdt_read_machine(blob->data, blob->size, &m, &diag);

	load_expected(&expected, blob->name);
	if (err) {
		found.count = 0;
		add(&found, "error %s", code_name(err));
		assert_non_null(strstr(diag.text, "fdt: "));
	} else {
		describe(&found, &m);
	}
	for (size_t i = 0; i < expected.count && i < found.count; i++)
		if (strcmp(expected.line[i], found.line[i]) != 0)
			fail_msg("%s: expected '%s', read '%s' (%s)", blob->name, expected.line[i],
				 found.line[i], diag.text);
	if (expected.count != found.count)
		fail_msg("%s: expected %zu facts, read %zu", blob->name, expected.count, found.count);
}

static void every_fdt_is_read_as_other_tools_read_it(void **state)
{
	(void)state;
	for_each_blob(check_as_expected);
}

static void check_lists_in_order(const struct blob *blob)
{
	static struct machine m;

	if (fdt_read_machine(blob->data, blob->size, &m, NULL))
		return;
	for (size_t i = 1; i < m.ram.count; i++)
		assert_true(region_end(m.ram.region[i - 1]) < m.ram.region[i].base);
	for (size_t i = 0; i < m.hart_count; i++)
		assert_ptr_equal(machine_find_hart(&m, m.hart[i].id), &m.hart[i]);
	assert_null(machine_find_hart(&m, 0xdeadbeef));
}

static void ram_is_sorted_and_every_hart_is_found_by_its_id(void **state)
{
	(void)state;
	for_each_blob(check_lists_in_order);
}

static void a_machine_is_compatible_with_each_whole_string_of_its_list(void **state)
{
	static struct machine m;
	struct blob blob = load_blob("icicle");

	(void)state;
	assert_int_equal(fdt_read_machine(blob.data, blob.size, &m, NULL), LB_OK);
	assert_true(machine_is_compatible(&m, "microchip,mpfs-icicle-kit"));
	assert_true(machine_is_compatible(&m, "microchip,mpfs"));
	assert_false(machine_is_compatible(&m, "microchip,mpf"));
	assert_false(machine_is_compatible(&m, "mpfs"));
	assert_false(machine_is_compatible(&m, ""));
	m.compatible = NULL;
	m.compatible_size = 0;
	assert_false(machine_is_compatible(&m, "microchip,mpfs"));
	free(blob.data);
}

/* Our own trees, written with libfdt. */

#define BUILD_SIZE (1 << 20)

/* Start a tree with these cells at its root; absent if negative. Its reservation block is empty. */
static uint8_t *build(int64_t address_cells, int64_t size_cells)
{
	uint8_t *blob = malloc(BUILD_SIZE);

	assert_int_equal(fdt_create(blob, BUILD_SIZE), 0);
	assert_int_equal(fdt_finish_reservemap(blob), 0);
	assert_int_equal(fdt_begin_node(blob, ""), 0);
	if (address_cells >= 0)
		assert_int_equal(fdt_property_u32(blob, "#address-cells", (uint32_t)address_cells), 0);
	if (size_cells >= 0)
		assert_int_equal(fdt_property_u32(blob, "#size-cells", (uint32_t)size_cells), 0);
	return blob;
}

static void begin(uint8_t *blob, const char *format, unsigned int number)
{
	char name[32];

	snprintf(name, sizeof(name), format, number);
	assert_int_equal(fdt_begin_node(blob, name), 0);
}

static void end(uint8_t *blob)
{
	assert_int_equal(fdt_end_node(blob), 0);
}

static void range(uint8_t *blob, const char *name, uint64_t base, uint64_t size)
{
	fdt64_t value[2] = {cpu_to_fdt64(base), cpu_to_fdt64(size)};

	assert_int_equal(fdt_property(blob, name, value, sizeof(value)), 0);
}

static void memory(uint8_t *blob, unsigned int number, uint64_t base, uint64_t size)
{
	begin(blob, "memory@%x", number);
	assert_int_equal(fdt_property_string(blob, "device_type", "memory"), 0);
	range(blob, "reg", base, size);
	end(blob);
}

/* End the tree, read it from a block of exactly its size, and free it. */
static enum lb_err read_built(uint8_t *blob, struct machine *m, struct diag *diag)
{
	uint8_t *copy;
	enum lb_err err;

	end(blob);
	assert_int_equal(fdt_finish(blob), 0);
	copy = exact_copy(blob, fdt_totalsize(blob));
	err = fdt_read_machine(copy, fdt_totalsize(copy), m, diag);
	free(copy);
	free(blob);
	return err;
}

static struct machine machine;
static struct diag diag;

static void cells_that_no_address_has_are_an_error_where_memory_is_read_by_them(void **state)
{
	static const int64_t bad[] = {-1, 0, 3, 4, 0x7fffffff, 0xffffffff};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t *address = build(bad[i], 2);
		uint8_t *size = build(2, bad[i]);

		memory(address, 0, 0x80000000, 0x1000);
		memory(size, 0, 0x80000000, 0x1000);
		assert_int_equal(read_built(address, &machine, &diag), LB_EFORMAT);
		assert_non_null(strstr(diag.text, "memory@0"));
		assert_int_equal(read_built(size, &machine, &diag), LB_EFORMAT);
	}
}

static void reserved_memory_takes_no_cells_from_the_root_but_for_absent_ones(void **state)
{
	static const struct {
		int64_t cells;
		enum lb_err err;
	} rows[] = {{-1, LB_OK}, {2, LB_OK}, {0, LB_EFORMAT}, {3, LB_EFORMAT}, {0xffffffff, LB_EFORMAT}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t *blob = build(2, 2);

		memory(blob, 0, 0x80000000, 0x1000);
		begin(blob, "reserved-memory", 0);
		if (rows[i].cells >= 0)
			fdt_property_u32(blob, "#address-cells", (uint32_t)rows[i].cells);
		begin(blob, "r@%x", 0);
		range(blob, "reg", 0x80000000, 0x1000);
		end(blob);
		end(blob);
		assert_int_equal(read_built(blob, &machine, &diag), rows[i].err);
	}
}

static void cells_that_are_no_word_are_an_error_too(void **state)
{
	uint8_t *blob = build(-1, 2);
	fdt32_t two[2] = {cpu_to_fdt32(2)};

	(void)state;
	assert_int_equal(fdt_property(blob, "#address-cells", two, sizeof(two)), 0);
	memory(blob, 0, 0x80000000, 0x1000);
	assert_int_equal(read_built(blob, &machine, &diag), LB_EFORMAT);
}

static void bad_cells_of_nodes_that_are_not_read_do_no_harm(void **state)
{
	static const uint32_t bad[] = {0, 3, 0xffffffff};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t *blob = build(2, 2);

		memory(blob, 0, 0x80000000, 0x1000);
		for (unsigned int node = 0; node < 2; node++) {
			begin(blob, node ? "cpus" : "soc", 0);
			fdt_property_u32(blob, "#address-cells", bad[i]);
			begin(blob, "cpu@%x", 0);
			assert_int_equal(fdt_property_string(blob, "device_type", "cpu"), 0);
			range(blob, "reg", 0, 0);
			end(blob);
			end(blob);
		}
		assert_int_equal(read_built(blob, &machine, &diag), LB_OK);
		assert_int_equal(machine.hart_count, 0);
	}
}

static void a_range_may_end_at_the_last_address_and_not_behind_it(void **state)
{
	static const struct {
		uint64_t base, size;
		enum lb_err err;
	} rows[] = {
		{UINT64_MAX - 0xfff, 0xfff, LB_OK},
		{UINT64_MAX - 0xfff, 0x1000, LB_ERANGE},
		{0, UINT64_MAX, LB_OK},
		{1, UINT64_MAX, LB_ERANGE},
		{UINT64_MAX, UINT64_MAX, LB_ERANGE},
		{UINT64_MAX, 0, LB_ENOENT},
		{0x8000000000000000, 1ull << 63, LB_ERANGE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t *ram = build(2, 2), *reserved = build(2, 2);

		memory(ram, 0, rows[i].base, rows[i].size);
		assert_int_equal(read_built(ram, &machine, &diag), rows[i].err);
		memory(reserved, 0, 0x80000000, 0x1000);
		begin(reserved, "reserved-memory", 0);
		begin(reserved, "r@%x", 0);
		range(reserved, "reg", rows[i].base, rows[i].size);
		end(reserved);
		end(reserved);
		assert_int_equal(read_built(reserved, &machine, &diag),
				 rows[i].err == LB_ENOENT ? LB_OK : rows[i].err);
	}
}

/* Each makes a tree with @count of something, in a machine that is otherwise in order. */
static void many_harts(uint8_t *blob, unsigned int count)
{
	begin(blob, "cpus", 0);
	assert_int_equal(fdt_property_u32(blob, "#address-cells", 1), 0);
	for (unsigned int i = 0; i < count; i++) {
		begin(blob, "cpu@%x", i);
		assert_int_equal(fdt_property_u32(blob, "reg", i), 0);
		end(blob);
	}
	end(blob);
}

static void many_reservations(uint8_t *blob, unsigned int count)
{
	begin(blob, "reserved-memory", 0);
	for (unsigned int i = 0; i < count; i++) {
		begin(blob, "r@%x", i);
		range(blob, "reg", 0x80000000, 0x1000);
		end(blob);
	}
	end(blob);
}

static void many_banks(uint8_t *blob, unsigned int count)
{
	for (unsigned int i = 1; i < count; i++) /* it has one */
		memory(blob, i, 0x100000000 + 0x2000 * (uint64_t)i, 0x1000);
}

static void deep_nodes(uint8_t *blob, unsigned int count)
{
	for (unsigned int i = 1; i < count; i++) /* the root is the first */
		begin(blob, "n%x", i);
	for (unsigned int i = 1; i < count; i++)
		end(blob);
}

static void as_many_as_there_is_room_for_are_read_and_one_more_is_an_error(void **state)
{
	static const struct {
		void (*make)(uint8_t *blob, unsigned int count);
		unsigned int most;
		enum lb_err err;
	} rows[] = {
		{many_harts, MACHINE_HARTS_MAX, LB_ENOSPC},
		{many_reservations, MACHINE_RESERVED_MAX, LB_ENOSPC},
		{many_banks, REGION_SET_MAX, LB_ENOSPC},
		{deep_nodes, 64, LB_EFORMAT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t *most = build(2, 2), *too_many = build(2, 2);

		memory(most, 0, 0x80000000, 0x1000);
		rows[i].make(most, rows[i].most);
		assert_int_equal(read_built(most, &machine, &diag), LB_OK);
		memory(too_many, 0, 0x80000000, 0x1000);
		rows[i].make(too_many, rows[i].most + 1);
		diag.text[0] = '\0';
		assert_int_equal(read_built(too_many, &machine, &diag), rows[i].err);
		assert_non_null(strstr(diag.text, "fdt: "));
	}
}

static void what_libfdt_does_not_find_is_not_read(void **state)
{
	uint8_t *blob = build(2, 2);

	(void)state;
	memory(blob, 0, 0x80000000, 0x1000);
	begin(blob, "memory@%x", 1);
	assert_int_equal(fdt_property_string(blob, "device_type", "memory"), 0);
	begin(blob, "inner", 0);
	end(blob);
	range(blob, "reg", 0x90000000, 0x1000); /* behind a subnode */
	end(blob);
	begin(blob, "memory@%x", 2);
	assert_int_equal(fdt_property_string(blob, "device_type", "memory"), 0);
	range(blob, "reg", 0xa0000000, 0x1000);
	range(blob, "reg", 0xb0000000, 0x1000); /* of two the first */
	end(blob);
	range(blob, "compatible", 0, 0); /* of the root, behind subnodes */
	assert_int_equal(read_built(blob, &machine, &diag), LB_OK);
	assert_int_equal(machine.ram.count, 2);
	assert_int_equal(machine.ram.region[0].base, 0x80000000);
	assert_int_equal(machine.ram.region[1].base, 0xa0000000);
	assert_null(machine.compatible);
}

static void a_long_node_name_leaves_room_for_the_message(void **state)
{
	uint8_t *blob = build(2, 2);
	char name[400];

	(void)state;
	memset(name, 'm', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(fdt_begin_node(blob, name), 0);
	assert_int_equal(fdt_property_string(blob, "device_type", "memory"), 0);
	assert_int_equal(fdt_property(blob, "reg", name, 20), 0);
	end(blob);
	assert_int_equal(read_built(blob, &machine, &diag), LB_EFORMAT);
	assert_non_null(strstr(diag.text, "20 bytes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fdt_is_read_as_other_tools_read_it),
		cmocka_unit_test(ram_is_sorted_and_every_hart_is_found_by_its_id),
		cmocka_unit_test(a_machine_is_compatible_with_each_whole_string_of_its_list),
		cmocka_unit_test(cells_that_no_address_has_are_an_error_where_memory_is_read_by_them),
		cmocka_unit_test(reserved_memory_takes_no_cells_from_the_root_but_for_absent_ones),
		cmocka_unit_test(cells_that_are_no_word_are_an_error_too),
		cmocka_unit_test(bad_cells_of_nodes_that_are_not_read_do_no_harm),
		cmocka_unit_test(a_range_may_end_at_the_last_address_and_not_behind_it),
		cmocka_unit_test(as_many_as_there_is_room_for_are_read_and_one_more_is_an_error),
		cmocka_unit_test(what_libfdt_does_not_find_is_not_read),
		cmocka_unit_test(a_long_node_name_leaves_room_for_the_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
