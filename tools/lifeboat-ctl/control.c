// SPDX-License-Identifier: BSD-2-Clause
/* The machine's memory, mapped, and the crash record in it, by the stage's own code. */
#include "tools/lifeboat-ctl/control.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int control_fail(const char *line)
{
	fprintf(stderr, "lifeboat-ctl: %s\n", line);
	return EXIT_FAILED;
}

/* MAP_FAILED, with errno, if that can't be. */
static void *map(const struct control *control, struct region part, bool writable)
{
	const int prot = PROT_READ | (writable ? PROT_WRITE : 0);
	const int fd = open(control->memory, (writable ? O_RDWR : O_RDONLY) | O_SYNC | O_CLOEXEC);
	void *mapped = MAP_FAILED;
	struct stat status;
	int code;

	if (fd < 0)
		return MAP_FAILED;
	/* A regular file in its place may be too short: then an access would be SIGBUS. */
	if (!fstat(fd, &status) && S_ISREG(status.st_mode) && (uint64_t)status.st_size < region_end(part))
		errno = EFBIG;
	else
		mapped = mmap(NULL, (size_t)part.size, prot, MAP_SHARED, fd, (off_t)part.base);
	code = errno;
	close(fd);
	errno = code;
	return mapped;
}

void *control_map(struct control *control, struct region part, bool writable)
{
	void *mapped = map(control, part, writable);

	if (mapped != MAP_FAILED)
		return mapped;
	diag_fail(&control->diag, LB_ENOENT,
		  "cannot map %#" PRIx64
		  " of %.72s: %s: be root, on a kernel with CONFIG_DEVMEM that is not locked down",
		  part.base, control->memory, strerror(errno));
	return NULL;
}

void control_unmap(void *mapped, struct region part)
{
	munmap(mapped, (size_t)part.size);
}

void control_lock(const struct control *control)
{
	const int fd =
		open(control->memory, O_RDONLY | O_CLOEXEC); /* open until the end: it holds the lock */

	if (fd >= 0)
		(void)flock(fd, LOCK_EX);
}

enum lb_err control_read(struct control *control, const void *memory, struct crash_record *record)
{
	const struct region all = control->region.all;
	struct diag *diag = &control->diag;
	enum lb_err err = crash_record_read(memory, record, diag);

	if (err == LB_ENOENT)
		return diag_fail(
			diag, err,
			"no crash record: lifeboat has staged no crash kernel; lifeboat-ctl log says why");
	if (err == LB_EUNSUPPORTED)
		return diag_fail(
			diag, err,
			"the crash record is of another version than this lifeboat-ctl's (%d): use the "
			"one that came with the lifeboat that booted",
			CRASH_RECORD_VERSION);
	if (err)
		return diag_fail(
			diag, err,
			"the crash record is damaged: a reset will boot normally; reboot to arm anew");
	if (record->region_base != all.base || record->region_size != all.size)
		return diag_fail(diag, LB_ECONFLICT,
				 "the crash record is of a region at %#" PRIx64
				 ", but the device tree's is at %#" PRIx64 ": reboot to arm anew",
				 record->region_base, all.base);
	control->region = crash_region_layout(all, record->kept_room);
	return LB_OK;
}

enum lb_err control_read_running(struct control *control, const void *memory, struct crash_record *record)
{
	enum lb_err err = control_read(control, memory, record);

	if (err || record->state == CRASH_ARMED || record->state == CRASH_DISARMED)
		return err;
	return diag_fail(&control->diag, LB_EINVAL,
			 "the record is %s, only an armed or disarmed one can be changed: nothing was "
			 "changed; lifeboat-ctl log says what lifeboat staged",
			 crash_state_name(record->state));
}

enum lb_err control_check_written(struct control *control, const void *memory,
				  const struct crash_record *record)
{
	struct crash_record now;
	enum lb_err err = crash_record_read(memory, &now, &control->diag);

	if (!err && !memcmp(&now, record, sizeof(now)))
		return LB_OK;
	return diag_fail(&control->diag, err ? err : LB_EFORMAT,
			 "the record did not take the change: is %.48s really the machine's memory?",
			 control->memory);
}
