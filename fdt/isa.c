// SPDX-License-Identifier: BSD-2-Clause
/* ISA extension names, from either of the two forms in which a hart's FDT node lists them. */
#include "fdt/isa.h"

#include "fdt/machine.h"

#define NAME(string) string, sizeof(string) - 1

static const struct {
	const char *name;
	size_t length;
	uint32_t bits;
} extensions_known[] = {
	{NAME("zicbom"), ISA_ZICBOM},
	{NAME("zknh"), ISA_ZKNH},
	{NAME("zbb"), ISA_ROTATE},
	{NAME("zbkb"), ISA_ROTATE},
	{NAME("b"), ISA_ROTATE}, /* Zba, Zbb and Zbs */
	{NAME("zbc"), ISA_CARRYLESS},
	{NAME("zbkc"), ISA_CARRYLESS},
	{NAME("zks"), ISA_ROTATE | ISA_CARRYLESS},
	{NAME("zkn"), ISA_ZKNH | ISA_ROTATE | ISA_CARRYLESS},
	{NAME("zk"), ISA_ZKNH | ISA_ROTATE | ISA_CARRYLESS},
	{NAME("v"), ISA_V},
	{NAME("zvkb"), ISA_ZVKB},
	{NAME("zvbb"), ISA_ZVKB},
	{NAME("zvknha"), ISA_ZVKNHA},
	{NAME("zvknhb"), ISA_ZVKNHA | ISA_ZVKNHB},
	{NAME("zvkn"), ISA_ZVKNHA | ISA_ZVKNHB | ISA_ZVKB},
	{NAME("zvknc"), ISA_ZVKNHA | ISA_ZVKNHB | ISA_ZVKB},
	{NAME("zvkng"), ISA_ZVKNHA | ISA_ZVKNHB | ISA_ZVKB},
};

/* The bits of the extension that is named by the @length characters at @text; 0 when we do not know it. */
static uint32_t extension_bits(const char *text, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(extensions_known); i++)
		if (extensions_known[i].length == length &&
		    memcmp(text, extensions_known[i].name, length) == 0)
			return extensions_known[i].bits;
	return 0;
}

static uint32_t read_list(const char *list, size_t size)
{
	uint32_t isa = 0;

	while (size) {
		size_t length = strlen(list);

		isa |= extension_bits(list, length);
		list += length + 1;
		size -= length + 1;
	}
	return isa;
}

/* How long the name at @text is: one letter, or up to the next '_' when it begins as long names do. */
static size_t name_length(const char *text)
{
	return strchr("sxz", *text) ? strcspn(text, "_") : 1;
}

/* The same without a version, such as the "1p0" of "zicbom1p0"; no name that we know ends like one. */
static size_t without_version(const char *text, size_t length)
{
	while (length && strchr("0123456789p", text[length - 1]))
		length--;
	return length;
}

static uint32_t read_string(const char *text)
{
	uint32_t isa = 0;

	if (strncmp(text, "rv64", 4) != 0)
		return 0;
	for (text += 4; *text;) {
		size_t length = name_length(text);

		isa |= extension_bits(text, without_version(text, length));
		text += length;
	}
	return isa;
}

uint32_t isa_read(struct prop extensions, struct prop isa)
{
	const char *list = prop_string(extensions);
	const char *string = prop_string(isa);

	if (list)
		return read_list(list, extensions.size);
	return string ? read_string(string) : 0;
}
