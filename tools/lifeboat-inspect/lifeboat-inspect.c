// SPDX-License-Identifier: BSD-2-Clause
/*
 * lifeboat-inspect BUNDLE [CONTROL-FDT]: what is in a bundle, as JSON on standard output.
 *
 * Ends with 0 if the stage with these keys would start every configuration and every hash is right, with 1 if
 * not, and with 2 if it could not tell.
 */
#include <stdlib.h>

#include "tools/lifeboat-inspect/inspect.h"

enum { EXIT_GOOD = 0, EXIT_BAD = 1, EXIT_TROUBLE = 2 };

/* A whole file, in a block of its size; NULL with a word on standard error. */
static uint8_t *load(const char *path, uint64_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	long length = -1;

	if (file && fseek(file, 0, SEEK_END) == 0)
		length = ftell(file);
	if (length >= 0) {
		rewind(file);
		bytes = malloc(length ? (size_t)length : 1);
	}
	if (bytes && fread(bytes, 1, (size_t)length, file) != (size_t)length) {
		free(bytes);
		bytes = NULL;
	}
	if (file)
		fclose(file);
	if (!bytes)
		fprintf(stderr, "lifeboat-inspect: cannot read %s\n", path);
	*size = (uint64_t)length;
	return bytes;
}

int main(int argc, char **argv)
{
	struct inspection inspection = {.json = {.out = stdout}};
	struct keyring ring;
	struct diag diag;
	uint8_t *bundle, *control = NULL;
	uint64_t control_size;
	int code = EXIT_TROUBLE;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: lifeboat-inspect BUNDLE [CONTROL-FDT]\n");
		return EXIT_TROUBLE;
	}
	bundle = load(argv[1], &inspection.bundle.size);
	if (argc == 3)
		control = load(argv[2], &control_size);
	if (control && keyring_open(control, control_size, &ring, &diag))
		fprintf(stderr, "lifeboat-inspect: %s\n", diag.text);
	else if (bundle && (argc == 2 || control)) {
		inspection.bundle.data = bundle;
		inspection.ring = control ? &ring : NULL;
		inspect_bundle(&inspection);
		code = inspection.all_good ? EXIT_GOOD : EXIT_BAD;
	}
	free(control);
	free(bundle);
	return code;
}
