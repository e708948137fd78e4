// SPDX-License-Identifier: BSD-2-Clause
/*
 * A crash kernel from userspace. Read load_run() at the bottom first.
 *
 * What the stage will do with it after a crash is tried here, by the stage's own code: its tree, its crash
 * configuration, its hashes, and a plan for usable memory. Not its signature: the keys are the stage's.
 */
#include "tools/lifeboat-ctl/load.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kexec/bundle/choices.h"
#include "kexec/bundle/policy.h"
#include "kexec/crash/kept.h"
#include "kexec/place/place.h"
#include "tools/lifeboat-ctl/find_region.h"
#include "tools/lifeboat-inspect/unpack.h"

#define BESIDES MIB /* what the stage places besides: FDT, core header, room to unpack in */

/* ---- The bundle ---- */

struct file {
	const void *bytes; /* mapped */
	uint64_t size;
};

static enum lb_err open_file(struct control *control, struct file *file)
{
	const int fd = open(control->option, O_RDONLY | O_CLOEXEC);
	void *bytes = MAP_FAILED;
	struct stat status;

	errno = fd >= 0 ? 0 : errno;
	if (fd >= 0 && !fstat(fd, &status) && status.st_size > 0)
		bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		diag_fail(&control->diag, LB_ENOENT, "cannot read %.96s: %s", control->option,
			  errno ? strerror(errno) : "there is nothing in it");
	else
		*file = (struct file){bytes, (uint64_t)status.st_size};
	if (fd >= 0)
		close(fd);
	return bytes == MAP_FAILED ? LB_ENOENT : LB_OK;
}

static enum lb_err read_config(const struct bundle *bundle, const char *name, struct bundle_config *config,
			       struct diag *diag)
{
	struct bundle_crash crash;
	enum lb_err err = bundle_read_crash(bundle, name, &crash, diag);

	if (!err && !crash.has_kernel)
		err = diag_fail(diag, LB_ENOENT, "bundle: its crash configuration has no kernel");
	if (!err)
		err = bundle_read_config(bundle, name, config, diag);
	return err ? err : bundle_check_crash(config, diag);
}

/* The one that the stage would take on this machine: the first good one. */
static enum lb_err find_config(struct control *control, const struct bundle *bundle,
			       struct bundle_config *config)
{
	static struct machine machine;
	static char board[256];
	struct choices choices;
	enum lb_err err;

	machine.compatible_size = find_board(control->devicetree, board, sizeof(board));
	machine.compatible = machine.compatible_size ? board : NULL;
	err = choices_read_crash(bundle, &machine, &choices, &control->diag);
	if (err)
		return err;
	for (size_t i = 0; i < choices.count; i++) {
		err = read_config(bundle, choices.name[i], config, &control->diag);
		if (!err)
			break;
	}
	return err;
}

static enum lb_err check_hashes(const struct bundle *bundle, const struct bundle_config *config,
				struct diag *diag)
{
	static struct verify verify;
	const struct bundle_blob *blob;
	enum lb_err err = LB_OK;

	for (size_t i = 0; !err && (blob = bundle_config_blob(config, i)); i++) {
		verify_begin(&verify, &blob->hashes, NULL, 0);
		verify_add(&verify, bundle->data + blob->offset, blob->size);
		err = verify_end(&verify, blob->node, diag);
	}
	return err;
}

/* Will all of it have a place in usable memory, by the stage's own plan? */
static enum lb_err check_room(struct control *control, const struct bundle_config *config)
{
	static struct memmap map;
	static struct plan plan;
	const struct region usable = control->region.usable, kept = control->region.kept;
	struct place_request request = {
		.image = &config->image,
		.image_pa = kept.base,
		.image_size = config->kernel.size,
		.fdt_size = BESIDES,
		.limit = UINT64_MAX,
	};
	enum lb_err err;

