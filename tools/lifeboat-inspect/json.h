/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing JSON to a stream. Names are NULL inside arrays, and for the outermost object. */
#ifndef LIFEBOAT_INSPECT_JSON_H
#define LIFEBOAT_INSPECT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	bool more; /* something stands before us on this level */
};

/** Open and close objects ('{', '}') and arrays ('[', ']'). */
void json_open(struct json *json, const char *name, char bracket);
void json_close(struct json *json, char bracket);

/**
 * Values. A NULL string is null; bytes that are no ASCII text are escaped, so that any name comes through.
 */
void json_string(struct json *json, const char *name, const char *value);
void json_number(struct json *json, const char *name, uint64_t value);
void json_bool(struct json *json, const char *name, bool value);

/** @size bytes as a string of hexadecimal digits. */
void json_hex(struct json *json, const char *name, const uint8_t *value, size_t size);

#endif
