// SPDX-License-Identifier: BSD-2-Clause
/* Writing JSON to a stream. */
#include "tools/lifeboat-inspect/json.h"

#include <inttypes.h>

static void put_text(struct json *json, const char *text)
{
	fputc('"', json->out);
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c < ' ' || c > '~' || c == '"' || c == '\\')
			fprintf(json->out, "\\u%04x", c);
		else
			fputc(c, json->out);
	}
	fputc('"', json->out);
}

static void begin(struct json *json, const char *name)
{
	if (json->more)
		fputc(',', json->out);
	json->more = true;
	if (!name)
		return;
	put_text(json, name);
	fputc(':', json->out);
}

void json_open(struct json *json, const char *name, char bracket)
{
	begin(json, name);
	fputc(bracket, json->out);
	json->more = false;
}

void json_close(struct json *json, char bracket)
{
	fputc(bracket, json->out);
	json->more = true;
}

void json_string(struct json *json, const char *name, const char *value)
{
	begin(json, name);
	if (value)
		put_text(json, value);
	else
		fputs("null", json->out);
}

void json_number(struct json *json, const char *name, uint64_t value)
{
	begin(json, name);
	fprintf(json->out, "%" PRIu64, value);
}

void json_bool(struct json *json, const char *name, bool value)
{
	begin(json, name);
	fputs(value ? "true" : "false", json->out);
}

void json_hex(struct json *json, const char *name, const uint8_t *value, size_t size)
{
	begin(json, name);
	fputc('"', json->out);
	for (size_t i = 0; i < size; i++)
		fprintf(json->out, "%02x", value[i]);
	fputc('"', json->out);
}