	for (size_t i = 0; i < BUNDLE_BLOBS_MAX && config->ramdisk[i].size; i++)
		request.initrd.size += config->ramdisk[i].size + sizeof(uint32_t);
	request.initrd.base = request.initrd.size ? kept.base : 0;
	if (config->packed.by)
		request.image_size = config->image.segment[0].file_size;
	memmap_init(&map);
	err = memmap_add_ram(&map, usable.base, usable.size);
	return err ? err : place_plan(&map, &request, &plan, &control->diag);
}

static enum lb_err check(struct control *control, const struct file *file)
{
	static struct bundle_config config;
	struct diag *diag = &control->diag;
	struct bundle bundle;
	enum lb_err err = bundle_open(file->bytes, file->size, &bundle, diag);

	if (!err && !bundle.is_fit)
		err = diag_fail(diag, LB_EFORMAT, "bundle: it is no FIT: make one (tools/lifeboat bundle)");
	if (!err)
		err = find_config(control, &bundle, &config);
	if (!err)
		err = check_hashes(&bundle, &config, diag);
	if (!err && config.packed.by)
		err = unpack_config(&bundle, &config, diag);
	return err ? err : check_room(control, &config);
}

/* ---- Into the region ---- */

static enum lb_err check_size(struct control *control, const struct file *file)
{
	const uint64_t room = control->region.kept.size;

	if (!room)
		return diag_fail(&control->diag, LB_ENOSPC,
				 "no room is kept for a crash kernel: give the crash configuration of "
				 "firmware's bundle a lifeboat,kept-size (tools/lifeboat bundle --reserve)");
	if (file->size > room)
		return diag_fail(&control->diag, LB_ENOSPC,
				 "%.64s has %" PRIu64 " KiB, but only %" PRIu64
				 " are kept for it: make it smaller, or lifeboat,kept-size larger",
				 control->option, file->size / KIB, room / KIB);
	return LB_OK;
}

static enum lb_err put(struct control *control, void *memory, struct crash_record *record,
		       const struct file *file)
{
	const struct region room = control->region.kept;
	/* No hook for caches: O_SYNC maps uncached where the hart can (Svpbmt); docs/crash.md. */
	const struct crash_kept kept = {
		.memory = memory,
		.room = control_map(control, room, true),
		.where = room,
	};
	enum lb_err err;

	if (!kept.room)
		return LB_ENOENT;
	err = crash_kept_put(&kept, record, file->bytes, file->size);
	if (!err)
		err = control_check_written(control, memory, record);
	if (!err && memcmp(kept.room + (record->kept.pa - room.base), file->bytes, file->size)) {
		err = diag_fail(&control->diag, LB_EFORMAT,
				"the region did not take it: is %.48s really the machine's memory? Nothing "
				"is loaded",
				control->memory);
		(void)!crash_kept_drop(&kept, record);
	}
	control_unmap(kept.room, room);
	return err;
}

static enum lb_err load(struct control *control, void *memory)
{
	struct crash_record record;
	struct file file;
	enum lb_err err = control_read_running(control, memory, &record);

	if (!err)
		err = open_file(control, &file);
	if (!err)
		err = check_size(control, &file);
	if (!err)
		err = check(control, &file);
	return err ? err : put(control, memory, &record, &file);
}

static enum lb_err unload(struct control *control, void *memory)
{
	const struct crash_kept kept = {.memory = memory};
	struct crash_record record;
	enum lb_err err = control_read_running(control, memory, &record);

	if (err || !record.kept.size)
		return err;
	err = crash_kept_drop(&kept, &record);
	return err ? err : control_check_written(control, memory, &record);
}

static int run(struct control *control, enum lb_err (*how)(struct control *control, void *memory),
	       const char *done)
{
	const struct region part = control->region.record;
	void *memory;
	enum lb_err err;

	control_lock(control);
	memory = control_map(control, part, true);
	err = memory ? how(control, memory) : LB_ENOENT;
	if (err)
		return control_fail(control->diag.text);
	printf("%s\n", done);
	return EXIT_DONE;
}

int unload_run(struct control *control)
{
	return run(control, unload, "unloaded");
}

int load_run(struct control *control)
{
	return run(control, load, "loaded");
}
